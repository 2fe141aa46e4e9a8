"""Rows of a CSV or JSON document, each value still with the place that an error names: file, line and field.

Nothing is handed over before all of it was read: a bad row imports nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from stream_app.errors import StreamAppError


class InputError(StreamAppError):
    """What somebody wrote is wrong: one line that begins with ``file:line``. Exit code 65 (EX_DATAERR)."""


class Row:
    """One row, and where it stands.

    Attributes:
        line: of the file, from 1.
    """

    def __init__(self, name: str, line: int, values: Mapping[str, Any]) -> None:
        self._name, self.line, self._values = name, line, values

    def wrong(self, field: str, why: str) -> InputError:
        """The error to raise: file, line, field and what is wrong with it."""
        return InputError(f"{self._name}:{self.line}: {field}: {why}")

    def said(self, field: str) -> bool:
        """Whether the row has a value for it."""
        value = self._values.get(field)
        return value is not None and value != ""

    def text(self, field: str, default: str | None = None) -> str:
        """A name without spaces around it.

        Raises:
            InputError: it is missing and has no default, or is no text.
        """
        if not self.said(field):
            if default is None:
                raise self.wrong(field, "is missing")
            return default
        value = self._values[field]
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field, f"{value!r} is no text")
        return value.strip()

    def number(self, field: str, default: float | None = None) -> float:
        """A finite number, 0 or more.

        Raises:
            InputError: it is missing and has no default, or is no such number.
        """
        if not self.said(field):
            if default is None:
                raise self.wrong(field, "is missing")
            return default
        value = self._values[field]
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if isinstance(value, bool) or not isfinite(number) or number < 0 or "_" in str(value):
            raise self.wrong(field, f"{value!r} is no number of 0 or more, like 12 or 12.5")
        return number

    def moment(self, field: str, zone: str | None = None) -> datetime:
        """A moment with an offset; without one it is the time on the wall of ``zone``.

        Raises:
            InputError: it is no time, has no offset and no zone, or the wall never shows it or shows it twice.
        """
        text = self.text(field)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(field, f"{text!r} is no time like 2026-01-05T08:00:00+01:00") from None
        if found.tzinfo is not None:
            return found
        if zone is None:
            raise self.wrong(
                field, f"{text!r} has no offset, and there is no tz; write 2026-01-05T08:00:00+01:00"
            )
        return self._on_the_wall(field, found, zone)

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


def read(name: str, content: bytes, known: Collection[str], needed: Collection[str]) -> list[Row]:
    """The rows of a document.

    CSV has a header, and comma, semicolon or tab between its cells. JSON is a list of objects, or an object with such a list as
    its only one. Fields that are not known are passed over, unless their name is nearly that of one that is.

    Args:
        name: of the file, for messages.
        content: its bytes, UTF-8.
        known: the fields that mean something.
        needed: those of them that must be there.

    Raises:
        InputError: one line that begins with ``file:line``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}:{line}: is not UTF-8") from None
    if not text.strip():
        raise InputError(f"{name}:1: there is nothing in it")
    rows = list(_json(name, text) if text.lstrip()[0] in "[{" else _csv(name, text, needed))
    if not rows:
        raise InputError(f"{name}:1: there are no rows in it")
    for line, values in rows:
        for field in values:
            close = get_close_matches(str(field), known, n=1, cutoff=0.85)
            if field not in known and close and close[0] not in values:
                raise InputError(f"{name}:{line}: {field}: no field is called so; did you mean {close[0]!r}?")
    return [Row(name, line, values) for line, values in rows]


def check_zone(zone: str) -> None:
    """Refuse what is no IANA time zone; ValueError says so."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone is called {zone!r}") from None


def guess(name: str, known: Collection[str]) -> str:
    """The name that was perhaps meant, or all that there are, as the end of a message."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}"


_SEPARATORS: Final = ",;\t"


def _csv(name: str, text: str, needed: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
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
                    yield line, {field: cell.strip() for field, cell in zip(header, cells, strict=True)}
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


def _json(name: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        document: Any = msgspec.json.decode(text, type=list[msgspec.Raw] | dict[str, msgspec.Raw])
        if isinstance(document, dict):
            lists = [raw for raw in document.values() if bytes(raw).lstrip()[:1] == b"["]
            if len(lists) != 1:
                raise InputError(
                    f"{name}:1: an object with one list of rows is expected, not with {len(lists)}"
                )
            document = msgspec.json.decode(lists[0], type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        raise InputError(f"{name}:1: is no JSON list of rows: {error}") from None
    content, at = text.encode(), 0
    for raw in document:
        row = bytes(raw)
        at = content.index(row, at)
        line = content.count(b"\n", 0, at) + 1
        at += len(row)
        values = msgspec.json.decode(row)
        if not isinstance(values, dict):
            raise InputError(f"{name}:{line}: a row is an object, not {values!r}")
        yield line, values
