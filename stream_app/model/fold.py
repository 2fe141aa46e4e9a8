"""Events → deltas. The fold of one partition: pure, deterministic, and independent of how a stream is cut into batches.

Its only clock is partition time: the largest ``min(event.at, record timestamp)`` seen so far. ``docs/semantics.md`` is the
specification; an independent reference in the tests is written from the same page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import takewhile
from typing import Any, Final

from . import events as e, facts as f
from .deltas import APPLIED, Deltas, Memory, Result
from .lifecycle import (
    CLOSED,
    SHORTEST_IDLE,
    TABLE,
    WAITING,
    BotMessage,
    Visit,
    Visits,
    expires,
    step,
    time_out,
)
from .tally import Tally
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
_REASONED: Final = (Result.ILLEGAL, Result.DEAD_LETTER)
_BEST_FIRST: Final = (
    APPLIED, Result.DUPLICATE, Result.LATE, Result.ILLEGAL, Result.DEAD_LETTER, Result.IGNORED,
)  # fmt: skip
_NOTHING_TOLD: Final = (Result.IGNORED, "")


def fingerprint(event_id: str) -> bytes:
    """Eight bytes that stand for an event id."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Fold:
    """Folds the records of one partition, in offset order."""

    def __init__(self, targets: Targets, tally: Tally | None = None, memory: Memory | None = None) -> None:
        """Start from what a claim restored, or from nothing."""
        memory = memory or Memory()
        self._now = memory.time
        self._open = memory.open
        self._known = memory.recent
        self._targets = targets
        self._rules: dict[tuple[str, str], tuple[str, str, Rule]] = {}
        self._tally = tally or Tally()
        self._add = self._tally.add
        self._minute = self._now // MINUTE
        self._next_minute = (self._minute + 1) * MINUTE
        self._sweep_at = 0
        self._reason = ""  # of the latest result that has one
        self._routes: dict[type[e.Event], Callable[[Any], Result]] = dict.fromkeys(e.OTHER_TYPES, self._once)
        self._routes |= {
            kind: self._repeat if kind.repeatable else self._progress for kind in e.CONTACT_TYPES
        }
        self._routes |= {e.Queued: self._queue, e.Refused: self._refuse}
        self._reset()

    @property
    def state(self) -> Memory:
        """What it remembers now."""
        return Memory(self._now, self._open, self._known)

    def _reset(self) -> None:
        self._touched: dict[str, Visits] = {}
        self._new: set[str] = set()  # contacts that the store has not heard of
        self._added: dict[int, list[bytes]] = {}
        self._forgotten: list[int] = []
        self._results: dict[str, int] = dict.fromkeys(Result, 0)
        self._reasons: dict[tuple[str, str], int] = {}
        self._late = 0
        self._applied = 0

    def take(self) -> Deltas:
        """Hand over what changed since the last call."""
        self._results[APPLIED] += self._applied
        deltas = Deltas(
            time=self._now,
            cells=self._tally.take(),
            visits=self._touched,
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
        result = self._judge(event, timestamp)
        if result is not APPLIED:
            return self._book(result)
        self._applied += 1
        return result

    def _judge(self, event: e.Event, timestamp: int) -> Result:
        at = event.at
        now = at if timestamp < 0 or at < timestamp else timestamp
        if now > self._now:
            self._now = now
            if now >= self._next_minute:
                self._run_time_outs(now)
        else:
            now = self._now
        if at > now + SKEW:
            self._reason = "future"
            return Result.DEAD_LETTER
        if at >= now - LATE:
            return self._routes[type(event)](event)
        if at < now - OLDEST:
            return Result.LATE
        self._sweep_at = 0  # its time-out may be nearer than any other's
        result = self._routes[type(event)](event)
        self._late += result is APPLIED
        return result

    def several(self, events: Sequence[e.Event], timestamp: int) -> Result:
        """Fold the events of one record. It has one result, the best of theirs; ``ignored`` where there are none."""
        results = [(self._judge(event, timestamp), self._reason) for event in events]
        best, self._reason = min(
            results, key=lambda found: _BEST_FIRST.index(found[0]), default=_NOTHING_TOLD
        )
        return self._book(best)

    def _book(self, result: Result) -> Result:
        """Count a record's result, under its reason where it has one."""
        return self.count(result, reason=self._reason if result in _REASONED else None)

    def _progress(self, event: e.ContactEvent) -> Result:
        """An event that a visit takes once."""
        contact = event.contact_id
        visits = self._open.get(contact)
        if visits is None:
            return self._illegal("no_visit")
        kind = type(event)
        visit = visits[0] if len(visits) == 1 else _choose(visits, kind, event)
        move = TABLE[visit.state].get(kind)
        if move is None or not _fits(visit, event):
            if any(visit.seen & kind.bit and _fits(visit, event) for visit in visits):
                return Result.DUPLICATE
            return self._illegal("state")
        self._touched[contact] = visits
        facts = step(visit, move, event)
        if facts:
            self._add(facts)
        if visit.state == CLOSED:
            self._close(contact, visits, visit)
        return APPLIED

    def _repeat(self, event: e.ContactEvent) -> Result:
        """An event that a visit may take several times: only its id tells whether it was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        kind: type[e.ContactEvent] = type(event)
        if isinstance(event, e.MessageSent) and event.bot:
            kind = BotMessage
        visits = self._open.get(event.contact_id)
        if visits is None:
            return self._illegal("no_visit")
        visit = visits[0] if len(visits) == 1 else _choose(visits, kind, event)
        move = TABLE[visit.state].get(kind)
        if move is None or not _fits(visit, event):
            return self._illegal("state")
        self._touched[event.contact_id] = visits
        facts = step(visit, move, event)
        if facts:
            self._add(facts)
        self._remember(mark)
        return APPLIED

    def _queue(self, event: e.Queued) -> Result:
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        contact, queue, channel = event.contact_id, event.queue, event.channel
        visits = self._open.get(contact)
        if visits is not None:
            if any(visit.opener == mark for visit in visits):
                return Result.DUPLICATE
            if any(v.state == WAITING and v.queue == queue and v.channel == channel for v in visits):
                return self._illegal("state")
        queue, channel, rule = self._rules.get((queue, channel)) or self._rule(queue, channel)
        at = event.at
        visit = Visit(
            queue,
            channel,
            WAITING,
            at,
            at,
            rule.answer_target,
            rule.short_abandon,
            mark,
            event.bit,
            event.visit,
        )
        if visits is None and contact not in self._touched:
            self._new.add(contact)
        self._open[contact] = self._touched[contact] = (*visits, visit) if visits else (visit,)
        self._add((f.Offered(queue, channel, at),))
        return APPLIED

    def _rule(self, queue: str, channel: str) -> tuple[str, str, Rule]:
        """What holds for a queue, with one copy of its name for all its visits."""
        if len(self._rules) >= RULES_MAX:  # names come from outside; a flood of them must not stay
            self._rules.clear()
        found = self._rules[queue, channel] = (queue, channel, self._targets.rule(queue, channel))
        return found

    def _refuse(self, event: e.Refused) -> Result:
        result = self._once(event)
        if result is APPLIED:
            self._add((f.Refused(event.queue, event.channel or "voice", event.at),))
        return result

    def _once(self, event: e.Event) -> Result:
        """Types that no visit listens to: only the id tells whether one was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        self._remember(mark)
        return APPLIED

    def _illegal(self, reason: str) -> Result:
        self._reason = reason
        return Result.ILLEGAL

    def _close(self, contact: str, visits: Visits, visit: Visit) -> None:
        self._known.pop(visit.opener, None)  # another event may have borne this id: the younger use counts
        self._remember(visit.opener)
        if len(visits) > 1:
            self._open[contact] = self._touched[contact] = tuple(v for v in visits if v is not visit)
            return
        del self._open[contact]
        if contact in self._new:  # came and went: the store need never hear of it
            self._new.remove(contact)
            del self._touched[contact]
        else:
            self._touched[contact] = ()

    def _remember(self, mark: bytes) -> None:
        self._known[mark] = minute = self._minute
        added = self._added.get(minute)
        if added is None:
            added = self._added[minute] = []
        added.append(mark)

    def _run_time_outs(self, now: int) -> None:
        """Partition time entered a new minute: close what never ended, forget ids of an hour ago."""
        self._minute = now // MINUTE
        self._next_minute = (self._minute + 1) * MINUTE
        if now > self._sweep_at:  # before that, none can be due: no need to look at each
            self._sweep(now)
        self._forget(now - RECENT)

    def _sweep(self, now: int) -> None:
        nearest = now + SHORTEST_IDLE
        for contact, visits in list(self._open.items()):
            for visit in visits:
                due = expires(visit)
                if due < now:
                    self._add(time_out(visit, now))
                    self._close(contact, self._open[contact], visit)
                elif due < nearest:
                    nearest = due
        self._sweep_at = nearest - LATE

    def _forget(self, before: int) -> None:
        """Drop whole minutes of hashes from the old end: those that began before, and those over the limit."""
        known = self._known
        while known:
            oldest = next(iter(known.values()))
            if oldest * MINUTE >= before and len(known) <= RECENT_MAX:
                return
            for mark in list(takewhile(lambda m: known[m] == oldest, known)):  # noqa: B023 - used up at once
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


def _choose(visits: Visits, kind: type[e.ContactEvent], event: e.ContactEvent) -> Visit:
    """Of several open visits the one that an event is for: the newest that takes it, its agent's first."""
    fitting = [v for v in reversed(visits) if kind in TABLE[v.state] and _fits(v, event)]
    agents = (v for v in fitting if event.agent is not None and v.agent == event.agent)
    return next(agents, fitting[0] if fitting else visits[-1])
