"""Files → totals per queue and channel, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.batch import fold_slice
from stream_app.ingest.files import Line, RecordFile
from stream_app.model.fold import Fold
from stream_app.model.ports import DeadLetter
from stream_app.model.tally import NUMBERS, Cell, is_sketch
from stream_app.model.targets import Targets
from stream_app.model.visit import WAITING

from .run import Run


class Row(Struct, kw_only=True):
    """Totals of a queue and channel: visits, and seconds. Every visit offered is in exactly one of the next five.

    Attributes:
        answered, abandoned, left, lost: how visits stopped waiting.
        waiting: visits that still wait.
        answered_in_target: of those answered.
        refused: contacts that never got in.
        handled: visits that are over, wrap-up included.
        wait_s: waits of answered contacts.
        talk_s, hold_s, wrap_s: of handled ones.
    """

    queue: str
    channel: str
    offered: int
    answered: int
    answered_in_target: int
    abandoned: int
    left: int
    lost: int
    waiting: int
    refused: int
    handled: int
    wait_s: float
    talk_s: float
    hold_s: float
    wrap_s: float


_Place = tuple[str, str]


def report(files: Iterable[RecordFile], targets: Targets, run: Run) -> list[Row]:
    """Fold the files one after the other, as one partition.

    The end of the last one is not the end of time: who waits then is waiting, and nothing is timed out by it.

    Args:
        files: in the order of time.
        targets: answer targets and thresholds.
        run: how; its selection chooses records by time, and rows by queue and channel, so that these are whole.

    Returns:
        Rows in the order of queue and channel.

    Raises:
        FileError: a file breaks off, or is not what it should be.
        StrictError: a line is no event.
    """
    fold = Fold(targets)
    totals: dict[_Place, Cell] = defaultdict(Counter)
    for each in files:
        with each as file:
            for lines in _wanted(file, run):
                dead: list[DeadLetter] = []
                expected = lines[-1].offset + 1 - len(lines)  # what was left out is no gap
                fold_slice(fold, lines, expected, decode=run.decode, dead=dead)
                if dead:
                    run.dead(file, {line.offset: line.number for line in lines}, dead)
                _book(fold, totals, run)
                run.told(file)
        if not run.left:
            break
    waiting = Counter(
        (v.queue, v.channel) for visits in fold.state.open.values() for v in visits if v.state == WAITING
    )
    return [
        _row(place, totals[place], waiting[place])
        for place in sorted(totals)
        if run.selection.wants_place(*place)
    ]


def _book(fold: Fold, totals: dict[_Place, Cell], run: Run) -> None:
    deltas = fold.take()
    run.account.folded(deltas)
    for (_, queue, channel), cell in deltas.cells.items():
        total = totals[queue, channel]
        for number, amount in cell.items():
            if not is_sketch(number):
                total[number] += amount


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


def _row(place: _Place, cell: Cell, waiting: int) -> Row:
    def total(counter: str) -> int:
        return cell.get(NUMBERS[counter], 0)

    queue, channel = place
    return Row(
        queue=queue,
        channel=channel,
        offered=total("offered"),
        answered=total("answered"),
        answered_in_target=total("answered_in_target"),
        abandoned=total("abandoned"),
        left=total("left"),
        lost=total("lost"),
        waiting=waiting,
        refused=total("refused"),
        handled=total("handled"),
        wait_s=total("answer_wait_ms") / 1000,
        talk_s=total("talk_ms") / 1000,
        hold_s=total("hold_ms") / 1000,
        wrap_s=total("wrap_ms") / 1000,
    )
