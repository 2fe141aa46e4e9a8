"""``/v1/intervals``: what may be asked, what is refused, and how it is described."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from stream_app.views.intervals import query as queries
from stream_app.views.intervals.wire import IntervalsRow
from tests.views.examples import busy_board
from tests.views.serving import Served

from .asking import RANGE, get
from .kept import Kept

# --- errors ---

BAD = {
    "intervall=15m": ("intervall", "did you mean 'interval'?"),
    "interval=5m": ("interval", "unknown interval '5m'"),
    "interval=15m&interval=1h": ("interval", "expected once, got 2 times"),
    "format=xlsx": ("format", "unknown format 'xlsx'"),
    "outages=hide": ("outages", "unknown outages 'hide'"),
    "policy=best": ("policy", "unknown policy 'best'"),
    "tz=Europe/Berln": ("tz", "unknown tz 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    "tz=europe/berlin": ("tz", "did you mean 'Europe/Berlin'?"),
    "tz=../../etc/passwd": ("tz", "unknown tz"),
    "tz=localtime": ("tz", "unknown tz"),
    "tz=": ("tz", "unknown tz"),
    "from=yesterday": ("from", "expected a time, got 'yesterday'"),
    "to=2026-13-01": ("to", "expected a time, got '2026-13-01'"),
    "from=0001-01-01T00:00:00Z": ("from", "expected a year from 1971 to 2199"),
    "to=9999-12-31T23:59:59-12:00": ("to", "expected a year from"),
    "limit=0": ("limit", "expected a whole number from 1 to 10000"),
    "limit=10001": ("limit", "expected a whole number"),
    "limit=many": ("limit", "expected a whole number from 1 to 10000, got 'many'"),
    "limit=-1": ("limit", "expected a whole number"),
    "since=-1": ("since", "expected a whole number"),
    "since=1.5": ("since", "expected a whole number"),
    "since=" + "9" * 30: ("since", "expected a whole number"),
}
MISFITS = {
    "from=2020-01-01&to=2026-01-01&interval=1h": ("from", "use interval=1d"),
    "from=2025-01-01&to=2026-01-01&interval=30m": ("from", "use interval=1h"),
    "from=2026-01-06&to=2026-01-05": ("from", "from must be before to"),
    "from=2026-01-06&to=2026-01-06": ("from", "from must be before to"),
    "from=2100-01-06": ("from", "from must be before to, which is now"),
    "from=2025-01-01&to=2026-01-01": ("from", "365 days are too many for interval=15m; use interval=1h"),
    "from=2000-01-01&to=2026-01-01&interval=1d": ("from", "9,497 days are too many for interval=1d"),
    "from=2026-01-05T08:00:00": ("from", "expected an offset or, in tz, a time zone for"),
    "tz=Europe/Berlin&from=2026-03-29T02:30&to=2026-03-30": (
        "from",
        "the clock of Europe/Berlin skips 2026-03-29T02:30:00",
    ),
    "tz=Europe/Berlin&from=2026-10-24&to=2026-10-25T02:30": (
        "to",
        "2026-10-25T02:30:00 occurs twice in Europe/Berlin",
    ),
    "since=1&interval=1h": ("since", "only 15-minute rows have revisions"),
    "since=1&from=2026-01-05": ("from", "can't be combined with since"),
    "since=1&cursor=x": ("cursor", "can't be combined with since"),
    "cursor=!": ("cursor", "not a cursor"),
    "cursor=%C3%A4": ("cursor", "not a cursor"),
    "cursor=W10": ("cursor", "not a cursor"),
    f"{RANGE}&cursor=WzEsInEiLCJjIiwwLCIiLDAsMF0": ("cursor", "a cursor of another range"),
    "format=connect&interval=1h": ("interval", "connect does not accept rows of 1h"),
    "format=genesys&interval=1d": ("interval", "genesys does not accept rows of 1d"),
}
"""Right by themselves, but not together, or not now."""


@pytest.mark.parametrize("query", BAD | MISFITS)
async def test_what_is_wrong_names_the_parameter_and_what_is_allowed(rows: Served, query: str) -> None:
    status, headers, problem = await rows.get(f"/v1/intervals?{query}")
    assert (status, headers["Content-Type"]) == (400 if query in BAD else 422, "application/problem+json")
    parameter, detail = (BAD | MISFITS)[query]
    assert problem["parameter"] == parameter
    assert detail in problem["detail"]
    assert "\n" not in problem["detail"]
    if parameter not in {"cursor", "from"} and "times" not in detail:
        assert problem["allowed"]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-10-01&to=2026-12-02&tz=Europe/Berlin",  # 62 dates, one of which has 25 hours
        "from=2026-01-01&to=2026-03-04",
        "from=2015-01-01&to=2025-12-14&interval=1d&tz=Australia/Lord_Howe",
        "interval=1h&from=2025-01-01&to=2026-02-05",
    ],
)
async def test_the_longest_ranges_are_answered(rows: Served, query: str) -> None:
    assert (await get(rows, f"{query}&limit=1"))["interval"]


async def test_a_plus_sign_that_nobody_encoded_is_still_an_offset(rows: Served) -> None:
    answer = await get(rows, "from=2026-01-05T09:00:00+01:00&to=2026-01-05T10:00:00+01:00&queue=billing")
    assert answer["from"] == "2026-01-05T08:00:00+00:00"
    assert len(answer["rows"]) == 4


async def test_a_date_begins_with_its_first_moment_also_where_midnight_is_skipped_or_comes_twice(
    rows: Served,
) -> None:
    for zone, day, begins in (
        ("Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"),
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),
    ):
        answer = await get(rows, f"tz={zone}&from={day}&to=2026-11-02&interval=1d")
        assert answer["from"] == begins


async def test_without_rows_or_with_a_store_that_is_away_it_says_so(rows: Served, kept: Kept) -> None:
    kept.down = True
    status, headers, problem = await rows.get("/v1/intervals")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "is unavailable" in problem["detail"]
    bare = Served(busy_board())
    await bare.start()
    status, headers, problem = await bare.get("/v1/intervals")
    await bare.runner.cleanup()
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert "not configured" in problem["detail"]


# --- the description ---


@pytest.mark.parametrize(
    "query",
    [
        RANGE,
        f"{RANGE}&interval=1d&tz=Asia/Kathmandu&limit=1",
        "since=0&limit=5",
        "tz=x",
        "since=9999999999999999",
    ],
)
async def test_answers_are_as_described(rows: Served, query: str) -> None:
    _, _, document = await rows.get("/openapi.json")
    status, headers, answer = await rows.get(f"/v1/intervals?{query}")
    described = document["paths"]["/v1/intervals"]["get"]["responses"][str(status)]["content"]
    schema = described[headers["Content-Type"].partition(";")[0]]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(answer)


async def test_every_parameter_status_and_field_is_described(rows: Served) -> None:
    _, _, document = await rows.get("/openapi.json")
    operation = document["paths"]["/v1/intervals"]["get"]
    assert {p["name"] for p in operation["parameters"]} == set(queries.PARAMETERS)
    once = {p["name"] for p in operation["parameters"] if p["schema"]["type"] != "array"}
    assert once == set(queries.SINGLE)
    assert set(operation["responses"]) == {"200", "304", "400", "422", "501", "503"}
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json",
        "text/csv",
        "application/vnd.apache.parquet",
    }
    fields = document["components"]["schemas"]["IntervalsRow"]["properties"]
    assert set(fields) == set(IntervalsRow.__struct_fields__)
    page = (await rows.get("/docs"))[2].decode()
    assert "GET /v1/intervals</code>" in page
    assert "answered_in_target" in page
