"""The HTTP interface on a real server: what programs and people are told, and that nobody can hold it up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream_app.model.kpis import KPIS
from stream_app.model.windows import WINDOWS
from stream_app.views import api, metrics
from stream_app.views.status import Status
from tests.services.process import until
from tests.views.examples import NOON, busy_board, busy_cell, put, waiting
from tests.views.serving import Served
from tests.views.watcher import Watcher


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(busy_board())
    await served.start()
    yield served
    await served.runner.cleanup()


# --- live values ---


async def test_now_says_everything(served: Served) -> None:
    status, headers, now = await served.get("/v1/now")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert datetime.fromisoformat(now["at"]).timestamp() * 1000 == NOON
    assert datetime.fromisoformat(now["at"]).tzinfo
    assert (now["age_s"], now["stale"]) == (0.4, False)
    assert [(row["queue"], row["channel"]) for row in now["rows"]] == [("care", "chat"), ("sales", "voice")]
    sales = now["rows"][1]
    assert sales["policy"] == "without_short_abandons"
    assert sales["targets"]["service_level"] == 0.8
    assert sales["levels"] == {"backlog": 1, "oldest_waiting": 12.0}
    assert sales["totals"] == {"offered": 10, "answered": 9, "abandoned": 1, "handled": 9}
    assert set(sales["windows"]) == set(now["everyone"]) == {"5m", "15m", "30m", "1h", "today"}
    first = sales["windows"]["5m"]["first_response"]
    assert (first["value"], first["samples"]) == (10.0, 9)
    assert first["p50"] == pytest.approx(31, rel=0.022)
    assert set(sales["windows"]["5m"]["service_level"]) == {"value", "samples"}
    assert now["everyone"]["today"]["handle_time"]["samples"] == 18


@pytest.mark.parametrize(
    ("query", "rows", "windows"),
    [
        ("queue=sales", ["sales"], set(WINDOWS)),
        ("channel=chat", ["care"], set(WINDOWS)),
        ("queue=sales&queue=care&window=5m&window=today", ["care", "sales"], {"5m", "today"}),
        ("queue=sales&channel=chat", [], set()),
        ("queue=nobody", [], set()),
    ],
)
async def test_now_of_some(served: Served, query: str, rows: list[str], windows: set[str]) -> None:
    _, _, now = await served.get(f"/v1/now?{query}")
    assert [row["queue"] for row in now["rows"]] == rows
    assert {window for row in now["rows"] for window in row["windows"]} == windows


async def test_what_has_no_data_is_null(served: Served) -> None:
    put(served.board, ("empty", "voice"), {1: 1})
    _, _, now = await served.get("/v1/now?queue=empty&window=5m")
    none = {"value": None, "samples": 0}
    percentiles = {"p50": None, "p90": None, "p95": None}
    assert now["rows"][0]["windows"]["5m"]["service_level"] == none
    assert now["rows"][0]["windows"]["5m"]["handle_time"] == none | percentiles


async def test_the_dictionary_has_every_kpi(served: Served) -> None:
    _, _, kpis = await served.get("/v1/kpis")
    assert [kpi["name"] for kpi in kpis] == [kpi.name for kpi in KPIS]
    fields = {"name", "title", "formula", "unit", "better", "target", "tier", "leading", "source", "pairs"}
    assert all(fields <= kpi.keys() for kpi in kpis)


async def test_metrics_are_for_prometheus(served: Served) -> None:
    status, headers, body = await served.get("/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'cc_backlog_contacts{queue="sales",channel="voice"} 1\n' in body


# --- whether to trust them ---


async def test_alive_and_ready(served: Served) -> None:
    assert (await served.get("/healthz"))[0] == 200
    assert (await served.get("/readyz"))[0] == 200


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status(age_s=3, max_age_s=10, reasons=("Redis is away",)), "Redis is away"),
        (Status(age_s=10.1, max_age_s=10), "the data is 10.1 s old, more than 10 s"),
        (Status(age_s=None, max_age_s=10), "no heartbeat has come yet, so the age of the data is unknown"),
    ],
)
async def test_not_ready_says_why_everywhere(served: Served, status: Status, reason: str) -> None:
    served.status = status
    code, headers, problem = await served.get("/readyz")
    assert (code, headers["Content-Type"]) == (503, "application/problem+json")
    assert (problem["status"], problem["reasons"]) == (503, [reason])
    assert (await served.get("/healthz"))[0] == 200
    assert (await served.get("/v1/now"))[2]["stale"] is True
    assert b"\ncc_ready 0\n" in (await served.get("/metrics"))[2]


# --- errors ---


@pytest.mark.parametrize(
    ("path", "method", "status", "parameter"),
    [
        ("/v1/now?window=7m", "GET", 400, "window"),
        ("/v1/now?qeue=sales", "GET", 400, "qeue"),
        ("/v1/kpis?x=1", "GET", 400, "x"),
        ("/v1/stream?x=1", "GET", 400, "x"),
        ("/nowhere", "GET", 404, None),
        ("/static/../api.py", "GET", 404, None),
        ("/v1/now", "POST", 405, None),
        ("/metrics", "DELETE", 405, None),
    ],
)
async def test_errors_are_problems(
    served: Served, path: str, method: str, status: int, parameter: str | None
) -> None:
    code, headers, problem = await served.get(path, method)
    assert (code, headers["Content-Type"]) == (status, "application/problem+json")
    assert problem["status"] == status
    assert problem["title"]
    assert problem.get("parameter") == parameter
    if status == 405:
        assert headers["Allow"] == "GET,HEAD"


async def test_our_own_fault_is_a_problem_without_its_trace(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> bytes:
        raise RuntimeError("secret")

    monkeypatch.setattr(metrics, "render", break_down)
    code, _, problem = await served.get("/metrics")
    assert (code, problem) == (500, {"title": "Internal Server Error", "status": 500})


PATHS = [
    "/",
    "/v1/now",
    "/v1/kpis",
    "/metrics",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/static/live.js",
]


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/v1/stream"])
async def test_every_answer_is_guarded_and_head_works(served: Served, path: str) -> None:
    status, headers, body = await served.get(path, "HEAD", Origin="https://evil.example")
    assert status == (404 if path == "/nowhere" else 200)
    assert not body
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in headers
    assert "Server" not in headers


async def test_the_page_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(served: Served) -> None:
    for path in ("/", "/docs", "/static/live.js", "/static/live.css", "/static/docs.css"):
        text = (await served.get(path))[2].decode()
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text
        assert "style=" not in text
        assert "<script>" not in text


async def test_files_that_were_seen_are_not_sent_again(served: Served) -> None:
    _, headers, _ = await served.get("/static/live.js")
    status, _, body = await served.get("/static/live.js", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


# --- the description ---


async def test_the_description_is_complete_and_right(served: Served) -> None:
    _, _, document = await served.get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    served_paths = {r.canonical for r in served.runner.app.router.resources()}
    assert set(document["paths"]) == {path for path in served_paths if not path.startswith("/static/")}
    names = [op["get"]["operationId"] for op in document["paths"].values()]
    assert len(set(names)) == len(names)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    for operation in document["paths"].values():
        assert operation["get"].keys() <= {"operationId", "summary", "description", "parameters", "responses"}
        assert "200" in operation["get"]["responses"]
        for answer in operation["get"]["responses"].values():
            assert answer["description"]
            assert all("schema" in content for content in answer["content"].values())


@pytest.mark.parametrize("path", ["/v1/now", "/v1/kpis", "/healthz", "/readyz", "/v1/now?window=x"])
async def test_answers_are_as_described(served: Served, path: str) -> None:
    _, _, document = await served.get("/openapi.json")
    put(served.board, ("empty", "voice"), {1: 1})
    status, headers, answer = await served.get(path)
    described = document["paths"][path.partition("?")[0]]["get"]["responses"][str(status)]["content"]
    schema = described[headers["Content-Type"].partition(";")[0]]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(answer)


async def test_the_description_can_be_read_by_people(served: Served) -> None:
    text = (await served.get("/docs"))[2].decode()
    for path in PATHS[:-1]:
        assert f"GET {path}</code>" in text


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [reference for value in node.values() for reference in references(value)]
    return [r for value in node for r in references(value)] if isinstance(node, list) else []


# --- the stream ---


async def test_the_stream_begins_with_everything_and_goes_on_with_what_changed(served: Served) -> None:
    watcher = Watcher(served.url, **{"Last-Event-ID": "whatever-7"})
    first = await watcher.of("snapshot")
    _, _, now = await served.get("/v1/now")
    assert first == now
    beat = await watcher.of("beat")
    assert beat == {"at": now["at"], "age_s": 0.4, "stale": False, "reasons": []}
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
    assert change["everyone"] == (await served.get("/v1/now"))[2]["everyone"]
    await watcher.stop()


async def test_a_beat_comes_every_second_although_nothing_changes(served: Served) -> None:
    watcher = Watcher(served.url)
    await watcher.of("beat")
    served.status = Status(age_s=12.34, max_age_s=10)

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
    ours.connect(served.runner.addresses[0])
    reader, writer = await asyncio.open_connection(sock=ours, limit=2**23)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # that of a socket can
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    return reader, writer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_who_does_not_read_holds_up_nobody_and_then_sees_the_latest_only(served: Served) -> None:
    for n in range(300):
        put(served.board, (f"q{n}", "voice"), busy_cell())
    served.publish()
    reader, writer = await stalled(served)
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    rounds = 40
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


async def test_too_many_streams_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_STREAMS", 1)
    watcher = Watcher(served.url)
    await watcher.of("snapshot")
    code, headers, problem = await served.get("/v1/stream")
    assert (code, headers["Retry-After"], problem["status"]) == (503, "5", 503)
    await watcher.stop()


async def test_who_never_reads_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "STALLED_S", 0.3)
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
