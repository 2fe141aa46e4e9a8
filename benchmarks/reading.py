"""What it costs to look: a scrape of ``/metrics`` with 600 queue-channels, with little history and after a full day."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Final

from stream_app.model.fold.cells import NUMBERS, SHIFT, Cell, pack_cell
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.kpis import COUNTERS, SKETCHES
from stream_app.model.live.board import Board
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, TOTAL
from stream_app.views.budget import of_queue
from stream_app.views.metrics import render
from stream_app.views.status import Status

from .figures import Figure

NOW: Final = 1_767_225_540_000  # 2025-12-31 23:59 UTC: the day is as long as it gets
DAY: Final = 86_400_000
LITTLE: Final = 600_000
QUEUES: Final = [(f"queue-{n:03}", channel) for n in range(200) for channel in ("voice", "chat", "email")]
PROMISED_S: Final = 1.0
ROUNDS: Final = 5
PARTITIONS: Final = 4
FRESH: Final = Status(age_s=0.5, max_age_s=10, partitions=PARTITIONS)


def measure() -> list[Figure]:
    """Seconds of a scrape in which every queue has changed since the last one, and how that grows."""
    little, page = _scrape(_board(LITTLE))
    much, _ = _scrape(_board(DAY))
    series = sum(not line.startswith("#") for line in page.decode().splitlines()) / len(QUEUES)
    return [
        _result("metrics_seconds_600_queue_channels", much, "s", PROMISED_S),
        _result("metrics_seconds_after_a_day", much, "s", little),
        _result("metrics_series_per_queue_channel", series, "series", of_queue()),
    ]


def _result(name: str, value: float, unit: str, reference: float) -> Figure:
    return Figure(name, round(value, 4), unit, round(reference, 4), round(value / reference, 3))


def _board(history: int) -> Board:
    """Everything that a reader mirrors of so much history, with a contact in each queue every few seconds."""
    board, packed = Board(NOW), pack_cell(_cell(50))
    for n, queue in enumerate(QUEUES):
        partition = f"events.{n % PARTITIONS}"
        for resolution, start in _buckets(history):
            board.put_cells(partition, resolution, start, [(queue, packed)])
        visit = Visit(*queue, VisitState.WAITING, NOW - 9_000, NOW - 9_000, 20_000, 5_000, b"12345678")
        board.put_visits(partition, f"c{n}", [visit])
    return board


def _buckets(history: int) -> Iterator[tuple[int, int]]:
    yield TOTAL, 0
    for resolution, kept in KEPT.items():
        last = NOW - NOW % resolution
        yield from ((resolution, start) for start in range(last, NOW - min(kept, history), -resolution))


def _cell(n: int) -> Cell:
    cell = {NUMBERS[counter.name]: n for counter in COUNTERS}
    for sketch in SKETCHES:
        cell |= {NUMBERS[sketch.name] << SHIFT | bucket: 1 + n % 7 for bucket in range(160, 160 + n)}
    return cell


def _scrape(board: Board) -> tuple[float, bytes]:
    snapshots, targets, page, took = Snapshots(board), Targets(), b"", []
    snapshots.take(targets)
    for n in range(1, ROUNDS + 1):
        started = time.perf_counter()
        board.advance(NOW + n * 10_000)  # a bucket leaves the short windows, and every queue has a new one
        advanced = time.perf_counter() - started
        for at, queue in enumerate(QUEUES):
            bucket = board.now - board.now % 10_000
            board.put_cells(f"events.{at % PARTITIONS}", 10_000, bucket, [(queue, pack_cell(_cell(30)))])
        started = time.perf_counter()
        page = render(snapshots.take(targets), snapshots.waits(targets), FRESH)
        took.append(time.perf_counter() - started + advanced)
    return median(took), page
