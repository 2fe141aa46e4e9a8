"""``/v1/why`` on a real server, over a real ledger: every KPI as /v1/now has it, and nobody sees contacts who should not."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.whys import LedgerWhys, NoWhys
from stream_app.model.contacts import ContactsAwayError, TooMuchAskedError
from stream_app.model.fold.cells import unpack_cell
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.live.board import Board
from stream_app.model.targets import Targets
from stream_app.model.why import Explainer, Why, WhyQuery
from stream_app.store.moments import PartitionMoment
from stream_app.views.contacts.api import Admission, ContactSource
from stream_app.views.screen import Screen
from tests.views.serving import Served

from .centre import Centre
from .serving import Numbers
from .streams_of_customers import T0, WEEKS, Weeks

LINK = "https://platform.example/contacts/{contact_id}"
COSTS = {"cost_per_hour": 30, "currency": "EUR", "zone": "Europe/Berlin"}
Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, partitions=2, contacts=120)
    await made.claim()
    for desk in made.desks:
        await desk.count(500)
        await desk.write()
        await desk.count(100)
    yield made
    await made.close()


async def board_of(centre: Centre) -> Board:
    """What readers make of the same Redis."""
    names = await centre.moments.names()
    queues, channels = ({n: name for name, n in names[kind].items()} for kind in ("queue", "channel"))
    found: list[PartitionMoment] = [
        await centre.moments.read(desk.partition, since=0) for desk in centre.desks
    ]
    board = Board(max(one.time for one in found) + 7_000, names["counter"])
    for one in found:
        for (resolution, start, field), cell in one.cells.items():
            queue, _, channel = field.partition(b".")
            assert unpack_cell(cell)
            place = queues[int(queue)], channels[int(channel)]
            board.put_cells(str(one.partition), resolution, start, [(place, cell)])
        for contact, visit in one.open_visits():
            board.put_visits(str(one.partition), contact, [visit])
    board.advance(board.now)
    return board


@pytest.fixture
async def serve(centre: Centre) -> AsyncIterator[Serve]:
    started: list[Served] = []

    async def start(
        whys: Explainer | None = None, shown: Admission = "auto", host: str = "127.0.0.1"
    ) -> Served:
        source = ContactSource(centre.contacts, shown, host, whys)
        served = Served(await board_of(centre), screen=Screen(contact_url=LINK), contacts=source)
        await served.start()
        started.append(served)
        return served

    yield start
    for served in started:
        await served.runner.cleanup()


async def test_every_kpi_is_what_now_shows_and_the_answer_is_as_described(
    centre: Centre, serve: Serve
) -> None:
    served = await serve(LedgerWhys(centre.reader))
    _, _, now = await served.get("/v1/now?queue=sales&channel=voice")
    (row,) = now["rows"]
    _, _, document = await served.get("/openapi.json")
    content = document["paths"]["/v1/why"]["get"]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}
    validator = Draft202012Validator(schema)
    explained = 0
    for kpi in KPIS:
        for window in [None] if kpi.is_level else kpi.windows:
            of = "" if window is None else f"&window={window}"
            status, headers, found = await served.get(
                f"/v1/why?kpi={kpi.name}&queue=sales&channel=voice&limit=10000{of}"
            )
            assert (status, headers["Cache-Control"]) == (200, "no-store"), found
            validator.validate(found)
            if window is None:
                assert found["figure"]["value"] == row["levels"][kpi.name], kpi.name
            else:
                shown = row["windows"][window][kpi.name]
                without = {name: n for name, n in shown.items() if name not in {"p50", "p90", "p95"}}
                assert found["figure"] == without, (kpi.name, window)
            explained += bool(found["rows"])
            for one in found["rows"]:
                if one["contact_id"]:
                    assert one["url"] == LINK.format(contact_id=quote(one["contact_id"], safe=""))
            assert found["unknown"] == []
            assert found["positions"] == {str(desk.partition): desk.position for desk in centre.desks}
    assert explained > 40


async def test_every_kpi_of_the_ledger_opens_and_is_what_its_route_shows(
    redis_url: str, tmp_path: Path
) -> None:
    """Of customers and agents, too; and what its rows are about is named, with a link where there is a contact."""
    lines = Weeks(7).tell(160)
    numbers = Numbers(redis_url, tmp_path / "ledger", lines, Targets.of({"defaults": COSTS}))
    numbers.now = T0 + WEEKS
    try:
        await numbers.begin()
        await numbers.desk.count(len(lines) // 2)
        await numbers.desk.write()
        await numbers.desk.count(len(lines))
        served = await numbers.serve((("x", "voice"), ("y", "voice")), refresh=False)
        figures: dict[str, Any] = {}
        for group in ("team", "segment"):
            shown = (await numbers.get(f"/v1/ledger?window=28d&group={group}"))["all"]
            figures |= {name: one for name, one in shown.items() if one["samples"] is not None}
        _, _, document = await served.get("/openapi.json")
        content = document["paths"]["/v1/why"]["get"]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"] | {"components": document["components"]}
        validator = Draft202012Validator(schema)
        opened = Counter[str]()
        for kpi in FROM_LEDGER:
            for policy, settled in product(kpi.measures, ("no", "yes") if kpi.settles else ("no",)):
                by = f"&policy={policy}" if policy else ""
                found = await numbers.get(
                    f"/v1/why?kpi={kpi.name}&window=28d&settled={settled}&limit=10000{by}"
                )
                validator.validate(found)
                shown = figures[kpi.name]
                if policy in kpi.policies:
                    shown = shown["policies"][policy]
                elif policy:
                    shown = {"value": shown["parts"][policy], "samples": shown["samples"]}
                of = "settled_" if settled == "yes" else ""
                figure = found["figure"]
                assert (figure["value"], figure["samples"]) == (shown[f"{of}value"], shown[f"{of}samples"])
                assert figure.get("amounts") == shown.get("amounts"), (kpi.name, policy)
                assert sum(row["denominator"] or 0 for row in found["rows"]) == (found["denominator"] or 0)
                for row in found["rows"]:
                    assert row["contact_id"] or row["case"] or row["customer"] or row["item"] or row["agent"]
                    assert (row["url"] is None) == (row["contact_id"] is None)
                opened[kpi.name] += found["total"]
        assert all(opened[kpi.name] for kpi in FROM_LEDGER), opened
    finally:
        await numbers.close()


async def test_csv_has_the_contacts_and_pages_lead_to_each_other(centre: Centre, serve: Serve) -> None:
    served = await serve(LedgerWhys(centre.reader))
    path = "/v1/why?kpi=service_level&window=1h&limit=10000"
    _, _, whole = await served.get(path)
    _, headers, body = await served.get(f"{path}&format=csv")
    rows = [*csv.DictReader(StringIO(body.decode(), newline=""))]
    assert headers["X-Total"] == str(len(rows)) == str(whole["total"])
    assert [row["contact_id"] for row in rows] == [row["contact_id"] or "" for row in whole["rows"]]
    assert whole["total"] > 20
    following: str | None = "/v1/why?kpi=service_level&window=1h&limit=7"
    found: list[Any] = []
    while following:
        _, _, page = await served.get(following)
        found += page["rows"]
        assert page["figure"] == whole["figure"]
        following = page["next"]
    assert found == whole["rows"]


async def test_what_a_number_is_made_of_can_be_asked_again(centre: Centre, serve: Serve) -> None:
    """Intervals and other KPIs link to explanations that say the same."""
    served = await serve(LedgerWhys(centre.reader))
    _, _, found = await served.get("/v1/why?kpi=service_level_compliance&limit=20")
    assert found["total"] == found["denominator"] >= 1
    for one in found["intervals"]:
        _, _, of = await served.get(one["why"])
        assert (of["figure"]["value"], of["figure"]["samples"]) == (one["value"], one["samples"])
    _, _, found = await served.get("/v1/why?kpi=backlog_work&queue=sales")
    assert found["parts"]
    for part in found["parts"]:
        for one in part["of"]:
            _, _, of = await served.get(one["why"])
            assert of["figure"]["value"] == one["value"]


@pytest.mark.parametrize(
    ("asked", "status", "parameter"),
    [
        ("", 400, "kpi"),
        ("kpi=service_levle", 400, "kpi"),
        ("kpi=service_level&window=7d", 422, "window"),
        ("kpi=service_level&settled=yes", 422, "settled"),
        ("kpi=first_contact_resolution&window=1h", 422, "window"),
        ("kpi=reopen&policy=by_case", 422, "policy"),
        ("kpi=churn&settled=yes", 422, "settled"),
        ("kpi=churn&queue=sales", 422, "queue"),
        ("kpi=backlog&window=30m", 422, "window"),
        ("kpi=backlog&from=2025-11-22", 422, "from"),
        ("kpi=handle_time&policy=answered_only", 422, "policy"),
        ("kpi=handle_time&window=30m&from=2025-11-22", 422, "window"),
        ("kpi=handle_time&from=2025-11-22&to=2025-11-21&tz=UTC", 422, "from"),
        ("kpi=time_to_clear&format=csv", 422, "format"),
        ("kpi=handle_time&queue=nowhere", 400, "queue"),
        ("kpi=handle_time&limit=0", 400, "limit"),
        ("kpi=handle_time&skip=x", 400, "skip"),
    ],
)
async def test_what_is_wrong_is_named(
    centre: Centre, serve: Serve, asked: str, status: int, parameter: str
) -> None:
    served = await serve(LedgerWhys(centre.reader))
    found, _, problem = await served.get(f"/v1/why?{asked}")
    assert (found, problem["parameter"]) == (status, parameter)
    assert problem["detail"]


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
async def test_beyond_this_machine_nothing_is_explained_unless_switched_on(
    centre: Centre, serve: Serve, *, shown: Admission, host: str, asked: str, status: int
) -> None:
    served = await serve(LedgerWhys(centre.reader), shown, host)
    found, _, answer = await served.get("/v1/why?kpi=backlog", Host=asked)
    assert found == status
    if status == 403:
        assert "STREAM_APP_CONTACTS=on" in answer["detail"]
        assert "rows" not in answer


class Failing:
    """What explains numbers, and can't now."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def why(self, query: WhyQuery, targets: Targets) -> Why:
        del query, targets
        raise self._error


