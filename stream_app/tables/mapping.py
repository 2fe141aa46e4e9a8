"""Columns of other programs, by the names that they have there: ``start=Date+Interval,offered=Calls Offered,channel:=voice``.

One grammar for every option ``--map``, inline or in a file. Times, numbers and durations in mapped columns are read as such
programs write them (``values``). Whether days or months come first is decided by the whole column, never by one cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct

from stream_app.errors import InputError

from .import_files import our_channel
from .outcomes import MEANINGS, Meaning
from .values import DATE_ORDERS, DateOrder, date_order, number, seconds, wall_time

ALIASES: Final = {"contacts": "offered", "calls": "offered", "aht": "aht_s"}
SAID_OF_ALL: Final = ("dates", "zone")
"""What a map may say of all times in a file: the order of days and months, and the zone of times without an offset."""
OUTCOMES: Final = "outcomes"
"""The part of a map's file that says what the words of the column ``outcome`` mean."""
_OPTIONAL: Final = frozenset({"minutes", "channel"})
"""Needed, but without them the step of the starts, and calls, are meant."""
_TIMES: Final = ("start", "end")
_TEXTS: Final = frozenset({"queue", "channel", "who", "group", "tz", "activity", "final", "outage", "skills"})
_PART: Final = re.compile(r"""\s*(?P<field>\w+)\s*(?P<how>:?=)\s*(?P<value>(?:"[^"]*"|[^",])*)(?:,|$)""")
_RANGES: Final = (
    re.compile(r"(?<=[\dZ])/(?=\d{4}-).*$"),
    re.compile(r"(?<=\d)\s*[-\u2013]\s*\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s*(?:[AaPp][Mm])?$"),
)
"""From one ISO time to another, and from one time of day to another; the second looks like an ISO time's offset."""
_RANGED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})?")


class UnclearDatesError(InputError):
    """Days and months can't be told apart."""


NumberedValues = tuple[int, Mapping[str, Any]]


class ColumnMap(Struct, frozen=True):
    """Where a file has our fields.

    Attributes:
        columns: field → the columns whose texts it consists of, joined by a blank.
        constants: field → the same text in every row.
        outcomes: word of the column ``outcome`` → what it means; only in lists of contacts.
        dates: whether days or months come first, where the map says so.
        zone: that of times without an offset, where the map says so.
        complete: the map is that of a file for a list of contacts: other columns are not read, whatever their names.
    """

    columns: Mapping[str, tuple[str, ...]] = {}
    constants: Mapping[str, str] = {}
    outcomes: Mapping[str, Meaning] = {}
    dates: DateOrder | None = None
    zone: str | None = None
    complete: bool = False

    @property
    def fields(self) -> set[str]:
        """The fields that are mapped."""
        return {*self.columns, *self.constants}

    def applied(
        self, name: str, rows: Sequence[NumberedValues], needed: Collection[str]
    ) -> list[NumberedValues]:
        """Return the rows with our fields, values in our forms; other columns stay as they are.

        Raises:
            InputError: a column that no row has, a field that is needed and not mapped, or a date that can't be told.
        """
        first_line, first = rows[0]
        for field, columns in self.columns.items():
            for column in columns:
                if not any(column in values for _, values in rows):
                    has = ", ".join(repr(one) for one in first)
                    raise InputError(
                        f"{name}:{first_line}: --map {field}={column}: no such column; there are {has[:300]}"
                    )
        taken = {column for columns in self.columns.values() for column in columns}
        mapped = [
            (line, {key: value for key, value in values.items() if key not in taken} | self._fields(values))
            for line, values in rows
        ]
        for field in needed:
            if field not in _OPTIONAL and not any(field in values for _, values in mapped):
                raise InputError(f"{name}:{first_line}: {field}: map a column to it: --map '{field}=…'")
        dated = _in_order(name, mapped, self.dates)
        return _with_minutes(name, dated) if "minutes" in needed else dated

    def _fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = dict(self.constants)
        for field, columns in self.columns.items():
            parts = [values.get(column) for column in columns]
            value = (
                parts[0]
                if len(parts) == 1
                else " ".join(str(part) for part in parts if part not in {None, ""})
            )
            found[field] = _value(field, value)
        return found


