"""Pages of interval rows: what was asked for, read a day at a time and made in pieces, so that nobody else has to wait.

A page begins behind a row that the cursor names, whatever has changed since: no row comes twice, and none is passed over.
"""

from __future__ import annotations

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct, structs

from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import NUMBERS
from stream_app.model.ports import Intervals

from .formats import wanted
from .query import BadQueryError, Query
from .spans import DAY, Span, derive
from .wire import IntervalsRow as Row, Wire

PIECE_S: Final = 0.01
"""Rows are made in pieces no longer than about this: others share the event loop."""
DAYS_AT_ONCE: Final = {"1d": 7}
"""Days of which quarters are read at once; one, of shorter intervals: days are what the store keeps."""
SKEW_MS: Final = 60_000
"""By no more than this the clock of whoever numbers revisions is behind ours."""


class Cursor(Struct, frozen=True, array_like=True):
    """Where a page ended, and what was known when its first one began.

    Attributes:
        start, queue, channel: its last row.
        began: when the first page was asked for, ms.
        state: what the rows' state was then, shortened.
        seen: the largest revision of all pages.
        settled: the largest of those that were given before the first page was asked for.
        asked: what the pages are of, ``Query.asked``.
    """

    start: int
    queue: str
    channel: str
    began: int
    state: str
    seen: int
    settled: int
    asked: str = ""

    def __str__(self) -> str:
        return urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, query: Query) -> Cursor:
        """The inverse of ``str``.

        Raises:
            BadQueryError: it is none of ours, or of another question.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            cursor = msgspec.json.decode(urlsafe_b64decode(padded), type=cls)
        except (msgspec.DecodeError, UnicodeError, binascii.Error):
            raise BadQueryError("cursor", "is no cursor; take next as it is", []) from None
        if not query.start <= cursor.start < query.end:
            raise BadQueryError("cursor", "is one of another range; take next as it is", [])
        if cursor.asked != query.asked:
            raise BadQueryError(
                "cursor", "is one of another question (interval, tz, a filter); take next as it is", []
            )
        return cursor


class Page(Struct, frozen=True):
    """Rows, and how it goes on.

    Attributes:
        cursor: of the next page; ``None``: this is the last one.
        since: same, where revisions are followed.
        revision: what to ask for ``since`` next.
    """

    rows: list[Row]
    cursor: Cursor | None
    since: int | None
    revision: int


class Rest:
    """Lets others in between."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rested = self._loop.time()

    async def __call__(self) -> None:
        """Call it often."""
        if self._loop.time() - self._rested >= PIECE_S:
            await asyncio.sleep(0)
            self._rested = self._loop.time()


Made = AsyncIterator[tuple[IntervalRow, Row]]


async def every(
    intervals: Intervals, query: Query, wire: Wire, after: Cursor | None = None, *, now: int
) -> Made:
    """All rows of a range, in the order of start, queue and channel.

    Args:
        intervals: where quarters are read.
        query: which; its limit is of no meaning here.
        wire: writes a row.
        after: only those behind this one.
        now: ms; of what begins later nothing is missing.

    Raises:
        StoreUnavailableError: as ``intervals`` does.
    """
    if query.nobody:
        return
    rest = Rest()
    behind = (after.start, after.queue, after.channel) if after else None
    spans = query.clock.spans(after.start if after else query.start, query.end)
    for some in _chunks(spans, DAYS_AT_ONCE.get(query.interval, 1) * DAY):
        quarters = await intervals.rows(some[0].start, some[-1].end, query.queues, query.channels)
        by_start: dict[int, list[IntervalRow]] = defaultdict(list)
        for span, row in derive(quarters, some, now):
            by_start[span.start].append(row)
            await rest()
        for span in some:
            for row in by_start.get(span.start, ()):
                await rest()
                if behind is not None and (row.start, row.queue, row.channel) <= behind:
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
    told: Callable[[Row], None] = lambda _: None,
) -> Page:
    """A page of what is asked for.

    Args:
        intervals: where quarters are read.
        query: what.
        wire: writes a row.
        now: ms since the epoch.
        after: the cursor that was given.
        told: called for each row as it is made.

    Raises:
        StoreUnavailableError: as ``intervals`` does.
    """
    if query.since is not None:
        return await _changes(intervals, query, wire, query.since, told)
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
        told(made)
        last = row
        seen = max(seen, row.revision)
        if settled < row.revision < (began.began - SKEW_MS) * NUMBERS:
            settled = row.revision
    # What changed while pages were read may be in a later one and not in an earlier one. So only what was given before all of
    # them is sure to have been seen, unless nothing has changed at all.
    unchanged = short(await intervals.state()) == began.state
    cursor = None
    if more and last is not None:
        cursor = structs.replace(
            began, start=last.start, queue=last.queue, channel=last.channel, seen=seen, settled=settled
        )
    return Page(rows, cursor, None, seen if unchanged else settled)


async def _changes(
    intervals: Intervals, query: Query, wire: Wire, since: int, told: Callable[[Row], None]
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
            told(made)
    revision = found[: query.limit][-1].revision if found else since
    return Page(rows, None, revision if len(found) > query.limit else None, revision)


def short(state: str) -> str:
    """A state in few characters."""
    return sha256(state.encode()).hexdigest()[:12]
