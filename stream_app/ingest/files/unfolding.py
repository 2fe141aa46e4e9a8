"""JSON objects that are written over several lines, alone or in one array → one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from .lines import Raw

OPENINGS: Final = (b"{", b"[")
"""The first line of such a file."""
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BETWEEN: Final = (b"", b"[", b"]", b",", b"],")


def unfold(raws: Iterator[Raw], keep: int) -> Iterator[Raw]:
    """Join the lines of each object; ``keep`` bytes are kept of a longer one.

    An object that is damaged ends where the next one begins at the left margin.
    """
    parts: list[bytes] = []
    first = length = depth = 0
    for number, value, size, _ in raws:
        line = value.strip()
        if parts and value == b"{":
            yield first, b"\n".join(parts)[:keep], length, True
            parts, length, depth = [], 0, 0
        if not parts and line in _BETWEEN:
            continue
        if not parts:
            first, line = number, line.removeprefix(b",").lstrip()
        depth += _opened(line)
        if length <= keep:
            parts.append(line)
        length += size + 1
        if depth <= 0:
            whole = b"\n".join(parts).removesuffix(b",")
            yield first, whole[:keep], max(len(whole), length if length > keep else 0), True
            parts, length, depth = [], 0, 0
    if parts:
        yield first, b"\n".join(parts)[:keep], length, False


def elements(line: bytes) -> list[bytes]:
    """Return the objects of an array on one line; the line itself if it is anything else."""
    try:
        found = [bytes(one) for one in msgspec.json.decode(line, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [line]
    return found if found and all(one.startswith(b"{") for one in found) else [line]


def _opened(line: bytes) -> int:
    """Return how many brackets a line leaves open."""
    bare = _TEXT.sub(b"", line)
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
