"""What is asked as the description says is never called wrong, and what is not, always is."""

import asyncio
import itertools
from calendar import isleap, monthrange
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from stream_app.model.ports import Intervals
from stream_app.views import openapi
from stream_app.views.intervals.query import TIME, BadQueryError, MisfitError, instant
from stream_app.views.plan.planner import BusyError, NoPlanError, Planner
from stream_app.views.plan.wire import Forecast, Outlook, Staffing
from stream_app.views.wire import encode
from tests.views.examples import busy_board
from tests.views.intervals.kept import MONDAY, Kept, stretch
from tests.views.serving import Served

DOCUMENT: Any = openapi.document()
READ = (path for path, methods in DOCUMENT["paths"].items() if "get" in methods)
PATHS = sorted(path for path in READ if not path.endswith("/stream"))  # which never ends
STRICT = sorted(path for path in PATHS if "400" in DOCUMENT["paths"][path]["get"]["responses"])
LONG = 7_900
MANY = settings.default.max_examples if settings.default else 0
Asked = list[tuple[str, str]]


class Refusing:
    """A planner that knows queues and has no plan."""

    async def forecast(self, *_: object) -> Forecast:
        raise NoPlanError("nobody reaches this")

    async def staffing(self, *_: object) -> Staffing:
        raise NoPlanError("nobody reaches this")

    async def outlook(self, *_: object) -> Outlook:
        raise BusyError("not now")  # a queue without a plan says so in its answer

    def channels(self, queue: str) -> list[str]:
        return ["voice"] if queue in self.queues() else []

    def queues(self) -> list[str]:
        return ["sales", "care"]

    def gauges(self) -> dict[Any, Any]:
        return {}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    kept: Intervals = Kept(stretch(MONDAY, MONDAY + 86_400_000))
    planner: Planner = Refusing()
    served = Served(busy_board(), kept, planner)
    await served.start()
    yield served
    await served.runner.cleanup()


