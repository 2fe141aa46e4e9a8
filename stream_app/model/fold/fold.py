"""Events → deltas. The fold of one partition: pure, deterministic, and independent of how a stream is cut into batches.

Its only clock is partition time, which follows the records' own stamps. ``docs/semantics.md`` is the specification; an
independent reference in the tests is written from the same page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_app.model import events as e
from stream_app.model.durations import MINUTE
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT

from .agents import Agents
from .clock import PartitionClock
from .contacts import Contacts
from .deltas import APPLIED, Deltas, Memory, Result
from .lasting import LASTS
from .matching import LATE, SKEW, counts_still
from .noted import Noted
from .tally import Tally

OLDEST: Final = max(KEPT.values())
"""An event further behind partition time than this is too late, with few exceptions: none of its buckets is kept."""
_REASONED: Final = (Result.ILLEGAL, Result.DEAD_LETTER)
_BEST_FIRST: Final = (
    APPLIED, Result.DUPLICATE, Result.LATE, Result.ILLEGAL, Result.DEAD_LETTER, Result.IGNORED,
)  # fmt: skip
_NOTHING_TOLD: Final = (Result.IGNORED, "")


class Fold:
    """Folds the records of one partition, in offset order.

    Attributes:
        by_broker: whether the broker stamped the records that come now; set by the caller.
        noted: what the ledger keeps; who reads the log says at which offset.
    """

    def __init__(
        self,
        targets: Targets,
        tally: Tally | None = None,
        memory: Memory | None = None,
        *,
        tells_messages: bool = True,
        noted: Noted | None = None,
    ) -> None:
        """Start from what a claim restored, or from nothing.

        Args:
            targets: the settings in force.
            tally: counts facts.
            memory: what is remembered of the partition.
            tells_messages: whether the source of the events reports the messages of written contacts.
            noted: takes what the ledger keeps, where there is one.
        """
        memory = memory or Memory()
        self.noted = noted or Noted(on=False)
        self.by_broker = False
        self._trusts = False
        self._clock = PartitionClock(memory.time, memory.agreement)
        self._heard = self._clock.heard
        self._tally = tally or Tally()
        self._agents = Agents(memory.agents, self.noted, time=memory.time, idle_h=targets.agents.idle_h)
        self._contacts = Contacts(
            targets, self._tally, memory, self.noted, self._agents, tells_messages=tells_messages
        )
        self._routes = self._contacts.routes
        self._now = memory.time
        self._soon = 0  # before that, a stamp only moves partition time, and nothing else happens; 0: never
        self._last: str | int | None = None
        self._see_time()
        self._reset()

    def hear(self, *, messages: bool) -> None:
        """Go on with a source that reports the messages of written contacts, or does not."""
        self._contacts.hear(messages=messages)

    @property
    def state(self) -> Memory:
        """Its memory as of now."""
        contacts = self._contacts
        return Memory(
            self._now,
            contacts.open,
            contacts.seen,
            self._told().state,
            contacts.lasting.known,
            self._agents.known,
        )

    def _reset(self) -> None:
        self._results: dict[str, int] = dict.fromkeys(Result, 0)
        self._reasons: dict[tuple[str, str], int] = {}
        self._late = 0
        self._applied = 0

    def take(self) -> Deltas:
        """Hand over what changed since the last call."""
        self._results[APPLIED] += self._applied
        contacts = self._contacts
        cells, rows = self._tally.take_all()
        deltas = Deltas(
            time=self._now,
            cells=cells,
            rows=rows,
            visits=contacts.touched,
            recent=contacts.seen.added,
            forgotten=contacts.seen.forgotten,
            results={result: n for result, n in self._results.items() if n},
            reasons=self._reasons,
            late=self._late,
            agreement=self._told().state,
            lasting=contacts.lasting.added,
            outlived=contacts.lasting.outlived,
            early=contacts.seen.early + contacts.lasting.early,
            ledger=self.noted.take() if self.noted.on else None,
            agents=self._agents.touched,
        )
        contacts.reset()
        self._agents.reset()
        self._reset()
        return deltas

    def count(self, result: Result, n: int = 1, reason: str | None = None) -> Result:
        """Count records that never became events: dead letters, unknown types, gaps."""
        self._results[result] += n
        if reason is not None:
            key = (result.value, reason)
            self._reasons[key] = self._reasons.get(key, 0) + n
        return result

    def record(self, event: e.Event, timestamp: int) -> Result:
        """Fold one event.

        Args:
            event: as decoded by a dialect.
            timestamp: the record's Kafka timestamp in milliseconds; negative where it has none.
        """
        stamp, at, now = self._follow(event, timestamp), event.at, self._now
        on_time = now + SKEW >= at >= now - LATE  # nearly always
        result = self._routes[type(event)](event) if on_time else self._judge(event, stamp)
        if result is not APPLIED:
            return self._book(result)
        self._applied += 1
        return result

    def _follow(self, event: e.Event, timestamp: int) -> int:
        """Let an event move partition time; return its stamp."""
        at = event.at
        stamp = at if timestamp < 0 or at < timestamp else timestamp
        if self.by_broker is not self._trusts:
            self._trust()
        if not self._trusts:
            try:
                who = event.contact_id or e.key(event)  # type: ignore[attr-defined]
            except AttributeError:
                who = e.key(event)
            if who == self._last:
                self._heard[-1] = (who, stamp)
            else:
                self._last = who
                self._heard.append((who, stamp))
        if stamp >= self._soon:
            self._move(stamp)
        elif stamp > self._now:
            self._now = stamp
        return stamp

    def _judge(self, event: e.Event, stamp: int) -> Result:
        at, now = event.at, self._now
        if at > now + SKEW and at > stamp + SKEW:
            self._contacts.reason = "future"
            return Result.DEAD_LETTER
        if at >= now - LATE:
            return self._routes[type(event)](event)
        if at < now - OLDEST:
            visits = self._contacts.open.get(getattr(event, "contact_id", None) or "", ())
            if not counts_still(event, visits, now - LASTS):
                return Result.LATE
        if contact := getattr(event, "contact_id", None):
            self._contacts.late(contact)
        result = self._routes[type(event)](event)
        self._late += result is APPLIED
        return result

    def _move(self, stamp: int) -> None:
        """Move time into another minute, or as far as agreed."""
        clock = self._told()
        limit = clock.limit
        now = stamp if self._trusts or stamp < limit else clock.lead(stamp)
        if now != self._now or clock.limit != limit:
            self._now = now
            self._pass_time()

    def _told(self) -> PartitionClock:
        """Return the clock, after updating it with how far the fold moved partition time by itself."""
        self._clock.now = self._now
        if self._trusts:
            self._clock.trust()
        return self._clock

    def _trust(self) -> None:
        """Switch between the broker's timestamps and agreement from here on."""
        self._trusts = True
        self._told()
        self._trusts = self.by_broker
        self._pass_time()

    def _pass_time(self) -> None:
        clock = self._told()
        self._contacts.pass_time(clock.now)
        self._agents.pass_time(clock.now)
        self._see_time()

    def _see_time(self) -> None:
        clock = self._clock
        self._now = clock.now
        self._last = self._heard[-1][0] if self._heard else None
        minute = (clock.now // MINUTE + 1) * MINUTE
        self._soon = minute if self._trusts else min(clock.limit, minute)

    def several(self, events: Sequence[e.Event], timestamp: int) -> Result:
        """Fold the events of one record. It has one result, the best of theirs; ``ignored`` if there are none.

        All of them move partition time before the first is judged: no visit times out in the middle of its own record.
        """
        contacts = self._contacts
        stamps = [self._follow(event, timestamp) for event in events]
        best, reason = _NOTHING_TOLD
        for event, stamp in zip(events, stamps, strict=True):
            result = self._judge(event, stamp)
            if best is not APPLIED and _BEST_FIRST.index(result) < _BEST_FIRST.index(best):
                best, reason = result, contacts.reason
        contacts.reason = reason
        return self._book(best)

    def _book(self, result: Result) -> Result:
        """Count a record's result, with its reason if it has one."""
        return self.count(result, reason=self._contacts.reason if result in _REASONED else None)
