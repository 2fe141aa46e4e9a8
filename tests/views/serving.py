"""Views of a board on a real server."""

import json
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from stream_app.model.board import Board
from stream_app.model.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.views.api import Views
from tests.views.examples import FRESH

Answer = tuple[int, CIMultiDictProxy[str], Any]


class Served:
    """Views of a board, on a port."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.status = FRESH
        self.url = ""
        self._snapshots = Snapshots(board)
        self.views = Views(lambda: self._snapshots.take(Targets()), lambda: self.status)
        self.runner = web.AppRunner(self.views.app(), shutdown_timeout=0.5)

    def publish(self) -> None:
        self.views.live.publish(self._snapshots.take(Targets()), self.status)

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
