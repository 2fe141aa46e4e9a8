"""``/v1/intervals`` on a real server: what planners' programs are told, page by page."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator
from msgspec import structs

from stream_app.model.intervals import QUARTER
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.views.intervals import pages, query as queries
from stream_app.views.intervals.pages import page
from stream_app.views.intervals.query import parse
from stream_app.views.intervals.wire import IntervalsRow, wired
from tests.views.examples import NOON, busy_board
from tests.views.serving import Served

from .kept import HOUR, MONDAY, Kept, busy, stretch

RANGE = "from=2026-01-05&to=2026-01-07"
LAST = MONDAY + 48 * HOUR + 2
"""The largest revision there is."""


async def get(served: Served, query: str) -> dict[str, Any]:
    status, _, answer = await served.get(f"/v1/intervals?{query}")
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


async def every_page(served: Served, query: str) -> list[dict[str, Any]]:
    """Rows of all pages, by following ``next``."""
    found, path = [], f"/v1/intervals?{query}"
    while path:
        status, _, answer = await served.get(path)
        assert status == 200, answer
        found += answer["rows"]
        path = answer["next"]
    return found


# --- a row ---


async def test_a_row_says_everything(rows: Served, kept: Kept) -> None:
    kept.put(
        structs.replace(
            busy(MONDAY, "care", "voice"),
            offered=100,
            answered=85,
            answered_in_target=70,
            abandoned=13,
            abandoned_in_target=8,
            abandoned_short=4,
            left=1,
            left_in_target=1,
            lost=0,
            refused=2,
            handled=80,
            talk_ms=14_400_001,
            hold_ms=1_999,
            wrap_ms=800_000,
            wait_ms=850_123,
            abandon_wait_ms=130_000,
            longest_wait_ms=90_001,
            backlog_start=3,
            backlog_max=9,
            final=True,
            revision=MONDAY + 20 * 60_000,
            version=2,
        )
    )
    answer = await get(
        rows, "queue=care&from=2026-01-05T01:00:00%2B01:00&to=2026-01-05T01:15:00%2B01:00&tz=Europe/Berlin"
    )
    assert answer["rows"] == [
        {
            "start": "2026-01-05T01:00:00+01:00",
            "minutes": 15,
            "queue": "care",
            "channel": "voice",
            "offered": 100,
            "answered": 85,
            "answered_in_target": 70,
            "abandoned": 13,
            "abandoned_in_target": 8,
            "abandoned_short": 4,
            "left": 1,
            "left_in_target": 1,
            "lost": 0,
            "waiting": 1,
            "refused": 2,
            "handled": 80,
            "talk_s": 14_400.001,
            "hold_s": 1.999,
            "wrap_s": 800.0,
            "wait_s": 850.123,
            "abandon_wait_s": 130.0,
            "longest_wait_s": 90.001,
            "backlog_start": 3,
            "backlog_max": 9,
            "service_level": 0.729167,
            "abandonment": 0.09375,
            "average_speed_of_answer_s": 10.001,
            "average_abandon_wait_s": 10.0,
            "average_handle_time_s": 190.025,
            "final": True,
            "revision": MONDAY + 20 * 60_000,
            "version": 2,
            "revised_at": "2026-01-05T00:20:00.000+00:00",
            "missing": 0,
            "policy": "without_short_abandons",
            "waits_by": "queued",
            "handling_by": "completed",
            "outage": None,
        }
    ]
    assert list(answer["rows"][0]) == list(IntervalsRow.__struct_fields__)
    assert list(answer) == ["at", "interval", "tz", "from", "to", "rows", "next", "revision"]
    assert (answer["interval"], answer["tz"], answer["next"]) == ("15m", "Europe/Berlin", None)
    assert (answer["from"], answer["to"]) == ("2026-01-05T01:00:00+01:00", "2026-01-05T01:15:00+01:00")
    assert answer["revision"] == MONDAY + 20 * 60_000


# 100 offered, 70 answered within T and 15 later; 4 gave up shortly, 4 more within T, 5 later; 2 left, one of them within T.
POLICIES = {
    "answered_of_offered": 0.7,
    "without_short_abandons": 70 / 96,
    "answered_or_abandoned": 70 / 98,
    "answered_or_abandoned_late": 70 / 90,
    "answered_only": 70 / 85,
    "ignoring_early_abandons": 70 / 92,
    "abandons_count_as_met": 0.78,
    "answered_or_abandoned_without_short": 70 / 94,
    "removed_within": 0.79,
}


@pytest.mark.parametrize("policy", SERVICE_LEVELS)
async def test_the_service_level_is_that_of_the_policy_that_the_row_names(
    rows: Served, kept: Kept, policy: str
) -> None:
    counts = {
        "offered": 100,
        "answered": 85,
        "answered_in_target": 70,
        "abandoned": 13,
        "abandoned_in_target": 8,
    }
    counts |= {"abandoned_short": 4, "left": 2, "left_in_target": 1, "lost": 0}
    kept.put(structs.replace(busy(MONDAY, "care", "voice"), **counts))
    for query, targets in ((f"&policy={policy}", {}), ("", {"queues": {"care": {"policy": policy}}})):
        rows.targets = Targets.of(targets)
        (row,) = (await get(rows, f"queue=care&{RANGE}{query}"))["rows"]
        assert (row["policy"], row["service_level"]) == (policy, round(POLICIES[policy], 6))


async def test_what_has_no_data_is_null_and_what_is_missing_is_absent(rows: Served, kept: Kept) -> None:
    zeros = dict.fromkeys(("offered", "answered", "abandoned", "handled", "lost", "left"), 0)
    kept.put(
        structs.replace(
            busy(MONDAY, "quiet"), **zeros, abandoned_short=0, backlog_start=None, backlog_max=None
        )
    )
    (row,) = (await get(rows, f"queue=quiet&{RANGE}"))["rows"]
    averages = ("service_level", "abandonment", "average_speed_of_answer_s", "average_abandon_wait_s")
    for name in (*averages, "average_handle_time_s", "backlog_start", "backlog_max", "revised_at"):
        assert row[name] is None
    assert (row["final"], row["revision"], row["version"]) == (False, 0, 0)


async def test_days_of_a_zone_are_whole_although_only_their_beginning_is_asked_for(rows: Served) -> None:
    answer = await get(
        rows, "queue=billing&interval=1d&tz=Europe/Berlin&from=2026-01-06T00:00&to=2026-01-06T00:15"
    )
    (day,) = answer["rows"]
    assert (day["start"], day["minutes"], day["missing"]) == ("2026-01-06T00:00:00+01:00", 1440, 0)
    quarters = (await get(rows, "queue=billing&tz=Europe/Berlin&from=2026-01-06&to=2026-01-07"))["rows"]
    assert len(quarters) == 96
    for name in ("offered", "answered", "talk_s", "handled", "waiting"):
        assert day[name] == pytest.approx(sum(row[name] for row in quarters))
    edge = await get(
        rows, "queue=billing&interval=1d&tz=Europe/Berlin&from=2026-01-06T00:15&to=2026-01-06T12:00"
    )
    assert edge["rows"] == []
    first = await get(rows, "queue=billing&interval=1d&tz=Europe/Berlin&from=2026-01-05&to=2026-01-06")
    assert [(row["missing"], row["final"]) for row in first["rows"]] == [(4, False)]


async def test_some_rows_by_name_site_and_unit(rows: Served) -> None:
    rows.targets = Targets.of({"queues": {"sales": {"site": "Leeds"}, "billing": {"unit": "insurance"}}})

    async def places(query: str) -> set[tuple[str, str]]:
        found = await get(rows, f"{query}&{RANGE}&interval=1d")
        return {(row["queue"], row["channel"]) for row in found["rows"]}

    assert (
        await places("queue=sales") == await places("site=Leeds") == {("sales", "chat"), ("sales", "voice")}
    )
    assert await places("channel=voice") == {("billing", "voice"), ("sales", "voice")}
    assert await places("queue=sales&queue=billing&channel=voice") == {
        ("billing", "voice"),
        ("sales", "voice"),
    }
    assert await places("unit=insurance") == {("billing", "voice")}
    assert (
        await places("unit=insurance&site=Leeds")
        == await places("site=nowhere")
        == await places("queue=x")
        == set()
    )
    assert (await get(rows, "site=nowhere&since=5"))["revision"] == 5


OUTAGE = {
    "from": "2026-01-05T09:10:00Z",
    "to": "2026-01-05T09:50:00Z",
    "reason": "carrier",
    "channels": ["voice"],
}


async def test_rows_of_an_outage_say_so_or_are_left_out(rows: Served) -> None:
    rows.targets = Targets.of({"outages": [OUTAGE]})
    query = "from=2026-01-05T09:00Z&to=2026-01-05T10:15Z&queue=sales"
    found = (await get(rows, query))["rows"]
    assert [(r["start"][11:16], r["channel"]) for r in found if r["outage"] == "carrier"] == [
        (at, "voice") for at in ("09:00", "09:15", "09:30", "09:45")
    ]
    rest = (await get(rows, f"{query}&outages=leave_out"))["rows"]
    assert rest == [row for row in found if row["outage"] is None]
    assert len(rest) == 6


# --- pages ---


async def test_pages_of_any_size_are_the_whole(rows: Served) -> None:
    for interval in ("15m", "1h", "1d"):
        whole = (await get(rows, f"{RANGE}&interval={interval}&limit=10000"))["rows"]
        order = [(datetime.fromisoformat(r["start"]), r["queue"], r["channel"]) for r in whole]
        assert order == sorted(order)
        for limit in (1, 7, len(whole) - 1, len(whole)):
            if limit > 1 or interval == "1d":
                assert await every_page(rows, f"{RANGE}&interval={interval}&limit={limit}") == whole
    assert len(await every_page(rows, f"{RANGE}&limit=50&channel=voice&outages=leave_out")) == 2 * 192


async def test_a_page_goes_on_behind_its_last_row_whatever_has_changed(rows: Served, kept: Kept) -> None:
    first = await get(rows, f"{RANGE}&limit=4")
    assert [row["queue"] for row in first["rows"]] == ["billing", "sales", "sales", "billing"]
    kept.put(busy(MONDAY, "aaa"))  # before the cursor: comes when it is asked for again
    kept.put(busy(MONDAY + QUARTER, "care"))
    del kept.by_key["billing", "voice", MONDAY + QUARTER]  # the cursor's own row
    _, _, second = await rows.get(first["next"])
    assert [(row["queue"], row["channel"]) for row in second["rows"]] == [
        ("care", "voice"),
        ("sales", "chat"),
        ("sales", "voice"),
        ("billing", "voice"),
    ]


async def test_the_next_page_is_of_the_same_range_however_late_it_is_asked_for(
    rows: Served, kept: Kept
) -> None:
    for row in stretch(NOON - 24 * HOUR, NOON, "late"):
        kept.put(row)
    rows.board.advance(NOON)
    first = await get(rows, "queue=late&limit=50")
    assert (first["to"], first["from"]) == ("2025-12-31T12:00:00+00:00", "2025-12-30T12:00:00+00:00")
    rows.board.advance(NOON + HOUR)
    _, _, second = await rows.get(first["next"])
    assert (second["from"], second["to"]) == (first["from"], first["to"])
    assert len(first["rows"]) + len(second["rows"]) == 96
    assert second["next"] is None


async def test_every_format_links_to_its_next_page(rows: Served) -> None:
    _, headers, body = await rows.get(f"/v1/intervals?{RANGE}&format=csv&limit=500&queue=billing&queue=sales")
    link = headers["Link"]
    assert link.startswith("</v1/intervals?")
    assert link.endswith('>; rel="next"')
    _, headers, rest = await rows.get(link[1:].partition(">")[0])
    assert "Link" not in headers
    assert body.count(b"\r\n") + rest.count(b"\r\n") == 3 * 192 + 2
    assert int(headers["X-Revision"]) == LAST
    assert headers["Content-Disposition"] == 'attachment; filename="intervals-15m-2026-01-05.csv"'


# --- changes ---


async def follow(served: Served, since: int, limit: int) -> tuple[list[tuple[Any, ...]], int]:
    """All changes after a revision, as a client pulls them; and what it asks for next time."""
    found: list[tuple[Any, ...]] = []
    path: str | None = f"/v1/intervals?since={since}&limit={limit}"
    while path:
        _, headers, answer = await served.get(path)
        found += [(r["queue"], r["channel"], r["start"], r["revision"]) for r in answer["rows"]]
        path, since = answer["next"], answer["revision"]
        assert headers["X-Revision"] == str(since)
        assert answer["from"] is answer["to"] is None
    return found, since


async def test_who_follows_revisions_sees_each_change_once(rows: Served, kept: Kept) -> None:
    every, since = await follow(rows, 0, 100)
    assert len(every) == len(set(every)) == 3 * 192
    assert [change[3] for change in every] == sorted(change[3] for change in every)
    assert await follow(rows, since, 100) == ([], since)
    keys = list(kept.by_key)
    numbered = iter(range(since + 1, since + 1000))
    for key in keys[::7]:
        kept.close(key, next(numbered), offered=kept.by_key[key].offered + 1)
    kept.put(busy(MONDAY + 100 * QUARTER, "open"))
    changed, later = await follow(rows, since, 10)
    assert len(changed) == len(set(changed)) == len(keys[::7])
    assert later == since + len(changed)
    assert await follow(rows, later, 10) == ([], later)


async def test_changes_while_pages_are_read_come_with_the_next_pull(rows: Served, kept: Kept) -> None:
    first = await get(rows, "since=0&limit=100")
    again = ("billing", "voice", MONDAY)
    kept.close(again, MONDAY * 2)
    rest, since = await follow(rows, first["revision"], 100)
    assert rest[-1][3] == since == MONDAY * 2
    assert len(rest) == 3 * 192 - 100 + 1


async def test_what_changed_behind_a_reader_s_back_is_not_passed_over(rows: Served, kept: Kept) -> None:
    """The first page is read, one of its rows changes, and then one of the second: that one's revision would hide the first."""
    rows.board.advance(MONDAY + 30 * 24 * HOUR)
    now = MONDAY + 30 * 24 * HOUR
    first = await get(rows, f"{RANGE}&limit=100")
    kept.close(("billing", "voice", MONDAY), now + 1)
    kept.close(("sales", "voice", MONDAY + 47 * HOUR), now + 2)
    path, last = first["next"], first
    while path:
        _, _, last = await rows.get(path)
        path = last["next"]
    changes, _ = await follow(rows, last["revision"], 100)
    assert {change[3] for change in changes} >= {now + 1, now + 2}
    assert last["revision"] == LAST, "nothing newer is sure"
    assert (await get(rows, f"{RANGE}&limit=10000"))["revision"] == now + 2, "nothing changed meanwhile"


