"""What would have been counted under other settings: the same contacts, judged anew.

Targets, thresholds, hours and the clock only judge what happened, so a contact that is over can be judged again. What decides
what happened at all, such as whether a bot's message is a conversation, can't be answered from what was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct, structs

from stream_app.errors import BadSettingsError

from . import facts as f
from .facts import Fact, Facts
from .targets import QueueTargets, Targets
from .targets.promises import promise

_JUDGING: Final = frozenset(
    {
        "answer_target",
        "short_abandon",
        "policy",
        "targets",
        "ledger_targets",
        "too_good",
        "calendar",
        "clock",
        "reply_target",
    }
    | {
        "priorities",
        "cost_per_hour",
        "overhead_per_hour",
        "cost_per_contact",
        "currency",
        "risk_below",
        "zone",
        "site",
        "partner",
    }
    | {
        "unit",
        "shrinkage",
        "patience_s",
        "occupancy_max",
        "asa_max_s",
        "concurrency",
        "full_time_h",
        "at_once",
    }
)
"""What may differ: what contacts are judged by, what follows from it, as targets by the clock do, and what is idle."""
JUDGED_BY: Final = frozenset(
    {"answer_target_s", "short_abandon_s", "reply_target_s", "priorities", "calendar", "clock", "zone"}
)
"""What can be tried, as in the targets file. A calendar without a zone of its own is in the queue's."""
_IDLE: Final = frozenset(
    {"policy", "targets", "too_good", "risk_below", "site", "partner", "unit", "external_id"}
    | {"cost_per_hour", "overhead_per_hour", "cost_per_contact", "currency"}
    | {"shrinkage", "patience_s", "occupancy_max", "asa_max_s", "concurrency", "full_time_h"}
)
"""What no number depends on that is computed anew: all policies are, and costs, plans and verdicts are not."""


class NotAnswerableError(BadSettingsError):
    """A setting was asked about that contacts which are over can't be judged by anew."""


class WhatIfQuery(Struct, frozen=True, kw_only=True):
    """A question.

    Attributes:
        start, end: ``[start, end)``, ms.
        targets: the settings that are tried.
        queue: one queue; ``None``: all.
    """

    start: int
    end: int
    targets: Targets
    queue: str | None = None


class Compared(Struct, frozen=True):
    """A KPI as it was counted, and as it would have been.

    Attributes:
        kpi: its name.
        policy: which of its formulas; "" where it has one.
        was: in stored units; ``None``: no data.
        would: likewise.
        samples_was: how much it rests on.
        samples_would: likewise.
    """

    kpi: str
    policy: str
    was: float | None
    would: float | None
    samples_was: int
    samples_would: int


class WhatIf(Struct, frozen=True):
    """The answer.

    Attributes:
        compared: by queue and channel; ("", ""): of all together.
        unknown: stretches of the range of which contacts are missing, ``[start, end)``, ms.
    """

    compared: Mapping[tuple[str, str], Sequence[Compared]]
    unknown: Sequence[tuple[int, int]]


class WhatIfAnswerer(Protocol):
    """What judges the contacts of a time anew."""

    async def what_if(self, query: WhatIfQuery, targets: Targets) -> WhatIf:
        """Answer a question; ``targets`` are those in force.

        Raises:
            NotAnswerableError: see there.
            ContactsAwayError: see ``model.contacts``, like the others.
            ContactsMissingError: likewise.
            TooMuchAskedError: likewise.
        """
        ...


def unanswerable(was: QueueTargets, would: QueueTargets) -> list[str]:
    """Return the settings that differ and that no contact which is over can be judged by anew."""
    return [
        name
        for name in QueueTargets.__struct_fields__
        if name not in _JUDGING and getattr(was, name) != getattr(would, name)
    ]


def idle_settings(document: Mapping[str, Any]) -> list[str]:
    """Return the settings of a document, such as ``queues.sales.site``, that change no number which is computed anew.

    Args:
        document: ``defaults``, ``channels`` and ``queues``, as ``Targets.changed`` takes them.
    """
    found = [*_idle("defaults", document.get("defaults", {}))]
    for table in ("channels", "queues"):
        for name, level in document.get(table, {}).items():
            found += _idle(f"{table}.{name}", level)
            for channel, own in level.get("channels", {}).items():
                found += _idle(f"{table}.{name}.channels.{channel}", own)
    return found


def _idle(place: str, level: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{place}.{name}" for name in level if name in _IDLE)


class Hindsight:
    """Judges the facts of a queue and channel under other targets."""

    def __init__(self, targets: QueueTargets) -> None:
        """Take these."""
        self._targets = targets

    def again(self, facts: Facts, priority: str | int | None) -> Facts:
        """Return the facts of a visit, or of one reply, as they would have been.

        Args:
            facts: all that a visit counted, or a reply.
            priority: as the contact was queued with.
        """
        return tuple(self._again(facts, priority))

    def _again(self, facts: Facts, priority: str | int | None) -> Iterator[Fact]:
        for fact in facts:
            if isinstance(fact, f.Decided):
                continue  # it follows from how the wait ended
            if isinstance(fact, f.WaitOver):
                yield from self._wait_over(fact, *promise(self._targets, fact.queued_at, priority))
            elif isinstance(fact, f.QueueResponded):
                yield structs.replace(fact, wait_open=self._open(fact.wait, fact.at))
            elif isinstance(fact, f.Responded):
                yield structs.replace(fact, after_open=fact.before_open + self._open(fact.here, fact.at))
            elif isinstance(fact, f.Replied):
                yield self._replied(fact, priority)
            else:
                yield fact

    def _wait_over(self, fact: f.WaitOver, target: int, short: int) -> Iterator[Fact]:
        if isinstance(fact, f.Lost):
            yield fact
            yield _decided(fact, max(0, fact.at - fact.queued_at), target)
            return
        assert isinstance(fact, f.Answered | f.Abandoned | f.Left)  # noqa: S101 - all that ends a wait
        wait, within = fact.wait, fact.wait <= target
        if isinstance(fact, f.Left):
            demand = fact.demand
            if fact.reason == "closed":
                demand = not (within and "closed" in self._targets.not_demand)
            yield structs.replace(fact, in_target=within and demand, demand=demand)
            if demand:
                yield _decided(fact, wait, target)
            return
        open_ = self._open(wait, fact.at)
        if isinstance(fact, f.Answered):
            yield structs.replace(fact, in_target=within, wait_open=open_)
            yield _decided(fact, wait, target)
            return
        yield structs.replace(fact, in_target=within, short=wait <= short > 0, wait_open=open_)
        yield _decided(fact, wait, target, abandoned_later=not within)

    def _replied(self, fact: f.Replied, priority: str | int | None) -> Fact:
        open_ = self._open(fact.after, fact.at)
        target = -1 if fact.first else self._targets.reply_target_of(priority)
        took = open_ if self._targets.clock == "business" and self._targets.calendar else fact.after
        return structs.replace(
            fact, after_open=open_, target=target, in_target=took <= target, due=target >= 0
        )

    def _open(self, lasted: int, at: int) -> int:
        """Return the part of a time that ended then within business hours."""
        calendar = self._targets.calendar
        return lasted if calendar is None else calendar.within(at - lasted, at)


def _decided(fact: f.WaitOver, wait: int, target: int, *, abandoned_later: bool = False) -> Fact:
    at = fact.at if wait <= target else min(fact.queued_at + target, fact.at)
    return f.Decided(at, abandoned_later)
