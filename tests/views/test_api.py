"""The HTTP interface on a real server: what programs and people are told."""

import asyncio
import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit
from stream_app.model.live.board import Board
from stream_app.model.live.trend import QueueTrend
from stream_app.model.targets import Targets
from stream_app.model.windows import WINDOWS
from stream_app.views import api, metrics, pieces
from stream_app.views.openapi import OPERATIONS
from stream_app.views.status import Skew, Status
from stream_app.views.trust import OF_THE_STORE
from tests.views.examples import NOON, busy_cell, put
from tests.views.serving import Served

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
    assert (sales["levels"]["backlog"], sales["levels"]["oldest_waiting"]) == (1, 12.0)
    written = ("awaiting_reply", "oldest_awaiting_reply", "open_conversations", "pending")
    assert [sales["levels"][name] for name in written] == [None] * 4
    assert [now["rows"][0]["levels"][name] for name in written] == [1, 12.0, 1, 0]
    assert [row["levels"]["with_bot"] for row in now["rows"]] == [0, 0]
    assert [row["clock"] for row in now["rows"]] == ["wall", "wall"]
    totals = {"offered": 10, "answered": 9, "abandoned": 2, "abandonments_undone": 1, "handled": 9}
    assert sales["totals"] == totals
    assert "groups" not in now
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
    ],
)
async def test_now_of_some(served: Served, query: str, rows: list[str], windows: set[str]) -> None:
    _, _, now = await served.get(f"/v1/now?{query}")
    assert [row["queue"] for row in now["rows"]] == rows
    assert {window for row in now["rows"] for window in row["windows"]} == windows


@pytest.mark.parametrize(
    "path", ["/v1/now", "/v1/at-risk", "/v1/abandoned", "/v1/trend", "/v1/stream", "/v1/intervals"]
)
@pytest.mark.parametrize(
    ("parameter", "wrong", "right"),
    [("queue", "saels", "sales"), ("channel", "voyce", "voice"), ("site", "Leeds", "")],
)
async def test_a_name_that_was_never_seen_is_answered_alike_everywhere(
    served: Served, path: str, parameter: str, wrong: str, right: str
) -> None:
    status, headers, problem = await served.get(f"{path}?{parameter}={wrong}")
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert (problem["type"], problem["parameter"]) == ("urn:stream-app:problem:unknown-name", parameter)
    hint = f"; did you mean {right!r}?" if right else ""
    assert problem["detail"] == f"unknown {parameter} {wrong!r}{hint}"
    assert problem.get("allowed", []) == ([right] if right else []), "no queue has a site"


async def test_before_anything_was_seen_no_name_is_called_wrong() -> None:
    empty = Served(Board(NOON))
    await empty.start()
    status, _, now = await empty.get("/v1/now?queue=saels&site=Leeds")
    await empty.runner.cleanup()
    assert (status, now["rows"]) == (200, [])


async def test_values_are_rounded_to_what_they_say(served: Served) -> None:
    _, _, now = await served.get("/v1/now")
    for row in now["rows"]:
        figures = [(name, f) for window in row["windows"].values() for name, f in window.items()]
        values = [(name, f["value"]) for name, f in figures] + list(row["levels"].items())
        for name, value in values:
            digits = 3 if BY_NAME[name].unit is Unit.SECONDS else 6
            assert value is None or value == round(value, digits), name
        for name, f in figures:
            for p in ("p50", "p90", "p95"):
                assert f.get(p) is None or f[p] == round(f[p], 2), name


async def test_what_is_not_there_says_where_all_is_listed(served: Served) -> None:
    _, _, problem = await served.get("/v1/nwo")
    assert problem["detail"] == "there is no /v1/nwo; /docs lists all paths"


async def test_now_of_some_kpis(served: Served) -> None:
    _, _, now = await served.get("/v1/now?kpi=csat&kpi=backlog&window=today")
    sales = now["rows"][1]
    assert (set(sales["windows"]["today"]), set(sales["levels"])) == ({"csat"}, {"backlog"})


