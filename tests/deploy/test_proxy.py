"""The example configurations of docs/proxy.md, run by the proxies that they are for, before a real wallboard."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.services.browser import chromium, opened
from tests.services.process import HOST, until
from tests.services.web_proxies import PASSWORD, USER, Caddy, Nginx, WebProxy
from tests.views.examples import NOON, busy_board, waiting
from tests.views.serving import Served
from tests.views.watcher import Watcher

SIGNED_IN = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
STREAMS = 10
"""More than the six connections that a browser opens to one host."""


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(busy_board())
    await served.start()
    yield served
    await served.runner.cleanup()


@pytest.fixture
async def others() -> AsyncIterator[int]:
    """The port of a server that answers with the headers that have reached it."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(dict(request.headers))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture(params=[Nginx, Caddy], ids=lambda kind: str(kind.name))
async def proxy(request: pytest.FixtureRequest, served: Served, others: int) -> AsyncIterator[WebProxy]:
    with request.param(served.port, others) as running:
        yield running


def session(*, signed_in: bool = True) -> aiohttp.ClientSession:
    headers = SIGNED_IN if signed_in else {}
    return aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=False))


async def test_nothing_is_shown_without_a_log_in(proxy: WebProxy) -> None:
    async with session(signed_in=False) as stranger, session() as anna:
        for path in ("/", "/v1/now", "/v1/stream"):
            async with stranger.get(proxy.url + path) as answer:
                assert answer.status == 401, path
        async with anna.get(f"{proxy.url}/") as answer:
            assert answer.status == 200
            assert "max-age=" in answer.headers["Strict-Transport-Security"]
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"], "of the wallboard itself"
        async with anna.get(f"{proxy.url}/metrics") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("name", ["grafana", "alertmanager"])
async def test_the_other_pages_ask_for_a_log_in_too(proxy: WebProxy, name: str) -> None:
    """Compose lets anybody look at Grafana, and anybody silence alerts in Alertmanager, who reaches them."""
    url, headers = proxy.site(name)
    async with session(signed_in=False) as stranger, stranger.get(url, headers=headers) as answer:
        assert answer.status == 401
    async with session() as anna, anna.get(url, headers=headers) as answer:
        assert answer.status == 200
        reached = await answer.json()
    assert reached["Host"] == headers.get("Host", url.removeprefix("https://"))
    if name == "grafana":
        assert "Authorization" not in reached, (
            "it would take the proxy's password for one of its own accounts"
        )


async def test_each_event_is_passed_on_at_once(proxy: WebProxy, served: Served) -> None:
    """The next one is sent only after the last has come through: a proxy that waits for more would wait for ever."""
    watcher = Watcher(proxy.url, **SIGNED_IN)
    await watcher.of("snapshot")
    for n in (1, 2, 3):
        waiting(served.board, ("sales", "voice"), f"new-{n}", NOON)
        served.publish()
        change = await watcher.of("change", n)
        assert [row["queue"] for row in change["rows"]] == ["sales"]
    await watcher.stop()


async def test_a_browser_follows_more_streams_than_it_may_open_connections(proxy: WebProxy) -> None:
    signed_in: dict[str, Any] = {
        "ignore_https_errors": True,
        "http_credentials": {"username": USER, "password": PASSWORD},
    }
    async with chromium() as browser, opened(browser, f"{proxy.url}/", **signed_in) as page:
        await page.locator("#queues .tile").first.wait_for()
        assert await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        heard = await page.evaluate(
            """n => Promise.all(Array.from({length: n}, () => new Promise(heard => {
                const source = new EventSource("/v1/stream");
                source.onopen = () => heard(true);
            })))""",
            STREAMS,
        )
        assert heard == [True] * STREAMS


async def test_a_proxy_that_waits_for_a_full_buffer_is_found(served: Served) -> None:
    """The check above can fail: nothing arrives if events are held back, whatever the wallboard asks for."""
    held_back = {"proxy_buffering off;": "proxy_ignore_headers X-Accel-Buffering;\n proxy_buffers 8 64k;"}
    with Nginx(served.port, replaced=held_back) as running:
        watcher = Watcher(running.url, **SIGNED_IN)
        with pytest.raises(TimeoutError):
            await until(lambda: len(watcher.events) > 1, 2)
        await watcher.stop()