def parameters(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DOCUMENT["paths"][path]["get"].get("parameters", [])
    return found


# --- what the schema allows ---


def values(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Values that a schema allows, as text; every keyword must be known, or the test would be looser than the description."""
    kind = schema["type"]
    if "enum" in schema:
        assert schema.keys() == {"type", "enum"}
        return st.sampled_from(schema["enum"])
    if kind == "integer":
        assert schema.keys() == {"type", "minimum", "maximum"}
        least, most = schema["minimum"], schema["maximum"]
        return st.one_of(st.sampled_from([least, most]), st.integers(least, most)).map(str)
    assert kind == "string"
    if schema.get("format") == "date":
        assert schema.keys() <= {"type", "format", "maxLength"}
        return st.dates().map(str)
    assert schema.keys() <= {"type", "pattern", "maxLength"}
    if pattern := schema.get("pattern"):
        return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    longest = st.just("x" * schema["maxLength"])
    return st.one_of(st.sampled_from(["sales", "voice"]), text, longest)


def given_values(parameter: dict[str, Any]) -> st.SearchStrategy[Asked]:
    schema, name = parameter["schema"], parameter["name"]
    if schema["type"] == "array":
        assert schema.keys() == {"type", "items", "maxItems"}
        many = st.just(schema["maxItems"]).flatmap(
            lambda n: st.lists(values(schema["items"]).filter(lambda v: len(v) < 20), min_size=n, max_size=n)
        )
        some = st.lists(values(schema["items"]), min_size=parameter["required"], max_size=3)
        return st.one_of(some, some, some, many).map(lambda found: [(name, one) for one in found])
    one = values(schema).map(lambda found: [(name, found)])
    return one if parameter["required"] else st.one_of(st.just([]), one)


def questions(path: str) -> st.SearchStrategy[Asked]:
    parts = st.tuples(*map(given_values, parameters(path))).map(lambda found: list(itertools.chain(*found)))
    return parts.filter(lambda asked: len(urlencode(asked)) < LONG)


async def ask(served: Served, path: str, asked: Asked) -> tuple[int, Any]:
    status, _, answer = await served.get(f"{path}?{urlencode(asked)}")
    return status, answer


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
async def test_what_the_description_allows_is_never_called_wrong(served: Served, path: str) -> None:
    """All at random, and each parameter by itself, which is where a description is too loose."""
    described = {int(status) for status in DOCUMENT["paths"][path]["get"]["responses"]}
    loop = asyncio.get_running_loop()

    def answered(asked: Asked) -> None:
        status, answer = asyncio.run_coroutine_threadsafe(ask(served, path, asked), loop).result(60)
        unknown = status == 400 and answer["type"] == "urn:stream-app:problem:unknown-name"
        assert unknown or status in described - {400}, (asked, answer)

    few, fewer = max(10, MANY // 2), max(6, MANY // 8)
    hypothesis = settings(max_examples=few, suppress_health_check=list(HealthCheck))
    await asyncio.to_thread(hypothesis(given(questions(path))(answered)))
    needed = [given_values(p) for p in parameters(path) if p["required"]]
    for one in parameters(path):
        others = [] if one["required"] else needed
        alone = st.tuples(*others, given_values({**one, "required": True})).map(
            lambda found: list(itertools.chain(*found))
        )
        await asyncio.to_thread(settings(hypothesis, max_examples=fewer)(given(alone)(answered)))


# --- what it does not allow ---


@pytest.mark.parametrize("path", STRICT)
async def test_what_it_does_not_allow_is_a_problem_that_names_the_parameter(
    served: Served, path: str
) -> None:
    needed = [(p["name"], p["schema"].get("enum", ["sales"])[0]) for p in parameters(path) if p["required"]]
    wrong: list[tuple[str, Asked]] = [("x" * 64, [("x" * 65, "")]), ("canary", [("canary", "1")])]
    for parameter in parameters(path):
        name, schema = parameter["name"], parameter["schema"]
        if schema["type"] == "array":
            wrong.append((name, [(name, "sales")] * (schema["maxItems"] + 1)))
        else:
            wrong.append((name, [(name, "sales")] * 2))
        item = schema.get("items", schema)
        wrong.append((name, [(name, "T" * LONG)]))
        if "maxLength" in item:
            wrong.append((name, [(name, "T" * (item["maxLength"] + 1))]))
        if item["type"] == "integer":
            outside = (item["minimum"] - 1, item["maximum"] + 1, "", "1.5", "1e1", "٣", "9" * 100)
            wrong += [(name, [(name, str(value))]) for value in outside]
        if "enum" in item or "pattern" in item or "format" in item:
            wrong += [(name, [(name, value)]) for value in ("", "canary", "\0", "2026-02-30", "\u017f")]
        if parameter["required"]:
            wrong.append((name, []))
    for name, asked in wrong:
        given_too = [one for one in needed if one[0] != name]
        status, answer = await ask(served, path, [*given_too, *asked])
        assert (status, answer["parameter"]) == (400, name), asked
        assert len(encode(answer)) < 4_096, "an answer does not repeat what is too long"


async def test_too_long_says_how_long_and_how_long_it_may_be(served: Served) -> None:
    for query, detail in (
        ("from=" + "T" * LONG, "a value may have at most 40 characters, got 7,900"),
        ("queue=a&queue=" + "b" * 257, "a value may have at most 256 characters, got 257"),
        ("&".join(["queue=a"] * 201), "expected at most 200 times, got 201 times"),
        ("tz=UTC&tz=UTC", "expected once, got 2 times"),
    ):
        _, _, problem = await served.get(f"/v1/intervals?{query}")
        assert problem["detail"] == detail


# --- times ---


def is_time(text: str) -> bool:
    try:
        instant("from", text, ZoneInfo("UTC"), named=True)
    except MisfitError:
        return True
    except BadQueryError:
        return False
    return True


def test_dates_are_those_of_the_calendar() -> None:
    for year in range(1960, 2210):
        for month, day in itertools.product(range(14), range(33)):
            exists = 1971 <= year < 2200 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
            assert is_time(f"{year}-{month:02}-{day:02}") == exists
    assert isleap(2000) is is_time("2000-02-29")


@given(st.from_regex(TIME.replace("$", r"\Z"), alphabet=st.characters(codec="ascii")))
def test_what_the_pattern_allows_is_a_time(text: str) -> None:
    assert is_time(text)


NO_TIMES = (
    "2026-01-05\n",
    "2026-01-05T08:00Z\n",
    "2026-01-05T24:00",
    "2026-01-05T08:00+24:00",
    "2026-01-05T08:00:60Z",
    "2026-01-05T",
    "2026-01-05t08:00z",
    " 2026-01-05",
    "2026-1-5",
    "20260105",
    "\u0662\u0660\u0662\u0666-01-05",
    "T" * LONG,
)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_it_does_not_allow_is_none(text: str) -> None:
    assert not is_time(text)
