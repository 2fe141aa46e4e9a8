"""The reference fold of one partition, written from docs/semantics.md for clarity, not for speed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .checks import Refusal
from .counters import DAY, HOUR, MINUTE, Cell, Counters, Key
from .facts import Sale, Settings, default_satisfied
from .intervals import Intervals
from .ledger import REFUSED_WHY, Ledger, counted_as
from .memory import Memory, fingerprint, stay
from .records import VISIT_EVENTS, Beginning, Event, read
from .steps import Steps
from .visits import ROWS, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SECOND = 1_000
FUTURE_MS, LATE_MS = MINUTE, 2 * DAY
STILL_MS = 31 * DAY
RECENT_MAX, LASTING_MAX = 500_000, 2_000_000
NO_QUEUE = "unassigned"
BEGINS_WITHIN_MS = 55 * MINUTE
NEAR_MS = 2 * SECOND
_ENDS_A_CONVERSATION = ("contact.transferred", "contact.ended", "contact.wrapped")
REPEATABLE = frozenset(
    {
        "contact.abandoned",
        "contact.held",
        "contact.resumed",
        "agent.missed",
        "bot.handed_off",
        "message.received",
        "message.sent",
    },
)


def default_targets(_queue: str, channel: str, _queued_at: int) -> tuple[int, int]:
    """The answer target and the short-abandon threshold in ms: 20 s for voice, 60 s chat, 1 h e-mail and callback; 5 s."""
    return {"voice": 20 * SECOND, "email": HOUR, "callback": HOUR}.get(channel, 60 * SECOND), 5 * SECOND


class Reference:
    """All that the records fed so far must have become.

    `targets(queue, channel, queued_at)` gives the answer target and the short-abandon threshold in ms,
    `satisfied(score, scale)` whether a csat score is in the satisfied set. Counters that are zero are left out
    of every answer.
    """

    def __init__(
        self,
        targets: Callable[[str, str, int], tuple[int, int]] = default_targets,
        *,
        recent_max: int = RECENT_MAX,
        lasting_max: int = LASTING_MAX,
        satisfied: Callable[[float, float], bool] = default_satisfied,
        low_is_easy: bool = True,
    ) -> None:
        self.results: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._targets = targets
        self._settings = Settings(satisfied, low_is_easy)
        self._next_offset: int | None = None
        self._memory = Memory(recent_max, lasting_max)
        self._counters = Counters()
        self._intervals = Intervals()
        self._steps = Steps(self._memory, Ledger(self._counters, self._intervals))

    @property
    def partition_time(self) -> int:
        """What time it is in the partition, ms."""
        return self._memory.now

    # What came in ------------------------------------------------------------------------------------

    def feed(self, offset: int, value: bytes | None, timestamp: int = -1, *, by_broker: bool = False) -> str:
        """Fold the record at `offset`; a negative timestamp (ms) is none. Returns the name of the result.

        `by_broker`: the broker put the timestamp on.
        """
        self.skip_to(offset)
        self._next_offset = offset + 1
        event = read(value)
        if isinstance(event, Refusal):
            result, reason = event
        else:
            stamp = event.at if timestamp < 0 else min(event.at, timestamp)
            self._pass_time(event.sender, stamp, by_broker=by_broker)
            result, reason = self._judge(event, stamp)
        self.results[result] += 1
        if reason:
            self.reasons[result, reason] += 1
        return result

    def skip_to(self, offset: int) -> None:
        """The next record has at least this offset; those between are gaps. The first call sets the start."""
        if self._next_offset is not None:
            if offset < self._next_offset:
                raise ValueError(f"offset {offset} was passed, the next is {self._next_offset}")
            if offset > self._next_offset:
                self.results["gap"] += offset - self._next_offset
        self._next_offset = offset

    # What it became ----------------------------------------------------------------------------------

    def cells(self, resolution_s: int) -> dict[Cell, dict[str, int]]:
        """Counters of the buckets that are still kept at 10, 60 or 900 s."""
        return self._counters.cells(resolution_s, self.partition_time)

    def totals(self) -> dict[Key, dict[str, int]]:
        """Counters of all time by (queue, channel)."""
        return self._counters.totals()

    def sketch(self, name: str, resolution_s: int) -> dict[Cell, dict[int, int]]:
        """The family `response`, `handle` (sketch bucket -> number of durations) or `revenue`, by cell still kept.

        `revenue` is the place of the currency -> the amount in ten-thousandths.
        """
        return self._counters.sketch(name, resolution_s, self.partition_time)

    def total_sketch(self, name: str) -> dict[Key, dict[int, int]]:
        """The sketch of all time by (queue, channel)."""
        return self._counters.total_sketch(name)

    def rows(self) -> dict[Cell, dict[str, int]]:
        """Quarter of an hour, queue and channel -> the row, `waiting` counted visit by visit, without the backlog."""
        return self._intervals.rows()

    def backlog(self, start: int, queue: str, channel: str) -> tuple[int, int]:
        """`backlog_start` and `backlog_max` of the quarter that starts then, whether or not it has a row."""
        return self._intervals.backlog(start, queue, channel)

    def open_visits(self) -> list[tuple[str, str, str, str, int]]:
        """(contact, queue, channel, state, queued_at) of every open visit, sorted."""
        return sorted((v.contact, v.queue, v.channel, v.state, v.queued_at) for v in self._memory)

    # Time, and judgement: future, late, duplicate, illegal, applied -----------------------------------

    def _pass_time(self, sender: str, stamp: int, *, by_broker: bool) -> None:
        before = self.partition_time
        if by_broker:
            self._memory.clock.trust(stamp)
        else:
            self._memory.clock.hear(sender, stamp)
        self._memory.follow(before)
        if self.partition_time // MINUTE > before // MINUTE:
            for visit in list(self._memory):
                self._steps.time_out(visit)
            self._memory.forget()

    def _judge(self, event: Event, stamp: int) -> tuple[str, str]:
        if event.at > max(self.partition_time, stamp) + FUTURE_MS:
            return "dead_letter", "future"
        if event.at < self.partition_time - LATE_MS and not self._counts_still(event):
            return "late", ""
        if event.type == "contact.queued":
            return self._queue(event)
        if event.type == "contact.answered" and event.outbound:
            return self._call_out(event)
        return self._follow(event)

    def _counts_still(self, event: Event) -> bool:
        since = self.partition_time - STILL_MS
        if event.at < since or event.type == "contact.queued":
            return event.at >= since and event.recurs
        visits = self._memory.newest_first(event.contact)
        return bool(visits) and all(visit.queued_at >= since for visit in visits)

    def _follow(self, event: Event) -> tuple[str, str]:
        """All but the events that open a visit."""
        name = fingerprint(event.id)
        repeatable = event.type in REPEATABLE or event.type not in VISIT_EVENTS
        if repeatable and self._memory.knows(name):
            return "duplicate", ""
        beginning = event.beginning if event.queue and not event.outbound else None
        if beginning and beginning.at > event.at + MINUTE:
            beginning = None
        answered_at = beginning.answered_at if beginning else None
        if beginning and answered_at is not None and not beginning.at <= answered_at <= event.at:
            beginning = beginning._replace(answered_at=None)
        meant = self._meant(event, beginning) if beginning and beginning.exact else []
        if meant is None:
            return "duplicate", ""
        if beginning and not self._begin(event, beginning, meant):
            return "duplicate", ""
        result, reason = "applied", ""
        if event.type in VISIT_EVENTS:
            result, reason = self._move(event, beginning, meant)
        elif event.type == "platform.restarted":
            result, reason = self._restart(event)
        else:
            self._count(event)
        if repeatable and result == "applied":
            self._memory.remember(name)
        return result, reason

    def _meant(self, event: Event, beginning: Beginning) -> list[Visit] | None:
        """The visit that an exact beginning tells, if one is open; None if it is over."""
        if own := self._near(self._memory.newest_first(event.contact), event, beginning.at):
            return [own]
        if self._is_over(event, beginning.at):
            return None
        other = self._renamed(event, beginning.at)
        if other:
            self._memory.rename(other, event.contact)
        return [other] if other else []

    def _near(self, visits: Iterable[Visit], event: Event, at: int) -> Visit | None:
        """Of visits that the event fits, the one queued nearest to `at`, if that is near; the first of several."""
        near = [v for v in visits if v.fits(event) and abs(v.queued_at - at) <= NEAR_MS]
        return min(near, key=lambda v: abs(v.queued_at - at)) if near else None

    def _is_over(self, event: Event, at: int) -> bool:
        """Whether the visit is remembered that the event means."""
        seconds = range(at // SECOND - 2, at // SECOND + 3)
        who = [("contact", event.contact), *([("agent", event.agent)] if event.agent else [])]
        return any(self._memory.knows(stay(event.place, of, name, s)) for of, name in who for s in seconds)

    def _renamed(self, event: Event, at: int) -> Visit | None:
        """Another contact's visit that the event means."""
        others = [v for v in self._memory if v.contact != event.contact and v.place == event.place]
        kinds: list[Callable[[Visit], bool]] = [
            lambda v: (
                v.state in ("talking", "held", "wrapping") and event.agent != "" and v.agent == event.agent
            ),
            lambda v: v.state == "waiting",
            lambda v: v.state == "abandoned" and abs(v.since - event.at) <= NEAR_MS,
        ]
        found = (self._near(filter(kind, others), event, at) for kind in kinds)
        return next(filter(None, found), None)

    def _restart(self, event: Event) -> tuple[str, str]:
        """A platform forgot its calls."""
        for visit in list(self._memory):
            named = not event.source or visit.contact.startswith(event.source + "-")
            if named and visit.channel == "voice" and visit.state != "abandoned" and visit.since <= event.at:
                self._steps.give_up(visit, event.at)
        return "applied", ""

    def _visit(self, event: Event, at: int, opener: bytes) -> Visit:
        limits = self._targets(*event.place, at)
        return Visit(event, at, opener, limits)

    def _queue(self, event: Event) -> tuple[str, str]:
        name = fingerprint(event.id)
        recurred = event.recurs and self._memory.recurred(name, event.at)
        if recurred or self._memory.knows_opener(event.contact, name):
            return "duplicate", ""
        here = [v for v in self._memory.newest_first(event.contact) if v.place == event.place]
        if any(v.state == "waiting" for v in here):
            return "illegal", "state"
        abandoned = next((v for v in here if v.state == "abandoned" and v.fits(event)), None)
        if event.resumes and abandoned:
            self._steps.resume(abandoned, event.at)
            self._memory.remember(name)
        else:
            self._steps.open(self._visit(event, event.at, name))
        return "applied", ""

    def _call_out(self, event: Event) -> tuple[str, str]:
        """Somebody was called and answered."""
        name = fingerprint(event.id)
        if self._memory.knows_opener(event.contact, name):
            return "duplicate", ""
        if not event.queue:
            return "illegal", "no_visit"
        here = [v for v in self._memory.newest_first(event.contact) if v.place == event.place]
        if any(v.outbound and v.state in ("talking", "held") for v in here):
            return "illegal", "state"
        self._steps.open_outbound(self._visit(event, event.at, name), event.agent)
        return "applied", ""

    def _begin(self, event: Event, beginning: Beginning, meant: list[Visit]) -> bool:
        """Make up for what was lost of the beginning; False if the outcome is a duplicate."""
        opener = fingerprint(beginning.id)
        visits = meant or self._memory.newest_first(event.contact)
        ready = [
            v
            for v in visits
            if v.opener == opener
            or v.allows(event)
            or (v.state == "waiting" and v.fits(event))
            or (event.type not in REPEATABLE and v.has_taken(event))
        ]
        minute = self.partition_time // MINUTE * MINUTE
        ends_a_wait = event.type in ROWS["waiting"] or (event.type == "contact.ended" and event.by == "bot")
        if (
            not (meant or ready)
            and (ends_a_wait or beginning.answered_at is not None)
            and beginning.at >= minute - BEGINS_WITHIN_MS
        ):
            if self._memory.knows(opener):
                return False
            self._steps.open(self._visit(event, beginning.at, opener))
        visits = meant or self._memory.newest_first(event.contact)
        waiting = next((v for v in visits if v.state == "waiting" and v.fits(event)), None)
        at = beginning.answered_at
        if waiting and at is not None and event.type in _ENDS_A_CONVERSATION:
            self._steps.answer(waiting, at, event.agent, waiting.waited(at), stated=False)
            waiting.taken.add("contact.answered")
        return True

    def _move(self, event: Event, beginning: Beginning | None, meant: list[Visit]) -> tuple[str, str]:
        visits = meant or self._memory.newest_first(event.contact)
        fitting = [v for v in visits if v.allows(event)]
        if fitting:
            visit = next((v for v in fitting if event.agent and v.agent == event.agent), fitting[0])
            if (
                visit.state == "wrapping"
                and event.type == "contact.transferred"
                and event.type in visit.taken
            ):
                return "duplicate", ""
            visit.exact = visit.exact or bool(beginning and beginning.exact)
            self._steps.take(visit, event)
            if beginning and fingerprint(beginning.id) != visit.opener:
                self._memory.remember(fingerprint(beginning.id))
            return "applied", ""
        if event.type not in REPEATABLE and any(v.has_taken(event) for v in visits):
            return "duplicate", ""
        return "illegal", "state" if visits else "no_visit"

    def _count(self, event: Event) -> None:
        """An event that belongs to no visit."""
        if event.type == "contact.refused":
            counted = {"refused": 1, **counted_as(REFUSED_WHY, "refused", event.reason)}
            self._counters.add(event.place, event.at, counted)
            self._intervals.done(event.place, event.at, counted)
        if event.fact is None:
            return
        visits = self._memory.newest_first(event.contact)
        queue = event.queue or next((v.queue for v in visits), NO_QUEUE)
        channel = event.channel or next((v.channel for v in visits if v.queue == queue), "voice")
        self._counters.add((queue, channel), event.at, event.fact.counts(self._settings))
        if isinstance(event.fact, Sale):
            self._counters.take((queue, channel), event.at, "revenue", event.fact.place, event.fact.amount)
