"""Chunks of bytes → lines of any length. JSON objects that stand on one line, one after the other, are lines of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stream_app.ingest.joined import is_joined, next_object, objects_of

from .refusal import DamagedError

Raw = tuple[int, bytes, int, bool]
"""A line's number from 1, its first bytes without the line ending, its whole length, and whether it had a line ending."""

_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def split(chunks: Iterator[bytes], keep: int) -> Iterator[Raw]:
    """Split bytes into lines that end in LF, CRLF or with the file, or where another JSON object begins.

    A byte order mark is dropped.

    Args:
        chunks: bytes in pieces of any size.
        keep: bytes kept of a longer line.

    Raises:
        DamagedError: from ``chunks``, without the line in which it happened; or the bytes are not UTF-8 at all.
    """
    number, rest, gone = 0, _first(chunks), 0
    while True:
        plain = not is_joined(rest)  # as nearly always: looked for once in all of these lines
        *lines, rest = rest.split(b"\n")
        for line in lines:
            number += 1
            value = line[:-1] if line[-1:] == b"\r" else line
            if plain:
                yield number, value[:keep], len(value) + gone, True
            else:
                yield from _pieces(number, value, keep, gone)
            gone = 0
        if len(rest) > keep + 1:
            *objects, rest = _apart(rest, keep, gone)
            for value in objects:
                yield number + 1, value[:keep], len(value) + gone, True
                gone = 0
            if len(rest) > keep + 1:
                gone += len(rest) - keep - 1
                rest = rest[:keep] + rest[-1:]  # the last byte may be half of a CRLF, or of a joint
        chunk = next(chunks, b"")
        if not chunk:
            break
        rest += chunk
    if rest:
        yield from _pieces(number + 1, rest.removesuffix(b"\r"), keep, gone, ended=False)


def _pieces(number: int, line: bytes, keep: int, gone: int, *, ended: bool = True) -> Iterator[Raw]:
    """Yield the objects on a line, or the line."""
    *objects, last = _apart(line, keep, gone)
    for value in objects:
        yield number, value[:keep], len(value) + gone, True
        gone = 0
    yield number, last[:keep], len(last) + gone, ended


def _apart(value: bytes, keep: int, gone: int) -> list[bytes]:
    """Split a line between its JSON objects; of its first one, so many bytes behind the first ``keep`` are gone."""
    if not is_joined(value) or value.lstrip()[:1] != b"{":
        return [value]
    begin = next_object(value, keep) if gone else 0
    if begin < 0:
        return [value]
    return [*([value[:begin]] if gone else []), *objects_of(value[begin:])]


def _first(chunks: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < len(_BOM) and (chunk := next(chunks, b"")):
        head += chunk
    if head.startswith(_UTF_16):
        raise DamagedError(
            "expected UTF-8, got UTF-16; convert it: iconv -f UTF-16 -t UTF-8 FILE | stream-app replay -"
        )
    return head.removeprefix(_BOM)
