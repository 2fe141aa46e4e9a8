"""The HTTP interface: live values for programs and people, from whatever snapshot it is given.

It does not know where the numbers come from: ``Views`` takes functions.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Final, Protocol, cast

from aiohttp import web

from stream_app.model.live.callbacks import Callbacks, NoCallbacks
from stream_app.model.live.next_wait import InLine
from stream_app.model.live.people import People
from stream_app.model.live.rows import By, Chosen, QueueGroup, Snapshot, everywhere
from stream_app.model.live.running import AtRisk, GaveUp
from stream_app.model.live.trend import QueueTrend, steps
from stream_app.model.live.wait_histograms import WaitHistogram
from stream_app.model.pieces import Pieces
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.model.windows import WINDOWS

from . import fixed, metrics, naming, openapi, openapi_page, trust, wire, wire_lists, written
from .agents.api import AgentSource
from .agents.routes import AgentRoutes
from .answering import answering
from .contacts.api import ContactSource
from .door import Door, Limits
from .intervals.api import PATH as INTERVALS, IntervalViews
from .ledger.routes import LedgerRoutes
from .live import Live
from .pieces import Rest, unhurried
from .plan.planner import Planner
from .plan.routes import PlanRoutes
from .screen import Screen
from .sending import BodyParts, Heavy, around
from .status import Status
from .streams import Streams
from .taking import PATH as TAKING, TakingRoute
from .wire import encode

FRESH_ONLY: Final = {"Cache-Control": "no-store"}
JSON: Final = "application/json"
LISTED: Final = 200
"""The most callback candidates in the list: the newest."""
_PLACES: Final = ("queue", "channel", "site", "unit")


class LiveSource(Protocol):
    """The current values. What is in pieces is of one moment if ``still`` is held until it is whole.

    Attributes:
        still: a lock; while it is held nothing changes.
    """

    still: asyncio.Lock

    def now(self) -> int:
        """Return the moment that the next answers are of, in milliseconds since the epoch."""
        ...

    def snapshot(self, windows: Collection[str], chosen: Chosen) -> Pieces[Snapshot]:
        """Make rows and windows; only what is asked for is computed."""
        ...

    def status(self) -> Status:
        """Return how far they can be trusted."""
        ...

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> Pieces[list[QueueGroup]]:
        """Roll up the chosen rows over these windows."""
        ...

    def people(self) -> People:
        """Return who is there now."""
        ...

    def waits(self) -> Pieces[list[WaitHistogram]]:
        """Make histograms of how long the day's contacts waited, one for each row of the latest snapshot."""
        ...

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        """Return open contacts that somebody should look after, worst first."""
        ...

    def waiting(self, chosen: Chosen) -> list[InLine]:
        """Return contacts that wait, line by line."""
        ...

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        """Return abandoned contacts to call back, newest first."""
        ...

    def trends(self, now: int, chosen: Chosen) -> Iterator[QueueTrend]:
        """Yield the chosen rows' last six hours, made one by one as they are asked for."""
        ...

    def seen(self, parameter: str) -> Collection[str] | None:
        """Return all names of a ``queue``, ``channel``, ``site`` or ``unit`` that were seen or set; ``None`` before any was."""
        ...