async def test_rows_that_are_left_out_do_not_hold_up_who_follows(rows: Served) -> None:
    rows.targets = Targets.of(
        {"outages": [OUTAGE | {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}]}
    )
    found, path = 0, "/v1/intervals?since=0&limit=10&outages=leave_out"
    while path:
        _, _, answer = await rows.get(path)
        found, path = found + len(answer["rows"]), answer["next"]
    assert found == 3 * 192 - 2 * 96
    assert answer["revision"] == LAST


# --- nothing new ---


async def test_what_has_not_changed_is_not_sent_again(rows: Served, kept: Kept) -> None:
    path = f"/v1/intervals?{RANGE}&queue=billing"
    _, headers, _ = await rows.get(path)
    assert headers["Cache-Control"] == "no-cache"
    asked = len(kept.asked)
    seen = {"If-None-Match": headers["ETag"]}
    status, again, body = await rows.get(path, **seen)
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
    assert len(kept.asked) == asked, "nothing was computed"
    assert (await rows.get("/v1/intervals?queue=billing&to=2026-01-07&from=2026-01-05", **seen))[0] == 304
    assert (await rows.get(f"{path}&format=csv", **seen))[0] == 200
    assert (await rows.get(f"{path}&queue=sales", **seen))[0] == 200
    kept.put(busy(MONDAY, "billing", seed=1))
    _, changed, _ = await rows.get(path, **seen)
    assert changed["ETag"] != headers["ETag"]
    rows.targets = Targets.of({"defaults": {"policy": "answered_only"}})
    assert (await rows.get(path, **{"If-None-Match": changed["ETag"]}))[0] == 200


