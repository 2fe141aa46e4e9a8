"""The route ``/v1/agents``."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from http import HTTPStatus
from operator import itemgetter
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
from aiohttp import web
from msgspec import Struct

from stream_app.model.live.agent_now import AgentNow
from stream_app.model.live.people import People
from stream_app.model.pieces import Pieces
from stream_app.model.targets import Targets
from stream_app.views import problems
from stream_app.views.contacts.api import PRIVATE, Admission, admits
from stream_app.views.intervals.api import CSV, JSON
from stream_app.views.intervals.formats import line
from stream_app.views.pieces import unhurried
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.stamping import stamp
from stream_app.views.status import Status
from stream_app.views.wire import encode, tenths

from .query import AgentCursor, AgentRank, AskedAgents, parse_agents
from .wire import COLUMNS, AgentDays, AgentsAnswer, agent_row, cells

PATH: Final = "/v1/agents"
OFF: Final = (
    "agents are not shown here: set STREAM_APP_AGENTS=on to show them to everybody who reaches this server"
)


_Ranked = list[tuple[AgentRank, AgentNow]]


class AgentSource(Struct, frozen=True):
    """Who may see agents, and what is known of them besides.

    Attributes:
        shown: ``auto``: only where the server listens, and is asked, at a loopback address.
        host: where it listens.
        days: what the ledger knows of their day; ``None``: nothing.
    """

    shown: Admission = "auto"
    host: str = "127.0.0.1"
    days: AgentDays | None = None

    def admit(self, request: web.Request) -> None:
        """Refuse who may not see agents.

        Raises:
            ProblemError: it is refused.
        """
        if not admits(self.shown, self.host, request.host):
            raise problems.ProblemError(problems.of_status(HTTPStatus.FORBIDDEN, OFF), PRIVATE)


class PeopleSource(Protocol):
    """Where agents come from."""

    def people(self) -> People:
        """Return who is there."""
        ...

    def now(self) -> int:
        """Return the moment, in milliseconds since the epoch."""
        ...

    def status(self) -> Status:
        """Return how far they can be trusted."""
        ...


class AgentViews:
    """The route."""

    def __init__(
        self,
        source: PeopleSource,
        agents: AgentSource,
        targets: Callable[[], Targets],
        heavy: Heavy,
        link: Callable[[str], str | None],
    ) -> None:
        """Set where agents come from.

        Args:
            source: that.
            agents: who may see them.
            targets: those in force, for limits.
            heavy: the line for large answers.
            link: contact → its address in the platform.
        """
        self._source, self._agents, self._targets = source, agents, targets
        self._heavy, self._link = heavy, link
        self._boot = uuid4().hex

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page of agents."""
        self._agents.admit(request)
        with refused_as_problems():
            asked = parse_agents({name: request.query.getall(name) for name in request.query})
        async with self._heavy.line(request):
            people, status, at = self._source.people(), self._source.status(), self._source.now()
            limits = self._targets().agents.limits
            ranked = await unhurried(_ranked(asked, people.agents(), limits, at))
            wanted = [now for _, now in ranked]
            over = sum((limit := now.limit(limits)) is not None and limit < at for now in wanted)
            known = [self._boot, people.changes, over, limits, status.stale, asked, request.query_string]
            etag = sha256(msgspec.json.encode(known, order="sorted")).hexdigest()[:32]
            headers = {"Cache-Control": "private, no-cache", "ETag": f'W/"{etag}"'}
            if any(seen.value in {etag, "*"} for seen in request.if_none_match or ()):
                return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
            answer = AgentsAnswer(
                stamp(at),
                tenths(status.age_s),
                status.stale,
                people.told,
                len(wanted),
                over,
                dict(Counter(now.doing for now in wanted if now.doing is not None)),
                [],
                None,
            )
            page, following = _page(request, asked, ranked, at)
            if following is not None:
                headers["Link"] = f'<{following}>; rel="next"'
            headers["X-Total"] = str(len(wanted))
            rows = await unhurried(self._rows(asked, page, at))
        if asked.form == "csv":
            headers |= {
                "Content-Type": f"{CSV}; charset=utf-8",
                "Content-Disposition": 'attachment; filename="agents.csv"',
            }
            return await send(request, [line(COLUMNS).encode(), *rows], headers)
        answer = msgspec.structs.replace(answer, next=following)
        return await send(request, around(answer, "rows", rows), headers | {"Content-Type": JSON})

    def _rows(self, asked: AskedAgents, page: list[AgentNow], at: int) -> Pieces[list[bytes]]:
        """Write the agents of a page, one by one."""
        limits, out = self._targets().agents.limits, list[bytes]()
        for now in page:
            row = agent_row(now, limits, self._link, self._agents.days, at)
            out.append(line(cells(row)).encode() if asked.form == "csv" else encode(row))
            yield
        return out


def _ranked(
    asked: AskedAgents, agents: list[AgentNow], limits: Mapping[str, float], at: int
) -> Pieces[_Ranked]:
    """Return the agents who are looked for, each with its place, in order."""
    place = asked.place(limits, at if asked.after is None else asked.after.at)
    found: _Ranked = []
    for now in agents:
        if asked.wants(now):
            found.append((place(now), now))
        yield
    return sorted(found, key=itemgetter(0))


def _page(
    request: web.Request, asked: AskedAgents, ranked: _Ranked, at: int
) -> tuple[list[AgentNow], str | None]:
    """Return the agents of a page, and the path of the next one."""
    if asked.after is not None:
        ranked = ranked[bisect_right(ranked, asked.after.key, key=itemgetter(0)) :]
    page = ranked[: asked.limit]
    if len(page) == len(ranked):
        return [now for _, now in page], None
    cursor = AgentCursor(at if asked.after is None else asked.after.at, page[-1][0], asked.asked)
    kept = [(name, value) for name, value in request.query.items() if name != "cursor"]
    return [now for _, now in page], f"{PATH}?{urlencode([*kept, ('cursor', str(cursor))])}"
