"""The reference fold of one partition, written from docs/semantics.md for clarity, not for speed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .agents import IDLE_MS, Agents, Spell
from .books import Books
from .checks import Refusal
from .counters import DAY, MINUTE, Cell, Counters, Key
from .intervals import Intervals
from .judge import Judge
from .levels import Levels, levels
from .memory import Memory
from .records import Event, read
from .rules import Policy, Rules, usual_targets
from .steps import Steps
from .surveys import Surveys
from .timeouts import is_given_up
from .vocabulary import KEPT_BY_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .facts import Settings
    from .tellings import Status

FUTURE_MS, LATE_MS = MINUTE, 2 * DAY
STILL_MS = 31 * DAY
RECENT_MAX, LASTING_MAX = 10_000_000, 2_000_000


class Reference:
    """All that the records fed so far must have become.

    `targets(queue, channel, queued_at)` gives the answer target and the short-abandon threshold in ms, before
    the promised clock; `priority_targets(queue, channel, priority)` those of contacts with a priority, or None;
    `rules(queue, channel)` the other settings, `surveys(queue, channel)` what scores mean. `tells_messages`: the
    source tells of messages. `idle_ms`: after how much silence an agent has left. Counters
    that are zero are left out of every answer.
    """

    def __init__(
        self,
        targets: Callable[[str, str, int], tuple[int, int]] = usual_targets,
        *,
        rules: Callable[[str, str], Rules] | None = None,
        priority_targets: Callable[[str, str, str], tuple[int, int] | None] | None = None,
        tells_messages: bool = True,
        recent_max: int = RECENT_MAX,
        lasting_max: int = LASTING_MAX,
        surveys: Callable[[str, str], Settings] | None = None,
        idle_ms: int = IDLE_MS,
    ) -> None:
        self.results: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._next_offset: int | None = None
        self._policy = Policy(targets, rules, priority_targets, tells_messages=tells_messages)
        self._memory = Memory(recent_max, lasting_max)
        self._counters = Counters()
        self._intervals = Intervals()
        books = Books(self._counters, self._intervals, self._policy)
        self._steps = Steps(self._memory, books)
        self.history = books.history
        self._surveys = Surveys(books, surveys)
        self._agents = Agents(idle_ms)
        self._judge = Judge(self._memory, books, self._steps, self._surveys, self._agents)

    @property
    def partition_time(self) -> int:
        """What time it is in the partition, ms."""
        return self._memory.now

    @property
    def dropped_early(self) -> int:
        """How many ids were dropped because there were too many, recent ones and those that recur."""
        return self._memory.dropped_early

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
            result, reason = self._result(event, stamp)
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

    def levels(self, now: int) -> dict[Key, Levels]:
        """Who waits at the moment `now` (ms), by (queue, channel)."""
        return levels(self._memory, self._policy, now)

    def agents(self) -> dict[str, tuple[Status, int]]:
        """Agent -> the status, and since when (ms)."""
        return self._agents.now()

    def spells(self) -> list[Spell]:
        """The spells of agents that are over, sorted."""
        return self._agents.spells()

    # Time, and judgement: future, late, duplicate, illegal, applied -----------------------------------

    def _pass_time(self, sender: str, stamp: int, *, by_broker: bool) -> None:
        before = self.partition_time
        if by_broker:
            self._memory.clock.trust(stamp)
        else:
            self._memory.clock.hear(sender, stamp)
        self._memory.follow()
        if self.partition_time // MINUTE > before // MINUTE:
            for visit in list(self._memory):
                if is_given_up(visit, self.partition_time):
                    self._steps.give_up(visit, self.partition_time)
            self._memory.forget()
            self._surveys.forget(self.partition_time)
            self._agents.pass_minute(self.partition_time)

    def _result(self, event: Event, stamp: int) -> tuple[str, str]:
        if event.at > max(self.partition_time, stamp) + FUTURE_MS:
            return "dead_letter", "future"
        if event.at < self.partition_time - LATE_MS and not self._counts_still(event):
            return "late", ""
        return self._judge.judge(event)

    def _counts_still(self, event: Event) -> bool:
        since = self.partition_time - STILL_MS
        if event.at < since or event.type == "contact.queued":
            return event.at >= since and event.recurs
        if event.type not in KEPT_BY_STATE:
            return False
        visits = self._memory.newest_first(event.contact)
        return bool(visits) and all(visit.queued_at >= since for visit in visits)
