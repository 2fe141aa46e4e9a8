"""The work of ``columns``: from a file to a map, what it makes of the rows, and what it can't know."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from stream_app.commands.maps import call_map
from stream_app.commands.terminal import STDIN
from stream_app.errors import BadSettingsError
from stream_app.ingest.batch import MAX_EVENT_BYTES
from stream_app.ingest.files import FileError, Layout, RecordFile, look
from stream_app.tables.call_list import BadCallRow, CallList
from stream_app.tables.calls import Call
from stream_app.tables.mapping import ColumnMap, UnclearDatesError, checked_outcomes
from stream_app.tables.outcomes import meaning_of
from stream_app.tables.proposing import missing, propose
from stream_app.tables.values import DateOrder
from stream_app.zones import checked_zone

from . import output
from .understood import Understood

ROWS: Final = 10


class ColumnsOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    file: Path
    maps: list[str] = []
    zone: str | None = None
    dates: DateOrder | None = None
    outcomes: list[str] = []
    queue: str | None = None
    out: Path | None = None

    def given(self) -> ColumnMap:
        """Return what the options say of the map; raise BadSettingsError with one line that names the option."""
        if self.file == STDIN:
            raise BadSettingsError("-: the list is read twice; write it to a file first")
        found = call_map(self.maps) or ColumnMap()
        if self.zone is not None:
            checked_zone(self.zone, "--zone")
        words = {}
        for text in self.outcomes:
            word, _, meaning = text.rpartition("=")
            words[word] = meaning
        try:
            outcomes = {**found.outcomes, **checked_outcomes(words)}
        except ValueError as error:
            raise BadSettingsError(f"--outcome: expected WORD=MEANING: {error}") from None
        constants = dict(found.constants) | ({} if self.queue is None else {"queue": self.queue})
        columns = {field: names for field, names in found.columns.items() if field not in constants}
        return ColumnMap(columns, constants, outcomes, self.dates or found.dates, self.zone or found.zone)


def show(options: ColumnsOptions) -> None:
    """Print what is understood and what is not, and write the map.

    Raises:
        BadSettingsError: a wrong option.
        SystemExit: 65 for a file that can't be read, or not without an answer.
    """
    given = options.given()
    try:
        beginning = look(options.file, MAX_EVENT_BYTES)
        mapping = propose(beginning.header, beginning.rows, given)
        found = Understood(mapping, beginning.header)
        asked = list(missing(mapping).values())
        if not asked:
            found = _read(options.file, found)
    except FileError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    asked += _asked(found)
    output.write(found, options.zone or mapping.zone)
    for question in asked:
        sys.stdout.write(f"? {question}\n")
    for note in _assumed(found):
        sys.stdout.write(f"! {note}\n")
    sys.stdout.flush()
    _finish(options, found, asked)


def _finish(options: ColumnsOptions, found: Understood, asked: list[str]) -> None:
    file = shlex.quote(str(options.file))
    if asked:
        unwritten = "" if options.out is None else f"; {options.out} was not written"
        n = len(asked)
        sys.stderr.write(
            f"columns: {n} {'question' if n == 1 else 'questions'} above to answer first{unwritten}\n"
        )
        raise SystemExit(os.EX_DATAERR)
    if options.out is None:
        sys.stderr.write(f"columns: write the map with -o: {_again()} -o map.toml\n")
        return
    try:
        options.out.write_text(output.toml(found, options.file.name), encoding="utf-8")
    except OSError as error:
        raise BadSettingsError(f"--out: {options.out}: {error.strerror}") from None
    out = shlex.quote(str(options.out))
    tz = f" --tz {found.mapping.zone}" if found.mapping.zone else ""
    sys.stderr.write(
        f"columns: wrote {options.out}; next: stream-app intervals --direct {file} --map {out}{tz} --out rows.csv\n"
    )


def _again() -> str:
    return shlex.join(["stream-app", *sys.argv[1:]])


def _read(path: Path, found: Understood) -> Understood:
    """Read the whole list."""
    try:
        with RecordFile(path, Layout(columns=found.mapping, calls=True)) as file:
            assert file.calls is not None  # noqa: S101 - it is not empty
            _take(file.calls.calls, found)
        problem = file.calls.problem
    except FileError as error:
        if not isinstance(error.__cause__, UnclearDatesError) or found.unclear:
            raise
        found.unclear = str(error)
        mapping = found.mapping
        found.mapping = structs.replace(mapping, dates="day-first")
        found = _read(path, found)
        found.mapping = mapping
        return found
    if problem:
        raise FileError(f"{path}: {problem}")
    return found


def _take(calls: CallList, found: Understood) -> None:
    found.calls = calls
    others: dict[str, Call] = {}
    for row in calls:
        if isinstance(row, BadCallRow):
            found.wrong += 1
            if len(found.bad) < ROWS:
                found.bad.append(row)
        elif isinstance(row, Call):
            if len(found.shown) < ROWS:
                found.shown.append(row)
            elif row.meaning not in found.meanings:
                others[row.meaning] = row
            found.meanings[row.meaning] += 1
            found.queues[row.queue] += 1
            found.begin = min(found.begin or row.queued, row.queued)
            found.end = max(found.end or row.queued, row.queued)
    rare = [*others.values()][: ROWS - 1]
    found.shown = sorted([*found.shown[: ROWS - len(rare)], *rare], key=lambda call: call.queued)


def _rows(n: int) -> str:
    return f"{n:,} row" + ("" if n == 1 else "s")


def _asked(found: Understood) -> list[str]:
    """Return what must be answered before the list can be read."""
    asked = []
    if found.unclear:
        asked.append(
            f"{found.unclear.rpartition('; ')[0]} (above: day-first): answer --dates day-first or --dates month-first"
        )
    for word, n in found.calls.unknown.most_common(20) if found.calls is not None else ():
        option = shlex.quote(f"{word}=abandoned")
        asked.append(
            f"what does the outcome {word!r} mean ({_rows(n)})? answer --outcome {option}, or another meaning"
        )
    if found.calls is not None and not found.meanings and not asked:
        asked.append("no row is a contact; answer with --map which columns mean what")
    return asked


def _assumed(found: Understood) -> list[str]:
    """Return what was taken for true, and may not be."""
    if found.calls is None:
        return []
    calls, notes = found.calls, []
    if calls.local and found.mapping.zone is None:
        notes.append(
            "times have no offset; above they are read as UTC. Answer with their zone: --zone Europe/Berlin"
        )
    for word, n in calls.assumed.most_common():
        option = shlex.quote(f"{word}={'ignored' if meaning_of(word) != 'ignored' else 'answered'}")
        notes.append(
            f"the outcome {word!r} ({_rows(n)}) is taken for {meaning_of(word)}. If it is not: --outcome {option}, "
            "or another meaning"
        )
    notes += [note for note in calls.notes if not note.startswith("outcome ")]
    return notes
