"""The routes of agents: a list, and a stream of what changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from aiohttp import web
from msgspec import Raw

from stream_app.model.live.agent_now import AgentNow
from stream_app.model.pieces import Pieces
from stream_app.model.targets import Targets
from stream_app.views.live import RETRY_MS
from stream_app.views.pieces import unhurried
from stream_app.views.sending import Heavy
from stream_app.views.stamping import stamp
from stream_app.views.streams import Feed, Streams
from stream_app.views.wire import encode, tenths

from .api import PATH, AgentSource, AgentViews, PeopleSource
from .wire import agent_row

STREAM: Final = "/v1/agents/stream"
_Rows = list[Raw]


class AgentRoutes:
    """All routes of agents."""

    def __init__(
        self,
        source: PeopleSource,
        agents: AgentSource,
        targets: Callable[[], Targets],
        heavy: Heavy,
        *,
        streams: Streams,
        feed: Feed,
        link: Callable[[str], str | None],
    ) -> None:
        """Set where agents come from.

        Args:
            source: that.
            agents: who may see them.
            targets: those in force, for limits.
            heavy: the line for large answers.
            streams: all open streams.
            feed: when there may be something new, and how fresh it is.
            link: contact → its address in the platform.
        """
        self._views = AgentViews(source, agents, targets, heavy, link)
        self._source, self._agents, self._targets, self._link = source, agents, targets, link
        self._streams, self._feed = streams, feed
        self._boot = uuid4().hex[:8]
        self._texts: dict[str, tuple[int, Raw]] = {}  # agent → as it was written at a version
        self._limits: Mapping[str, float] = {}
        self._limited = 1  # how often limits changed, which is the first version
        self._whole_at = 0  # clients before this version need everything

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(PATH, self._views.get)
        app.router.add_get(STREAM, self.stream)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer with all agents, then with those that change."""
        self._agents.admit(request)
        return await self._streams.answer(request, self._feed, self._newer)

    async def _newer(self, version: int) -> tuple[bytes, int]:
        """Return what changed after a version, 0 for nothing, as an event, and the version that it leads to.

        A version counts the people's changes and those of limits.
        """
        people, status = self._source.people(), self._source.status()
        if not status.loaded:
            return b"", 0
        limits = self._targets().agents.limits
        if limits != self._limits:
            self._limits, self._texts, self._limited = limits, {}, self._limited + 1
            self._whole_at = people.changes + self._limited
        to, before = people.changes + self._limited, version - self._limited
        changed = people.changed(before) if version and version >= self._whole_at else None
        whole = changed is None
        if not whole and to == version:
            return b"", version
        gone = [] if whole else people.gone(before)
        if whole:
            self._texts = {agent: self._texts[agent] for agent in self._texts if people.knows(agent)}
        rows = await unhurried(self._written(people.with_versions() if changed is None else changed))
        data = {
            "at": stamp(self._source.now()),
            "age_s": tenths(status.age_s),
            "stale": status.stale,
            "told": people.told,
            "rows": rows,
            "gone": gone,
        }
        kind = b"snapshot" if whole else b"change"
        head = b"id: %s-%d\nretry: %d\nevent: %s\n" % (self._boot.encode(), to, RETRY_MS, kind)
        return head + b"data: %s\n\n" % encode(data), to

    def _written(self, agents: list[tuple[int, AgentNow]]) -> Pieces[_Rows]:
        """Write agents one by one, each once for all clients."""
        out: _Rows = []
        for version, now in agents:
            known = self._texts.get(now.agent)
            if known is None or known[0] != version:
                row = agent_row(now, self._limits, self._link, self._agents.days)
                known = self._texts[now.agent] = version, Raw(encode(row))
            out.append(known[1])
            yield
        return out