class Views:
    """Everything that is served.

    Attributes:
        live: the stream; callers that wire this publish to it.
        door: admits connections; callers that wire this open it, and it closes with the application.
    """

    def __init__(
        self,
        source: LiveSource,
        intervals: Intervals | None = None,
        targets: Callable[[], Targets] = Targets,
        planner: Planner | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        *,
        screen: Screen = Screen(),  # noqa: B008 - it is frozen
        callbacks: Callbacks | None = None,
        contacts: ContactSource = ContactSource(),  # noqa: B008 - it is frozen
        agents: AgentSource = AgentSource(),  # noqa: B008 - it is frozen
    ) -> None:
        """Set where everything comes from.

        Args:
            source: returns current values, quickly: it is asked at every request.
            intervals: reads interval rows; without it their route answers that they are not configured.
            targets: the targets in force, for interval rows: policies, sites and outages.
            planner: makes plans, and may take long; without it their routes answer that there is nothing to plan from.
            limits: the limits on connections and streams.
            screen: how the pages are set up.
            callbacks: who calls whom back; without it nobody can say so.
            contacts: what knows the contacts, and who may see them.
            agents: who may see agents.
        """
        self.live = Live()
        self.door = Door(limits)
        self._streams = Streams(limits)
        self._source = source
        self._heavy = Heavy()
        self._intervals = IntervalViews(intervals, targets, source.now, self._heavy)
        self._ledger = LedgerRoutes(contacts, targets, source.now, self._heavy, screen.link)
        self._agents = AgentRoutes(
            source, agents, targets, self._heavy, streams=self._streams, feed=self.live, link=screen.link
        )
        self._planner = planner
        self._screen = screen
        self._callbacks = callbacks or NoCallbacks()

    @property
    def streams(self) -> int:
        """How many clients watch a stream."""
        return self._streams.open

    def app(self) -> web.Application:
        """Build the application, ready to run."""
        operations = {operation.path: operation for operation in openapi.OPERATIONS}
        app = web.Application(
            middlewares=[
                answering(operations, self._heavy, self._source.seen),
                trust.guard(self._source.status),
            ]
        )
        app.on_response_prepare.append(self._add_headers)
        app.on_shutdown.append(self._shut_down)
        for path, handler in {
            "/v1/now": self.now,
            "/v1/waiting": self.waiting,
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
            app.router.add_get(path, handler)
        self._ledger.add_to(app)
        self._agents.add_to(app)
        PlanRoutes(self._planner).add_to(app)
        taking = TakingRoute(self._callbacks, self._source.gave_up, self._source.now)
        app.router.add_post(TAKING, taking.post)
        description, page = openapi_page.described()
        fixed.add(app, "/openapi.json", description, JSON)
        fixed.add(app, "/docs", page, "text/html")
        fixed.add_pages(app)
        return app

    async def now(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/now``: live values of all queues or some."""
        windows = _named(request, "window") or WINDOWS
        kpis = _named(request, "kpi") or None
        by = cast("By | None", request.query.get("group"))
        chosen = _chosen(request)

        async def make() -> BodyParts:
            source, groups = self._source, None
            async with source.still:
                snapshot, status = await unhurried(source.snapshot(windows, chosen)), source.status()
                if by:
                    groups = await unhurried(source.groups(by, windows, chosen))
            return await unhurried(written.now(snapshot, status, groups, kpis, self.live.began))

        return await self._answer(request, make)

    async def waiting(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/waiting``: contacts that wait, with their places in line."""
        chosen = _chosen(request)

        async def make() -> BodyParts:
            at, status = self._source.now(), self._source.status()
            return await unhurried(
                written.waiting(at, status, self._source.waiting(chosen), self._screen.link)
            )

        return await self._answer(request, make)

    async def at_risk(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/at-risk``: open contacts that somebody should look after."""
        chosen = _chosen(request)

        async def make() -> BodyParts:
            at, status = self._source.now(), self._source.status()
            return await unhurried(
                written.at_risk(at, status, self._source.at_risk(chosen), self._screen.link)
            )

        return await self._answer(request, make)

    async def abandoned(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/abandoned``: abandoned contacts to call back."""
        short = _named(request, "short")
        chosen = _chosen(request)

        async def make() -> BodyParts:
            at, status = self._source.now(), self._source.status()
            found = self._source.gave_up(sys.maxsize, chosen)
            long = [one for one in found if not one.short]
            wanted = long if short == {"no"} else found
            answer = wire_lists.abandoned(
                at,
                status,
                wanted[:LISTED],
                total=len(wanted),
                short=len(found) - len(long),
                link=self._screen.link,
                callbacks=self._callbacks,
            )
            return [encode(answer)]

        return await self._answer(request, make)

    async def trend(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/trend``: the last six hours by 15-minute interval."""
        kpis = _named(request, "kpi") or None
        chosen = _chosen(request)

        async def make() -> BodyParts:
            at, status = self._source.now(), self._source.status()
            rows: list[bytes] = []
            rest = Rest()
            for row in self._source.trends(at, chosen):
                rows.append(encode(wire_lists.trend_row(row, kpis)))
                await rest()
            return around(wire_lists.trend(at, status, steps(at), []), "rows", rows)

        return await self._answer(request, make)

    async def _answer(
        self, request: web.Request, make: Callable[[], Awaitable[BodyParts]], content_type: str = JSON
    ) -> web.StreamResponse:
        return await self._heavy.answer(request, make, {**FRESH_ONLY, "Content-Type": content_type})

    async def kpis(self, request: web.Request) -> web.Response:
        """Answer ``/v1/kpis``: the dictionary."""
        return _json(wire_lists.kpi_entries(), self._ledger.header(request))

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/metrics``: live values for Prometheus."""

        async def make() -> BodyParts:
            source = self._source
            async with source.still:
                snapshot = await unhurried(source.snapshot(naming.WINDOWS, everywhere))
                waits, status = await unhurried(source.waits()), source.status()
            gauges = self._planner.gauges() if self._planner else {}
            ledger = await self._ledger.series(snapshot)
            return await unhurried(metrics.rendered(snapshot, waits, status, gauges, ledger))

        return await self._answer(request, make, metrics.CONTENT_TYPE)

    async def healthz(self, _request: web.Request) -> web.Response:
        """Answer ``/healthz``: the process is alive."""
        return _json(wire.Health())

    async def readyz(self, _request: web.Request) -> web.Response:
        """Answer ``/readyz``: the numbers may be trusted."""
        return trust.ready(self._source.status())

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/stream``: live values as they change."""
        chosen = _chosen(request)

        async def newer(version: int) -> tuple[bytes, int]:
            return self.live.since(version, chosen, request.query_string)

        return await self._streams.answer(request, self.live, newer)

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(self._screen.headers())
        with contextlib.suppress(KeyError):
            del response.headers["Server"]  # clients need not know which version answers

    async def _shut_down(self, _app: web.Application) -> None:
        await self.door.close()
        self.live.close()


def _named(request: web.Request, parameter: str) -> frozenset[str]:
    return frozenset(request.query.getall(parameter, []))


def _chosen(request: web.Request) -> Chosen:
    """Return a predicate: whether a row was asked for."""
    wanted = {name: frozenset(request.query.getall(name)) for name in _PLACES if name in request.query}
    if not wanted:
        return everywhere
    return lambda place: all(getattr(place, name) in names for name, names in wanted.items())


def _json(answer: object, headers: dict[str, str] = FRESH_ONLY) -> web.Response:
    return web.Response(body=encode(answer), content_type=JSON, headers=headers)
