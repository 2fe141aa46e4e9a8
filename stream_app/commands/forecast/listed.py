"""``forecast --calls``: a list of contacts, read as ``replay`` and ``intervals`` read it, and counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from stream_app.commands.replay.summary import given_maps
from stream_app.errors import InputError
from stream_app.forecast import calls
from stream_app.forecast.history import ParsedHistory
from stream_app.ingest.files import FileError, Layout, RecordFile
from stream_app.tables.call_list import BadCallRow, CallList, Passed
from stream_app.tables.calls import Call
from stream_app.tables.mapping import ColumnMap

_NAMED: Final = 10
"""Bad rows that are named; all are counted."""


class ListedCalls(NamedTuple):
    """What was read: the rows to learn from, and what mends the rows that are not contacts, if there are any."""

    history: ParsedHistory
    remedy: str | None


def read_calls(path: Path, mapping: ColumnMap | None, zone: str | None, days: str) -> ListedCalls:
    """Read and count a list, and report on stderr what is not counted.

    Args:
        path: the file; ``-`` is standard input.
        mapping: where it has the fields.
        zone: of times without an offset, if it is known.
        days: the zone of its days.

    Raises:
        InputError: the file is damaged or not a list of contacts, or no row of it is a contact.
    """
    file = RecordFile(path, Layout(columns=mapping, zone=zone, calls=True, needs_outcome=False))
    try:
        with file:
            if file.calls is None:
                raise InputError(f"{file.name}:1: the file is empty")
            found = file.calls.calls
            history = calls.count(_counted(found, file.name), file.name, days)
            if file.calls.problem:
                raise InputError(f"{file.name}: {file.calls.problem}")
    except FileError as error:
        raise InputError(str(error)) from None
    for note in file.calls.notes:
        sys.stderr.write(f"stream-app: {note}\n")
    return ListedCalls(history, file.calls.remedy(given_maps(sys.argv)))


def _counted(rows: CallList, name: str) -> Iterator[Call]:
    """Yield the contacts; name the first rows that are none."""
    named = passed = 0
    for row in rows:
        if isinstance(row, Call):
            yield row
        elif isinstance(row, Passed):
            passed += 1
        elif isinstance(row, BadCallRow):
            named += 1
            if named <= _NAMED:
                sys.stderr.write(f"stream-app: {name}:{row.line}: {row.reason}: {row.why}\n")
    if named > _NAMED:
        sys.stderr.write(f"stream-app: and {named - _NAMED:,} more that are not contacts\n")
    if passed:
        sys.stderr.write(
            f"stream-app: {name}: rows to ignore, internal calls and attempts to call, not counted: {passed:,}\n"
        )
