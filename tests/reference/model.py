"""The reference fold of one partition, written from docs/semantics.md for clarity, not for speed."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from typing import TYPE_CHECKING

from .counters import DAY, HOUR, MINUTE, Cell, Counters, Key
from .records import QUEUE_EVENTS, VISIT_EVENTS, Event, Refusal, read
from .visits import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = 1_000
FUTURE_MS, LATE_MS, RECENT_MS = MINUTE, 2 * DAY, HOUR
WRAP_TIME_OUT_MS = 30 * MINUTE
RECENT_MAX = 500_000
REPEATABLE = frozenset(
    {
        "contact.held",
        "contact.resumed",
        "agent.missed",
        "bot.handed_off",
        "message.received",
        "message.sent",
    },
)


def default_targets(_queue: str, channel: str, _queued_at: int) -> tuple[int, int]:
    """The answer target and the short-abandon threshold in ms: 20 s for voice, 60 s chat, 1 h e-mail; 5 s."""
    return {"voice": 20 * SECOND, "email": HOUR}.get(channel, 60 * SECOND), 5 * SECOND


class Reference:
    """All that the records fed so far must have become.

    `targets(queue, channel, queued_at)` gives the answer target and the short-abandon threshold in ms.
    Counters that are zero are left out of every answer.
    """

    def __init__(
        self,
        targets: Callable[[str, str, int], tuple[int, int]] = default_targets,
        *,
        recent_max: int = RECENT_MAX,
    ) -> None:
        self.results: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.partition_time = 0
        self._targets = targets
        self._recent_max = recent_max
        self._next_offset: int | None = None
        self._visits: dict[str, list[Visit]] = {}  # contact -> its open visits, oldest first
        self._recent: dict[bytes, int] = {}  # hash of an event id -> the minute when it was added, in order
        self._counters = Counters()

    # What came in ------------------------------------------------------------------------------------

    def feed(self, offset: int, value: bytes | None, timestamp: int = -1) -> str:
        """Fold the record at `offset`; a negative timestamp (ms) is none. Returns the name of the result."""
        self.skip_to(offset)
        self._next_offset = offset + 1
        event = read(value)
        if isinstance(event, Refusal):
            result, reason = event
        else:
            self._pass_time(event.at if timestamp < 0 else min(event.at, timestamp))
            result, reason = self._judge(event)
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
        """The sketch `response` or `handle`: sketch bucket -> number of durations, by cell still kept."""
        return self._counters.sketch(name, resolution_s, self.partition_time)

    def total_sketch(self, name: str) -> dict[Key, dict[int, int]]:
        """The sketch of all time by (queue, channel)."""
        return self._counters.total_sketch(name)

    def open_visits(self) -> list[tuple[str, str, str, str, int]]:
        """(contact, queue, channel, state, queued_at) of every open visit, sorted."""
        return sorted((v.contact, v.queue, v.channel, v.state, v.queued_at) for v in self._all_visits())

    def _all_visits(self) -> Iterator[Visit]:
        return (visit for visits in self._visits.values() for visit in visits)

    # Time --------------------------------------------------------------------------------------------

    def _pass_time(self, time: int) -> None:
        before = self.partition_time
        self.partition_time = max(before, time)
        if self.partition_time // MINUTE > before // MINUTE:
            for visit in list(self._all_visits()):
                self._time_out(visit)
            self._forget()

    def _remember(self, name: bytes) -> None:
        self._recent.pop(name, None)  # at the end again: the oldest stay in front
        self._recent[name] = self.partition_time - self.partition_time % 60_000

    def _forget(self) -> None:
        oldest = self.partition_time - RECENT_MS
        for name in list(itertools.takewhile(lambda name: self._recent[name] < oldest, self._recent)):
            del self._recent[name]
        while len(self._recent) > self._recent_max:
            minute = min(self._recent.values())
            self._recent = {name: stamp for name, stamp in self._recent.items() if stamp > minute}

    def _time_out(self, visit: Visit) -> None:
        now = self.partition_time
        idle = now - visit.since
        voice = visit.channel == "voice"
        if visit.state == "waiting":
            if idle > (4 * HOUR if voice else 30 * DAY):
                self._add(visit, now, lost=1)
                self._decide(visit, now, max(0, now - visit.queued_at))
                self._close(visit)
        elif visit.state == "wrapping":
            if idle > WRAP_TIME_OUT_MS:
                self._add(visit, now, wrap_timed_out=1)
                self._handled(visit, now)
        elif idle > (12 * HOUR if voice else 30 * DAY):
            self._add(visit, now, unfinished=1)
            self._close(visit)

    # Judgement: future, late, duplicate, illegal, applied --------------------------------------------

    def _judge(self, event: Event) -> tuple[str, str]:
        if event.at > self.partition_time + FUTURE_MS:
            return "dead_letter", "future"
        if event.at < self.partition_time - LATE_MS:
            return "late", ""
        if event.type == "contact.queued":
            return self._open(event)
        name = _hash(event.id)
        repeatable = event.type in REPEATABLE or event.type not in VISIT_EVENTS
        if repeatable and name in self._recent:
            return "duplicate", ""
        result, reason = "applied", ""
        if event.type in VISIT_EVENTS:
            result, reason = self._move(event)
        elif event.type in QUEUE_EVENTS:
            self._add(event, event.at, refused=1)
        if repeatable and result == "applied":
            self._remember(name)
        return result, reason

    def _open(self, event: Event) -> tuple[str, str]:
        name = _hash(event.id)
        visits = self._visits.get(event.contact, [])
        if name in self._recent or any(v.opener == name for v in visits):
            return "duplicate", ""
        place = (event.queue, event.channel)
        if any(v.state == "waiting" and (v.queue, v.channel) == place for v in visits):
            return "illegal", "state"
        visit = Visit(event, name, *self._targets(*place, event.at))
        self._visits.setdefault(event.contact, []).append(visit)
        self._add(visit, visit.queued_at, offered=1)
        return "applied", ""

    def _move(self, event: Event) -> tuple[str, str]:
        visits = self._visits.get(event.contact, [])
        fitting = [v for v in reversed(visits) if v.allows(event)]
        if fitting:
            visit = next((v for v in fitting if event.agent and v.agent == event.agent), fitting[0])
            self._step(visit, event)
            visit.taken.add(event.type)
            return "applied", ""
        if event.type not in REPEATABLE and any(v.has_taken(event) for v in visits):
            return "duplicate", ""
        return "illegal", "state" if visits else "no_visit"

    # What each event does to the visit that allows it ------------------------------------------------

    def _step(self, visit: Visit, event: Event) -> None:
        match event.type:
            case "contact.answered":
                self._answer(visit, event)
            case "message.sent":
                self._reply(visit, event)
            case "message.received" | "bot.handed_off":
                visit.start_clock(event)
            case "agent.missed":
                self._add(visit, event.at, missed=1)
            case "contact.abandoned":
                self._abandon(visit, event)
            case "contact.held":
                visit.change("held", event.at)
            case "contact.resumed":
                visit.change("talking", event.at)
            case "contact.wrapped":
                visit.change("closed", event.at)
                visit.state_durations(event)
                self._handled(visit, event.at)
            case _:
                self._leave_or_end(visit, event)

    def _answer(self, visit: Visit, event: Event) -> None:
        wait = visit.wait(event)
        self._add(visit, event.at, answered=1, answered_in_target=wait <= visit.target, answer_wait_ms=wait)
        self._decide(visit, event.at, wait)
        visit.agent = event.agent
        visit.change("talking", event.at)
        if visit.channel == "voice":
            self._respond(visit, event.at, wait)

    def _reply(self, visit: Visit, event: Event) -> None:
        if event.bot:
            return
        if visit.state == "waiting":
            self._answer(visit, event)
        clock = visit.queued_at if visit.clock is None else visit.clock
        self._respond(visit, event.at, max(0, event.at - clock))

    def _respond(self, visit: Visit, at: int, duration: int) -> None:
        if not visit.responded:
            visit.responded = True
            self._add(visit, at, responded=1, response_ms=duration)
            self._counters.note((visit.queue, visit.channel), at, "response", duration)

    def _abandon(self, visit: Visit, event: Event) -> None:
        wait = visit.wait(event)
        late = wait > visit.target
        self._add(
            visit,
            event.at,
            abandoned=1,
            abandoned_in_target=not late,
            abandoned_short=wait <= visit.short,
            abandon_wait_ms=wait,
            abandoned_late=late,
        )
        self._add(visit, self._decide(visit, event.at, wait), decided_then_abandoned=late)
        self._close(visit)

    def _leave_or_end(self, visit: Visit, event: Event) -> None:
        """Left the queue, called back, transferred (from the queue or by the agent), or ended."""
        if visit.state == "waiting":
            wait = visit.wait(event)
            self._add(visit, event.at, left=1, left_in_target=wait <= visit.target)
            self._decide(visit, event.at, wait)
            self._close(visit)
            return
        if event.type == "contact.transferred":
            self._add(visit, event.at, transferred=1)
        visit.change("wrapping", event.at)
        visit.state_durations(event)

    def _decide(self, visit: Visit, at: int, wait: int) -> int:
        """Count the visit as decided and return when that was."""
        when = at if wait <= visit.target else min(visit.queued_at + visit.target, at)
        self._add(visit, when, decided=1)
        return when

    def _handled(self, visit: Visit, at: int) -> None:
        talk, hold, wrap = visit.talk, visit.hold, visit.wrap
        held = visit.hold_began or hold > 0
        self._add(visit, at, handled=1, talk_ms=talk, hold_ms=hold, wrap_ms=wrap, held=held)
        self._counters.note((visit.queue, visit.channel), at, "handle", talk + hold + wrap)
        self._close(visit)

    def _close(self, visit: Visit) -> None:
        visits = self._visits[visit.contact]
        visits.remove(visit)
        if not visits:
            del self._visits[visit.contact]
        self._remember(visit.opener)

    def _add(self, where: Visit | Event, at: int, **amounts: int) -> None:
        self._counters.add((where.queue, where.channel), at, amounts)


def _hash(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=8).digest()
