"""Views of a board on a real server."""

import asyncio
import json
from collections.abc import Collection, Iterator
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from stream_app.model.live import lists
from stream_app.model.live.board import Board
from stream_app.model.live.callbacks import Callbacks
from stream_app.model.live.next_wait import InLine
from stream_app.model.live.people import People
from stream_app.model.live.rows import By, Chosen, QueueGroup, Snapshot, everywhere
from stream_app.model.live.running import AtRisk, GaveUp
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.live.trend import QueueTrend, Trends
from stream_app.model.live.wait_histograms import WaitHistogram
from stream_app.model.pieces import Pieces, whole
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.model.windows import WINDOWS
from stream_app.store.intervals.memory import MemoryIntervals
from stream_app.views.agents.api import AgentSource
from stream_app.views.api import Views
from stream_app.views.contacts.api import ContactSource
from stream_app.views.door import Limits
from stream_app.views.plan.planner import Planner
from stream_app.views.screen import Screen
from stream_app.views.status import Status
from tests.services.process import HOST
from tests.views.examples import FRESH

Answer = tuple[int, CIMultiDictProxy[str], Any]


class Served:
    """Views of a board, on a port."""

    def __init__(
        self,
        board: Board,
        intervals: Intervals | None = None,
        planner: Planner | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        *,
        screen: Screen = Screen(),  # noqa: B008 - it is frozen
        callbacks: Callbacks | None = None,
        contacts: ContactSource = ContactSource(),  # noqa: B008 - it is frozen
        agents: AgentSource = AgentSource(),  # noqa: B008 - it is frozen
    ) -> None:
        self.board = board
        self.kept = intervals if isinstance(intervals, MemoryIntervals) else None
        self.trust = FRESH
        self.targets = Targets()
        self.url = ""
        self._snapshots = Snapshots(board)
        self._trends = Trends(board, self._snapshots)
        self.still = asyncio.Lock()
        self.views = Views(
            self,
            intervals,
            lambda: self.targets,
            planner,
            limits,
            screen=screen,
            callbacks=callbacks,
            contacts=contacts,
            agents=agents,
        )
        self.runner = web.AppRunner(self.views.app(), shutdown_timeout=0.5)

    def now(self) -> int:
        return self.board.now

    def snapshot(self, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere) -> Pieces[Snapshot]:
        return self._snapshots.taken(self.targets, windows, chosen)

    def status(self) -> Status:
        return self.trust

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> Pieces[list[QueueGroup]]:
        return self._snapshots.grouped(self.targets, by, windows, chosen)

    def people(self) -> People:
        return self.board.people

    def waits(self) -> Pieces[list[WaitHistogram]]:
        return self._snapshots.waited(self.targets)

    def waiting(self, chosen: Chosen) -> list[InLine]:
        return lists.waiting(self.board, self._snapshots, self.targets, chosen)

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        return self._snapshots.at_risk(self.targets, chosen)

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        return lists.gave_up(self.board, self._snapshots.queues(self.targets, chosen), limit)

    def trends(self, now: int, chosen: Chosen) -> Iterator[QueueTrend]:
        for queue in self._snapshots.queues(self.targets, chosen):
            yield self._trends.row(self.targets, queue, now)

    def seen(self, parameter: str) -> Collection[str] | None:
        rows = whole(self.snapshot()).rows
        if not rows:
            return None
        kept = self.kept.every() if self.kept is not None and parameter in {"queue", "channel"} else []
        own = (
            {getattr(one, parameter) for one in self.targets.queues.values()}
            if parameter in {"site", "unit"}
            else set()
        )
        found = {getattr(row, parameter) for row in rows} | {getattr(row, parameter) for row in kept} | own
        if parameter == "queue":
            found |= {*self.targets.queues, *self.board.people.queues()}
        return found - {None}

    def publish(self) -> None:
        self.views.live.publish(whole(self.snapshot()), self.trust)

    async def start(self, port: int = 0) -> None:
        self.publish()
        await self.runner.setup()
        self.port = (await self.views.door.open(self.runner, HOST, port))[1]
        self.url = f"http://{HOST}:{self.port}"

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, headers=headers) as answer,
        ):
            body = await answer.read()
            is_json = answer.content_type.endswith("json") and body
            return answer.status, answer.headers, json.loads(body) if is_json else body
