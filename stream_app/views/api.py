"""The HTTP interface: live values for programs and people, from whatever snapshot it is handed.

It knows nothing of where the numbers come from: ``Views`` takes functions.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Final, Protocol, cast, get_args

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from stream_app.model.kpis import BY_NAME
from stream_app.model.ports import Intervals
from stream_app.model.rows import By, Chosen, Group, Snapshot, everywhere
from stream_app.model.running import AtRisk, GaveUp
from stream_app.model.targets import Targets
from stream_app.model.trend import TRENDS, TrendRow, steps
from stream_app.model.waits import Waits
from stream_app.model.windows import WINDOWS

from . import metrics, naming, openapi, problems, wire, wire_lists
from .intervals.api import PATH as INTERVALS, IntervalViews
from .live import Live
from .plan.planner import Planner
from .plan.routes import Plans
from .status import Status
from .wire import Problem, encode

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FRESH_ONLY: Final = {"Cache-Control": "no-store"}
MAX_STREAMS: Final = 2_000
BEAT_S: Final = 0.9
"""At least this long between two heartbeats of a stream; they come with every second's refresh."""
SLICE: Final = 16_384
"""A stream is written in pieces: a stalled reader costs a socket's buffer, not a copy of everything."""
SOCKET_BYTES: Final = 65_536
"""What the kernel may hold for a stream; its own choice is megabytes of values that nobody needs any more."""
STALLED_S: Final = 30.0
"""Who has not taken a piece for this long is hung up on; browsers come back by themselves."""
LISTED: Final = 200
"""So many contacts to ring back at most: the newest."""
PIECE_S: Final = 0.01
"""A trend is made in pieces no longer than about this: the streams share the event loop."""
GROUPS: Final = list(get_args(By))
_TRENDS: Final = [kpi.name for kpi in TRENDS]
_PLACES: Final = ("queue", "channel", "site", "unit")
_PAGES: Final = {"index.html": "/", "plan.html": "/plan"}
_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_log = structlog.get_logger(__name__)


class Source(Protocol):
    """What holds now."""

    def now(self) -> int:
        """As of when the next answers are, in milliseconds since the epoch."""
        ...

    def snapshot(self, windows: Collection[str], chosen: Chosen) -> Snapshot:
        """Rows and windows: what is not asked for is not computed."""
        ...

    def status(self) -> Status:
        """How far they can be trusted."""
        ...

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> list[Group]:
        """The chosen rows rolled up, over these windows."""
        ...

    def waits(self) -> list[Waits]:
        """How long the day's contacts waited, row by row of the latest snapshot."""
        ...

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        """Open contacts that somebody should look after, the worst first."""
        ...

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        """Contacts that somebody may ring back, the newest first."""
        ...

    def trends(self, now: int, chosen: Chosen) -> Iterator[TrendRow]:
        """The chosen rows' last six hours, made one by one as they are asked for."""
        ...