def parse_map(
    texts: Iterable[str | Mapping[str, Any]], known: Collection[str], aliases: Mapping[str, str] = ALIASES
) -> ColumnMap | None:
    """Read ``--map``; ``None`` for nothing.

    Args:
        texts: ``field=Column``, ``field=Date+Time`` or ``field:=constant`` (or ``field==constant``), separated by commas; or
            the content of a map's file, where two columns are a list and a constant begins with ``=``. What is inline wins.
        known: the fields.
        aliases: other names of fields.

    Raises:
        ValueError: what was expected and found.
    """
    files, inline = _Pairs(known, aliases), _Pairs(known, aliases)
    for text in texts:
        if isinstance(text, str):
            inline.add_text(text)
        else:
            files.add_file(text)
    columns = {field: found for field, found in files.columns.items() if field not in inline.constants}
    constants = {field: found for field, found in files.constants.items() if field not in inline.columns}
    columns, constants = {**columns, **inline.columns}, {**constants, **inline.constants}
    dates, zone = (constants.pop(name, None) for name in SAID_OF_ALL)
    if not (columns or constants or dates or zone or files.outcomes):
        return None
    complete = "queued" in files.columns
    return ColumnMap(columns, constants, files.outcomes, dates, zone, complete)


class _Pairs:
    """Fields and what they are, as far as they were read."""

    def __init__(self, known: Collection[str], aliases: Mapping[str, str]) -> None:
        self.columns: dict[str, tuple[str, ...]] = {}
        self.constants: dict[str, Any] = {}
        self.outcomes: dict[str, Meaning] = {}
        self._known = known
        self._names = {**aliases} | {name: name for name in (*known, *SAID_OF_ALL)}

    def add_text(self, text: str) -> None:
        at = 0
        while at < len(text):
            part = _PART.match(text, at)
            if part is None or not (value := part["value"].strip().removeprefix("=").strip()):
                raise ValueError(f"expected FIELD=COLUMN, separated by commas, got {text[at:]!r}")
            at = part.end()
            field = self._field(part["field"])
            if field in self.columns or field in self.constants:
                raise ValueError(f"{part['field']}: this field is mapped twice")
            if part["how"] == ":=" or part["value"].lstrip().startswith("="):
                self._constant(field, value.strip('"'))
            else:
                self._column(field, tuple(one.strip().strip('"') for one in _split(value)))

    def add_file(self, content: Mapping[str, Any]) -> None:
        for name, value in content.items():
            if name == OUTCOMES and isinstance(value, dict):
                self.outcomes.update(checked_outcomes(value))
                continue
            field = self._field(name)
            self.columns.pop(field, None)
            self.constants.pop(field, None)
            if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
                self._column(field, tuple(value))
            elif not isinstance(value, str) or not value.removeprefix("="):
                raise ValueError(
                    f'{name} has no column; write {name} = "Column", ["Date", "Time"] or "=constant"'
                )
            elif value.startswith("=") or field in SAID_OF_ALL:
                self._constant(field, value.removeprefix("=").strip())
            else:
                self._column(field, (value.strip(),))

    def _field(self, name: str) -> str:
        field = self._names.get(name)
        if field is None:
            close = get_close_matches(name, self._names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(sorted(self._known))}"
            raise ValueError(f"unknown field {name!r}; {hint}")
        return field

    def _column(self, field: str, columns: tuple[str, ...]) -> None:
        if field in SAID_OF_ALL:
            raise ValueError(f"{field}: expected the same for all rows; write {field}:={columns[0]}")
        self.columns[field] = columns

    def _constant(self, field: str, value: str) -> None:
        if field == "dates" and value not in DATE_ORDERS:
            raise ValueError(f"dates: expected {' or '.join(DATE_ORDERS)}, got {value!r}")
        self.constants[field] = value


