"""Files through the fold, in memory: the source of reports and interval rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.batch import fold_slice
from stream_app.ingest.dialects import afresh, tells_messages
from stream_app.ingest.files import FileRecord, RecordFile, checked
from stream_app.model.fold.deltas import Deltas, Result
from stream_app.model.fold.fold import Fold
from stream_app.model.ports import DeadLetter

from .lateness import LOOK_BACK, first_late
from .order import first_stamp
from .run import FileReplay


def fold_files(files: Iterable[RecordFile], fold: Fold, run: FileReplay) -> Iterator[Deltas]:
    """Fold files one after the other, as one partition; yield their changes piece by piece, and keep the account.

    The end of the last file is not the end of time: visits that wait then are still waiting, and nothing is timed out.

    Args:
        files: in the order of time.
        fold: the partition's fold; it is advanced.
        run: options and account; its selection chooses records by time.

    Raises:
        FileError: a file is damaged, or not in the expected format.
        StrictError: a line is not an event.
    """
    before: list[FileRecord] = []
    for each in files:
        run.begin(each)
        with each as file:
            fold.hear(messages=not file.calls and tells_messages(run.dialect))
            for lines in _wanted(file, run):
                if run.first is None:
                    run.first = first_stamp(lines, checked(afresh(run.dialect)))
                dead: list[DeadLetter] = []
                expected = lines[-1].offset + 1 - len(lines)  # what was left out is not a gap
                fold_slice(fold, lines, expected, decode=run.decode, dead=dead)
                if dead:
                    run.dead(file, {line.offset: line.number for line in lines}, dead)
                deltas = fold.take()
                run.account.folded(deltas)
                if run.account.first_late is None and Result.LATE in deltas.results:
                    decode = checked(afresh(run.dialect))
                    run.account.first_late = first_late(file.name, before, lines, run.latest, decode)
                before, run.latest = lines[-LOOK_BACK:], fold.state.time
                yield deltas
                run.told(file)
        before = []
        if not run.left:
            break


def _wanted(file: RecordFile, run: FileReplay) -> Iterator[list[FileRecord]]:
    """Yield the records that are to be folded, up to the limit."""
    for found in file.slices():
        run.account.read += len(found)
        lines = [line for line in found if _is_wanted(line, run)] if run.selection.by_time else found
        run.account.left_out += len(found) - len(lines)
        if lines := lines[: run.left]:
            run.left -= len(lines)
            yield lines
        if not run.left:
            return


def _is_wanted(line: FileRecord, run: FileReplay) -> bool:
    """Return whether it is in the time range. What is not an event has no time, and is not skipped silently."""
    try:
        return run.selection.wants_time(run.decode(line.value or b""))
    except (UnreadableError, UnknownTypeError):
        return True