async def test_rows_roll_up_and_say_where_they_belong(served: Served) -> None:
    site = {"sales": {"site": "Northwind", "partner": True}, "care": {"unit": "insurance"}}
    served.targets = Targets.of({"queues": site})
    _, _, now = await served.get("/v1/now?group=site&window=5m")
    assert [(row["site"], row["partner"], row["unit"]) for row in now["rows"]] == [
        (None, False, "insurance"),
        ("Northwind", True, None),
    ]
    assert [(group["name"], group["queues"]) for group in now["groups"]] == [("Northwind", 1), (None, 1)]
    assert set(now["groups"][0]["windows"]) == {"5m"}
    assert now["groups"][0]["windows"]["5m"]["handle_time"] == now["rows"][1]["windows"]["5m"]["handle_time"]
    _, _, now = await served.get("/v1/now?group=channel&site=Northwind")
    assert [group["name"] for group in now["groups"]] == ["voice"]
    _, _, now = await served.get("/v1/now?unit=insurance")
    assert [row["queue"] for row in now["rows"]] == ["care"]


async def test_money_is_decimal_text_by_currency(served: Served) -> None:
    _, _, now = await served.get("/v1/now?queue=sales&kpi=revenue_per_contact&window=today")
    figure = now["rows"][0]["windows"]["today"]["revenue_per_contact"]
    assert figure == {"value": None, "samples": 9, "amounts": {"EUR": "5.00"}}


async def test_who_is_at_risk(served: Served) -> None:
    for n, (queue, predicted) in enumerate([("sales", 2_400), ("care", 1_200), ("sales", 3_000)]):
        visit = Visit(
            queue,
            "voice",
            VisitState.TALKING,
            NOON - n,
            NOON,
            20_000,
            5_000,
            b"",
            agent="g",
            predicted=predicted,
        )
        served.board.put_visits("t.0", f"risky-{n}", [visit])
    _, headers, found = await served.get("/v1/at-risk")
    assert headers["Cache-Control"] == "no-store"
    assert [(one["contact_id"], one["predicted_csat"]) for one in found["contacts"]] == [
        ("risky-1", 1.2),
        ("risky-0", 2.4),
    ]
    assert {one["state"] for one in found["contacts"]} == {"talking"}
    assert datetime.fromisoformat(found["contacts"][1]["since"]).timestamp() * 1000 == NOON
    _, _, found = await served.get("/v1/at-risk?queue=sales")
    assert [one["contact_id"] for one in found["contacts"]] == ["risky-0"]
    page = (await served.get("/metrics"))[2].decode()
    assert 'cc_at_risk_contacts{queue="sales",channel="voice"} 1' in page
    assert "risky" not in page


def gave_up(queue: str, at: int, wait: int = 30_000, short: int = 5_000) -> Visit:
    return Visit(queue, "voice", VisitState.ABANDONED, at - wait, at, 20_000, short, b"", wait=wait)


async def test_who_gave_up_is_listed_for_an_hour_the_newest_first(served: Served) -> None:
    served.targets = Targets.of({"queues": {"care": {"site": "Leeds"}}})
    put_visits = served.board.put_visits
    put_visits("t.0", "old", [gave_up("sales", NOON - 3_600_000)])
    put_visits("t.0", "long", [gave_up("sales", NOON - 3_599_999, wait=61_500)])
    put_visits("t.1", "short", [gave_up("care", NOON - 60_000, wait=5_000)])
    put_visits("t.1", "back", [gave_up("care", NOON - 50_000)])
    put_visits(
        "t.1", "back", [Visit("care", "voice", VisitState.WAITING, NOON - 80_000, NOON, 20_000, 5_000, b"")]
    )
    _, headers, found = await served.get("/v1/abandoned")
    assert headers["Cache-Control"] == "no-store"
    assert (found["age_s"], found["stale"]) == (0.4, False)
    assert [(c["contact_id"], c["queue"], c["waited_s"], c["short"]) for c in found["contacts"]] == [
        ("short", "care", 5.0, True),
        ("long", "sales", 61.5, False),
    ]
    at = datetime.fromisoformat(found["contacts"][0]["abandoned_at"])
    assert at.timestamp() * 1000 == NOON - 60_000
    for query, who in (("queue=sales", ["long"]), ("site=Leeds", ["short"]), ("channel=chat", [])):
        _, _, found = await served.get(f"/v1/abandoned?{query}")
        assert [contact["contact_id"] for contact in found["contacts"]] == who


async def test_the_newest_two_hundred_are_enough(served: Served) -> None:
    for n in range(api.LISTED + 50):
        served.board.put_visits("t.0", f"c-{n}", [gave_up("sales", NOON - 1_000 * n)])
    _, _, found = await served.get("/v1/abandoned")
    assert [c["contact_id"] for c in found["contacts"]] == [f"c-{n}" for n in range(api.LISTED)]
    assert found["total"] == api.LISTED + 50