def checked_outcomes(words: Mapping[str, Any]) -> dict[str, Meaning]:
    """Return words for outcomes and what they mean.

    Raises:
        ValueError: a meaning is not one of ours.
    """
    for word, means in words.items():
        if means not in MEANINGS:
            raise ValueError(f"{OUTCOMES}: {word!r}: expected one of {', '.join(MEANINGS)}; got {means!r}")
    return {**words}


def _split(value: str) -> list[str]:
    """Split at each + that is not within quotes."""
    return re.findall(r'(?:"[^"]*"|[^"+])+', value)


def _value(field: str, value: Any) -> Any:
    if not isinstance(value, str) or field in _TEXTS:
        return our_channel(value) if field == "channel" else value
    text = value.strip()
    if field in _TIMES:
        if field == "start":
            text = _RANGES[0].sub("", text)
            return text if "T" in text else _RANGES[1].sub("", text)
        return text
    if field.endswith("_s") and ":" in text and (found := seconds(text)) is not None:
        return f"{found:g}"
    return number(text)


def _in_order(name: str, rows: Sequence[NumberedValues], dates: DateOrder | None) -> list[NumberedValues]:
    """Return the rows with dates in ISO's order."""
    orders = {
        field: dates or order_of(name, field, ((line, values.get(field)) for line, values in rows))
        for field in _TIMES
    }
    return [(line, {**values, **_iso(values, orders)}) for line, values in rows]


def _iso(values: Mapping[str, Any], orders: Mapping[str, DateOrder]) -> dict[str, str]:
    changed = {}
    for field, order in orders.items():
        text = values.get(field)
        if isinstance(text, str) and not _RANGED.fullmatch(text) and (found := wall_time(text, order)):
            changed[field] = found.isoformat()
    return changed


def order_of(name: str, field: str, cells: Iterable[tuple[int, Any]]) -> DateOrder:
    """Return whether days or months come first in a column of times.

    Args:
        name: the file's name, for the message.
        field: the column's, likewise.
        cells: lines and values.

    Raises:
        InputError: it may be either, and no cell shows which.
    """
    doubtful: tuple[int, str] | None = None
    found: set[str] = set()
    for line, text in cells:
        order = date_order(text) if isinstance(text, str) else None
        if order == "either":
            doubtful = doubtful or (line, text)
        elif order is not None:
            found.add(order)
    if "day-first" in found or not (found or doubtful):
        return "day-first"
    if found:
        return "month-first"
    assert doubtful is not None  # noqa: S101 - the only way here
    raise UnclearDatesError(
        f"{name}:{doubtful[0]}: {field}: {doubtful[1]!r} may be day/month or month/day, and no row shows which; "
        "add dates:=day-first or dates:=month-first to --map"
    )


def _with_minutes(name: str, rows: Sequence[NumberedValues]) -> list[NumberedValues]:
    """Return the rows with the length of their intervals: where none says it, the smallest step of a queue's starts."""
    if any(values.get("minutes") not in {None, ""} for _, values in rows):
        return list(rows)
    starts: dict[tuple[Any, Any], set[datetime]] = {}
    for _, values in rows:
        try:
            start = datetime.fromisoformat(str(values.get("start")))
        except ValueError:
            continue  # the reader refuses it, with its line
        starts.setdefault((values.get("queue"), values.get("channel")), set()).add(start)
    steps = []
    for of in starts.values():
        if len({start.tzinfo is None for start in of}) == 1:
            ordered = sorted(of)
            steps += [(b - a).total_seconds() / 60 for a, b in pairwise(ordered)]
    if not steps:
        raise InputError(
            f"{name}:{rows[0][0]}: minutes: can't be told from one row; write --map 'minutes:=30'"
        )
    return [(line, {**values, "minutes": f"{min(steps):g}"}) for line, values in rows]
