"""What the ledger has of a partition at one commit: files, what is still in the outbox, open visits, and what is not known.

Pure. It decides as the writer does (``taking``), which has not come to the newest entries yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import dropwhile
from typing import Any, Final

from msgspec import Struct

from stream_app.model.fold.noted import Noted
from stream_app.model.fold.visit import BY_REPLIES, HELD, TALKING, WRAPPING
from stream_app.model.ledger import join_rows
from stream_app.model.ports import Partition
from stream_app.store.moments import PartitionMoment
from stream_app.store.outbox import OutboxEntry

from .manifest import Hole, Manifest, RowsFile, end_of, same_topic
from .taking import Explode, exploded

OVER: Final = "over"
OPEN: Final = "open"
_OPEN_STATES: Final = {TALKING: "talking", HELD: "held", WRAPPING: "wrapping"}

LedgerRows = list[dict[str, Any]]


class UnknownTime(Struct, frozen=True, order=True):
    """A stretch of which contacts are missing.

    Attributes:
        since: its beginning, ms; 0: from the beginning on.
        until: its end; ``None``: it goes on.
    """

    since: int
    until: int | None

    def within(self, start: int, end: int) -> UnknownTime | None:
        """Return its part in ``[start, end)``; ``None`` if there is none."""
        until = end if self.until is None else min(end, self.until)
        since = max(start, self.since)
        return UnknownTime(since, until) if since < until else None


class Coverage(Struct, frozen=True):
    """What there is of a partition.

    Attributes:
        partition: which one.
        topic_id: of the topic whose contacts the counters have; empty if unknown.
        time: partition time up to which this is, ms.
        begun: the first offset that the counters have.
        limit: of this topic's rows in files only those below this offset hold; ``None``: all.
        files: what to read.
        over: table → rows that are in no file yet.
        open: table → rows of what is not over yet: visits, as if they ended now, and current spells, without an end.
        unknown: when contacts were counted that are missing here.
    """

    partition: Partition
    topic_id: str
    time: int
    begun: int
    limit: int | None
    files: tuple[RowsFile, ...]
    over: dict[str, LedgerRows]
    open: dict[str, LedgerRows]
    unknown: tuple[UnknownTime, ...]

    def counts(self, topic_id: str, offset: int) -> bool:
        """Return whether a row of this topic and offset is among what the counters have."""
        return same_topic(topic_id, self.topic_id) and offset >= self.begun

    def straddles(self, file: RowsFile) -> bool:
        """Return whether only some of a file's rows hold."""
        mine = same_topic(file.topic_id, self.topic_id)
        return mine and self.limit is not None and file.last >= self.limit


def cover(held: Manifest, moment: PartitionMoment | None, partition: Partition, explode: Explode) -> Coverage:
    """Return what there is.

    Args:
        held: the newest manifest, which was that before and after the moment was read.
        moment: the partition in Redis; ``None`` where it is not there any more.
        partition: which one.
        explode: makes the tables' rows of an entry.
    """
    if moment is None:
        gone = (*_times(held.holes), UnknownTime(held.time, None))
        return Coverage(partition, held.topic_id, held.time, 0, None, held.files, {}, {}, gone)
    rest = _Rest(held, moment, explode)
    for entry in dropwhile(lambda entry: entry.digest in held.digests, moment.entries):
        rest.take(entry)
    limit = 0 if moment.position is None else moment.position
    limit = min(limit, rest.limit) if rest.limit is not None else limit
    topic_id = rest.topic_id
    files = tuple(
        file for file in held.files if not same_topic(file.topic_id, topic_id) or file.first < limit
    )
    return Coverage(
        partition,
        topic_id,
        moment.time,
        moment.begun,
        limit,
        files,
        rest.rows,
        _open(moment, topic_id, explode),
        (*_times(rest.holes), *rest.missing(moment)),
    )


