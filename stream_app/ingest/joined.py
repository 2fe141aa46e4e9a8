"""JSON objects one after the other, with nothing or blanks between them: how Amazon Data Firehose writes records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_JOINT: Final = re.compile(rb"\}([ \t\r\n]*)\{")
_UNCLEAR: Final = re.compile(rb'\}[ \t\r\n]*\{"')


def is_joined(value: bytes) -> bool:
    """Return whether bytes may hold several objects; cheap, and wrong only where a text has such braces."""
    return b"}{" in value or b"} {" in value


def objects_of(value: bytes) -> Iterator[bytes]:
    """Split bytes between objects. Whatever is not JSON stays as it is, in one piece with what it is attached to.

    Outside of a text, JSON never has an object right after another. So it is enough to know where texts end.
    """
    begin = seen = 0
    inside = False
    for joint in _JOINT.finditer(value):
        inside ^= _has_odd_quotes(value[seen : joint.start()])
        seen = joint.start()
        if not inside:
            yield value[begin : joint.start() + 1]
            begin = joint.end() - 1
    yield value[begin:]


def next_object(value: bytes, after: int) -> int:
    """Return where the next object begins after this place in one that is not known in full; -1 if it is not in sight."""
    joint = _UNCLEAR.search(value, after)
    return -1 if joint is None else joint.end() - 2


def _has_odd_quotes(text: bytes) -> bool:
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return plain.count(b'"') % 2 == 1
