"""``/v1/intervals``: interval rows for those who plan, page by page, in the format that their program reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from stream_app import __version__
from stream_app.errors import StoreUnavailableError
from stream_app.model.intervals import QUARTER
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views import problems
from stream_app.views.wire import Problem, encode, stamp

from . import formats, parquet
from .pages import Cursor, Page, page
from .query import BadQueryError, Query, parse
from .spans import DAY, moment
from .wire import IntervalsAnswer as Answer, IntervalsRow as Row, wired

PATH: Final = "/v1/intervals"
CSV: Final = "text/csv"
JSON: Final = "application/json"
PARQUET: Final = "application/vnd.apache.parquet"
ROWS_AT_ONCE: Final = 64
"""So many rows are sent at a time."""
MEDIA: Final = {"csv": CSV, "connect": CSV, "genesys": CSV, "parquet": PARQUET}
REVALIDATE: Final = {"Cache-Control": "no-cache"}
AWAY: Final = {"Retry-After": "5"}


class IntervalViews:
    """The route."""

    def __init__(
        self, intervals: Intervals | None, targets: Callable[[], Targets], now: Callable[[], int]
    ) -> None:
        """Say where rows are.

        Args:
            intervals: reads rows; ``None``: nobody keeps any.
            targets: the settings in force.
            now: ms since the epoch.
        """
        self._intervals = intervals
        self._targets = targets
        self._now = now

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page of rows, or that nothing has changed."""
        now, targets = self._now(), self._targets()
        given = {name: request.query.getall(name) for name in request.query}
        try:
            query = parse(given, now, targets)
            after = Cursor.parse(given["cursor"][0], query) if "cursor" in given else None
        except BadQueryError as error:
            raise problems.bad_parameter(error.parameter, error.detail, error.allowed) from None
        if self._intervals is None:
            raise _unavailable("interval rows are not configured here")
        if query.form == "parquet":
            await _check_parquet()
        try:
            if query.since:
                await _check_since(query.since, self._intervals)
            state = await self._intervals.state()
            etag = _etag(state, targets, query, given.get("cursor", []), now)
            if any(seen.value in {etag, "*"} for seen in request.if_none_match or ()):
                return web.Response(
                    status=HTTPStatus.NOT_MODIFIED, headers={**REVALIDATE, "ETag": f'"{etag}"'}
                )
            return await self._page(request, query, after=after, now=now, targets=targets, etag=etag)
        except StoreUnavailableError:
            raise _unavailable("the store of interval rows is away; ask again") from None

    async def _page(
        self,
        request: web.Request,
        query: Query,
        *,
        after: Cursor | None,
        now: int,
        targets: Targets,
        etag: str,
    ) -> web.StreamResponse:
        assert self._intervals is not None  # noqa: S101 - see above
        parts: list[bytes] = []
        if query.form == "json":
            write: Callable[[Row], bytes] = encode
        else:
            cut = formats.cutter(query.form, targets.external_id)
            write = lambda row: formats.line(cut(row)).encode()  # noqa: E731 - the other one is a function, too
        wire = wired(query.zone, targets, query.policy)
        told = (lambda _: None) if query.form == "parquet" else (lambda row: parts.append(write(row)))
        found = await page(self._intervals, query, wire, now=now, after=after, told=told)
        following = _next(request.query, query, found)
        headers = {**REVALIDATE, "ETag": f'"{etag}"', "X-Revision": str(found.revision)}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        if query.form == "json":
            headers["Content-Type"] = JSON
            parts = list(_around(parts, query, now, following, found.revision))
        else:
            headers["Content-Disposition"] = f'attachment; filename="{_file_name(query)}"'
            headers["Content-Type"] = PARQUET if query.form == "parquet" else f"{CSV}; charset=utf-8"
            if query.form == "parquet":
                parts = [await asyncio.to_thread(parquet.to_bytes, found.rows, query.tz)]
            else:
                parts.insert(0, formats.header(query.form).encode())
        return await _send(request, parts, headers)


