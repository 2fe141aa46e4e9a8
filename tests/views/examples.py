"""Snapshots for tests of views."""

from collections.abc import Sequence

from stream_app.model.currencies import PLACES
from stream_app.model.fold.cells import NUMBERS, SHIFT, Cell, pack_cell
from stream_app.model.fold.visit import WRITTEN, Visit, VisitState
from stream_app.model.kpis import COUNTERS, SKETCHES
from stream_app.model.live.board import Board
from stream_app.model.live.rows import Snapshot
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.sketch import bucket
from stream_app.model.targets import Targets
from stream_app.model.targets.conversations import is_written
from stream_app.model.windows import RESOLUTIONS, TOTAL
from stream_app.views.status import Skew, Status

NOON = 1_767_182_400_000  # 2025-12-31 12:00 UTC
FRESH = Status(
    age_s=0.4,
    max_age_s=10.0,
    partitions=4,
    results={"applied": 7, "illegal": 2, "illegal:state": 2},
    skew_s=0.002,
    skews=(Skew("t.0", "host:1", -0.25), Skew("t.1", "host:2", 0.0)),
    store_bytes=50_000_000,
    store_limit_bytes=512_000_000,
)


def busy_cell(durations: Sequence[int] = (4_000, 9_000, 31_000, 95_000, 240_000)) -> Cell:
    """Something in every counter and sketch; ten were decided, nine of them answered."""
    cell = {NUMBERS[counter.name]: 1 for counter in COUNTERS}
    cell |= {NUMBERS[name]: 9 for name in ("answered", "responded", "handled")}
    cell |= {NUMBERS["offered"]: 10, NUMBERS["decided"]: 10, NUMBERS["answered_in_target"]: 8}
    cell |= {NUMBERS["response_ms"]: 90_000, NUMBERS["talk_ms"]: 2_700_000}
    cell[NUMBERS["revenue"] << SHIFT | PLACES["EUR"]] = 450_000
    for part in SKETCHES:
        cell |= {NUMBERS[part.name] << SHIFT | bucket(d): 2 for d in durations}
    return cell


def put(board: Board, queue: tuple[str, str], cell: Cell, partition: str = "t.0") -> None:
    """Put one 10-second amount everywhere that a commit would."""
    packed = pack_cell(cell)
    for resolution in (*RESOLUTIONS, TOTAL):
        start = board.now - board.now % resolution if resolution else 0
        board.put_cells(partition, resolution, start, [(queue, packed)])


def waiting(board: Board, queue: tuple[str, str], contact: str, queued_at: int) -> None:
    visit = Visit(*queue, VisitState.WAITING, queued_at, queued_at, 20_000, 5_000, b"12345678")
    if is_written(queue[1]):
        visit.seen, visit.clock = WRITTEN, queued_at
    board.put_visits("t.0", contact, [visit])


def busy_board(queues: Sequence[tuple[str, str]] = (("sales", "voice"), ("care", "chat"))) -> Board:
    board = Board(NOON)
    for n, queue in enumerate(queues):
        put(board, queue, busy_cell())
        waiting(board, queue, f"c{n}", NOON - 12_000)
    return board


def snapshot(board: Board | None = None, targets: Targets | None = None) -> Snapshot:
    return Snapshots(board or busy_board()).take(targets or Targets())
