"""Pages of interval rows, read a day at a time and made in pieces, so that nobody else has to wait.

A page begins after the row that the cursor names, whatever has changed since: no row occurs twice, and none is skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from hashlib import sha256
from typing import Final

from msgspec import Struct, structs

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.intervals.counting import NUMBERS
from stream_app.model.ports import Intervals
from stream_app.views.cursors import WrittenCursor
from stream_app.views.pieces import Rest

from .formats import wanted
from .query import MisfitError, Query
from .spans import Span, derive
from .wire import IntervalsRow as Row, Wire

DAYS_AT_ONCE: Final = {"1d": 7}
"""Days whose rows are read at once; 1 for shorter intervals, because the store keeps days."""
SKEW_MS: Final = 60_000
"""The most that the clock by which revisions are numbered may be behind ours."""


class Cursor(WrittenCursor, frozen=True, array_like=True):
    """The end of a page, and what was known when the first page began.

    Attributes:
        start, queue, channel: the last row of the page.
        began: when the first page was asked for, ms.
        state: the state of the rows at that time, shortened.
        seen: the largest revision of all pages.
        settled: the largest of those that were issued before the first page was asked for.
        asked: the query of the pages, ``Query.asked``.
    """

    start: int
    queue: str
    channel: str
    began: int
    state: str
    seen: int
    settled: int
    asked: str = ""

    @classmethod
    def parse(cls, text: str, query: Query) -> Cursor:
        """Read a cursor that ``str`` wrote.

        Raises:
            MisfitError: it is not a cursor of ours, or of another query.
        """
        cursor = cls.read(text)
        if not query.start <= cursor.start < query.end:
            raise MisfitError("cursor", "a cursor of another range; use next as it is", [])
        if cursor.asked != query.asked:
            raise MisfitError(
                "cursor", "a cursor of another query (interval, tz or a filter); use next as it is", []
            )
        return cursor


class Page(Struct, frozen=True):
    """Rows, and how to continue.

    Attributes:
        cursor: the cursor of the next page; ``None``: this is the last one.
        since: the same where revisions are followed.
        revision: the value for ``since`` in the next request.
    """

    rows: list[Row]
    cursor: Cursor | None
    since: int | None
    revision: int


PageRows = AsyncIterator[tuple[IntervalRow, Row]]


async def every(
    intervals: Intervals, query: Query, wire: Wire, after: Cursor | None = None, *, now: int
) -> PageRows:
    """Yield all rows of a range, ordered by start, queue and channel.

    Args:
        intervals: where the 15-minute rows are read.
        query: which rows; its limit has no meaning here.
        wire: writes a row.
        after: only rows after this one.
        now: ms; intervals that begin later are not missing.

    Raises:
        StoreUnavailableError: as ``intervals`` does.
    """
    if query.nobody:
        return
    rest = Rest()
    last = (after.start, after.queue, after.channel) if after else None
    spans = query.clock.spans(after.start if after else query.start, query.end)
    for some in _chunks(spans, DAYS_AT_ONCE.get(query.interval, 1) * DAY):
        rows = await intervals.rows(some[0].start, some[-1].end, query.queues, query.channels)
        by_start: dict[int, list[IntervalRow]] = defaultdict(list)
        for span, row in derive(rows, some, now):
            by_start[span.start].append(row)
            await rest()
        for span in some:
            for row in by_start.get(span.start, ()):
                await rest()
                if last is not None and (row.start, row.queue, row.channel) <= last:
                    continue
                made = wire(row)
                if _fits(made, query):
                    yield row, made


def _fits(row: Row, query: Query) -> bool:
    return (query.outages or row.outage is None) and wanted(row, query.form)


def _chunks(spans: Iterable[Span], size: int) -> Iterator[list[Span]]:
    some: list[Span] = []
    for span in spans:
        some.append(span)
        if span.end // size > some[0].start // size:
            yield some
            some = []
    if some:
        yield some


async def page(
    intervals: Intervals,
    query: Query,
    wire: Wire,
    *,
    now: int,
    after: Cursor | None = None,
    on_row: Callable[[Row], None] = lambda _: None,
) -> Page:
    """Make a page of a query.

    Args:
        intervals: where the 15-minute rows are read.
        query: which rows.
        wire: writes a row.
        now: ms since the epoch.
        after: the cursor that was given.
        on_row: called for each row as it is made.

    Raises:
        StoreUnavailableError: as ``intervals`` does.
    """
    if query.since is not None:
        return await _changes(intervals, query, wire, query.since, on_row)
    state = short(await intervals.state())
    began = after or Cursor(0, "", "", now, state, 0, 0, query.asked)
    rows: list[Row] = []
    last: IntervalRow | None = None
    more = False
    seen, settled = began.seen, began.settled
    async for row, made in every(intervals, query, wire, after, now=now):
        if more := len(rows) == query.limit:
            break
        rows.append(made)
        on_row(made)
        last = row
        seen = max(seen, row.revision)
        if settled < row.revision < (began.began - SKEW_MS) * NUMBERS:
            settled = row.revision
    # A change during the reading of pages may be in a later page and not in an earlier one. So only revisions from before the
    # first page are sure to have been seen, unless nothing has changed at all.
    unchanged = short(await intervals.state()) == began.state
    cursor = None
    if more and last is not None:
        cursor = structs.replace(
            began, start=last.start, queue=last.queue, channel=last.channel, seen=seen, settled=settled
        )
    return Page(rows, cursor, None, seen if unchanged else settled)


async def _changes(
    intervals: Intervals, query: Query, wire: Wire, since: int, on_row: Callable[[Row], None]
) -> Page:
    if query.nobody:
        return Page([], None, None, since)
    rest = Rest()
    found = await intervals.since(since, query.limit + 1, query.queues, query.channels)
    rows = []
    for row in found[: query.limit]:
        await rest()
        made = wire(row)
        if _fits(made, query):
            rows.append(made)
            on_row(made)
    revision = found[: query.limit][-1].revision if found else since
    return Page(rows, None, revision if len(found) > query.limit else None, revision)


def short(state: str) -> str:
    """Shorten a state to a few characters."""
    return sha256(state.encode()).hexdigest()[:12]
