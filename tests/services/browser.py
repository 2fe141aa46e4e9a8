"""A real browser, remote-controlled by its DevTools protocol."""

import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.services.process import ServerProcess, ServiceError, accepts, free_port

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser(ServerProcess):
    """Chromium without a window."""

    name = "browser"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    def command(self) -> list[str]:
        """Run it with a profile of its own."""
        found = next(filter(shutil.which, NAMES), NAMES[0])
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"]
        flags += [f"--remote-debugging-port={self.port}", f"--user-data-dir={self.directory / 'profile'}"]
        return [found, *flags, "about:blank"]

    def ready(self) -> bool:
        """It can be controlled."""
        return accepts(self.port)

    @asynccontextmanager
    async def page(self, url: str, *, width: int = 1280, height: int = 900) -> AsyncIterator["Page"]:
        """Open a page in a tab of its own."""
        base = f"http://127.0.0.1:{self.port}/json"
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{base}/new?about:blank") as answer:
                tab = await answer.json(content_type=None)
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await page.command(f"{domain}.enable")
                size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
                await page.command("Emulation.setDeviceMetricsOverride", **size)
                await page.command("Page.navigate", url=url)
                yield page
            async with session.get(f"{base}/close/{tab['id']}"):
                pass


class Page:
    """A tab.

    Attributes:
        errors: what its console complained of so far.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.errors: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command of the protocol; ServiceError if it is refused."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = await self._socket.receive_json()
            if said.get("id") == number:
                if "error" in said:
                    raise ServiceError(f"browser: {method}: {said['error']['message']}")
                result: dict[str, Any] = said["result"]
                return result
            self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        parameters = said.get("params", {})
        if said.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(parameters["exceptionDetails"]))
        elif said.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression is worth."""
        result = await self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise ServiceError(f"browser: {expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def press(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )
