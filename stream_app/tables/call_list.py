"""A whole list of contacts: in which order its rows are, how its dates are written, and what is in each row.

A list must be read to its end before its first row is understood: whether days or months come first, and whether the newest
row is the first, is told by all of them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from stream_app.errors import InputError

from .call_rows import CallReader
from .calls import TELLS_ANSWERED, TIMES, BadRowError, Call, CallCells, scaled
from .local_clock import LocalClock
from .mapping import ColumnMap, order_of
from .outcomes import ASSUMED, meaning_of, plain
from .values import DateOrder, date_order, wall_time

RowOrder = Literal["as they stand", "newest first", "none"]

_OWN: Final = frozenset({*TIMES, "contact_id"})
"""Fields whose texts are those of one row."""
NOT_UTF8: Final = "bad_utf8"
_PROPOSES: Final = "a map is proposed by: stream-app columns"
_NEVER: Final = datetime(1, 1, 1)  # noqa: DTZ001 - a wall clock's reading
_MOST_BACK: Final = timedelta(days=1)
"""Rows in the order of their ends, or of several servers, are out of order by less."""
_JITTER: Final = timedelta(minutes=30)
_CLEARLY: Final = 4
"""So many times more steps back than forward has a list whose newest row is the first."""


class RowProblem(Struct, frozen=True):
    """A row that could not be read at all, such as one with an open quote."""

    reason: str
    why: str
    start: bytes = b""


SourceRow = tuple[int, CallCells | RowProblem]
"""A row's first line, and its texts by field."""


class BadCallRow(Struct, frozen=True):
    """A row that is not a contact.

    Attributes:
        line: in the file.
        reason: as of a dead letter.
        why: column or field, and what was expected.
        start: how the row begins, where it is known.
    """

    line: int
    reason: str
    why: str
    start: bytes = b""


class Passed(Struct, frozen=True):
    """A row that is readable and not counted: an internal call, or an attempt to call somebody."""

    line: int


