"""``/v1/intervals``: interval rows for planners, page by page, in the format that their program reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from stream_app import __version__
from stream_app.errors import StoreUnavailableError
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views import problems
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.stamping import stamp
from stream_app.views.wire import Problem, encode

from . import formats, parquet
from .pages import Cursor, Page, page
from .query import Query, parse
from .spans import moment
from .wire import IntervalsAnswer as Answer, IntervalsRow as Row, wired

PATH: Final = "/v1/intervals"
CSV: Final = "text/csv"
JSON: Final = "application/json"
PARQUET: Final = "application/vnd.apache.parquet"
REVALIDATE: Final = {"Cache-Control": "no-cache"}
AWAY: Final = {"Retry-After": "5"}


class IntervalViews:
    """The route."""

    def __init__(
        self,
        intervals: Intervals | None,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
    ) -> None:
        """Set where rows come from.

        Args:
            intervals: reads rows; ``None``: none are kept.
            targets: the targets in force.
            now: ms since the epoch.
            heavy: the line for large answers.
        """
        self._heavy = heavy
        self._intervals = intervals
        self._targets = targets
        self._now = now

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page of rows, or that nothing has changed."""
        now, targets = self._now(), self._targets()
        given = {name: request.query.getall(name) for name in request.query}
        with refused_as_problems():
            query = parse(given, now, targets)
            after = Cursor.parse(given["cursor"][0], query) if "cursor" in given else None
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
            async with self._heavy.line(request):
                parts, headers = await self._page(
                    request, query, after=after, now=now, targets=targets, etag=etag
                )
            return await send(request, parts, headers)
        except StoreUnavailableError:
            raise _unavailable("the store of interval rows is unavailable; try again") from None

    async def _page(
        self,
        request: web.Request,
        query: Query,
        *,
        after: Cursor | None,
        now: int,
        targets: Targets,
        etag: str,
    ) -> tuple[list[bytes], dict[str, str]]:
        assert self._intervals is not None  # noqa: S101 - see above
        parts: list[bytes] = []
        if query.form == "json":
            write: Callable[[Row], bytes] = encode
        else:
            cut = formats.cutter(query.form, targets.external_id)
            write = lambda row: formats.line(cut(row)).encode()  # noqa: E731 - the other one is a function too
        wire = wired(query.zone, targets, query.policy)
        made = (lambda _: None) if query.form == "parquet" else (lambda row: parts.append(write(row)))
        found = await page(self._intervals, query, wire, now=now, after=after, on_row=made)
        following = _next(request.query, query, found)
        headers = {**REVALIDATE, "ETag": f'"{etag}"', "X-Revision": str(found.revision)}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        if query.form == "json":
            headers["Content-Type"] = JSON
            parts = _around(parts, query, now, following, found.revision)
        else:
            headers["Content-Disposition"] = f'attachment; filename="{_file_name(query)}"'
            headers["Content-Type"] = PARQUET if query.form == "parquet" else f"{CSV}; charset=utf-8"
            if query.form == "parquet":
                parts = [await asyncio.to_thread(parquet.to_bytes, found.rows, query.tz)]
            else:
                parts.insert(0, formats.header(query.form).encode())
        return parts, headers


def _around(parts: list[bytes], query: Query, now: int, following: str | None, revision: int) -> list[bytes]:
    """Put rows that were written one by one into the answer."""
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
    return around(answer, "rows", parts)


def _shown(at: int, query: Query) -> str:
    return moment(at, query.zone).isoformat()


def _etag(state: str, targets: Targets, query: Query, cursor: list[str], now: int) -> str:
    """Hash everything that an answer's rows depend on; a range that follows the clock changes every minute."""
    runs = (
        query.interval != "15m" and query.end + 2 * DAY > now
    )  # the clock decides what a longer row is missing
    key = msgspec.json.encode(
        [__version__, state, query, cursor, now // INTERVAL_MS if runs else None], order="deterministic"
    )
    return sha256(key + targets.to_json()).hexdigest()[:32]


def _next(given: Mapping[str, str], query: Query, found: Page) -> str | None:
    """Return the path of the next page: the same query with its range written out."""
    if found.cursor is None and found.since is None:
        return None
    kept = [(name, value) for name, value in given.items() if name not in {"from", "to", "cursor", "since"}]
    if found.since is not None:
        kept.append(("since", str(found.since)))
    else:
        kept += [("from", stamp(query.start)), ("to", stamp(query.end)), ("cursor", str(found.cursor))]
    return f"{PATH}?{urlencode(kept)}"


def _file_name(query: Query) -> str:
    """Name the file without spaces and colons: one of the programs that read these files accepts neither."""
    what = f"since-{query.since}" if query.since is not None else _day(query)
    end = "parquet" if query.form == "parquet" else "csv"
    form = "" if query.form in {"csv", "parquet"} else f"-{query.form}"
    return f"intervals{form}-{query.interval}-{what}.{end}"


def _day(query: Query) -> str:
    begin: datetime = moment(query.start, query.zone)
    return f"{begin:%Y-%m-%d}"


async def _check_since(since: int, intervals: Intervals) -> None:
    """Reject a revision that was never issued: clients with one would get "nothing has changed" for ever."""
    newest = await intervals.newest()
    if since > newest:
        detail = (
            f"{since} is larger than the newest revision, {newest}: it comes from another store, or from one that no longer "
            "exists; reload what you need with from and to, and continue from the revision of that answer"
        )
        raise problems.misfit("since", detail, [f"0…{newest}"])


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
