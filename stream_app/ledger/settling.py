"""The ledger's visits, as they are compared with another program's table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from stream_app.model.durations import DAY
from stream_app.model.reconciling.conventions import SettledVisit

from .querying import LedgerQueries
from .reading import ReadRange

_AT_ONCE: Final = 10_000
_OUTCOME: Final = """CASE
    WHEN answered_at IS NOT NULL THEN 'answered'
    WHEN abandoned_at IS NOT NULL THEN 'abandoned'
    WHEN left_at IS NOT NULL THEN 'left'
    WHEN lost_at IS NOT NULL THEN 'lost'
    WHEN outbound THEN 'outbound'
    ELSE 'open' END"""
_OVER: Final = "coalesce(answered_at, abandoned_at, left_at)"
_COLUMNS: Final = (
    "coalesce(contact_id, '')",
    "coalesce(queue, '')",
    "coalesce(channel, '')",
    "epoch_ms(offered_at)",
    "epoch_ms(coalesce(answered_queued_at, abandoned_queued_at, left_queued_at, lost_queued_at, from_bot_at, started_at))",
    _OUTCOME,
    f"epoch_ms({_OVER})",
    "coalesce(answered_wait_ms, abandoned_wait_ms, left_wait_ms, 0)",
    "coalesce(answered_in_target, abandoned_in_target, left_in_target, false)",
    "coalesce(abandoned_short, false)",
    "transferred_at IS NOT NULL OR coalesce(handled_transferred, false) OR coalesce(left_reason = 'transfer', false)",
    "epoch_ms(handled_at)",
    "coalesce(handled_talk_ms, 0)",
    "coalesce(handled_hold_ms, 0)",
    "coalesce(handled_wrap_ms, 0)",
)
_SQL: Final = f"""SELECT {", ".join(_COLUMNS)} FROM visits
    WHERE started_at < make_timestamptz(? * 1000)
    AND greatest(started_at, coalesce({_OVER}, started_at), coalesce(handled_at, started_at)) >= make_timestamptz(? * 1000)"""


def range_to_settle(start: int, end: int) -> ReadRange:
    """Return what must be read for the visits of a time."""
    return ReadRange(("visits",), start - DAY, end)


def settled_visits(
    queries: LedgerQueries, start: int, end: int, moved: Callable[[int], None] = lambda _: None
) -> list[SettledVisit]:
    """Return the visits of which something happened in a time.

    Args:
        queries: answers SQL.
        start: of the time, ms, inclusive.
        end: exclusive.
        moved: called with how many were read.
    """
    found: list[SettledVisit] = []
    for rows in queries.batches(_SQL, [end, start], _AT_ONCE):
        found.extend(_visits(rows))
        moved(len(found))
    return found


def _visits(rows: Sequence[tuple[Any, ...]]) -> Iterator[SettledVisit]:
    return (SettledVisit(*row) for row in rows)
