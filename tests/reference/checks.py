"""Single fields of an event: absent, of the right type, or a reason to refuse the event."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

Fields = dict[str, Any]
NAME, ID = 256, 128  # the longest names and ids


class Refusal(NamedTuple):
    """A record that could not be read as an event: its result, and the reason of a dead letter."""

    result: str
    reason: str


class Refused(Exception):  # noqa: N818 - their bytes, not our error
    def __init__(self, reason: str, result: str = "dead_letter") -> None:
        super().__init__(reason)
        self.refusal = Refusal(result, reason)


def text(fields: Fields, name: str, longest: int) -> str:
    """The text, or "" where the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise Refused("invalid")
    return value


def truth(fields: Fields, name: str) -> bool | None:
    """The truth value, or None where the field is absent or null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused("invalid")
    return value


def whole(fields: Fields, name: str, low: int, high: int) -> int | None:
    """The whole number from `low` to `high`, or None where the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return None
    if not is_int(value) or not low <= value <= high:
        raise Refused("invalid")
    return int(value)


def number(fields: Fields, name: str, low: float, high: float) -> float | None:
    """The number from `low` to `high`, whole or not, or None where the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return None
    if not is_number(value) or not low <= value <= high:
        raise Refused("invalid")
    return value  # type: ignore[no-any-return]


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return is_int(value) or (isinstance(value, float) and math.isfinite(value))
