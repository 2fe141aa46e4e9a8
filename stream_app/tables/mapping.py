"""Columns of other programs, by the names that they have there: ``start=Date+Interval,offered=Calls Offered,channel:=voice``.

Times, numbers and durations in mapped columns are read as such programs write them: 31/12/2026 9:30 PM, 1,234 and 0:03:25.
Whether days or months come first is decided by the whole column, never by one cell.
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

ALIASES: Final = {"contacts": "offered", "calls": "offered", "aht": "aht_s"}
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
_DATED: Final = re.compile(
    r"(?P<a>\d{1,2})(?P<by>[./-])(?P<b>\d{1,2})(?P=by)(?P<year>\d{4}|\d{2}),?[ T]+"
    r"(?P<h>\d{1,2})[:.](?P<m>\d{2})(?::(?P<s>\d{2}))?\s*(?P<half>[AaPp])?\.?(?:[Mm]\.?)?"
)
_SLASHED: Final = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::\d{2})?")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WHOLE: Final = re.compile(r"(\d+)[.,]0+")
_COMMA: Final = re.compile(r"\d+,\d+")
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2}(?:\.\d+)?)")

NumberedValues = tuple[int, Mapping[str, Any]]


class ColumnMap(Struct, frozen=True):
    """Where a file has our fields.

    Attributes:
        columns: field → the columns whose texts it consists of, joined by a blank.
        constants: field → the same text in every row.
    """

    columns: Mapping[str, tuple[str, ...]] = {}
    constants: Mapping[str, str] = {}

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
        dated = _in_order(name, mapped)
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


def parse_map(texts: Iterable[str], known: Collection[str]) -> ColumnMap | None:
    """Read ``--map``: ``field=Column``, ``field=Date+Time`` or ``field:=constant``, separated by commas; ``None`` for nothing.

    Raises:
        ValueError: what was expected and found.
    """
    columns: dict[str, tuple[str, ...]] = {}
    constants: dict[str, str] = {}
    names = {name: name for name in known} | ALIASES
    for text in texts:
        at = 0
        while at < len(text):
            part = _PART.match(text, at)
            if part is None or not (value := part["value"].strip()):
                raise ValueError(f"expected FIELD=COLUMN, separated by commas, got {text[at:]!r}")
            at = part.end()
            field = names.get(part["field"])
            if field is None:
                close = get_close_matches(part["field"], names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(sorted(known))}"
                raise ValueError(f"unknown field {part['field']!r}; {hint}")
            if field in columns or field in constants:
                raise ValueError(f"{part['field']}: this field is mapped twice")
            if part["how"] == ":=":
                constants[field] = value.strip('"')
            else:
                columns[field] = tuple(one.strip().strip('"') for one in _split(value))
    return ColumnMap(columns, constants) if columns or constants else None


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
    if field.endswith("_s") and (clock := _CLOCK.fullmatch(text)):
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return f"{hours * 3600 + minutes * 60 + seconds:g}"
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


def _in_order(name: str, rows: Sequence[NumberedValues]) -> list[NumberedValues]:
    """Return the rows with dates in ISO's order."""
    found = []
    for field in _TIMES:
        dated = [
            (line, match)
            for line, values in rows
            if isinstance(text := values.get(field), str) and (match := _DATED.fullmatch(text))
        ]
        found.append(_day_first(name, field, dated))
    return [(line, {**values, **_iso(values, found)}) for line, values in rows]


def _iso(values: Mapping[str, Any], day_first: Sequence[bool]) -> dict[str, str]:
    changed = {}
    for field, days in zip(_TIMES, day_first, strict=True):
        text = values.get(field)
        if not isinstance(text, str):
            continue
        if slashed := _SLASHED.fullmatch(text):
            year, month, day, hour, minute = (int(part) for part in slashed.groups())
            changed[field] = f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}"
        elif match := _DATED.fullmatch(text):
            day, month = (int(match[part]) for part in (("a", "b") if days else ("b", "a")))
            year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
            hour = int(match["h"])
            if half := match["half"]:
                hour = hour % 12 + (12 if half in "Pp" else 0)
            changed[field] = f"{year}-{month:02}-{day:02}T{hour:02}:{match['m']}:{match['s'] or '00'}"
    return changed


def _day_first(name: str, field: str, dated: Sequence[tuple[int, re.Match[str]]]) -> bool:
    if not dated or dated[0][1]["by"] == ".":
        return True
    if any(int(match["a"]) > 12 for _, match in dated):
        return True
    if any(int(match["b"]) > 12 for _, match in dated):
        return False
    line, match = dated[0]
    raise InputError(
        f"{name}:{line}: {field}: {match[0]!r} may be day/month or month/day, and no row shows which; write 2026-12-31"
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
