"""Views of a board on a real server."""

import json
from collections.abc import Collection, Iterator
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from stream_app.model.board import Board
from stream_app.model.ports import Intervals
from stream_app.model.rows import By, Chosen, Group, Snapshot, everywhere
from stream_app.model.running import AtRisk, GaveUp
from stream_app.model.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.model.trend import TrendRow, Trends
from stream_app.model.waits import Waits
from stream_app.model.windows import WINDOWS
from stream_app.views.api import Views
from stream_app.views.plan.planner import Planner
from stream_app.views.status import Status
from tests.views.examples import FRESH

Answer = tuple[int, CIMultiDictProxy[str], Any]


class Served:
    """Views of a board, on a port."""

    def __init__(
        self, board: Board, intervals: Intervals | None = None, planner: Planner | None = None
    ) -> None:
        self.board = board
        self.trust = FRESH
        self.targets = Targets()
        self.url = ""
        self._snapshots = Snapshots(board)
        self._trends = Trends(board, self._snapshots)
        self.views = Views(self, intervals, lambda: self.targets, planner)
        self.runner = web.AppRunner(self.views.app(), shutdown_timeout=0.5)

    def now(self) -> int:
        return self.board.now

    def snapshot(self, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere) -> Snapshot:
        return self._snapshots.take(self.targets, windows, chosen)

    def status(self) -> Status:
        return self.trust

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> list[Group]:
        return self._snapshots.groups(self.targets, by, windows, chosen)

    def waits(self) -> list[Waits]:
        return self._snapshots.waits(self.targets)

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        return self._snapshots.at_risk(self.targets, chosen)

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        return self._snapshots.gave_up(self.targets, limit, chosen)

    def trends(self, now: int, chosen: Chosen) -> Iterator[TrendRow]:
        for queue in self._snapshots.queues(self.targets, chosen):
            yield self._trends.row(self.targets, queue, now)

    def publish(self) -> None:
        self.views.live.publish(self.snapshot(), self.trust)

    async def start(self, port: int = 0) -> None:
        self.publish()
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", port).start()
        self.url = "http://{}:{}".format(*self.runner.addresses[0])

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, headers=headers) as answer,
        ):
            body = await answer.read()
            is_json = answer.content_type.endswith("json") and body
            return answer.status, answer.headers, json.loads(body) if is_json else body
