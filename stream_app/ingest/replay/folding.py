"""Files through the fold, in memory: what a report and interval rows are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.batch import fold_slice
from stream_app.ingest.files import Line, RecordFile
from stream_app.model.deltas import Deltas
from stream_app.model.fold import Fold
from stream_app.model.ports import DeadLetter

from .run import Run


def fold_files(files: Iterable[RecordFile], fold: Fold, run: Run) -> Iterator[Deltas]:
    """Fold files one after the other, as one partition; gives what changes, piece by piece, and keeps the account.

    The end of the last one is not the end of time: who waits then is waiting, and nothing is timed out by it.

    Args:
        files: in the order of time.
        fold: of the partition; advanced.
        run: how; its selection chooses records by time.

    Raises:
        FileError: a file breaks off, or is not what it should be.
        StrictError: a line is no event.
    """
    for each in files:
        with each as file:
            for lines in _wanted(file, run):
                dead: list[DeadLetter] = []
                expected = lines[-1].offset + 1 - len(lines)  # what was left out is no gap
                fold_slice(fold, lines, expected, decode=run.decode, dead=dead)
                if dead:
                    run.dead(file, {line.offset: line.number for line in lines}, dead)
                deltas = fold.take()
                run.account.folded(deltas)
                yield deltas
                run.told(file)
        if not run.left:
            break


def _wanted(file: RecordFile, run: Run) -> Iterator[list[Line]]:
    """The records that are to be folded, as long as there may be more."""
    for found in file.slices():
        run.account.read += len(found)
        lines = [line for line in found if _is_wanted(line, run)] if run.selection.by_time else found
        run.account.left_out += len(found) - len(lines)
        if lines := lines[: run.left]:
            run.left -= len(lines)
            yield lines
        if not run.left:
            return


def _is_wanted(line: Line, run: Run) -> bool:
    """Whether it lies in the stretch. What is no event has no time: it is not passed over in silence."""
    try:
        return run.selection.wants_time(run.decode(line.value or b""))
    except (UnreadableError, UnknownTypeError):
        return True
