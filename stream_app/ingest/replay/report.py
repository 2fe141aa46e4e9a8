"""Files → totals per queue and channel, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, get_args

from msgspec import Struct

from stream_app.ingest.files import RecordFile
from stream_app.model.fold.cells import NUMBERS, Cell, is_sketch
from stream_app.model.fold.deltas import Deltas
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.visit import WAITING, WITH_BOT
from stream_app.model.reasons import LEFT_COUNTERS, RefusedBy
from stream_app.model.targets import Targets

from .folding import fold_files
from .run import FileReplay


class ReportRow(Struct, kw_only=True):
    """Totals of a queue and channel: visits and seconds.

    Every visit that waited for a person (offered, less to_bot, and from_bot) is in exactly one of the first five below.

    Attributes:
        answered, abandoned, left, lost: how visits stopped waiting (``left``: flow-out, ``lost``: outcome unknown).
        waiting: visits that are still waiting for a person; ``with_bot``: those that are with a bot.
        answered_in_target: answered visits within the answer target.
        refused: contacts that were blocked.
        handled: visits that are over, wrap-up included.
        wait_s: waits of answered visits.
        talk_s, hold_s, wrap_s: times of handled visits.
        missed: times a contact was offered to an agent who did not take it.
        left_wait_s: waits of visits that left; ``left_…``: these by reason, ``refused_…`` likewise.
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
    missed: int
    left_wait_s: float
    left_timeout: int
    left_key: int
    left_transfer: int
    left_callback: int
    left_empty: int
    closed_unanswered: int
    left_other: int
    refused_full: int
    refused_closed: int
    refused_empty: int
    refused_other: int
    left_not_demand: int
    to_bot: int
    from_bot: int
    bot_contained: int
    bot_abandoned: int
    with_bot: int
    responded: int
    response_s: float
    response_business_s: float
    replies: int
    reply_s: float
    replies_due: int
    replies_in_target: int
    reopened: int
    handled_estimated: int
    pending_s: float
    unfinished: int


_COUNTED: Final = (
    *("left_not_demand", "to_bot", "from_bot", "bot_contained", "bot_abandoned", "responded", "replies"),
    *("replies_due", "replies_in_target", "reopened", "handled_estimated", "unfinished"),
)
_Place = tuple[str, str]


def report(files: Iterable[RecordFile], targets: Targets, run: FileReplay) -> list[ReportRow]:
    """Fold the files one after the other, as one partition.

    The end of the last file is not the end of time: visits that wait then are still waiting, and nothing is timed out.

    Args:
        files: in the order of time.
        targets: answer targets and thresholds.
        run: options and account; its selection chooses records by time, and rows by queue and channel, so that these are whole.

    Returns:
        Rows in the order of queue and channel.

    Raises:
        FileError: a file is damaged, or not in the expected format.
        StrictError: a line is not an event.
    """
    fold = Fold(targets)
    totals: dict[_Place, Cell] = defaultdict(Counter)
    for deltas in fold_files(files, fold, run):
        _book(deltas, totals)
    open_ = Counter(((v.queue, v.channel), v.state) for visits in fold.state.open.values() for v in visits)
    return [
        _row(place, totals[place], open_[place, WAITING], open_[place, WITH_BOT])
        for place in sorted(totals)
        if run.selection.wants_place(*place)
    ]


def _book(deltas: Deltas, totals: dict[_Place, Cell]) -> None:
    for (_, queue, channel), cell in deltas.cells.items():
        total = totals[queue, channel]
        for number, amount in cell.items():
            if not is_sketch(number):
                total[number] += amount


def _row(place: _Place, cell: Cell, waiting: int, with_bot: int) -> ReportRow:
    def total(counter: str) -> int:
        return cell.get(NUMBERS[counter], 0)

    queue, channel = place
    left = {counter: total(counter) for counter in LEFT_COUNTERS.values()}
    refused = {f"refused_{by}": total(f"refused_{by}") for by in get_args(RefusedBy) if by != "other"}
    return ReportRow(
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
        missed=total("missed"),
        left_wait_s=total("left_wait_ms") / 1000,
        **left,
        left_other=total("left") - sum(left.values()),
        **refused,
        refused_other=total("refused") - sum(refused.values()),
        response_s=total("response_ms") / 1000,
        response_business_s=total("response_open_ms") / 1000,
        reply_s=total("reply_ms") / 1000,
        pending_s=total("pending_ms") / 1000,
        with_bot=with_bot,
        **{name: total(name) for name in _COUNTED},
    )