async def test_a_busy_queue_does_not_push_others_off_their_own_list(served: Served) -> None:
    for n in range(api.LISTED + 50):
        served.board.put_visits("t.0", f"c-{n}", [gave_up("sales", NOON - 1_000 * n)])
    served.board.put_visits("t.0", "older", [gave_up("care", NOON - 3_000_000)])
    _, _, found = await served.get("/v1/abandoned?queue=care")
    assert ([c["contact_id"] for c in found["contacts"]], found["total"]) == (["older"], 1)


async def test_short_ones_can_be_left_out_and_are_counted(served: Served) -> None:
    for n, wait in enumerate((30_000, 4_000, 5_000, 5_001)):
        served.board.put_visits("t.0", f"c-{n}", [gave_up("sales", NOON - n, wait=wait)])
    for query, who in (("", 4), ("?short=yes", 4), ("?short=no", 2)):
        _, _, found = await served.get(f"/v1/abandoned{query}")
        assert (len(found["contacts"]), found["total"], found["short"]) == (who, who, 2)
        assert any(contact["short"] for contact in found["contacts"]) == (query != "?short=no")


async def test_the_list_of_those_at_risk_says_how_many_there_are(served: Served) -> None:
    visit = Visit(
        "sales", "voice", VisitState.TALKING, NOON, NOON, 20_000, 5_000, b"", agent="g", predicted=1_200
    )
    served.board.put_visits("t.0", "risky", [visit])
    assert [(await served.get(f"/v1/at-risk?queue={q}"))[2]["total"] for q in ("sales", "care")] == [1, 0]


async def test_the_trend_of_all_or_some(served: Served) -> None:
    served.targets = Targets.of({"queues": {"care": {"unit": "insurance"}}})
    _, headers, trend = await served.get("/v1/trend")
    assert headers["Cache-Control"] == "no-store"
    assert len(trend["starts"]) == 25
    assert datetime.fromisoformat(trend["starts"][-1]).timestamp() * 1000 == NOON
    care, sales = trend["rows"]
    assert (care["queue"], sales["queue"]) == ("care", "sales")
    assert set(sales["kpis"]) == {"service_level", "abandonment", "first_response", "backlog", "handle_time"}
    level = sales["kpis"]["service_level"]
    assert level["values"] == [None] * 24 + [0.8889]
    assert level["samples"] == [0] * 24 + [9]
    assert sales["kpis"]["backlog"]["values"][-1] == 1
    assert "samples" not in sales["kpis"]["backlog"]
    _, _, trend = await served.get("/v1/trend?unit=insurance&kpi=backlog&kpi=handle_time")
    assert [(row["queue"], set(row["kpis"])) for row in trend["rows"]] == [
        ("care", {"backlog", "handle_time"})
    ]


async def test_a_long_trend_lets_others_in_between(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)
    for n in range(50):
        put(served.board, (f"q{n}", "voice"), busy_cell())
    served.publish()
    seen: list[int] = []
    row, trends = served._trends.row, []

    def slow(targets: Targets, queue: tuple[str, str], now: int) -> QueueTrend:
        trends.append(queue)
        return row(targets, queue, now)

    async def look_on() -> None:
        while len(trends) < 52:
            seen.append(len(trends))
            await asyncio.sleep(0)

    monkeypatch.setattr(served._trends, "row", slow)
    looking = asyncio.create_task(look_on())
    _, _, found = await served.get("/v1/trend")
    await looking
    assert len(found["rows"]) == 52
    assert len(set(seen)) > 40, "the event loop was held up"


async def test_a_bound_on_the_good_side_is_said(served: Served) -> None:
    served.targets = Targets.of({"queues": {"sales": {"too_good": {"handle_time": 120, "csat": 0.99}}}})
    _, _, now = await served.get("/v1/now")
    assert [row["too_good"] for row in now["rows"]] == [{}, {"handle_time": 120, "csat": 0.99}]
    _, _, now = await served.get("/v1/now?kpi=handle_time")
    assert now["rows"][1]["too_good"] == {"handle_time": 120}


async def test_what_has_no_data_is_null(served: Served) -> None:
    put(served.board, ("empty", "voice"), {1: 1})
    _, _, now = await served.get("/v1/now?queue=empty&window=5m")
    none = {"value": None, "samples": 0}
    percentiles = {"p50": None, "p90": None, "p95": None}
    assert now["rows"][0]["windows"]["5m"]["service_level"] == none
    assert now["rows"][0]["windows"]["5m"]["handle_time"] == none | percentiles


