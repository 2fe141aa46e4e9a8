"""Files → interval rows, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from stream_app.ingest.files import RecordFile
from stream_app.model.fold.fold import Fold
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.intervals.counting import Amounts, add_amounts, interval_start
from stream_app.model.intervals.row import active, rows_of
from stream_app.model.targets import Targets

from .folding import fold_files
from .run import FileReplay


def interval_rows(files: Iterable[RecordFile], targets: Targets, run: FileReplay) -> list[IntervalRow]:
    """Fold the files one after the other, as one partition, and return its rows per 15-minute interval.

    The files are all that there is: before them nobody was waiting, and after them nothing is known. So a row is final once
    the files reach into its interval, and every queue has a row for each interval from that of the first stamp to that of the
    last, but for those after five weeks in which nobody came to any queue: there, a clock was wrong.

    Args:
        files: in the order of time.
        targets: answer targets and thresholds.
        run: options and account; its selection chooses rows by queue and channel, so that these are whole.

    Returns:
        Rows in the order of queue, channel and time.

    Raises:
        FileError: a file is damaged, or not in the expected format.
        StrictError: a line is not an event.
    """
    fold = Fold(targets)
    places: dict[tuple[str, str], dict[int, Amounts]] = defaultdict(lambda: defaultdict(dict))
    for deltas in fold_files(files, fold, run):
        for (start, queue, channel), amounts in deltas.rows.items():
            add_amounts(places[queue, channel][start], amounts)
    until = fold.state.time
    busy = {start for counted in places.values() for start in counted}
    if run.first is not None:
        busy.add(interval_start(run.first))
    starts = [*active(busy, max(*busy, interval_start(until)))] if busy else []
    return [
        row
        for place in sorted(places)
        if run.selection.wants_place(*place)
        for row in rows_of(place, places[place], until, -INTERVAL_MS, starts)
    ]
