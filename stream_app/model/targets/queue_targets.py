"""What holds for one queue and channel: the settings in force, as the fold, readers and planners take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct, field

from stream_app.model.durations import DAY

from . import conversations
from .conversations import Answer, Bot, Clock, PriorityTargets, WorkFrom
from .hours import Calendar

SATISFIED: Final[Mapping[int, tuple[int, ...]]] = {5: (4, 5), 2: (2,)}
"""Scores that count as satisfied, by scale; on other scales it is the top fourth of the range, which yields these too."""
RISK_BELOW: Final = 2.5
"""On a scale of one to five: closer to the bottom than to the middle."""


class QueueTargets(Struct, frozen=True):
    """The targets in force for one queue and channel.

    Attributes:
        answer_target: T, in milliseconds; within T is ≤ T.
        short_abandon: a contact that gives up within this many milliseconds is not counted as abandoned; at most T; 0: every
            one that gives up is counted.
        policy: the service level's named formula.
        zone: IANA zone in which the queue's day starts.
        targets: KPI name → target in the KPI's unit.
        ledger_targets: the same of KPIs of the ledger.
        too_good: KPI name → beyond this, on the good side of its target, a value is suspicious.
        calendar: the business hours; ``None`` means always open.
        site: the site that works it, own or a partner's; ``None`` if not stated.
        partner: whether that site is a partner's.
        unit: the business unit that owns it.
        csat_satisfied: scale → scores that count as satisfied.
        ces_easy: which end of the effort scale is the easy one.
        cost_per_hour: of an agent's time, in ``currency``.
        overhead_per_hour: added to it for what else an hour of work takes: rooms, licences, leading, in ``currency``.
        cost_per_contact: added to each contact, in ``currency``.
        currency: ISO 4217; ``None`` only where nothing costs.
        risk_below: an open contact whose predicted CSAT (1 to 5) is lower is at risk.
        shrinkage: planning: share of scheduled time that is not work on contacts.
        patience_s: planning: mean patience in seconds.
        occupancy_max: planning: agents are busy for at most this share of their time.
        asa_max_s: planning: the longest mean wait in seconds; ``None``: no such goal.
        concurrency: planning: contacts that one agent handles at once; calls and deferred work are always one.
        full_time_h: planning: weekly hours of a full-time agent, for FTE.
        clock: the clock by which targets of waits run.
        bot: whether a bot's message is a conversation.
        answer: what answers a contact; ``None``: what its source's dialect implies.
        work: how handle time is found where nobody states it; ``None``: as the source's dialect and the channel imply.
        reply_target: how long a reply after the first may take, in milliseconds; -1: no such target.
        reply_work_cap: the most work that one reply may have been, in milliseconds.
        request_gap: how long after it ended elsewhere a request goes on in this queue, in milliseconds.
        containment_return: how soon after a bot resolved it a contact that comes back was not resolved, in milliseconds.
        idle_days: after how many days without activity a contact is closed; 0 in calls, which end after hours.
        not_demand: reasons for leaving that are no demand, in lower case.
        priorities: name → targets of its own.
        at_once: ``concurrency`` in written channels, else 1: whoever talks does nothing else.
    """

    answer_target: int
    short_abandon: int
    policy: str
    zone: str
    targets: dict[str, float]
    calendar: Calendar | None = None
    site: str | None = None
    partner: bool = False
    unit: str | None = None
    csat_satisfied: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: SATISFIED)
    ces_easy: Literal["low", "high"] = "low"
    cost_per_hour: float | None = None
    overhead_per_hour: float | None = None
    cost_per_contact: float | None = None
    currency: str | None = None
    risk_below: float = RISK_BELOW
    too_good: Mapping[str, float] = field(default_factory=dict)
    ledger_targets: Mapping[str, float] = field(default_factory=dict)
    shrinkage: float = 0.3
    patience_s: float = 120.0
    occupancy_max: float = 0.85
    asa_max_s: float | None = None
    concurrency: float = 1.0
    full_time_h: float = 40.0
    clock: Clock = "wall"
    bot: Bot = "acknowledges"
    answer: Answer | None = None
    work: WorkFrom | None = None
    reply_target: int = -1
    reply_work_cap: int = 600_000
    request_gap: int = 1_800_000
    containment_return: int = DAY
    idle_days: int = 0
    not_demand: frozenset[str] = frozenset()
    priorities: Mapping[str, PriorityTargets] = field(default_factory=dict)

    at_once: float = 1.0

    @property
    def has_costs(self) -> bool:
        """Whether any cost is set; without one, what contacts cost is unknown."""
        return not (self.cost_per_hour is self.overhead_per_hour is self.cost_per_contact is None)

    @property
    def by_business_hours(self) -> bool:
        """Whether targets of waits run only while the queue is open."""
        return self.clock == "business" and self.calendar is not None

    @property
    def promises(self) -> bool:
        """Whether targets of a wait differ from contact to contact: by business hours, or by priority."""
        return self.by_business_hours or bool(self.priorities)

    def works_by(self, channel: str, *, tells_messages: bool) -> WorkFrom:
        """Return how work is found on contacts of a source that tells messages, or does not."""
        return self.work or (conversations.work(channel) if tells_messages else "stamps")

    @property
    def in_writing(self) -> bool:
        """Whether replies matter, whatever the channel: work is found from them, or they have a target."""
        return self.work == "replies" or self.reply_target >= 0 or bool(self.priorities)

    def answers_by(self, channel: str, *, tells_messages: bool) -> Answer:
        """Return what answers a contact of a source that tells messages, or does not."""
        return self.answer or (
            "message" if tells_messages and conversations.is_written(channel) else "assignment"
        )

    def reply_target_of(self, priority: str | int | None) -> int:
        """Return how long a reply after the first may take to a contact of a priority, in milliseconds; -1: no target."""
        own = None if priority is None else self.priorities.get(str(priority))
        return self.reply_target if own is None else own.reply_target

    def satisfied(self, score: float, scale: int) -> bool:
        """Return whether an answer from 1 to ``scale`` is one of a satisfied customer."""
        named = self.csat_satisfied.get(scale)
        return score >= scale - (scale - 1) / 4 if named is None else score in named