async def test_a_range_that_follows_the_clock_is_another_one_each_minute(rows: Served) -> None:
    for path, same in (("/v1/intervals", False), (f"/v1/intervals?{RANGE}", True)):
        rows.board.advance(NOON + 90_000 if not same else rows.board.now + 1)
        _, headers, _ = await rows.get(path)
        rows.board.advance(rows.board.now + 10_000)
        assert (await rows.get(path, **{"If-None-Match": headers["ETag"]}))[0] == 304
        rows.board.advance(rows.board.now + 60_000)
        assert (await rows.get(path, **{"If-None-Match": headers["ETag"]}))[0] == (304 if same else 200)


@pytest.mark.parametrize("form", queries.FORMATS)
async def test_head_says_what_get_would(rows: Served, form: str) -> None:
    path = f"/v1/intervals?{RANGE}&format={form}&limit=3"
    _, expected, _ = await rows.get(path)
    status, headers, body = await rows.get(path, "HEAD")
    assert (status, body) == (200, b"")
    for name in ("ETag", "Content-Type", "X-Revision", "Link"):
        assert headers[name] == expected[name]


# --- errors ---

BAD = {
    "intervall=15m": ("intervall", "did you mean 'interval'?"),
    "interval=5m": ("interval", "no interval is called '5m'"),
    "interval=15m&interval=1h": ("interval", "is given 2 times"),
    "format=xlsx": ("format", "no format is called 'xlsx'"),
    "outages=hide": ("outages", "no outages is called 'hide'"),
    "policy=best": ("policy", "no policy is called 'best'"),
    "tz=Europe/Berln": ("tz", "no time zone is called 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    "tz=europe/berlin": ("tz", "did you mean 'Europe/Berlin'?"),
    "tz=../../etc/passwd": ("tz", "no time zone is called"),
    "tz=localtime": ("tz", "no time zone is called"),
    "tz=": ("tz", "no time zone is called"),
    "from=2026-01-06&to=2026-01-05": ("from", "from is not before to"),
    "from=2026-01-06&to=2026-01-06": ("from", "from is not before to"),
    "from=2100-01-06": ("from", "from is not before now"),
    "from=2025-01-01&to=2026-01-01": ("from", "365 days are too many for interval=15m; interval=1h would do"),
    "from=2025-01-01&to=2026-01-01&interval=30m": ("from", "interval=1h would do"),
    "from=2020-01-01&to=2026-01-01&interval=1h": ("from", "interval=1d would do"),
    "from=2000-01-01&to=2026-01-01&interval=1d": ("from", "9,497 days are too many for interval=1d"),
    "from=yesterday": ("from", "'yesterday' is no time"),
    "to=2026-13-01": ("to", "'2026-13-01' is no time"),
    "from=0001-01-01T00:00:00Z": ("from", "lies outside of 1971 to 2199"),
    "to=9999-12-31T23:59:59-12:00": ("to", "lies outside of"),
    "from=2026-01-05T08:00:00": ("from", "has neither an offset nor, in tz, a time zone"),
    "tz=Europe/Berlin&from=2026-03-29T02:30&to=2026-03-30": (
        "from",
        "the clock of Europe/Berlin skips 2026-03-29T02:30:00",
    ),
    "tz=Europe/Berlin&from=2026-10-24&to=2026-10-25T02:30": (
        "to",
        "2026-10-25T02:30:00 comes twice in Europe/Berlin",
    ),
    "limit=0": ("limit", "is no whole number from 1 to 10000"),
    "limit=10001": ("limit", "is no whole number"),
    "limit=many": ("limit", "'many' is no whole number"),
    "limit=-1": ("limit", "is no whole number"),
    "since=-1": ("since", "is no whole number"),
    "since=1.5": ("since", "is no whole number"),
    "since=" + "9" * 30: ("since", "is no whole number"),
    "since=1&interval=1h": ("since", "revisions are those of quarters"),
    "since=1&from=2026-01-05": ("from", "can't go with since"),
    "since=1&cursor=x": ("cursor", "can't go with since"),
    "cursor=!": ("cursor", "is no cursor"),
    "cursor=%C3%A4": ("cursor", "is no cursor"),
    "cursor=W10": ("cursor", "is no cursor"),
    f"{RANGE}&cursor=WzEsInEiLCJjIiwwLCIiLDAsMF0": ("cursor", "is one of another range"),
    "format=connect&interval=1h": ("interval", "connect takes no rows of 1h"),
    "format=genesys&interval=1d": ("interval", "genesys takes no rows of 1d"),
}


@pytest.mark.parametrize("query", BAD)
async def test_what_is_wrong_names_the_parameter_and_what_is_allowed(rows: Served, query: str) -> None:
    status, headers, problem = await rows.get(f"/v1/intervals?{query}")
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    parameter, detail = BAD[query]
    assert problem["parameter"] == parameter
    assert detail in problem["detail"]
    assert "\n" not in problem["detail"]
    if parameter not in {"cursor", "from"} and "times" not in detail:
        assert problem["allowed"]


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
    assert "is away" in problem["detail"]
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
    once = {p["name"] for p in operation["parameters"] if p["schema"]["type"] == "string"}
    assert once == set(queries.SINGLE)
    assert set(operation["responses"]) == {"200", "304", "400", "501", "503"}
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


# --- others need not wait ---


async def test_many_rows_let_others_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PIECE_S", 0.0)
    kept, turns = Kept(stretch(MONDAY, MONDAY + 24 * HOUR)), 0
    done = asyncio.Event()

    async def look_on() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    looking = asyncio.create_task(look_on())
    query = parse({"from": ["2026-01-05"], "to": ["2026-01-06"], "interval": ["30m"]}, NOON, Targets())
    found = await page(kept, query, wired(query.zone, Targets(), None), now=NOON)
    done.set()
    await looking
    assert len(found.rows) == 48
    assert turns > 48


async def test_a_day_is_read_at_once_and_nothing_twice(rows: Served, kept: Kept) -> None:
    kept.asked.clear()
    await get(rows, f"{RANGE}&limit=10000")
    assert kept.asked == [(MONDAY, MONDAY + 24 * HOUR), (MONDAY + 24 * HOUR, MONDAY + 48 * HOUR)]


@given(
    st.integers(1, 60),
    st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 20))),
    st.sampled_from(["15m", "1h"]),
)
def test_any_rows_in_pages_of_any_size_are_the_whole(
    limit: int, places: set[tuple[str, int]], interval: str
) -> None:
    kept = Kept([busy(MONDAY + n * 5 * QUARTER, queue) for queue, n in places])

    async def read(limit: int) -> list[IntervalsRow]:
        query = parse(
            {"from": ["2026-01-05"], "to": ["2026-01-07"], "interval": [interval], "limit": [str(limit)]},
            NOON,
            Targets(),
        )
        wire, found, after = wired(query.zone, Targets(), None), [], None
        while True:
            one = await page(kept, query, wire, now=NOON, after=after)
            found += one.rows
            if one.cursor is None:
                return found
            assert len(one.rows) == limit
            after = pages.Cursor.parse(str(one.cursor), query)

    assert asyncio.run(read(limit)) == asyncio.run(read(10_000))


def test_a_cursor_is_opaque_but_safe_in_an_address() -> None:
    cursor = pages.Cursor(1, 'ä"&=', "c", 2, "s", 3, 4)
    text = str(cursor)
    assert parse_qs(urlsplit(f"/?cursor={text}").query) == {"cursor": [text]}
    assert json.dumps(text) == f'"{text}"'
