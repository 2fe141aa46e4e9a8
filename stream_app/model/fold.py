"""Events → deltas. The fold of one partition: pure, deterministic, and independent of how a stream is cut into batches.

Its only clock is partition time: the largest ``min(event.at, record timestamp)`` seen so far. ``docs/semantics.md`` is the
specification; an independent reference in the tests is written from the same page.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from itertools import takewhile
from typing import Final

from msgspec import Struct, field

from . import events as e, facts as f
from .lifecycle import TABLE, BotMessage, Move, State, Visit, expired, step, time_out
from .tally import Cell, CellKey, Tally
from .targets import Rule, Targets
from .windows import KEPT

SKEW: Final = 60_000
"""A stamp further ahead of partition time than this is from the future."""
OLDEST: Final = max(KEPT.values())
"""A stamp further behind partition time than this is too late: none of its buckets is kept."""
LATE: Final = 120_000
"""Behind partition time by more than this, an event is counted where it belongs, and counted as late."""
RECENT: Final = 3_600_000
"""How long event ids are remembered, in partition time."""
RECENT_MAX: Final = 500_000
"""How many are remembered at most."""
RULES_MAX: Final = 10_000
MINUTE: Final = 60_000


class Result(StrEnum):
    """What became of a record. Every offset has exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    ILLEGAL = "illegal"
    DEAD_LETTER = "dead_letter"
    UNKNOWN_TYPE = "unknown_type"
    GAP = "gap"


class Memory(Struct):
    """What the fold remembers of a partition; a claim restores it from the store.

    Attributes:
        time: partition time in milliseconds; 0 before the first event.
        open: contact → its open visits, oldest first.
        recent: hash of an event id → the minute of partition time in which it was added; oldest first.
    """

    time: int = 0
    open: dict[str, list[Visit]] = field(default_factory=dict)
    recent: dict[bytes, int] = field(default_factory=dict)


class Deltas(Struct):
    """What a stretch of records changes.

    Attributes:
        time: partition time after it.
        cells: 10-second cells → what to add.
        visits: contact → its open visits now; empty where it had some before and has none any more.
        recent: minute → hashes added.
        forgotten: minutes whose hashes are dropped.
        results: result → records.
        reasons: (result, reason) → records, for dead letters and illegal events.
        late: records applied although they came late.
    """

    time: int
    cells: dict[CellKey, Cell]
    visits: dict[str, list[Visit]]
    recent: dict[int, list[bytes]]
    forgotten: list[int]
    results: dict[str, int]
    reasons: dict[tuple[str, str], int]
    late: int


