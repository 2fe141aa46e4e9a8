"""A proposal of a map for a list of contacts, from its header and some of its rows, and the questions that it leaves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

from . import headers
from .calls import TELLS_ANSWERED, scaled
from .mapping import ColumnMap
from .outcomes import INBOUND, OUTBOUND, meaning_of, plain
from .values import is_date, is_nothing, seconds, time_of_day, truth, wall_time

CellKind = Literal["empty", "time", "date", "hour", "truth", "duration", "text"]
_MOST_OF: Final = 0.75
"""So many of a column's cells must be of a kind: the others are what a later look names as bad rows."""
_FEW_WORDS: Final = 60
_SLOTS: Final = 0.5
_LONG_S: Final = 7200
"""Half of the waits or conversations of a list last shorter, and half of its times of day are later."""
_MIDNIGHT: Final = re.compile(r"[T ]0{1,2}:00(:00(\.0+)?)?$")

HeadedColumn = tuple[str, CellKind, Sequence[str]]
"""Name, kind and cells that say something."""


def kind_of(cells: Sequence[str]) -> CellKind:
    """Return what the cells of a column are; they must all say something."""
    if not cells:
        return "empty"
    tests: tuple[tuple[CellKind, Callable[[str], bool]], ...] = (
        ("truth", lambda text: truth(text) is not None and not text.isdigit()),
        ("date", lambda text: text.isdigit() and is_date(text)),
        ("duration", lambda text: seconds(text) is not None and not _is_epoch(text)),
        ("time", lambda text: wall_time(text) is not None or wall_time(text, "month-first") is not None),
        ("hour", lambda text: time_of_day(text) is not None),
        ("date", is_date),
    )
    for kind, test in tests:
        if sum(map(test, cells)) >= _MOST_OF * len(cells):
            return _looked_at(kind, cells)
    return "text"