class _Rest:
    """What entries that no manifest holds yet add to it."""

    def __init__(self, held: Manifest, moment: PartitionMoment, explode: Explode) -> None:
        self.topic_id = moment.topic_id or held.topic_id
        self._begun = moment.begun
        self.rows: dict[str, LedgerRows] = {}
        self.holes = list(held.holes)
        self.limit: int | None = None
        self._explode = explode
        self._end = end_of(held, self.topic_id)
        self._time = held.time

    def take(self, entry: OutboxEntry) -> None:
        """Add the next entry."""
        self.topic_id = entry.topic_id or self.topic_id
        found = exploded(entry, self._explode)
        rows = found or {}
        begin = entry.begin
        if begin is None:
            begin = min((row["offset"] for some in rows.values() for row in some), default=entry.end)
        if self._end is None:
            if entry.begin is not None and begin > self._begun:
                self.holes.append(Hole(entry.topic_id, self._begun, begin, 0, entry.time))
        elif begin > self._end:
            self.holes.append(Hole(entry.topic_id, self._end, begin, self._time, entry.time))
        elif begin < self._end:
            self._step_back(begin)
        if found is None:
            since = self._begun if entry.begin is None else entry.begin
            self.holes.append(Hole(entry.topic_id, since, entry.end, self._time, entry.time))
        for table, some in rows.items():
            self.rows.setdefault(table, []).extend(some)
        self._end, self._time = entry.end, entry.time

    def _step_back(self, offset: int) -> None:
        self.limit = offset if self.limit is None else min(self.limit, offset)
        self.rows = {
            table: [row for row in rows if row["offset"] < offset] for table, rows in self.rows.items()
        }
        self.holes = [
            Hole(hole.topic_id, hole.begin, min(hole.end, offset), hole.since, hole.until)
            for hole in self.holes
            if hole.begin < offset or not same_topic(hole.topic_id, self.topic_id)
        ]

    def missing(self, moment: PartitionMoment) -> list[UnknownTime]:
        """Return what was counted and is neither in a file nor in the outbox."""
        if moment.position is None:
            return []
        since = min(self._time, moment.time)
        if moment.out is None:  # no commit was ever noted
            return [UnknownTime(since, None)]
        found = []
        if self._end is None and moment.out > moment.begun:  # it began at a time that is not told
            found.append(UnknownTime(0, moment.time))
        elif self._end is not None and moment.out > self._end:  # the outbox was full
            found.append(UnknownTime(since, moment.time))
        if moment.noted != moment.position:
            found.append(UnknownTime(since, None))
        return found


def _times(holes: list[Hole] | tuple[Hole, ...]) -> list[UnknownTime]:
    return [UnknownTime(hole.since, hole.until) for hole in holes]


def _open(moment: PartitionMoment, topic_id: str, explode: Explode) -> dict[str, LedgerRows]:
    """Return the rows of what is not over yet."""
    position = moment.position or 0
    noted, open_ = Noted(on=True), [*moment.open_visits()]
    noted.offset = position
    for contact, visit in open_:
        noted.close(contact, visit)
    for agent, spell in moment.current_spells():
        noted.spell(agent, spell)
    entry = OutboxEntry(b"", topic_id, position, position, moment.time, 0, join_rows(noted.take()), b"")
    rows = explode(entry)
    for row, (_, visit) in zip(rows.get("visits", ()), open_, strict=True):
        row["open_state"] = _OPEN_STATES.get(visit.state)
        row["open_since"] = visit.since
        if visit.state == TALKING and visit.seen & BY_REPLIES:
            row["open_state"] = "replying"
    return {**rows}


def merged(unknown: list[UnknownTime]) -> list[UnknownTime]:
    """Return stretches as few as possible, in order."""
    out: list[UnknownTime] = []
    for one in sorted(unknown, key=lambda found: found.since):
        last = out[-1] if out else None
        if last is None or (last.until is not None and one.since > last.until):
            out.append(one)
        elif last.until is not None and (one.until is None or one.until > last.until):
            out[-1] = UnknownTime(last.since, one.until)
    return out


def explode_without(explode: Explode, blank: Callable[[LedgerRows], None]) -> Explode:
    """Return what explodes entries and blanks the ids of those who are forgotten."""

    def exploded(entry: OutboxEntry) -> Mapping[str, LedgerRows]:
        rows = explode(entry)
        for some in rows.values():
            blank(some)
        return rows

    return exploded