class CallList(Iterable[Call | BadCallRow | Passed]):
    """The rows of one file. Iterate once, or again from the beginning.

    Attributes:
        order: in which order the rows are; they are delivered from the oldest one on.
        dates: whether days or months come first.
        local: how many rows have times without an offset.
        twice: how many of these a clock shows twice without the order of the rows telling which.
        unknown: word for an outcome → rows in which it stands, where its meaning is not known.
        assumed: the same, of words whose likeliest meaning was taken.
        wrong: field → bad rows.
        words: every word for an outcome → rows.
        slashed: whether there are dates such as 05/01/2026.
        rows_read: all rows.
        no_wait: contacts whose wait the list does not say.
        no_talk: answered contacts whose talk time it does not say.
    """

    def __init__(
        self,
        name: str,
        rows: Iterable[SourceRow],
        mapping: ColumnMap,
        zone: str,
        *,
        needs_outcome: bool = True,
    ) -> None:
        """Read all rows.

        Args:
            name: the file's, for messages.
            rows: by ``scaled`` fields of the map.
            mapping: where the file has the fields.
            zone: the IANA zone of times without an offset.
            needs_outcome: whether it must be known which contacts were answered.

        Raises:
            InputError: the map lacks a field; or days and months can't be told apart.
        """
        check_map(mapping, name, needs_outcome=needs_outcome)
        self._mapping, self._zone, self._needs_outcome = mapping, ZoneInfo(zone), needs_outcome
        self._said = {plain(word) for word in mapping.outcomes}
        shared: dict[str, str] = {}
        self._rows = [(line, self._kept(row, shared)) for line, row in rows]
        self.local = self.twice = self.no_wait = self.no_talk = 0
        self.unknown: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.rows_read = len(self._rows)
        self.slashed = False
        self.dates: DateOrder = mapping.dates or self._dates(name)
        self.order: RowOrder = self._in_order()

    def _kept(self, row: CallCells | RowProblem, shared: dict[str, str]) -> CallCells | RowProblem:
        """Return a row with the constants, and with one copy of texts that other rows have, too."""
        if isinstance(row, RowProblem):
            return row
        cells = {
            field: text if field in _OWN else shared.setdefault(text, text) for field, text in row.items()
        }
        return {**self._mapping.constants, **cells} if self._mapping.constants else cells

    def release(self) -> None:
        """Forget the rows, and keep what is known of them."""
        self._rows = []

    @property
    def notes(self) -> list[str]:
        """What whoever reads the numbers must know, once the rows were read."""
        notes = []
        if self.order == "none":
            notes.append("the rows are in no order of time; they were sorted")
        if self.twice:
            notes.append(
                f"contacts in the hour that the clock shows twice: {self.twice:,}; the order of the rows does not tell which, "
                "so the first was taken"
            )
        if not self._needs_outcome:
            return notes
        for word, n in self.assumed.most_common():
            notes.append(f"outcome {word!r} ({n:,}) was taken for {meaning_of(word)}")
        if self.no_wait:
            notes.append(f"contacts whose wait the list does not say: {self.no_wait:,}; it counts as 0 s")
        if self.no_talk:
            notes.append(
                f"answered contacts whose talk time the list does not say: {self.no_talk:,}; they do not count as handled"
            )
        return notes

    def _dates(self, name: str) -> DateOrder:
        cells = (
            (line, row[field])
            for line, row in self._rows
            if not isinstance(row, RowProblem)
            for field in TIMES
            if field in row
        )
        self.slashed = any(
            not isinstance(row, RowProblem) and date_order(row.get("queued", ""))
            for _, row in self._rows[:100]
        )
        columns = self._mapping.columns.get("queued", ("queued",))
        return order_of(name, "+".join(columns), cells)

    def _in_order(self) -> RowOrder:
        """Put the rows in the order of time, and return how they were."""
        keys = self._keys()
        steps = [b - a for a, b in pairwise(keys) if a != b]
        back = sum(step < timedelta() for step in steps)
        order: RowOrder = "as they stand"
        if back > _CLEARLY * (len(steps) - back):
            self._rows.reverse()
            keys.reverse()
            order = "newest first"
        latest, most = _NEVER, timedelta()
        for key in keys:
            latest = max(latest, key)
            most = max(most, latest - key)
        if most > _MOST_BACK:
            self._rows = [
                row for _, row in sorted(zip(keys, self._rows, strict=True), key=lambda pair: pair[0])
            ]
            order = "none"
        self._jitter = None if order == "none" else self._disorder(keys)
        return order

    def _keys(self) -> list[datetime]:
        """Return when each row begins, as far as that is known without the zone; a bad row, when the one before it does."""
        keys, last = [], _NEVER
        for _, row in self._rows:
            found = None
            if not isinstance(row, RowProblem) and (text := row.get("queued")):
                found = wall_time(text, self.dates)
            if found is not None:
                last = found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
            keys.append(last)
        first = next((key for key in keys if key > _NEVER), _NEVER)
        return [max(key, first) for key in keys[: keys.count(_NEVER)]] + keys[keys.count(_NEVER) :]

    def _disorder(self, keys: list[datetime]) -> timedelta:
        """Return by how much rows are out of order, other than in the hour that a clock shows twice."""
        backward = [a for a, b in pairwise(keys) if b < a - timedelta(seconds=2)]
        others = [key for key in backward if len({*LocalClock(self._zone).both(key)}) == 1]
        return _JITTER if others else timedelta(seconds=2)

    def __iter__(self) -> Iterator[Call | BadCallRow | Passed]:
        """Yield what is in each row, from the oldest one on."""
        self.local = self.twice = self.no_wait = self.no_talk = 0
        for counter in (self.unknown, self.assumed, self.wrong, self.words):
            counter.clear()
        clock = LocalClock(self._zone, jitter=self._jitter)
        reader = CallReader(self._mapping, self.dates, clock, needs_outcome=self._needs_outcome)
        seen: Counter[bytes] = Counter()
        for line, row in self._rows:
            if isinstance(row, RowProblem):
                self.wrong[NOT_UTF8 if row.reason == NOT_UTF8 else ""] += 1
                yield BadCallRow(line, row.reason, row.why, row.start)
                continue
            made = "" if "contact_id" in row else self._made_id(row, seen)
            if word := row.get("outcome"):
                self._judge(word)
            try:
                call = reader.call(line, row, made)
            except BadRowError as error:
                self.wrong[error.field] += 1
                yield BadCallRow(line, "invalid", f"{self.column(error.field)}: {error}", _start(row))
                continue
            if clock.was_local:
                self.local += 1
                clock.was_local = False
                if self._jitter is None and call is not None:
                    self.twice += self._is_twice(row)
            if call is None:
                yield Passed(line)
                continue
            self.no_wait += call.wait_unknown
            self.no_talk += call.answered is not None and call.ended is None
            yield call

    def _is_twice(self, row: CallCells) -> bool:
        wall = wall_time(row["queued"], self.dates)
        return wall is not None and len({*LocalClock(self._zone).both(wall)}) == 2

    def _judge(self, word: str) -> None:
        self.words[word[:60]] += 1
        text = plain(word)
        if text not in self._said:
            if meaning_of(word) is None and self._needs_outcome:
                self.unknown[word[:60]] += 1
            elif text in ASSUMED:
                self.assumed[word[:60]] += 1

    def _made_id(self, row: CallCells, seen: Counter[bytes]) -> str:
        """Return an id that follows from what the row says, so that the same list has the same ids whenever it is read."""
        text = "\x1f".join(f"{field}={row[field]}" for field in sorted(row))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12)
        seen[digest.digest()] += 1
        times = seen[digest.digest()]
        return digest.hexdigest() if times == 1 else f"{digest.hexdigest()}-{times}"

    def column(self, field: str) -> str:
        """Return what the file calls a field."""
        return "+".join(scaled(self._mapping)[0].get(field, (field,)))


def check_map(mapping: ColumnMap, name: str, *, needs_outcome: bool = True) -> None:
    """Check that a map has the fields that every list needs.

    Raises:
        InputError: one that is missing, and how to add it.
    """
    fields = {*scaled(mapping)[0], *mapping.constants}
    if "queued" not in fields:
        raise InputError(
            f"{name}:1: queued: map the time at which contacts came to it: --map 'queued=…'; {_PROPOSES} {name}"
        )
    if "queue" not in fields:
        raise InputError(
            f"{name}:1: queue: map a column to it, --map 'queue=…', or name one for all rows: --map 'queue:=billing'"
        )
    if needs_outcome and not fields & TELLS_ANSWERED:
        raise InputError(
            f"{name}:1: answered: nothing says which contacts were answered; map a column to answered, talk_s or outcome; "
            f"{_PROPOSES} {name}"
        )


def implied_map(header: Iterable[str], mapping: ColumnMap | None, names: Mapping[str, str]) -> ColumnMap:
    """Return a map with the columns that are named like a field, where it does not map that field and is not complete."""
    given = mapping or ColumnMap()
    if given.complete:
        return given
    columns = dict(given.columns)
    mapped = {*scaled(given)[0], *given.constants}
    for column in header:
        field = names.get(column)
        if field is not None and field not in mapped and field not in columns:
            columns[field] = (column,)
    return structs.replace(given, columns=columns)


def _start(row: CallCells) -> bytes:
    return msgspec.json.encode(dict(row))[:512]