async def test_the_dictionary_has_every_kpi(served: Served) -> None:
    _, _, kpis = await served.get("/v1/kpis")
    assert [kpi["name"] for kpi in kpis] == [*(kpi.name for kpi in KPIS), *(kpi.name for kpi in FROM_LEDGER)]
    assert [kpi["name"] for kpi in kpis if kpi["ledger"]] == [kpi.name for kpi in FROM_LEDGER]
    fields = {"name", "title", "formula", "unit", "better", "target", "tier", "leading", "source", "pairs"}
    assert all(fields <= kpi.keys() for kpi in kpis)
    policies = {kpi["name"]: kpi["policies"] for kpi in kpis if kpi["policies"]}
    assert set(policies) - {kpi.name for kpi in FROM_LEDGER} == {"service_level"}
    assert policies["first_contact_resolution"].keys() >= {"by_repeat", "by_case"}
    assert policies["service_level"]["answered_only"] == "answered in target / answered"


async def test_metrics_are_for_prometheus(served: Served) -> None:
    status, headers, body = await served.get("/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'cc_backlog_contacts{queue="sales",channel="voice"} 1\n' in body


# --- whether to trust them ---


async def test_alive_and_ready(served: Served) -> None:
    assert (await served.get("/healthz"))[0] == 200
    status, _, ready = await served.get("/readyz")
    assert (status, ready["warnings"]) == (200, [])
    assert ready["clocks"] == {"serve": 0.002, "host:1": -0.25, "host:2": 0}


@pytest.mark.parametrize("ready", [True, False])
async def test_whose_clock_is_wrong_is_said_in_words_whether_ready_or_not(
    served: Served, ready: bool
) -> None:
    served.trust = Status(
        age_s=1 if ready else 11,
        max_age_s=10,
        skew_s=-1.5,
        skews=(Skew("t.0", "host:1", 120.04), Skew("t.1", "host:1", 120.04), Skew("t.2", "host:2", 1.0)),
    )
    status, _, said = await served.get("/readyz")
    assert status == (200 if ready else 503)
    assert said["warnings"] == [
        "the clock of this machine is 1.5 s behind Redis's: synchronise both by NTP",
        "the clock of worker host:1 is 120.0 s ahead of Redis's: synchronise both by NTP",
    ]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status(age_s=3, max_age_s=10, reasons=("Redis is away",)), "Redis is away"),
        (Status(age_s=10.1, max_age_s=10), "the data is 10.1 s old, more than 10 s"),
        (Status(age_s=None, max_age_s=10), "no heartbeat yet, so the age of the data is unknown"),
    ],
)
async def test_not_ready_says_why_everywhere(served: Served, status: Status, reason: str) -> None:
    served.trust = status
    code, headers, problem = await served.get("/readyz")
    assert (code, headers["Content-Type"]) == (503, "application/problem+json")
    assert (problem["status"], problem["reasons"]) == (503, [reason])
    assert (await served.get("/healthz"))[0] == 200
    assert (await served.get("/v1/now"))[2]["stale"] is True
    assert b"\ncc_ready 0\n" in (await served.get("/metrics"))[2]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", sorted(OF_THE_STORE))
async def test_before_anything_was_read_there_is_no_answer_but_why(
    served: Served, path: str, method: str
) -> None:
    served.trust = Status(age_s=None, max_age_s=10, reasons=("Redis is away: refused",), loaded=False)
    status, headers, problem = await served.get(path, method)
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("5", "no-store")
    if method == "GET":
        assert (problem["title"], problem["reasons"]) == ("Nothing read yet", ["Redis is away: refused"])
        assert problem["detail"].startswith("Redis is away: refused. serve has read nothing from Redis since")
    assert 503 in {op.path: op.fails for op in OPERATIONS}[path]


def test_every_path_with_data_is_one_of_those() -> None:
    """A new one is decided on here."""
    fixed = {
        "/v1/kpis",
        "/v1/stream",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/",
        "/people",
        "/plan",
        "/v1/agents/stream",
    }
    assert {op.path for op in OPERATIONS if op.method == "get"} == OF_THE_STORE | fixed


# --- errors ---


