"""Lists of contacts: who waits, and who gave up."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest

from stream_app.model.events import QueueChannel
from stream_app.model.fold.lifecycle import RING_BACK
from stream_app.model.targets import Targets

from .board import Board
from .next_wait import InLine, NextWaits
from .rows import Chosen, everywhere
from .running import GaveUp
from .snapshot import Snapshots


def waiting(
    board: Board, snapshots: Snapshots, targets: Targets, chosen: Chosen = everywhere
) -> list[InLine]:
    """Return the contacts of the chosen rows that wait, each with its place in line and how long it has yet to wait."""
    wanted = {*snapshots.queues(targets, chosen)}
    lines = NextWaits(board, board.numbers).lines(lambda queue: snapshots.in_force(targets, queue)[0])
    return [one for one in lines if (one.queue, one.channel) in wanted]


def gave_up(board: Board, queues: Iterable[QueueChannel], limit: int) -> list[GaveUp]:
    """Return at most ``limit`` contacts that gave up in the last hour and did not come back to the visit, newest first."""
    since = board.now - RING_BACK  # partition time may stand still, and with it its time-outs
    found = (one for queue in queues for one in board.gone.get(queue, ()) if one.at > since)
    return nlargest(limit, found, key=lambda one: (one.at, one.waited, one.contact))
