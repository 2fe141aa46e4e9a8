"""The first record of a file that came too late to count, and why: which line was ahead of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.dialects import Decode
from stream_app.ingest.files import FileRecord
from stream_app.model.fold.fold import OLDEST

LOOK_BACK: Final = 20
"""Records before a late one among which the line ahead of it is sought: some have no stamp."""


class FirstLate(Struct, frozen=True):
    """A record that came too late.

    Attributes:
        file: its file's name.
        number: of its line.
        at: its stamp, ms.
        reached: the latest stamp before it, ms.
        ahead: the line that alone is so far ahead of the one before it; ``None``: many lines are.
    """

    file: str
    number: int
    at: int
    reached: int
    ahead: int | None


def first_late(
    file: str, before: Sequence[FileRecord], records: Iterable[FileRecord], reached: int, decode: Decode
) -> FirstLate | None:
    """Return the first record that is too late; ``None`` if none is.

    Args:
        file: the file's name.
        before: the last few records before them.
        records: in the order of the file.
        reached: the latest stamp before them, ms.
        decode: the dialect.
    """
    stamps = [(record.number, at) for record in before if (at := _stamp(record, decode)) is not None]
    for record in records:
        at = _stamp(record, decode)
        if at is None:
            continue
        if at < reached - OLDEST:
            return FirstLate(file, record.number, at, reached, _ahead(stamps[-2:], reached))
        reached = max(reached, at)
        stamps.append((record.number, at))
    return None


def _ahead(last: Sequence[tuple[int, int]], reached: int) -> int | None:
    """Return the line right before a late one, if it alone is ahead."""
    if not last or last[-1][1] < reached:
        return None
    number, at = last[-1]
    return number if len(last) == 1 or at > last[0][1] + OLDEST else None


def _stamp(record: FileRecord, decode: Decode) -> int | None:
    try:
        events = decode(record.value or b"")
    except (UnreadableError, UnknownTypeError):
        return None
    return max(event.at for event in events) if events else None
