"""The live stream on a real server: everything, then what changed, and nobody can hold up anybody."""

import asyncio
import contextlib
import socket

import pytest

from stream_app.model.kpis import CARRIED, KPIS
from stream_app.views import sending
from stream_app.views.door import Limits
from stream_app.views.status import Status
from tests.services.process import HOST, until
from tests.views.conftest import Limited
from tests.views.examples import NOON, busy_cell, put, waiting
from tests.views.serving import Served
from tests.views.watcher import Watcher


async def test_the_stream_begins_with_everything_and_goes_on_with_what_changed(served: Served) -> None:
    watcher = Watcher(served.url, **{"Last-Event-ID": "whatever-7"})
    first = await watcher.of("snapshot")
    headlines = "&".join(f"kpi={kpi.name}" for kpi in CARRIED)
    _, _, now = await served.get(f"/v1/now?{headlines}")
    assert first == now
    assert set(first["rows"][0]["windows"]["5m"]) < {kpi.name for kpi in KPIS}
    beat = await watcher.of("beat")
    assert beat == {"at": now["at"], "age_s": 0.4, "stale": False, "reasons": [], "max_age_s": 10.0}
    assert watcher.comments == ["age 0.4 s"]
    assert any(line.startswith("id: ") for line in watcher.lines)
    assert "retry: 1000\n" in watcher.lines

    waiting(served.board, ("sales", "voice"), "new", NOON)
    served.publish()
    change = await watcher.of("change")
    assert [row["queue"] for row in change["rows"]] == ["sales"]
    assert change["rows"][0]["levels"]["backlog"] == 2
    assert change["everyone"] == {}

    put(served.board, ("care", "chat"), busy_cell([1000]))
    served.publish()
    change = await watcher.of("change", 2)
    assert [row["queue"] for row in change["rows"]] == ["care"]
    assert change["everyone"] == (await served.get(f"/v1/now?{headlines}"))[2]["everyone"]
    await watcher.stop()


async def test_a_beat_comes_every_second_although_nothing_changes(served: Served) -> None:
    watcher = Watcher(served.url)
    await watcher.of("beat")
    served.trust = Status(age_s=12.34, max_age_s=10)

    async def publish_on() -> None:
        while True:
            await asyncio.sleep(0.25)
            served.publish()

    publishing = asyncio.create_task(publish_on())
    beat = await watcher.of("beat", 2)
    publishing.cancel()
    assert (beat["age_s"], beat["stale"]) == (12.3, True)
    assert [kind for kind, _ in watcher.events] == ["snapshot", "beat", "beat"]
    await watcher.stop()


async def test_waiting_times_move_by_whole_seconds(served: Served) -> None:
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    for ms in (300, 600, 900):
        served.board.advance(NOON + ms)
        served.publish()
    served.board.advance(NOON + 1_000)
    served.publish()
    change = await watcher.of("change")
    assert {row["levels"]["oldest_waiting"] for row in change["rows"]} == {13.0}
    await watcher.stop()


async def test_a_filtered_stream_has_its_rows_only_and_is_silent_about_others(served: Served) -> None:
    queries = ("?queue=care", "?queue=care", "?channel=voice", "")
    watchers = [Watcher(served.url, query=query) for query in queries]
    first = [[row["queue"] for row in (await watcher.of("snapshot"))["rows"]] for watcher in watchers]
    assert first == [["care"], ["care"], ["sales"], ["care", "sales"]]
    waiting(served.board, ("sales", "voice"), "new", NOON)
    served.publish()
    for watcher in watchers[2:]:
        assert [row["queue"] for row in (await watcher.of("change"))["rows"]] == ["sales"]
    waiting(served.board, ("care", "chat"), "newer", NOON)
    served.publish()
    for watcher in watchers[:2]:
        assert [row["queue"] for row in (await watcher.of("change"))["rows"]] == ["care"]
    await watchers[3].of("change", 2)
    assert [kind for kind, _ in watchers[0].events].count("change") == 1, "it was told of care only"
    for watcher in watchers:
        await watcher.stop()


async def test_a_queue_that_is_gone_is_gone_from_the_stream(served: Served) -> None:
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    served.board.forget("t.0")
    served.publish()
    assert (await watcher.of("snapshot", 2))["rows"] == []
    await watcher.stop()


async def stalled(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for the stream, and don't read it."""
    ours = socket.socket()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)  # or the kernel reads for us
    ours.connect((HOST, served.port))
    reader, writer = await asyncio.open_connection(sock=ours, limit=2**23)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # that of a socket can
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    return reader, writer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.slow
async def test_who_does_not_read_holds_up_nobody_and_then_sees_the_latest_only(served: Served) -> None:
    for n in range(300):
        put(served.board, (f"q{n}", "voice"), busy_cell())
    served.publish()
    reader, writer = await stalled(served)
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    rounds = 20
    for n in range(1, rounds + 1):
        for queue in range(300):
            waiting(served.board, (f"q{queue}", "voice"), f"w{queue}", NOON - 1_000 * n)
        served.publish()
        change = await watcher.of("change", n)  # the other one sees every round at once
        assert len(change["rows"]) == 300
    sent = sum(len(line) for line in watcher.lines)
    writer.transport.resume_reading()  # type: ignore[attr-defined]  # that of a socket can
    got = 0
    while True:
        line = await asyncio.wait_for(reader.readline(), 10)
        got += len(line)
        if line.startswith(b"data:") and b'"oldest_waiting":%d.0' % rounds in line:
            break
    assert got < sent / 2, "it was sent what nobody needs any more"
    await hang_up(writer)
    await watcher.stop()


async def test_too_many_streams_are_refused(limited: Limited) -> None:
    served = await limited(Limits(streams=1))
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    code, headers, problem = await served.get("/v1/stream")
    assert (code, headers["Retry-After"], problem["status"]) == (503, "5", 503)
    assert problem["detail"] == "1 streams are already open"
    await watcher.stop()


async def test_one_address_does_not_take_all_streams_and_gives_its_places_back(limited: Limited) -> None:
    served = await limited(Limits(streams=4, streams_of_one=2))
    first, second = Watcher(served.url), Watcher(served.url)
    await first.of("snapshot")
    await second.of("snapshot")
    code, headers, problem = await served.get("/v1/stream")
    assert (code, headers["Retry-After"]) == (503, "5")
    assert problem["detail"] == "2 streams are already open for this address"
    other = Watcher(served.url, ours="127.0.0.2")
    await other.of("snapshot")
    await first.stop()

    def gone() -> bool:
        served.publish()
        return served.views.streams == 2

    await until(gone)
    third = Watcher(served.url)
    await third.of("snapshot")
    for watcher in (second, third, other):
        await watcher.stop()


async def test_who_never_reads_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "STALLED_S", 0.3)
    for n in range(1500):
        put(served.board, (f"queue-with-a-long-name-{n}", "voice"), busy_cell())
    served.publish()
    _, writer = await stalled(served)
    await until(lambda: served.views.streams == 1)
    await until(lambda: served.views.streams == 0)
    await hang_up(writer)


async def test_an_open_stream_does_not_hold_up_the_end(served: Served) -> None:
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    async with asyncio.timeout(2):
        await served.runner.cleanup()
    await watcher.stop()
