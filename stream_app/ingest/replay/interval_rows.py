"""Files → interval rows, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from stream_app.ingest.files import RecordFile
from stream_app.model.fold import Fold
from stream_app.model.interval_rows import IntervalRow, rows_of
from stream_app.model.intervals import Amounts, add_amounts
from stream_app.model.targets import Targets

from .folding import fold_files
from .run import Run

GRACE: Final = 900_000
"""A row is final so long after its end: what comes later than that is seldom."""


def interval_rows(
    files: Iterable[RecordFile], targets: Targets, run: Run, grace: int = GRACE
) -> list[IntervalRow]:
    """Fold the files one after the other, as one partition, and give its quarters of an hour.

    The files are all that there is: before them nobody waited, and after them nothing is known.

    Args:
        files: in the order of time.
        targets: answer targets and thresholds.
        run: how; its selection chooses rows by queue and channel, so that these are whole.
        grace: see ``GRACE``, ms.

    Returns:
        Rows in the order of queue, channel and time.

    Raises:
        FileError: a file breaks off, or is not what it should be.
        StrictError: a line is no event.
    """
    fold = Fold(targets)
    places: dict[tuple[str, str], dict[int, Amounts]] = defaultdict(lambda: defaultdict(dict))
    for deltas in fold_files(files, fold, run):
        for (start, queue, channel), amounts in deltas.rows.items():
            add_amounts(places[queue, channel][start], amounts)
    return [
        row
        for place in sorted(places)
        if run.selection.wants_place(*place)
        for row in rows_of(place, places[place], fold.state.time, grace)
    ]
