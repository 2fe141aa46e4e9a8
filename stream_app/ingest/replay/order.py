"""Several files are one recording: they are read in the order of their first stamps, however they are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from stream_app.errors import BadSettingsError, UnknownTypeError, UnreadableError
from stream_app.ingest.dialects import Decode, afresh
from stream_app.ingest.files import FileError, FileRecord, RecordFile, checked

_FIRST: Final = 2_000
"""Records in which a file's first stamp is sought."""


def in_order(files: Sequence[RecordFile], decode: Decode) -> list[RecordFile]:
    """Return files in the order of their first stamps, which are noted in them; only their beginnings are read.

    A file without a readable stamp at its beginning stays behind the one after which it was given.

    Raises:
        BadSettingsError: there are several, and one of them can be read only once.
    """
    if len(files) < 2:
        return [*files]
    for file in files:
        if file.known_size is None:
            raise BadSettingsError(
                f"{file.name}: the order of several files is only known if each can be read twice, and this is a pipe; "
                "write it to a file first, or send everything through one pipe in the order of time"
            )
    keys, before = [], 0
    for file in files:
        file.begins = _begin_of(file, checked(afresh(decode)))
        before = before if file.begins is None else file.begins
        keys.append(before)
    return [file for _, file in sorted(zip(keys, files, strict=True), key=lambda pair: pair[0])]


def _begin_of(file: RecordFile, decode: Decode) -> int | None:
    try:
        with file:
            for lines in file.slices(_FIRST):
                return first_stamp(lines, decode)
    except FileError:  # comes again when the file is read, after those before it
        return None
    return None


def first_stamp(lines: Iterable[FileRecord], decode: Decode) -> int | None:
    """Return the time of the first event in some records, ms."""
    for line in lines:
        try:
            events = decode(line.value or b"")
        except (UnreadableError, UnknownTypeError):
            continue
        if events:
            return events[0].at
    return None
