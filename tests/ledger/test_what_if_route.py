"""``/v1/what-if`` on a real server, over a real ledger: as the command has it, and hostile questions are answered kindly."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator

from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.querying import TooSlowQueryError
from stream_app.ledger.reading import ReadRange
from stream_app.ledger.what_ifs import LedgerWhatIfs, NoWhatIfs
from stream_app.model.contacts import ContactsAwayError, TooMuchAskedError
from stream_app.model.durations import DAY
from stream_app.model.targets import Targets
from stream_app.model.what_if import WhatIf, WhatIfAnswerer, WhatIfQuery
from stream_app.views.contacts.api import Admission, ContactSource
from stream_app.views.stamping import stamp
from stream_app.views.what_if.query import MOST_SETTINGS
from tests.reference.traffic import START_MS
from tests.services.command import run_command
from tests.views.serving import Served

from .centre import Centre
from .test_why_route import board_of

Serve = Callable[..., Awaitable[Served]]
RANGE = {"from": stamp(START_MS // 10_000 * 10_000 - DAY), "to": stamp(START_MS // 10_000 * 10_000 + 2 * DAY)}


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


@pytest.fixture
async def serve(centre: Centre) -> AsyncIterator[Serve]:
    started: list[Served] = []

    async def start(
        what_ifs: WhatIfAnswerer | None = None, shown: Admission = "auto", host: str = "127.0.0.1"
    ) -> Served:
        source = ContactSource(centre.contacts, shown, host, what_ifs=what_ifs)
        served = Served(await board_of(centre), contacts=source)
        await served.start()
        started.append(served)
        return served

    yield start
    for served in started:
        await served.runner.cleanup()


def path(*changes: str, **asked: str) -> str:
    return "/v1/what-if?" + urlencode([*(("set", change) for change in changes), *(RANGE | asked).items()])


def by_command(redis_url: str, ledger: Path, *changes: str, queue: str | None = None) -> Any:
    options = ["--from", RANGE["from"], "--to", RANGE["to"]]
    options += [part for change in changes for part in ("--set", change)]
    options += ["--queue", queue] if queue else []
    env = {**os.environ, "REDIS_URL": redis_url, "STREAM_APP_LEDGER": str(ledger)}
    done = run_command("what-if", "--json", *options, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("changes", "queue"),
    [
        (("queues.sales.answer_target_s=3600", "channels.voice.short_abandon_s=1"), None),
        (("defaults={answer_target_s=1, short_abandon_s=1}",), "sales"),
    ],
)
async def test_it_is_what_the_command_says_and_as_described(
    centre: Centre, tmp_path: Path, serve: Serve, *, changes: tuple[str, ...], queue: str | None
) -> None:
    served = await serve(LedgerWhatIfs(centre.reader))
    status, headers, found = await served.get(path(*changes, **({"queue": queue} if queue else {})))
    assert (status, headers["Cache-Control"]) == (200, "no-store"), found
    assert found == by_command(centre.redis_url, tmp_path / "ledger", *changes, queue=queue)
    _, _, document = await served.get("/openapi.json")
    content = document["paths"]["/v1/what-if"]["get"]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(found)
    levels = [one for one in found["rows"] if one["kpi"] == "service_level" and one["queue"] is None]
    assert len(levels) == len({one["policy"] for one in levels}) == 9
    assert any(one["was"] != one["would"] for one in levels)
    queues = {one["queue"] for one in found["rows"]} - {None}
    assert queues == {queue} if queue else len(queues) >= 4


async def test_other_queues_stay_as_they_were_and_so_do_the_settings_in_force(
    centre: Centre, serve: Serve
) -> None:
    served = await serve(LedgerWhatIfs(centre.reader))
    _, _, same = await served.get(path("queues.sales.answer_target_s=60"))
    for one in same["rows"]:
        if one["queue"] not in {None, "sales"}:
            assert (one["was"], one["samples_was"]) == (one["would"], one["samples_would"])
    assert served.targets == Targets()


@pytest.mark.parametrize(
    ("asked", "status", "parameter", "said"),
    [
        ("", 400, "set", "expected a target to try"),
        ("set=sales", 422, "set", "expected targets as in a TOML file"),
        ("set=outages=[]", 422, "set", "expected a setting of defaults, channels or queues"),
        ("set=queues.sales.answer_target=5", 422, "set", "queues.sales.answer_target"),
        ("set=queues.sales.answer_target_s=1979-05-27", 422, "set", "queues.sales.answer_target_s"),
        ("set=queues.sales.answer_target_s=-1", 422, "set", "queues.sales.answer_target_s"),
        ("set=queues.sales.answer_target_s=nan", 422, "set", "queues.sales.answer_target_s"),
        ("set=defaults.bot='talks'%26set=x", 422, "set", "TOML"),
        ("set=queues.sales.site='Graz'", 422, "set", "queues.sales.site changes no number"),
        ("set=defaults.answer='assignment'", 422, "set", "can't be tried on contacts that are over"),
        ("set=" + "a=" + "[" * 900, 422, "set", "brackets"),
        ("set=" + ".".join("a" * 490) + "=1", 422, "set", "expected a setting of"),
        ("set=" + "q" * 1_001, 400, "set", "at most 1,000 characters"),
        ("&".join(["set=defaults={}"] * (MOST_SETTINGS + 1)), 400, "set", "at most 50 times"),
        ("set=defaults={}&queue=nowhere", 400, "queue", "unknown queue"),
        ("set=defaults={}&from=2025-11-22&to=2025-11-21", 422, "from", "before to"),
        ("set=defaults={}&from=1990-01-01&to=2025-11-21", 422, "from", "too many"),
        ("set=defaults={}&policy=answered_only", 400, "policy", "unknown parameter"),
    ],
)
async def test_what_is_wrong_is_named(
    centre: Centre, serve: Serve, *, asked: str, status: int, parameter: str, said: str
) -> None:
    served = await serve(LedgerWhatIfs(centre.reader))
    times = "" if "from=" in asked else f"&from={quote(RANGE['from'])}&to={quote(RANGE['to'])}"
    found, headers, problem = await served.get(f"/v1/what-if?{asked}{times if asked else ''}")
    assert headers["Content-Type"] == "application/problem+json"
    assert (found, problem["parameter"]) == (status, parameter), problem
    assert said in problem["detail"]
    assert len(problem["detail"]) < 600


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
async def test_beyond_this_machine_it_is_answered_only_where_switched_on(
    centre: Centre, serve: Serve, *, shown: Admission, host: str, asked: str, status: int
) -> None:
    served = await serve(LedgerWhatIfs(centre.reader), shown, host)
    found, _, answer = await served.get(path("defaults={}"), Host=asked)
    assert found == status
    assert ("rows" in answer) == (status == 200)


class Failing:
    """What judges contacts anew, and can't now."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def what_if(self, query: WhatIfQuery, targets: Targets) -> WhatIf:
        del query, targets
        raise self._error