class Views:
    """Everything that is served.

    Attributes:
        live: the stream; whoever wires this publishes to it.
        streams: how many watch it.
    """

    def __init__(
        self,
        source: Source,
        intervals: Intervals | None = None,
        targets: Callable[[], Targets] = Targets,
        planner: Planner | None = None,
    ) -> None:
        """Say where everything comes from.

        Args:
            source: gives what holds now, quickly: it is asked at every request.
            intervals: reads interval rows; without it their route says that they are not configured.
            targets: the settings in force, for these: policies, sites and outages.
            planner: makes plans, and may take its time; without it their routes say that there is nothing to plan from.
        """
        self.live = Live()
        self._source = source
        self._intervals = IntervalViews(intervals, targets, source.now)
        self._planner = planner
        self.streams = 0

    def app(self) -> web.Application:
        """The application, ready to run."""
        app = web.Application(middlewares=[problems.middleware])
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._shut_down)
        routes = app.router
        for path, handler in {
            "/v1/now": self.now,
            "/v1/at-risk": self.at_risk,
            "/v1/abandoned": self.abandoned,
            "/v1/trend": self.trend,
            INTERVALS: self._intervals.get,
            "/v1/kpis": self.kpis,
            "/v1/stream": self.stream,
            "/metrics": self.metrics,
            "/healthz": self.healthz,
            "/readyz": self.readyz,
        }.items():
            routes.add_get(path, handler)
        Plans(self._planner).add_to(app)
        document = openapi.document()
        _add_fixed(app, "/openapi.json", encode(document), "application/json")
        _add_fixed(app, "/docs", openapi.page(document).encode(), _TYPES["html"])
        for file in (files("stream_app.views") / "static").iterdir():
            path = _PAGES.get(file.name, f"/static/{file.name}")
            _add_fixed(app, path, file.read_bytes(), _TYPES[file.name.rpartition(".")[2]])
        return app

    async def now(self, request: web.Request) -> web.Response:
        """``/v1/now``: live values, of all queues or some."""
        _only(request, {*_PLACES, "window", "kpi", "group"})
        windows = _named(request, "window", WINDOWS) or WINDOWS
        kpis = _named(request, "kpi", BY_NAME) or None
        by = cast("list[By]", sorted(_named(request, "group", GROUPS)))
        if len(by) > 1:
            raise problems.bad_parameter("group", "rows are rolled up by one thing at a time", GROUPS)
        chosen = _chosen(request)
        snapshot, status = self._source.snapshot(windows, chosen), self._source.status()
        rows = [wire.live_row(row, kpis) for row in snapshot.rows]
        everyone = wire.of_everyone(snapshot.everyone, kpis)
        if not by:
            return _json(wire.now(snapshot.at, status, rows, everyone))
        groups = [wire.live_group(group, kpis) for group in self._source.groups(by[0], windows, chosen)]
        return _json(wire.now(snapshot.at, status, rows, everyone, groups))

    async def at_risk(self, request: web.Request) -> web.Response:
        """``/v1/at-risk``: open contacts that somebody should look after."""
        _only(request, set(_PLACES))
        chosen = _chosen(request)
        at, status = self._source.now(), self._source.status()
        return _json(wire_lists.at_risk(at, status, self._source.at_risk(chosen)))

    async def abandoned(self, request: web.Request) -> web.Response:
        """``/v1/abandoned``: contacts that gave up, for those who ring back."""
        _only(request, {*_PLACES, "short"})
        short = _named(request, "short", wire_lists.SHORT)
        chosen = _chosen(request)
        at, status = self._source.now(), self._source.status()
        found = self._source.gave_up(sys.maxsize, chosen)
        long = [one for one in found if not one.short]
        wanted = long if short == {"no"} else found
        answer = wire_lists.abandoned(at, status, wanted[:LISTED], len(wanted), len(found) - len(long))
        return _json(answer)

    async def trend(self, request: web.Request) -> web.Response:
        """``/v1/trend``: the last six hours, quarter by quarter."""
        _only(request, {*_PLACES, "kpi"})
        kpis = _named(request, "kpi", _TRENDS) or None
        at, status = self._source.now(), self._source.status()
        rows: list[wire_lists.TrendRow] = []
        loop = asyncio.get_running_loop()
        rested = loop.time()
        for row in self._source.trends(at, _chosen(request)):
            rows.append(wire_lists.trend_row(row, kpis))
            if loop.time() - rested >= PIECE_S:
                await asyncio.sleep(0)
                rested = loop.time()
        return _json(wire_lists.trend(at, status, steps(at), rows))

    async def kpis(self, request: web.Request) -> web.Response:
        """``/v1/kpis``: the dictionary."""
        _only(request, set())
        return _json(wire.kpi_entries())

    async def metrics(self, _request: web.Request) -> web.Response:
        """``/metrics``: for Prometheus."""
        snapshot, waits = self._source.snapshot(naming.WINDOWS, everywhere), self._source.waits()
        gauges = self._planner.gauges() if self._planner else {}
        body = metrics.render(snapshot, waits, self._source.status(), gauges)
        return web.Response(body=body, headers={**FRESH_ONLY, "Content-Type": metrics.CONTENT_TYPE})

    async def healthz(self, _request: web.Request) -> web.Response:
        """``/healthz``: the process is alive."""
        return _json(wire.Health())

    async def readyz(self, _request: web.Request) -> web.Response:
        """``/readyz``: the numbers may be trusted."""
        if reasons := self._source.status().problems:
            problem = Problem(
                type="urn:stream-app:problem:not-ready",
                title="Not ready",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                detail="; ".join(reasons),
                reasons=reasons,
            )
            return problems.response(problem, FRESH_ONLY)
        return _json(wire.Health())

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """``/v1/stream``: everything first, then what changes, as server-sent events.

        A ``Last-Event-ID`` is welcome and not needed: who comes back is sent everything.
        """
        _only(request, set())
        if self.streams >= MAX_STREAMS:
            detail = f"{MAX_STREAMS} streams are open already"
            full = problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, detail)
            return problems.response(full, {"Retry-After": "5"})
        headers = {**FRESH_ONLY, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        self.streams += 1
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                await self._follow(request, response)
        finally:
            self.streams -= 1
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse) -> None:
        if request.transport and (peer := request.transport.get_extra_info("socket")):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        version, beaten = 0, float("-inf")
        loop = asyncio.get_running_loop()
        while not self.live.closed:
            event, version = self.live.since(version)
            if not event and loop.time() - beaten >= BEAT_S:
                event, beaten = self.live.beat(), loop.time()
            if not event:
                await self.live.wait()
                continue
            try:
                for at in range(0, len(event), SLICE):
                    async with asyncio.timeout(STALLED_S):
                        await response.write(event[at : at + SLICE])
            except TimeoutError:
                if request.transport:
                    request.transport.abort()
                return
            except ConnectionError:
                return

    async def _shut_down(self, _app: web.Application) -> None:
        self.live.close()