def fingerprint(event_id: str) -> bytes:
    """Eight bytes that stand for an event id."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Fold:
    """Folds the records of one partition, in offset order."""

    def __init__(self, targets: Targets, tally: Tally | None = None, memory: Memory | None = None) -> None:
        """Start from what a claim restored, or from nothing."""
        self.state = memory or Memory()
        self._targets = targets
        self._rules: dict[tuple[str, str], tuple[str, str, Rule]] = {}
        self._tally = tally or Tally()
        self._minute = self.state.time // MINUTE
        self._known = self.state.recent
        self._reset()

    def _reset(self) -> None:
        self._touched: dict[str, bool] = {}
        self._added: dict[int, list[bytes]] = {}
        self._forgotten: list[int] = []
        self._results: dict[str, int] = dict.fromkeys(Result, 0)
        self._reasons: dict[tuple[str, str], int] = {}
        self._late = 0

    def take(self) -> Deltas:
        """Hand over what changed since the last call."""
        opened = self.state.open
        visits = {
            contact: opened.get(contact, [])
            for contact, was_open in self._touched.items()
            if was_open or contact in opened
        }
        deltas = Deltas(
            time=self.state.time,
            cells=self._tally.take(),
            visits=visits,
            recent=self._added,
            forgotten=self._forgotten,
            results={result: n for result, n in self._results.items() if n},
            reasons=self._reasons,
            late=self._late,
        )
        self._reset()
        return deltas

    def count(self, result: Result, n: int = 1, reason: str | None = None) -> Result:
        """Account for records that never became events: dead letters, unknown types, gaps."""
        self._results[result] += n
        if reason is not None:
            key = (result.value, reason)
            self._reasons[key] = self._reasons.get(key, 0) + n
        return result

    def record(self, event: e.Event, timestamp: int) -> Result:
        """Fold one event.

        Args:
            event: as a dialect gave it.
            timestamp: the record's Kafka timestamp in milliseconds; negative where it has none.
        """
        at = event.at
        now = at if timestamp < 0 or at < timestamp else timestamp
        state = self.state
        if now > state.time:
            state.time = now
            if now // MINUTE > self._minute:
                self._minute = now // MINUTE
                self._run_time_outs()
        else:
            now = state.time
        if at > now + SKEW:
            return self.count(Result.DEAD_LETTER, reason="future")
        if at < now - OLDEST:
            return self.count(Result.LATE)
        result = self._contact(event) if isinstance(event, e.ContactEvent) else self._once(event)
        if result is Result.APPLIED and at < now - LATE:
            self._late += 1
        self._results[result] += 1
        return result

    def _contact(self, event: e.ContactEvent) -> Result:
        kind: type[e.ContactEvent] = type(event)
        if kind is e.Queued:
            return self._open(event)  # type: ignore[arg-type]  # just asked
        if kind.repeatable:
            if kind is e.Refused:
                return self._refuse(event)
            if not kind.bit:
                return self._once(event)
            mark = fingerprint(event.id)
            if mark in self._known:
                return Result.DUPLICATE
            if kind is e.MessageSent and event.bot:  # type: ignore[attr-defined]  # just asked
                kind = BotMessage
        else:
            mark = None
        contact = event.contact_id
        visits = self.state.open.get(contact)
        if visits is None:
            return self._illegal("no_visit")
        visit = visits[0] if len(visits) == 1 else _choose(visits, kind, event)
        move = TABLE[visit.state].get(kind)
        if move is not None and _fits(visit, event):
            self._move(contact, visits, visit, move, event)
            if mark is not None:
                self._remember(mark)
            return Result.APPLIED
        if mark is None and any(visit.seen & kind.bit and _fits(visit, event) for visit in visits):
            return Result.DUPLICATE
        return self._illegal("state")

    def _move(self, contact: str, visits: list[Visit], visit: Visit, move: Move, event: e.ContactEvent) -> None:
        self._touched.setdefault(contact, True)
        add = self._tally.add
        for fact in step(visit, move, event):
            add(fact)
        if visit.state == State.CLOSED:
            self._close(contact, visits, visit)

    def _open(self, event: e.Queued) -> Result:
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        contact, queue, channel = event.contact_id, event.queue, event.channel
        visits = self.state.open.get(contact)
        if visits is not None:
            if any(visit.opener == mark for visit in visits):
                return Result.DUPLICATE
            if any(v.state == State.WAITING and v.queue == queue and v.channel == channel for v in visits):
                return self._illegal("state")
        queue, channel, rule = self._rules.get((queue, channel)) or self._rule(queue, channel)
        at = event.at
        visit = Visit(
            queue, channel, State.WAITING, at, at, rule.answer_target, rule.short_abandon, mark, event.bit, event.visit
        )
        self._touched.setdefault(contact, visits is not None)
        if visits is None:
            self.state.open[contact] = [visit]
        else:
            visits.append(visit)
        self._tally.add(f.Offered(queue, channel, at))
        return Result.APPLIED

    def _rule(self, queue: str, channel: str) -> tuple[str, str, Rule]:
        """What holds for a queue, with one copy of its name for all its visits."""
        if len(self._rules) >= RULES_MAX:  # names come from outside; a flood of them must not stay
            self._rules.clear()
        found = self._rules[queue, channel] = (queue, channel, self._targets.rule(queue, channel))
        return found

    def _refuse(self, event: e.ContactEvent) -> Result:
        result = self._once(event)
        if result is Result.APPLIED and event.queue is not None and event.channel is not None:
            self._tally.add(f.Refused(event.queue, event.channel, event.at))
        return result

    def _once(self, event: e.Event) -> Result:
        """Types that no visit listens to: only the id tells whether one was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        self._remember(mark)
        return Result.APPLIED

    def _illegal(self, reason: str) -> Result:
        key = (Result.ILLEGAL.value, reason)
        self._reasons[key] = self._reasons.get(key, 0) + 1
        return Result.ILLEGAL

    def _close(self, contact: str, visits: list[Visit], visit: Visit) -> None:
        self._remember(visit.opener)
        if len(visits) == 1:
            del self.state.open[contact]
        else:
            visits.remove(visit)

    def _remember(self, mark: bytes) -> None:
        minute = self._minute
        self._known[mark] = minute
        self._added.setdefault(minute, []).append(mark)

    def _run_time_outs(self) -> None:
        """Partition time entered a new minute: close what never ended, forget ids of an hour ago."""
        now = self.state.time
        for contact, visits in list(self.state.open.items()):
            for visit in [v for v in visits if expired(v, now)]:
                self._touched.setdefault(contact, True)
                for fact in time_out(visit, now):
                    self._tally.add(fact)
                self._close(contact, visits, visit)
        self._forget(now - RECENT)

    def _forget(self, before: int) -> None:
        """Drop whole minutes of hashes from the old end: those that began before, and those over the limit."""
        known = self._known
        while known:
            oldest = next(iter(known.values()))
            if oldest * MINUTE >= before and len(known) <= RECENT_MAX:
                return
            for mark in [m for m, _ in takewhile(lambda entry: entry[1] == oldest, known.items())]:
                del known[mark]
            self._added.pop(oldest, None)
            self._forgotten.append(oldest)


def _fits(visit: Visit, event: e.ContactEvent) -> bool:
    """Whether an event may belong to a visit, whatever the visit's state."""
    if event.at < visit.queued_at - SKEW:
        return False
    if event.visit is not None and visit.number is not None and event.visit != visit.number:
        return False
    return event.queue is None or event.queue == visit.queue


def _choose(visits: list[Visit], kind: type[e.ContactEvent], event: e.ContactEvent) -> Visit:
    """Of several open visits the one that an event is for: the newest that takes it, its agent's first."""
    fitting = [v for v in reversed(visits) if kind in TABLE[v.state] and _fits(v, event)]
    agents = (v for v in fitting if event.agent is not None and v.agent == event.agent)
    return next(agents, fitting[0] if fitting else visits[-1])
