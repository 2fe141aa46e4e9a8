"""One row of a planner's document: its values as what they should be, or an error with file, line and field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from stream_app.errors import InputError

_SHOWN: Final = 60
_TRUTHS: Final = {True: True, False: False, "true": True, "false": False}

N = TypeVar("N", int, float)
RowValues = Mapping[str, Any]


class TableRow:
    """One row and its line.

    Attributes:
        line: in the file, from 1.
    """

    def __init__(self, name: str, line: int, values: RowValues) -> None:
        self._name, self.line, self._values = name, line, values

    def wrong(self, field: str, why: str) -> InputError:
        """Return the error to raise: file, line, field and what is wrong with it."""
        return InputError(f"{self._name}:{self.line}: {field}: {why}")

    def said(self, field: str) -> bool:
        """Return whether the row has a value for the field."""
        value = self._values.get(field)
        return value is not None and value != ""

    def has(self, field: str) -> bool:
        """Return whether the row has the field, even if empty."""
        return field in self._values

    def _needed(self, field: str) -> Any:
        if not self.said(field):
            raise self.wrong(field, "is missing")
        return self._values[field]

    def text(self, field: str, default: str | None = None) -> str:
        """Return a text without surrounding spaces.

        Raises:
            InputError: it is missing and has no default, or is not a text.
        """
        if default is not None and not self.said(field):
            return default
        value = self._needed(field)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field, f"expected a text, got {shown(value)}")
        return value.strip()

    def number(self, field: str, default: float | None = None, most: float | None = None) -> float:
        """Return a finite, non-negative number.

        Raises:
            InputError: it is missing and has no default, or is not such a number, or exceeds ``most``.
        """
        if default is not None and not self.said(field):
            return default
        value = self._needed(field)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if isinstance(value, bool) or not isfinite(number) or number < 0 or "_" in str(value):
            raise self.wrong(field, f"expected a non-negative number like 12 or 12.5, got {shown(value)}")
        return self._at_most(field, number, most)

    def whole(self, field: str, most: int) -> int:
        """Return a non-negative whole number.

        Raises:
            InputError: it is missing, or is not such a number, or exceeds ``most``.
        """
        value = self._needed(field)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value[:20])
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(field, f"expected a non-negative whole number, got {shown(value)}")
        return self._at_most(field, value, most)

    def _at_most(self, field: str, number: N, most: float | None) -> N:
        if most is not None and number > most:
            raise self.wrong(field, f"expected at most {most:,}, got {shown(self._values[field])}")
        return number

    def truth(self, field: str, *, default: bool) -> bool:
        """Return the truth value of ``true`` or ``false``.

        Raises:
            InputError: it is neither.
        """
        if not self.said(field):
            return default
        value = self._values[field]
        truth = _TRUTHS.get(value) if isinstance(value, bool | str) else None
        if truth is None:
            raise self.wrong(field, f"expected true or false, got {shown(value)}")
        return truth

    def moment(self, field: str, zone: str | None = None) -> datetime:
        """Return a moment with an offset; a time without one is local time in ``zone``.

        Raises:
            InputError: it is not a time, has no offset and no zone, or the local clock skips it or shows it twice.
        """
        found = self.moments(field, zone)
        if len(found) > 1:
            wall = found[0].replace(tzinfo=None).isoformat()
            offsets = " or ".join(f"{one:%z}" for one in found)
            raise self.wrong(field, f"{wall} occurs twice in {zone}; append {offsets} to it")
        return found[0]

    def moments(self, field: str, zone: str | None = None) -> tuple[datetime, ...]:
        """Return a moment, or both where the local clock shows a time without an offset twice, the earlier one first.

        Raises:
            InputError: it is not a time, has no offset and no zone, or the local clock skips it.
        """
        text = self.text(field)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            why = f"expected a time like 2026-01-05T08:00:00+01:00, got {shown(text)}"
            raise self.wrong(field, why) from None
        if found.tzinfo is None:
            if zone is None:
                why = f"{shown(text)} has no offset and there is no tz; write it like 2026-01-05T08:00:00+01:00, or use --tz"
                raise self.wrong(field, why)
            return self._on_the_wall(field, found, zone)
        try:
            found.astimezone(UTC)
        except OverflowError:
            raise self.wrong(field, f"{shown(text)} is out of range") from None
        return (found,)

    def _on_the_wall(self, field: str, wall: datetime, zone: str) -> tuple[datetime, ...]:
        tz = ZoneInfo(zone)
        first, second = (wall.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
        try:
            if first.utcoffset() == second.utcoffset():
                first.astimezone(UTC)
                return (first,)
            if first.astimezone(UTC).astimezone(tz).replace(tzinfo=None) != wall:
                raise self.wrong(
                    field, f"the clock skips {wall.isoformat()} in {zone}; write a time with its offset"
                )
        except OverflowError:
            raise self.wrong(field, f"{wall.isoformat()} is out of range") from None
        return first, second


def shown(value: Any) -> str:
    """Return a value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
