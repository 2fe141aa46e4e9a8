"""Chunks of bytes → lines of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .refusal import DamagedError

Raw = tuple[int, bytes, int, bool]
"""A line's number from 1, its first bytes without the line ending, its whole length, and whether it had a line ending."""

_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def split(chunks: Iterator[bytes], keep: int) -> Iterator[Raw]:
    """Split bytes into lines that end in LF, CRLF or with the file; a byte order mark is dropped.

    Args:
        chunks: bytes in pieces of any size.
        keep: bytes kept of a longer line.

    Raises:
        DamagedError: from ``chunks``, without the line in which it happened; or the bytes are not UTF-8 at all.
    """
    number, rest, gone = 0, _first(chunks), 0
    while True:
        *lines, rest = rest.split(b"\n")
        for line in lines:
            number += 1
            value = line[:-1] if line[-1:] == b"\r" else line
            yield number, value[:keep], len(value) + gone, True
            gone = 0
        if len(rest) > keep + 1:
            gone += len(rest) - keep - 1
            rest = rest[:keep] + rest[-1:]  # the last byte may be half of a CRLF
        chunk = next(chunks, b"")
        if not chunk:
            break
        rest += chunk
    if rest:
        value = rest.removesuffix(b"\r")
        yield number + 1, value[:keep], len(value) + gone, False


def _first(chunks: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < len(_BOM) and (chunk := next(chunks, b"")):
        head += chunk
    if head.startswith(_UTF_16):
        raise DamagedError(
            "expected UTF-8, got UTF-16; convert it: iconv -f UTF-16 -t UTF-8 FILE | stream-app replay -"
        )
    return head.removeprefix(_BOM)
