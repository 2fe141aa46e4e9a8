"""Who is let in on a real server, and how those are answered who send what is no request."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from stream_app.views import door
from stream_app.views.door import Limits, address
from tests.services.process import HOST, until
from tests.views.conftest import Limited
from tests.views.serving import Served

HALF = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"


class Line:
    """A connection of somebody's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self, sent: bytes = WHOLE) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(sent)
        status = int((await self.reader.readline()).split()[1])
        headers = {}
        while line := (await self.reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers, await self.reader.readexactly(int(headers["content-length"]))

    async def ended(self) -> bool:
        """Wait until the other side has hung up."""
        try:
            return await asyncio.wait_for(self.reader.read(1), 10) == b""
        except ConnectionResetError:
            return True


Dial = Callable[..., Awaitable[Line]]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Connect; what is connected is hung up after the test."""
    lines: list[Line] = []

    async def connect(served: Served, sent: bytes = b"", ours: str = HOST) -> Line:
        opened = await asyncio.open_connection(HOST, served.port, local_addr=(ours, 0))
        lines.append(Line(*opened))
        opened[1].write(sent)
        return lines[-1]

    yield connect
    for line in lines:
        line.writer.transport.abort()


def inside(served: Served) -> int:
    return len(served.views.door._inside)


# --- time ---


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent", [b"", HALF, WHOLE, WHOLE + HALF], ids=["nothing", "half", "idle", "half again"]
)
async def test_who_does_not_say_what_they_want_is_hung_up_on(
    served: Served, dial: Dial, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.2)
    line = await dial(served)
    if sent.startswith(WHOLE):
        assert (await line.answer(sent))[0] == 200
    else:
        line.writer.write(sent)
    assert await line.ended()
    await until(lambda: not inside(served))


async def test_a_byte_now_and_then_buys_no_time(
    served: Served, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.4)
    line = await dial(served, HALF)

    async def trickle() -> bool:
        line.writer.write(b"X")
        return line.reader.at_eof() or line.reader.exception() is not None

    await until(trickle)


async def test_who_does_not_take_a_small_answer_is_hung_up_on_too(
    served: Served, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.3)
    line = await dial(served)
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]  # that of a socket can
    for _ in range(30):  # more than the kernel holds
        line.writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: inside(served) == 1)
    await until(lambda: not inside(served))


async def test_who_is_served_is_left_alone(
    served: Served, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE_S", 0.1)
    async with served.still:  # so that what is asked for is not made
        asking = await dial(served, b"GET /v1/now HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.views._heavy._lines)
        idle = await dial(served)
        assert await idle.ended()  # so others of that age have been hung up on
    assert (await asking.answer(b""))[0] == 200


# --- how many ---


async def test_there_is_room_for_who_asks_however_many_do_not(limited: Limited, dial: Dial) -> None:
    served = await limited(Limits(connections_of_one=3))
    lines = [await dial(served, HALF) for _ in range(3)]
    for _ in range(5):
        assert (await (await dial(served)).answer())[0] == 200
    for line in lines:
        assert await line.ended()
    assert inside(served) == 3


async def test_one_address_does_not_take_the_places_of_others(limited: Limited, dial: Dial) -> None:
    served = await limited(Limits(connections_of_one=2))
    mine = [await dial(served, HALF) for _ in range(2)]
    other = await dial(served, HALF, ours="127.0.0.2")
    await dial(served, HALF, ours="127.0.0.2")
    await dial(served, HALF, ours="127.0.0.2")
    assert await other.ended()
    for line in mine:
        assert (await line.answer(b"\r\n"))[0] == 200


async def test_all_addresses_together_have_a_limit(limited: Limited, dial: Dial) -> None:
    served = await limited(Limits(connections=2))
    first = await dial(served, HALF)
    await dial(served, HALF, ours="127.0.0.2")
    assert (await (await dial(served, ours="127.0.0.3")).answer())[0] == 200
    assert await first.ended()
    assert inside(served) == 2


async def test_where_all_are_served_a_new_one_is_hung_up_on_and_the_log_says_so_once(
    limited: Limited, dial: Dial
) -> None:
    served = await limited(Limits(connections_of_one=2))
    with capture_logs() as logs:
        async with served.still:  # so that what is asked for is not made
            asking = [await dial(served, b"GET /v1/now HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
            await until(lambda: sum(n for _, n in served.views._heavy._lines.values()) == 2)
            for _ in range(3):
                assert await (await dial(served, WHOLE)).ended()
        for line in asking:
            assert (await line.answer(b""))[0] == 200
    assert [log["event"] for log in logs] == ["connections_full"]


@pytest.mark.parametrize(
    ("peer", "who"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::"),
        (("2001:db8:1:2::1", 1, 0, 0), "2001:db8:1:2::"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_network_of_ipv6_is_one_party(peer: object, who: str) -> None:
    transport = asyncio.Transport({"peername": peer})
    assert address(transport) == who


# --- what is no request ---

MALFORMED = {
    "no method": b"\x16\x03\x01 canary\r\n\r\n",
    "another version": b"GET /canary HTTP/9.9\r\n\r\n",
    "a header without colon": HALF + b"canary\r\n\r\n",
    "a header with a NUL": HALF + b"X: canary\0\r\n\r\n",
    "a long header": HALF + b"X: " + b"canary" * 2_000 + b"\r\n\r\n",
    "a long line": b"GET /" + b"canary" * 2_000 + b" HTTP/1.1\r\n\r\n",
    "two lengths": HALF + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\ncanary",
    "a length that is none": HALF + b"Content-Length: canary\r\n\r\n",
    "a path that is none": b"GET http://[canary HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": HALF + b"".join(b"X-%d: canary\r\n" % n for n in range(1_000)) + b"\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_request_is_a_problem_and_one_line_that_does_not_quote_it(
    served: Served, dial: Dial, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        status, headers, body = await (await dial(served)).answer(MALFORMED[name])
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert json.loads(body)["status"] == 400
    assert headers["server"] == "stream-app"
    assert b"canary" not in body
    assert [(log["event"], log["status"], log["address"]) for log in logs] == [("request_refused", 400, HOST)]
    assert "canary" not in str(logs)
    assert not caplog.records


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (WHOLE, 200),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (HALF + b"Expect: canary\r\n\r\n", 417),
        (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (HALF + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /nowhere\r\n\r\n", 404),
    ],
)
async def test_no_answer_says_which_version_of_what_answers(
    served: Served, dial: Dial, sent: bytes, status: int
) -> None:
    code, headers, body = await (await dial(served)).answer(sent)
    assert code == status
    assert headers.get("server", "stream-app") == "stream-app"
    assert headers["x-content-type-options"] == "nosniff"
    assert b"aiohttp" not in body


async def test_who_hangs_up_in_the_middle_leaves_no_line(served: Served, dial: Dial) -> None:
    with capture_logs() as logs:
        async with served.still:
            for _ in range(2):  # one is being served, the other one stands in line
                line = await dial(served, b"GET /v1/now HTTP/1.1\r\nHost: x\r\n\r\n")
                await until(lambda: served.views._heavy._lines)
                line.writer.transport.abort()
            await until(lambda: not inside(served))
        await until(lambda: not any("RequestHandler" in str(task.get_coro()) for task in asyncio.all_tasks()))
    assert logs == []


async def test_a_connection_that_ended_need_not_wait_for_the_garbage_collector(
    served: Served, dial: Dial
) -> None:
    gc.disable()
    try:
        line = await dial(served)
        assert (await line.answer())[0] == 200
        (transport,) = [weakref.ref(connection._line) for connection in served.views.door._inside]
        line.writer.transport.abort()
        await until(lambda: transport() is None)
    finally:
        gc.enable()


async def test_a_long_path_is_refused_before_it_is_looked_up(served: Served) -> None:
    status, _, problem = await served.get("/" * 7_900)
    assert (status, problem["detail"]) == (400, "a path may have at most 256 characters, got 7,900")
    assert (await served.get("/" + "a" * 255))[0] == 404
