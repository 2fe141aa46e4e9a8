"""``/v1/intervals``: interval rows for those who plan, page by page, in the format that their program reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from stream_app import __version__
from stream_app.errors import StoreUnavailableError
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views import problems
from stream_app.views.wire import Problem, encode, stamp

from . import formats, parquet
from .pages import Cursor, Page, page
from .query import BadQueryError, Query, parse
from .spans import moment
from .wire import IntervalsAnswer as Answer, IntervalsRow as Row, wired

PATH: Final = "/v1/intervals"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
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

    async def get(self, request: web.Request) -> web.Response:
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
            _check_parquet()
        try:
            state = await self._intervals.state()
            etag = _etag(state, targets, query, given.get("cursor", []))
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
    ) -> web.Response:
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
            answer = _answer(query, now, [msgspec.Raw(part) for part in parts], following, found.revision)
            return web.Response(body=encode(answer), content_type="application/json", headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="{_file_name(query)}"'
        if query.form == "parquet":
            body = await asyncio.to_thread(parquet.to_bytes, found.rows, query.tz)
            return web.Response(body=body, content_type=PARQUET, headers=headers)
        body = formats.header(query.form).encode() + b"".join(parts)
        return web.Response(body=body, content_type=CSV, charset="utf-8", headers=headers)


def _answer(query: Query, now: int, rows: list[msgspec.Raw], following: str | None, revision: int) -> Answer:
    ranged = query.since is None
    return Answer(
        at=stamp(now),
        interval=query.interval,
        tz=query.tz,
        begin=_shown(query.start, query) if ranged else None,
        end=_shown(query.end, query) if ranged else None,
        rows=cast("list[Row]", rows),  # written already, in pieces
        next=following,
        revision=revision,
    )


def _shown(at: int, query: Query) -> str:
    return moment(at, query.zone).isoformat()


def _etag(state: str, targets: Targets, query: Query, cursor: list[str]) -> str:
    """Of all that an answer's rows depend on; a range that follows the clock is another one each minute."""
    said = msgspec.json.encode([__version__, state, query, cursor], order="deterministic")
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


def _check_parquet() -> None:
    try:
        parquet.library()
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