@pytest.mark.parametrize(
    ("whys", "status", "said"),
    [
        (None, 503, "set STREAM_APP_LEDGER"),
        (NoWhys("the ledger needs duckdb: pip install"), 501, "the ledger needs duckdb"),
        (Failing(ContactsAwayError("disk")), 503, "unavailable; try again"),
        (Failing(TooMuchAskedError("no answer within 20 s")), 422, "no answer within 20 s"),
    ],
)
async def test_what_can_not_be_explained_is_said(
    serve: Serve, *, whys: Explainer | None, status: int, said: str
) -> None:
    served = await serve(whys)
    found, _, problem = await served.get("/v1/why?kpi=handle_time")
    assert (found, said in problem["detail"]) == (status, True)


async def test_times_that_are_not_known_are_named(centre: Centre, serve: Serve) -> None:
    """A worker that keeps no ledger counted meanwhile."""
    late = centre.desks[0]
    await late.claim(keeps_ledger=False)
    assert await late.count(20)
    served = await serve(LedgerWhys(centre.reader))
    _, headers, found = await served.get("/v1/why?kpi=offered&window=1h")
    assert found["unknown"]
    assert headers["X-Unknown"]
    _, _, level = await served.get("/v1/why?kpi=backlog")
    assert level["unknown"] == [], "whatever is open is in Redis"
