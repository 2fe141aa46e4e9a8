"""JSON objects that are written over several lines, alone or in one array → one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from .lines import Raw

_OPENINGS: Final = (b"{", b"[", b"[{")
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BETWEEN: Final = (b"", b"[", b"]", b",", b"],", b"}", b"]}")
_NAMED_LIST: Final = re.compile(rb'"(?:[^"\\]|\\.)*"\s*:\s*\[')


def is_folded(first: bytes) -> bool:
    """Return whether a file's first line begins objects over several lines, or an array with some of them on each line."""
    line = first.strip()
    within = line.removeprefix(b"[").lstrip()
    in_array = len(within) < len(line) and within.startswith(b"{")
    return line.replace(b" ", b"") in _OPENINGS or (in_array and _opened(within) == 0)


def is_named_list(first: bytes, second: bytes) -> bool:
    """Return whether two lines begin an object whose only field is a list: how some clients write a table with its name."""
    return first.strip() == b"{" and _NAMED_LIST.fullmatch(second.strip()) is not None


def unfold(raws: Iterator[Raw], keep: int) -> Iterator[Raw]:
    """Join the lines of each object; ``keep`` bytes are kept of a longer one.

    An object that is damaged ends where the next one begins at the same margin.
    """
    parts: list[bytes] = []
    first = length = depth = 0
    margin, begun = b"", False
    for number, value, size, _ in raws:
        line = value.strip()
        if not begun and line:
            begun, line = True, line.removeprefix(b"[").lstrip()
        if parts and value.startswith(margin + b"{"):
            yield first, b"\n".join(parts)[:keep], length, True
            parts, length, depth = [], 0, 0
        if not parts and line in _BETWEEN:
            continue
        if not parts:
            first, line = number, line.removeprefix(b",").lstrip()
            margin = value[: len(value) - len(value.lstrip())]
        depth += _opened(line)
        if length <= keep:
            parts.append(line)
        length += size + 1
        if depth <= 0:
            whole = b"\n".join(parts).removesuffix(b",")
            whole = whole.removesuffix(b"]").rstrip() if depth < 0 else whole
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