@pytest.mark.parametrize(
    ("path", "method", "status", "parameter"),
    [
        ("/v1/now?window=7m", "GET", 400, "window"),
        ("/v1/now?qeue=sales", "GET", 400, "qeue"),
        ("/v1/now?kpi=csta", "GET", 400, "kpi"),
        ("/v1/now?group=team", "GET", 400, "group"),
        ("/v1/now?group=site&group=unit", "GET", 400, "group"),
        ("/v1/at-risk?window=5m", "GET", 400, "window"),
        ("/v1/abandoned?window=5m", "GET", 400, "window"),
        ("/v1/abandoned?short=maybe", "GET", 400, "short"),
        ("/v1/trend?kpi=csat", "GET", 400, "kpi"),
        ("/v1/trend?window=5m", "GET", 400, "window"),
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

    monkeypatch.setattr(metrics, "rendered", break_down)
    code, _, problem = await served.get("/metrics")
    assert (code, problem) == (500, {"title": "Internal Server Error", "status": 500})


SVG = "http://www.w3.org/2000/svg"  # a name, which nobody loads
PATHS = [
    "/",
    "/v1/now",
    "/v1/kpis",
    "/v1/waiting",
    "/v1/at-risk",
    "/v1/abandoned",
    "/v1/trend",
    "/metrics",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/plan",
    "/static/wallboard.js",
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
    static = [r.canonical for r in served.runner.app.router.resources() if r.canonical.startswith("/static/")]
    assert len(static) > 8
    for path in ("/", "/plan", "/docs", *static):
        text = (await served.get(path))[2].decode().replace(SVG, "")
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
        assert "https://" not in text
        assert "innerHTML" not in text
        assert "style=" not in text
        assert "<script>" not in text


async def test_files_that_were_seen_are_not_sent_again(served: Served) -> None:
    _, headers, _ = await served.get("/static/wallboard.js")
    status, _, body = await served.get("/static/wallboard.js", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


# --- the description ---


async def test_the_description_is_complete_and_right(served: Served) -> None:
    _, _, document = await served.get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    served_paths = {r.canonical for r in served.runner.app.router.resources()}
    assert set(document["paths"]) == {path for path in served_paths if not path.startswith("/static/")}
    operations = [op for methods in document["paths"].values() for op in methods.values()]
    names = [op["operationId"] for op in operations]
    assert len(set(names)) == len(names)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    known = {
        "operationId",
        "summary",
        "description",
        "parameters",
        "requestBody",
        "responses",
        "x-codeSamples",
    }
    for operation in operations:
        assert operation.keys() <= known
        assert "200" in operation["responses"]
        for answer in operation["responses"].values():
            assert answer["description"]
            assert all("schema" in content for content in answer.get("content", {}).values())


@pytest.mark.parametrize(
    "path",
    [
        "/v1/now",
        "/v1/kpis",
        "/v1/waiting",
        "/v1/at-risk",
        "/v1/abandoned",
        "/v1/trend",
        "/healthz",
        "/readyz",
        "/v1/now?window=x",
    ],
)
async def test_answers_are_as_described(served: Served, path: str) -> None:
    _, _, document = await served.get("/openapi.json")
    put(served.board, ("empty", "voice"), {1: 1})
    served.board.put_visits("t.0", "gone", [gave_up("sales", NOON - 1)])
    status, headers, answer = await served.get(path)
    described = document["paths"][path.partition("?")[0]]["get"]["responses"][str(status)]["content"]
    schema = described[headers["Content-Type"].partition(";")[0]]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(answer)


async def test_the_description_can_be_read_by_people(served: Served) -> None:
    _, _, page = await served.get("/docs")
    text = unescape(page.decode())
    assert "<code>GET /v1/now</code>" in text
    assert "`" not in text
    for operation in OPERATIONS:
        assert re.search(
            rf"curl (-N |--json '.*' )?'http://127\.0\.0\.1:8080{re.escape(operation.path)}['?]", text
        )


async def test_every_example_is_a_question_that_is_answered(served: Served) -> None:
    for operation in OPERATIONS:
        other = {
            "/v1/stream",
            "/v1/forecast",
            "/v1/staffing",
            "/v1/intervals",
            "/v1/contacts",
            "/v1/why",
            "/v1/what-if",
            "/v1/ledger",
            "/v1/history",
        }  # endless, or with a world of their own
        if operation.example and operation.method == "get" and operation.path not in other:
            status, _, _ = await served.get(f"{operation.path}?{operation.example}")
            assert status == 200, operation.path


async def test_the_description_is_for_people(served: Served) -> None:
    text = (await served.get("/docs"))[2].decode()
    for path in PATHS[:-1]:
        assert f"GET {path}</code>" in text


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [reference for value in node.values() for reference in references(value)]
    return [r for value in node for r in references(value)] if isinstance(node, list) else []
