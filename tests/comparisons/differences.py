"""What a page says of an example in which another program's number and ours differ."""

import re
from collections.abc import Callable

Difference = Callable[[], tuple[float | None, float | None]]
"""Computes the two numbers of an example: theirs and ours; ``None`` is no data."""

_NUMBER = r"(nothing|\d{1,3}(?:,\d{3})*(?:\.\d+)?)"
_PAIR = re.compile(rf"theirs {_NUMBER}( %)?[^,;|]*?, ours {_NUMBER}( %)?")


def _read(number: str, percent: str) -> float | None:
    if number == "nothing":
        return None
    return float(number.replace(",", "")) / (100 if percent else 1)


def written(text: str) -> list[tuple[float | None, float | None]]:
    """Return the pairs that a cell of the page names, such as "theirs 3,600 s, ours 60 s" or "theirs 0 %, ours nothing"."""
    return [(_read(a, b), _read(c, d)) for a, b, c, d in _PAIR.findall(text)]
