"""A real Alertmanager, its tool, and somebody who is told."""

import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, Self

from aiohttp import web

from tests.services.process import HOST, ServerProcess, free_port, run_tool

BUILT = Path(__file__).parents[2] / ".cache/alertmanager"


def _program(name: str, packaged: str) -> str:
    """Return what scripts/setup has built, otherwise the name of Debian's."""
    return str(BUILT / name) if (BUILT / name).exists() else packaged


class Alertmanager(ServerProcess):
    """An Alertmanager on 127.0.0.1, alone in its cluster, with a configuration of the test's."""

    name = "alertmanager"

    def __init__(self, config: str, *options: str) -> None:
        super().__init__()
        self.port = free_port()
        self._config = config
        self._options = options

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        config = self.directory / "alertmanager.yml"
        config.write_text(self._config)
        return [
            _program("alertmanager", "prometheus-alertmanager"),
            f"--config.file={config}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
            "--cluster.listen-address=",
            *self._options,
        ]

    def ready(self) -> bool:
        """It says that it is ready."""
        connection = HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Message(NamedTuple):
    """What somebody was told, and when (seconds of the monotonic clock)."""

    at: float
    path: str
    authorization: str
    body: dict[str, Any]


class Inbox:
    """A webhook's other end: keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.url = ""
        app = web.Application()
        app.router.add_post("/{name:.*}", self._take)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        said = await request.json()
        authorization = request.headers.get("Authorization", "")
        self.messages.append(Message(time.monotonic(), request.path, authorization, said))
        return web.Response()


def amtool(*args: str | Path) -> str:
    """Run amtool (`"check-config", path`) and return what it says; ServiceError with it if it fails."""
    return run_tool(_program("amtool", "amtool"), *args)
