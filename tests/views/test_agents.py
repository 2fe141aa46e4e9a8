"""``/v1/agents``: who is there, in what order, for whom; and what changes."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from stream_app.model.fold.visit import VisitState
from stream_app.model.targets import Targets
from stream_app.views import metrics, naming
from stream_app.views.agents.api import AgentSource
from stream_app.views.agents.wire import AgentChange, AgentsAnswer
from stream_app.views.contacts.api import Admission
from stream_app.views.stamping import stamp
from tests.views.examples import FRESH, busy_board, snapshot
from tests.views.people import Agents, crowd, staff
from tests.views.serving import Served
from tests.views.test_metrics import looked_at, page, parsed, series
from tests.views.watcher import Watcher

LIMITS = Targets.of({"agents": {"limits": {"lunch": 15, "wrap": 0.5, "available": 60}}})
QUEUES = (("sales", "voice"), ("care", "chat"))

Serve = Callable[[AgentSource], Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    all_served: list[Served] = []

    async def start(source: AgentSource) -> Served:
        served = Served(busy_board(QUEUES), agents=source)
        served.targets = LIMITS
        staff(Agents(served.board))
        await served.start()
        all_served.append(served)
        return served

    yield start
    for served in all_served:
        await served.runner.cleanup()


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(AgentSource())


async def listed(served: Served, query: str = "") -> Any:
    status, _, answer = await served.get(f"/v1/agents?{query}")
    assert status == 200, answer
    msgspec.convert(answer, AgentsAnswer)
    return answer


async def test_everybody_is_listed_who_is_there_the_longest_over_their_limit_first(served: Served) -> None:
    answer = await listed(served)
    found = [(row["agent"], row["doing"], row["over_limit"]) for row in answer["rows"]]
    assert found == [
        ("cleo", "away", True),  # 6 minutes too long at lunch
        ("eve", "wrap", True),  # 35 s: what the platform told goes before what is set
        ("fay", "on_contact", False),
        ("dan", "on_contact", False),
        ("ann", "available", False),
        ("ben", "available", False),
    ]
    assert (answer["told"], answer["total"], answer["over_limit"], answer["next"]) == (True, 6, 2, None)
    assert answer["doing"] == {"available": 2, "on_contact": 2, "wrap": 1, "away": 1}
    rows = {row["agent"]: row for row in answer["rows"]}
    now = served.board.now
    assert rows["dan"] == {
        "agent": "dan",
        "doing": "on_contact",
        "since": stamp(now - 200_000),
        "state": "available",
        "reason": None,
        "work": None,
        "limit_at": None,
        "over_limit": False,
        "team": "blue",
        "site": "York",
        "queues": ["care", "sales"],
        "own_states": {"care": {"state": "meeting", "reason": None}},
        "slots": None,
        "contacts": [
            {
                "contact_id": "call-1",
                "url": None,
                "queue": "sales",
                "channel": "voice",
                "state": "held",
                "since": stamp(now - 200_000),
            }
        ],
        "handled_today": None,
        "missed_offers_today": None,
    }
    assert rows["cleo"]["limit_at"] == stamp(now - 360_000)
    assert rows["fay"]["slots"] == {"chat": {"slots": 2, "used": 2, "free": 0}}
    assert [contact["contact_id"] for contact in rows["fay"]["contacts"]] == ["chat-1", "chat-2"]
    assert [row["agent"] for row in (await listed(served, "doing=offline"))["rows"]] == ["gus"]
    longest = [row["agent"] for row in (await listed(served, "order=longest"))["rows"]]
    assert longest == ["cleo", "fay", "dan", "ann", "eve", "ben"]
    assert {row["agent"] for row in (await listed(served, "team=blue&site=York"))["rows"]} == {
        "cleo",
        "dan",
        "eve",
    }


async def test_the_list_of_a_queue_is_as_long_as_its_counts(served: Served) -> None:
    """Whoever is in a meeting in one queue and on a call of another is busy in both; pages together are the whole list."""
    crowd(served.board, 200, [*QUEUES, ("empty", "voice")])
    served.publish()
    counts = {row["queue"]: row["agents"] for row in (await served.get("/v1/now"))[2]["rows"]}
    for queue in ("sales", "care"):
        for doing in ("available", "on_contact", "wrap", "away"):
            query, seen = f"queue={queue}&doing={doing}", []
            path = f"/v1/agents?{query}&limit=7"
            while path:
                _, headers, page = await served.get(path)
                seen += [row["agent"] for row in page["rows"]]
                assert page["total"] == counts[queue][doing]["count"]
                path = page["next"]
                assert ("Link" in headers) == bool(path)
                assert "agent-" not in (path or "")
            assert len(seen) == len({*seen}) == counts[queue][doing]["count"]
            assert seen == [row["agent"] for row in (await listed(served, query))["rows"]]
    assert counts["care"]["slots"]["chat"]["free"] == sum(
        row["slots"]["chat"]["free"]
        for row in (await listed(served, "queue=care&limit=10000"))["rows"]
        if row["slots"] and row["own_states"].get("care", row)["state"] == "available"
    )
    status, _, problem = await served.get(f"/v1/agents?cursor={page['next'] or 'x'}")
    assert (status, problem["parameter"]) == (422, "cursor")


async def test_unknown_is_never_none(served: Served) -> None:
    _, _, answer = await served.get("/v1/now")
    assert {row["queue"]: row["agents"] is not None for row in answer["rows"]} == {
        "sales": True,
        "care": True,
    }
    sales = next(row["agents"] for row in answer["rows"] if row["queue"] == "sales")
    assert sales["available"] == {"count": 2, "since": stamp(served.board.now - 125_000)}
    assert sales["away"] == {"count": 1, "since": stamp(served.board.now - 1_260_000)}
    untold = busy_board(QUEUES)
    Agents(untold).has("zoe", "call-1", ("sales", "voice"), VisitState.TALKING, 20)
    assert [row.agents for row in snapshot(untold).rows] == [None, None]
    (zoe,) = untold.people.agents()
    assert (zoe.agent, zoe.doing, zoe.spell) == ("zoe", "on_contact", None)
    assert not untold.people.told
    agents = Agents(untold)
    agents.tell("zoe", "available", queues=("care",))
    counts = {row.queue: row.agents for row in snapshot(untold).rows}
    assert counts["sales"] is None
    assert counts["care"] is not None
    agents.tell("zoe", "offline")
    assert snapshot(untold).rows[0].agents is not None  # care: it is known that nobody is there


async def test_csv_has_the_same(served: Served) -> None:
    Agents(served.board).tell("=1+1", "break", 5, queues=("sales",))
    status, headers, body = await served.get("/v1/agents?format=csv")
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    rows = {row["agent"]: row for row in csv.DictReader(io.StringIO(body.decode(), newline=""))}
    assert rows.keys() == {"ann", "ben", "cleo", "dan", "eve", "fay", "'=1+1"}
    assert rows["dan"]["queues"] == "care (meeting); sales"
    assert (rows["fay"]["slots"], rows["fay"]["contacts"]) == ("chat 2 of 2", "2")
    assert (rows["cleo"]["over_limit"], rows["cleo"]["handled_today"]) == ("true", "")


async def test_it_is_not_sent_twice(served: Served) -> None:
    _, headers, _ = await served.get("/v1/agents")
    same = {"If-None-Match": headers["ETag"]}
    assert (await served.get("/v1/agents", **same))[0] == 304
    assert (await served.get("/v1/agents?doing=away", **same))[0] == 200
    served.board.advance(
        served.board.now + 3_600_000
    )  # now ann is over her limit as well: time alone does that
    assert (await served.get("/v1/agents", **same))[0] == 200
    served.board.advance(served.board.now)
    _, headers, _ = await served.get("/v1/agents")
    Agents(served.board).tell("ann", "break")
    assert (await served.get("/v1/agents", **{"If-None-Match": headers["ETag"]}))[0] == 200


async def test_the_stream_has_everybody_and_then_who_changed(served: Served) -> None:
    watcher = Watcher(served.url, path="/v1/agents/stream")
    first = msgspec.convert(await watcher.of("snapshot"), AgentChange)
    assert {row.agent for row in first.rows} == {"ann", "ben", "cleo", "dan", "eve", "fay", "gus"}
    whole = {row["agent"]: row for row in (await listed(served))["rows"]}
    for row in watcher.rows():
        if row["doing"] != "offline":
            assert row == {name: value for name, value in whole[row["agent"]].items() if name != "over_limit"}
    await watcher.of("beat")
    agents = Agents(served.board)
    agents.tell("ann", "training")
    agents.has("zoe", "call-2", ("sales", "voice"), VisitState.TALKING, 0)
    served.publish()
    change = await watcher.of("change")
    assert [(row["agent"], row["doing"]) for row in change["rows"]] == [
        ("zoe", "on_contact"),
        ("ann", "away"),
    ]
    served.board.put_visits("t.0", "call-2", [])
    served.publish()
    change = await watcher.of("change", 2)
    assert (change["rows"], change["gone"]) == ([], ["zoe"])
    served.targets = Targets.of({"agents": {"limits": {"training": 5}}})
    served.publish()
    again = await watcher.of("snapshot", 2)
    limits = {row["agent"]: row["limit_at"] for row in again["rows"]}
    assert limits["ann"] == stamp(served.board.now + 300_000)
    assert limits["cleo"] is None
    await watcher.stop()


@pytest.mark.parametrize(
    ("shown", "host", "asked", "status"),
    [
        ("auto", "127.0.0.1", "127.0.0.1:8080", 200),
        ("auto", "0.0.0.0", "127.0.0.1:8080", 403),  # noqa: S104 - what is refused
        ("auto", "127.0.0.1", "wallboard.example.org", 403),
        ("on", "0.0.0.0", "wallboard.example.org", 200),  # noqa: S104 - by name
        ("off", "127.0.0.1", "127.0.0.1", 403),
    ],
)
async def test_beyond_this_machine_agents_are_shown_only_by_name(
    serve: Serve, *, shown: Admission, host: str, asked: str, status: int
) -> None:
    served = await serve(AgentSource(shown, host))
    for path in ("/v1/agents", "/v1/agents/stream"):
        found, _, answer = await served.get(path, "HEAD" if "stream" in path else "GET", Host=asked)
        assert found == status
        if status == 403 and answer:
            assert "STREAM_APP_AGENTS=on" in answer["detail"]
    _, _, live = await served.get("/v1/now", Host=asked)
    assert [row["agents"]["available"]["count"] for row in live["rows"]] == [1, 2]


async def test_numbers_and_logs_name_nobody(served: Served) -> None:
    Agents(served.board).tell("canary-5b1f", "available", queues=("sales",), team="team-5b1f")
    with capture_logs() as logs:
        for path in (
            "/v1/agents",
            "/v1/agents?limit=1",
            "/v1/agents?agent=canary-5b1f",
            "/metrics",
            "/v1/now",
        ):
            _, _, body = await served.get(path)
            if path in {"/metrics", "/v1/now"}:
                assert "5b1f" not in (body.decode() if isinstance(body, bytes) else json.dumps(body))
    assert "5b1f" not in json.dumps(logs)


def test_metrics_count_agents_by_queue() -> None:
    board = busy_board((*QUEUES, ("sales", "email")))
    staff(Agents(board))
    shot, waits = looked_at(board, None)
    found = parsed(metrics.render(shot, waits, FRESH))
    agents = {key: value for key, value in found.items() if key[0].startswith("cc_agent")}
    counts = {("available", 2), ("on_contact", 1), ("wrap", 1), ("away", 1)}
    assert {
        (dict(labels)["doing"], value)
        for (name, labels), value in agents.items()
        if name == naming.AGENTS and dict(labels)["queue"] == "sales"
    } == counts
    assert agents[series(naming.AGENTS_LONGEST, queue="sales", doing="wrap")] == 95
    assert series(naming.AGENTS_LONGEST, queue="care", doing="wrap") not in agents
    assert agents[series(naming.AGENTS_OVER_LIMIT, queue="sales")] == 1  # Eve, by what the platform told
    assert agents[series(naming.AGENTS_OVER_LIMIT, queue="care")] == 0
    assert agents[series(naming.AGENT_SLOTS, queue="care", channel="chat")] == 5
    assert agents[series(naming.AGENT_SLOTS_USED, queue="care", channel="chat")] == 2
    assert len(agents) == 8 + (4 + 3) + 2 + 2
    limits = Targets.of({"agents": {"limits": {"lunch": 20, "on_contact": 3}}})
    over = parsed(metrics.render(looked_at(board, limits)[0], waits, FRESH))
    assert [over[series(naming.AGENTS_OVER_LIMIT, queue=queue)] for queue in ("sales", "care")] == [3, 3]
    assert not any(key[0].startswith("cc_agent") for key in parsed(page()))