def _looked_at(kind: CellKind, cells: Sequence[str]) -> CellKind:
    """Tell times of day from durations, and dates that a spreadsheet gave a midnight from times."""
    if kind == "duration" and all(":" in cell for cell in cells):
        found = sorted(length for cell in cells if (length := seconds(cell)) is not None)
        return "hour" if found[len(found) // 2] >= _LONG_S else kind
    if kind == "time" and len(cells) > 1 and all(_MIDNIGHT.search(cell) for cell in cells):
        return "date"
    return kind


def propose(
    header: Sequence[str], rows: Sequence[Sequence[str]], given: ColumnMap | None = None
) -> ColumnMap:
    """Return a map; fields of the given one stay as they are.

    Args:
        header: the columns' names.
        rows: cells of some rows, in the header's order; shorter ones lack the last columns.
        given: what the user has said.
    """
    given = given or ColumnMap()
    columns = [_column(name, place, rows) for place, name in enumerate(header) if header.count(name) == 1]
    found = _Proposal(columns, given)
    found.times()
    found.durations()
    found.texts()
    return ColumnMap(
        {**found.fields, **given.columns},
        given.constants,
        given.outcomes,
        given.dates,
        given.zone,
        complete=True,
    )


def _column(name: str, place: int, rows: Sequence[Sequence[str]]) -> HeadedColumn:
    cells = [
        text for row in rows if place < len(row) and (text := row[place].strip()) and not is_nothing(text)
    ]
    return name, kind_of(cells), cells


def _is_epoch(text: str) -> bool:
    return len(text.partition(".")[0]) in {10, 13} and wall_time(text) is not None


class _Proposal:
    """Fields that have found their columns so far."""

    def __init__(self, columns: Sequence[HeadedColumn], given: ColumnMap) -> None:
        self.fields: dict[str, tuple[str, ...]] = {}
        self._said = {*scaled(given)[0], *given.constants}
        taken = {name for names in given.columns.values() for name in names}
        self._free = [column for column in columns if column[0] not in taken]

    def times(self) -> None:
        """Find times, each in one column or in one with the date and one with the hour."""
        for field, names in headers.TIMES.items():
            self._take(field, names, {"time"})
        if self._open("queued"):
            date = self._best(headers.DATES, {"date"}) or self._only({"date"})
            hour = self._best(headers.HOURS, {"hour", "duration"}, _is_hours) or self._only({"hour"})
            if date and hour:
                self._put("queued", date, hour)
            elif alone := self._only({"time"}):
                self._put("queued", alone)
        for field in ("answered", "ended"):
            self._take(field, headers.TIMES[field], {"hour"})

    def durations(self) -> None:
        """Find durations; headers say in which unit."""
        for field, names in headers.DURATIONS.items():
            if self._open(field) and (column := self._best(names, {"duration"})):
                unit = headers.unit(column[0])
                clocks = any(":" in cell for cell in column[2])
                name = field if clocks or unit == "s" else f"{field.removesuffix('_s')}_{unit}"
                self._put(name, column)

    def texts(self) -> None:
        """Find words, names and ids."""
        if self._open("direction") and (
            column := self._best(headers.TEXTS["direction"], {"text"}, _is_direction)
        ):
            self._put("direction", column)
        self._take("outcome", headers.TEXTS["outcome"], {"text", "duration"}, _is_words)
        if self._open("outcome"):
            for field in ("answered", "abandoned"):
                self._take(field, headers.TEXTS[field], {"truth", "duration"}, _is_truth)
        self._take("channel", headers.TEXTS["channel"], {"text"}, _is_channel)
        self._take("contact_id", headers.TEXTS["contact_id"], {"text", "duration", "time"}, _is_distinct)
        self._take("agent", headers.TEXTS["agent"], {"text", "duration"})
        self._take("queue", headers.TEXTS["queue"], {"text", "duration"}, _is_words)
        self._take("team", headers.TEXTS["team"], {"text"})
        self._take("site", headers.TEXTS["site"], {"text"})

    def _open(self, field: str) -> bool:
        return field not in self.fields and field not in self._said

    def _take(
        self,
        field: str,
        names: str,
        kinds: Collection[CellKind],
        fits: Callable[[Sequence[str]], bool] = bool,
    ) -> None:
        if self._open(field) and (column := self._best(names, kinds, fits)):
            self._put(field, column)

    def _best(
        self, names: str, kinds: Collection[CellKind], fits: Callable[[Sequence[str]], bool] = bool
    ) -> HeadedColumn | None:
        """Return the free column whose name is the first in the list."""
        ranked = [
            (place, n)
            for n, (name, kind, cells) in enumerate(self._free)
            if kind in kinds and (place := headers.rank(name, names)) is not None and fits(cells)
        ]
        return self._free[min(ranked)[1]] if ranked else None

    def _only(self, kinds: Collection[CellKind]) -> HeadedColumn | None:
        found = [column for column in self._free if column[1] in kinds and not column[2][0].isdigit()]
        return found[0] if len(found) == 1 else None

    def _put(self, field: str, *columns: HeadedColumn) -> None:
        self.fields[field] = tuple(column[0] for column in columns)
        for column in columns:
            self._free.remove(column)


def _is_hours(cells: Sequence[str]) -> bool:
    return all(time_of_day(cell) is not None for cell in cells)


def _is_words(cells: Sequence[str]) -> bool:
    return len({*cells}) <= max(_FEW_WORDS, len(cells) // 20)


def _is_channel(cells: Sequence[str]) -> bool:
    """Return whether they may be channels: those of a telephone system are lines such as SIP/42-0001."""
    return len({*cells}) <= 12 and not any("/" in cell for cell in cells)


def _is_truth(cells: Sequence[str]) -> bool:
    return all(truth(cell) is not None for cell in cells)


def _is_distinct(cells: Sequence[str]) -> bool:
    return len({*cells}) > _SLOTS * len(cells)


def _is_direction(cells: Sequence[str]) -> bool:
    found = Counter(plain(cell).partition(" ")[0] for cell in cells)
    known = sum(n for word, n in found.items() if word in INBOUND | OUTBOUND or "intern" in word)
    outcomes = {meaning_of(word) for word in found if word not in INBOUND | OUTBOUND}
    return known >= _MOST_OF * len(cells) and outcomes <= {None, "ignored"}


def missing(mapping: ColumnMap) -> dict[str, str]:
    """Return the fields that a list needs and the map lacks → what to ask for."""
    fields = {*scaled(mapping)[0], *mapping.constants}
    asked: Mapping[str, tuple[bool, str]] = {
        "queued": ("queued" in fields, "which column has the time at which contacts came? --map 'queued=…'"),
        "queue": (
            "queue" in fields,
            "which column has the queue? --map 'queue=…'; or one name for all rows: --queue NAME",
        ),
        "outcome": (
            bool(fields & TELLS_ANSWERED),
            "which column tells whether a contact was answered? --map 'outcome=…', 'answered=…' or 'talk_s=…'",
        ),
    }
    return {field: question for field, (known, question) in asked.items() if not known}