@pytest.mark.parametrize(
    ("what_ifs", "status", "said"),
    [
        (None, 503, "set STREAM_APP_LEDGER"),
        (NoWhatIfs("the ledger needs duckdb: pip install"), 501, "the ledger needs duckdb"),
        (Failing(ContactsAwayError("disk")), 503, "unavailable; try again"),
        (Failing(TooMuchAskedError("no answer within 20 s")), 422, "no answer within 20 s"),
    ],
)
async def test_what_can_not_be_answered_is_said(
    serve: Serve, *, what_ifs: WhatIfAnswerer | None, status: int, said: str
) -> None:
    served = await serve(what_ifs)
    found, _, problem = await served.get(path("defaults={}"))
    assert (found, said in problem["detail"]) == (status, True)


async def test_a_question_that_takes_too_long_is_ended(centre: Centre, serve: Serve) -> None:
    served = await serve(LedgerWhatIfs(centre.reader, timeout_s=0))
    status, _, problem = await served.get(path("defaults={}"))
    assert (status, problem["parameter"]) == (422, "from")
    wanted = ReadRange(("visits",), 0, 2**42)
    async with centre.reader.opened(lambda _: wanted) as ledger:

        def endless() -> int:
            return sum(len(rows) for rows in ledger.queries.batches("SELECT * FROM range(1000000000000)"))

        since = monotonic()
        with pytest.raises(TooSlowQueryError):
            await ledger.queries.within(endless, 0.1)
        assert monotonic() > since, "and its thread has ended, or this would not be reached"


async def test_times_that_are_not_known_are_named(centre: Centre, serve: Serve) -> None:
    """A worker that keeps no ledger counted meanwhile."""
    late = centre.desks[0]
    await late.claim(keeps_ledger=False)
    assert await late.count(20)
    served = await serve(LedgerWhatIfs(centre.reader))
    _, headers, found = await served.get(path("defaults={}"))
    assert found["unknown"]
    assert headers["X-Unknown"]
