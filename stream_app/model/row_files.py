"""Rows of a CSV or JSON document, each value still with the place that an error names: file, line and field.

One reader for all that planners hand over: interval rows, forecasts, rosters. Nothing is handed on before all of it was read:
a bad row imports nothing. CSV has a header, and comma, semicolon or tab between its cells. JSON is a list of objects, one
object a line, or an object that holds such a list: what ``/v1/intervals`` answers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from stream_app.errors import InputError

from .cells import unmarked

INTERVAL_FIELDS: Final = (
    "start", "minutes", "queue", "channel",
    "offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "left",
    "left_in_target", "lost", "waiting", "refused", "handled",
    "talk_s", "hold_s", "wrap_s", "wait_s", "abandon_wait_s", "longest_wait_s", "backlog_start", "backlog_max",
    "service_level", "abandonment", "average_speed_of_answer_s", "average_abandon_wait_s", "average_handle_time_s",
    "final", "revision", "version", "revised_at", "missing", "policy", "waits_by", "handling_by", "outage",
)  # fmt: skip
"""Fields of interval rows as they are written. Readers pass over those that they don't need."""
ROWS: Final = "rows"
_SEPARATORS: Final = ",;\t"
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "zcat"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat"),
    b"PK": ("zip", "unzip -p"),
}
_PARQUET: Final = b"PAR1"
_SHOWN: Final = 60
_SHORT: Final = 8

_TRUTHS: Final = {True: True, False: False, "true": True, "false": False}

N = TypeVar("N", int, float)
Values = Mapping[str, Any]