def _around(
    parts: list[bytes], query: Query, now: int, following: str | None, revision: int
) -> Iterator[bytes]:
    """The answer around its rows, which were written one by one."""
    ranged = query.since is None
    answer = Answer(
        at=stamp(now),
        interval=query.interval,
        tz=query.tz,
        begin=_shown(query.start, query) if ranged else None,
        end=_shown(query.end, query) if ranged else None,
        rows=[],
        next=following,
        revision=revision,
    )
    head, empty, tail = encode(answer).partition(b'"rows":[')
    yield head + empty
    for n, part in enumerate(parts):
        yield b"," + part if n else part
    yield tail


async def _send(request: web.Request, parts: list[bytes], headers: dict[str, str]) -> web.StreamResponse:
    """Send an answer in pieces: a copy of all of it at once would hold up everybody else."""
    response = web.StreamResponse(headers=headers)
    response.content_length = sum(map(len, parts))
    await response.prepare(request)
    if request.method != "HEAD":
        for at in range(0, len(parts), ROWS_AT_ONCE):
            await response.write(b"".join(parts[at : at + ROWS_AT_ONCE]))
    return response


def _shown(at: int, query: Query) -> str:
    return moment(at, query.zone).isoformat()


def _etag(state: str, targets: Targets, query: Query, cursor: list[str], now: int) -> str:
    """Of all that an answer's rows depend on; a range that follows the clock is another one each minute."""
    runs = (
        query.interval != "15m" and query.end + 2 * DAY > now
    )  # what is missing of a longer row goes by the clock
    said = msgspec.json.encode(
        [__version__, state, query, cursor, now // QUARTER if runs else None], order="deterministic"
    )
    return sha256(said + targets.to_json()).hexdigest()[:32]


def _next(given: Mapping[str, str], query: Query, found: Page) -> str | None:
    """Path of the next page: the same question, with its range spelled out."""
    if found.cursor is None and found.since is None:
        return None
    kept = [(name, value) for name, value in given.items() if name not in {"from", "to", "cursor", "since"}]
    if found.since is not None:
        kept.append(("since", str(found.since)))
    else:
        kept += [("from", stamp(query.start)), ("to", stamp(query.end)), ("cursor", str(found.cursor))]
    return f"{PATH}?{urlencode(kept)}"


def _file_name(query: Query) -> str:
    """Without blanks and colons: one of the programs that read these takes neither."""
    what = f"since-{query.since}" if query.since is not None else _day(query)
    end = "parquet" if query.form == "parquet" else "csv"
    form = "" if query.form in {"csv", "parquet"} else f"-{query.form}"
    return f"intervals{form}-{query.interval}-{what}.{end}"


def _day(query: Query) -> str:
    begin: datetime = moment(query.start, query.zone)
    return f"{begin:%Y-%m-%d}"


async def _check_since(since: int, intervals: Intervals) -> None:
    """Refuse a revision that is none: whoever has one would be told for ever that nothing has changed."""
    newest = await intervals.newest()
    if since > newest:
        detail = (
            f"{since} is larger than the newest revision, {newest}: it is of another store, or of one that was lost; "
            "load all that you need again with from and to, and go on from the revision of that"
        )
        raise problems.bad_parameter("since", detail, [f"0…{newest}"])


async def _check_parquet() -> None:
    try:
        await asyncio.to_thread(parquet.library)  # it takes a moment to load
    except parquet.ParquetMissingError as error:
        problem = Problem(
            type="urn:stream-app:problem:not-installed",
            title="Not installed",
            status=HTTPStatus.NOT_IMPLEMENTED,
            detail=str(error),
            parameter="format",
            allowed=["json", "csv", "connect", "genesys"],
        )
        raise problems.ProblemError(problem) from None


def _unavailable(why: str) -> problems.ProblemError:
    problem = problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, why)
    return problems.ProblemError(problem, AWAY)