class AccessLog(AbstractAccessLogger):
    """One line a request, without what stands behind the question mark."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request that is done."""
        _log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            ms=round(time * 1000, 1),
            remote=request.remote,
        )


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    with contextlib.suppress(KeyError):
        del response.headers["Server"]  # which version of what answers is nobody's business


def _only(request: web.Request, known: set[str]) -> None:
    if unknown := sorted(request.query.keys() - known):
        raise problems.bad_parameter(unknown[0], "no parameter is called so", sorted(known))


def _named(request: web.Request, parameter: str, known: Iterable[str]) -> frozenset[str]:
    """The values of a parameter that may have these only."""
    names = frozenset(request.query.getall(parameter, []))
    if unknown := sorted(names - set(known)):
        detail = f"no {parameter} is called {unknown[0]!r}"
        raise problems.bad_parameter(parameter, detail, list(known))
    return names


def _chosen(request: web.Request) -> Chosen:
    """Whether a row is one of those that were asked for."""
    wanted = {name: frozenset(request.query.getall(name)) for name in _PLACES if name in request.query}
    if not wanted:
        return everywhere
    return lambda place: all(getattr(place, name) in names for name, names in wanted.items())


def _json(answer: object) -> web.Response:
    return web.Response(body=encode(answer), content_type="application/json", headers=FRESH_ONLY)


def _add_fixed(app: web.Application, path: str, body: bytes, content_type: str) -> None:
    """Serve bytes that don't change while we run, and need not be sent twice."""
    etag = sha256(body).hexdigest()[:16]
    charset = None if content_type == "application/json" else "utf-8"

    async def fixed(request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-cache", "ETag": f'"{etag}"'}
        if any(seen.value in {etag, "*"} for seen in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)

    app.router.add_get(path, fixed)