class Row:
    """One row, and where it stands.

    Attributes:
        line: of the file, from 1.
    """

    def __init__(self, name: str, line: int, values: Values) -> None:
        self._name, self.line, self._values = name, line, values

    def wrong(self, field: str, why: str) -> InputError:
        """The error to raise: file, line, field and what is wrong with it."""
        return InputError(f"{self._name}:{self.line}: {field}: {why}")

    def said(self, field: str) -> bool:
        """Whether the row has a value for it."""
        value = self._values.get(field)
        return value is not None and value != ""

    def has(self, field: str) -> bool:
        """Whether the row has the field, be it empty."""
        return field in self._values

    def _needed(self, field: str) -> Any:
        if not self.said(field):
            raise self.wrong(field, "is missing")
        return self._values[field]

    def text(self, field: str, default: str | None = None) -> str:
        """A name without spaces around it.

        Raises:
            InputError: it is missing and has no default, or is no text.
        """
        if default is not None and not self.said(field):
            return default
        value = self._needed(field)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field, f"{_shown(value)} is no text")
        return value.strip()

    def number(self, field: str, default: float | None = None, most: float | None = None) -> float:
        """A finite number, 0 or more.

        Raises:
            InputError: it is missing and has no default, or is no such number, or more than the most.
        """
        if default is not None and not self.said(field):
            return default
        value = self._needed(field)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if isinstance(value, bool) or not isfinite(number) or number < 0 or "_" in str(value):
            raise self.wrong(field, f"{_shown(value)} is no number of 0 or more, like 12 or 12.5")
        return self._at_most(field, number, most)

    def whole(self, field: str, most: int) -> int:
        """A whole number, 0 or more.

        Raises:
            InputError: it is missing, or is no such number, or more than the most.
        """
        value = self._needed(field)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:20])
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(field, f"{_shown(value)} is no whole number of 0 or more")
        return self._at_most(field, value, most)

    def _at_most(self, field: str, number: N, most: float | None) -> N:
        if most is not None and number > most:
            raise self.wrong(field, f"{_shown(self._values[field])} is more than {most:,}")
        return number

    def truth(self, field: str, *, default: bool) -> bool:
        """``true`` or ``false``.

        Raises:
            InputError: it is neither.
        """
        if not self.said(field):
            return default
        value = self._values[field]
        truth = _TRUTHS.get(value) if isinstance(value, bool | str) else None
        if truth is None:
            raise self.wrong(field, f"{_shown(value)} is neither true nor false")
        return truth

    def moment(self, field: str, zone: str | None = None) -> datetime:
        """A moment with an offset; without one it is the time on the wall of ``zone``.

        Raises:
            InputError: it is no time, has no offset and no zone, or the wall never shows it or shows it twice.
        """
        text = self.text(field)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(field, f"{_shown(text)} is no time like 2026-01-05T08:00:00+01:00") from None
        if found.tzinfo is None:
            if zone is None:
                why = f"{_shown(text)} has no offset, and there is no tz; write 2026-01-05T08:00:00+01:00"
                raise self.wrong(field, why)
            found = self._on_the_wall(field, found, zone)
        try:
            found.astimezone(UTC)
        except OverflowError:
            raise self.wrong(field, f"{_shown(text)} is out of range") from None
        return found

    def _on_the_wall(self, field: str, wall: datetime, zone: str) -> datetime:
        tz = ZoneInfo(zone)
        first, second = (wall.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(tz).replace(tzinfo=None) != wall:
            raise self.wrong(
                field, f"the clock skips {wall.isoformat()} in {zone}; write a time with its offset"
            )
        raise self.wrong(
            field,
            f"{wall.isoformat()} comes twice in {zone}; write it with {first:%z} or {second:%z} behind it",
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def read(
    name: str,
    content: bytes,
    known: Collection[str],
    needed: Collection[str],
    *,
    lists: Collection[str] = (ROWS,),
    shared: Collection[str] = (),
) -> list[Row]:
    """The rows of a document.

    Fields that are not known are passed over, unless their name is nearly that of one that is.

    Args:
        name: of the file, for messages.
        content: its bytes, UTF-8.
        known: the fields that mean something.
        needed: those of them that a header must have.
        lists: of an object with several lists, the first of these has the rows.
        shared: texts that may stand once, beside the list of rows, for all of them.

    Raises:
        InputError: one line that begins with ``file:line``.
    """
    if content.startswith(_PARQUET):
        raise InputError(f"{name}:1: is Parquet, which is not read here; write the rows with --format csv")
    for magic, (packed, tool) in _PACKED.items():
        if content.startswith(magic):
            raise InputError(f"{name}:1: is a {packed} file; unpack it first: {tool} {name}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}:{_line(content, error.start)}: is not UTF-8") from None
    head = text.lstrip()[:1]
    if not head:
        raise InputError(f"{name}:1: there is nothing in it")
    if head == "{":
        rows = list(_object(name, text, lists, shared))
    else:
        rows = list(_array(name, text) if head == "[" else _csv(name, text, needed))
    if not rows:
        raise InputError(f"{name}:1: there are no rows in it")
    _check_names(name, rows, known)
    return [Row(name, line, values) for line, values in rows]


def _check_names(name: str, rows: list[tuple[int, Values]], known: Collection[str]) -> None:
    strange: dict[str, str] = {}
    ours = frozenset(known)
    for line, values in rows:
        for field in values.keys() - ours:
            if field not in strange:
                strange[field] = _close(field, known)
            close = strange[field]
            if close and close not in values:
                raise InputError(f"{name}:{line}: {field}: no field is called so; did you mean {close!r}?")


def _close(field: str, known: Collection[str]) -> str:
    """The field that was perhaps meant: in short names one wrong letter, or two that changed places, weigh more."""
    cutoff = 0.85 if len(field) > _SHORT else 0.82
    return next(iter(get_close_matches(field.casefold(), known, n=1, cutoff=cutoff)), "")


def _line(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1


Found = Iterator[tuple[int, Values]]


def _csv(name: str, text: str, needed: Collection[str]) -> Found:
    first = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count), strict=True
    )
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if any(cells):
                if header is None:
                    header = _header(name, line, cells, needed)
                elif len(cells) != len(header):
                    raise InputError(f"{name}:{line}: {len(cells)} cells, the header has {len(header)}")
                else:
                    yield line, {f: unmarked(cell.strip()) for f, cell in zip(header, cells, strict=True)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{name}:{line}: {error}") from None


def _header(name: str, line: int, cells: list[str], needed: Collection[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    for field in header:
        if field and header.count(field) > 1:
            raise InputError(f"{name}:{line}: {field}: two columns are called so")
    for field in needed:
        if field not in header:
            near = get_close_matches(field, header, n=1)
            hint = f"; is it {near[0]!r}?" if near else ""
            raise InputError(f"{name}:{line}: {field}: there is no such column{hint}")
    return header


def _object(name: str, text: str, named: Collection[str], shared: Collection[str]) -> Found:
    """An object with a list of rows, or one row a line."""
    try:
        document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        yield from _lines(name, text)
        return
    lists = {field: raw for field, raw in document.items() if bytes(raw).lstrip()[:1] == b"["}
    for field in named:
        if field in lists:
            lists = {field: lists[field]}
    if not lists or "start" in document:  # a file of one row
        yield from _lines(name, " ".join(text.split("\n")))
        return
    if len(lists) != 1:
        raise InputError(f"{name}:1: an object with one list of rows is expected, not with {len(lists)}")
    if bytes(document.get("next", msgspec.Raw(b"null"))).strip() != b"null":
        raise InputError(f"{name}:1: next: this is one page of several; put the rows of all into one file")
    ((field, rows),) = lists.items()
    beside = {of: msgspec.json.decode(document[of]) for of in shared if of in document}
    at = text.encode().index(f'"{field}"'.encode())
    for line, values in _elements(name, bytes(rows), text.encode(), at):
        yield line, {**beside, **values}


def _array(name: str, text: str) -> Found:
    content = text.encode()
    yield from _elements(name, content, content, 0)


def _elements(name: str, array: bytes, content: bytes, at: int) -> Found:
    """Rows of a JSON list, which stands somewhere behind ``at``."""
    try:
        parts = msgspec.json.decode(array, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        place = str(error).rpartition("byte ")[2].rstrip(")")  # it names a byte, or the input ended
        line = _line(content, int(place) if place.isdigit() else len(content.rstrip()))
        raise InputError(f"{name}:{line}: is no JSON list of rows: {error}") from None
    line, counted = 1, 0
    for part in parts:
        raw = bytes(part)
        at = content.index(raw, at)
        line += content.count(b"\n", counted, at)
        counted = at
        at += len(raw)
        yield line, _row(name, line, raw)


def _lines(name: str, text: str) -> Found:
    for line, part in enumerate(text.split("\n"), 1):
        if part.strip():
            yield line, _row(name, line, part.encode())


def _row(name: str, line: int, raw: bytes) -> Values:
    try:
        values = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise InputError(f"{name}:{line}: is no JSON object: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{name}:{line}: a row is an object, not {_shown(values)}")
    return values
