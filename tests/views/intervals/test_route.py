"""``/v1/intervals`` on a real server: rows, and pages of them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.intervals.counting import NUMBERS
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.views import pieces
from stream_app.views.intervals import pages
from stream_app.views.intervals.pages import page
from stream_app.views.intervals.query import parse
from stream_app.views.intervals.wire import IntervalsRow, wired
from tests.views.examples import NOON
from tests.views.serving import Served

from .asking import LAST, OUTAGE, RANGE, every_page, get
from .kept import HOUR, MONDAY, Kept, busy, stretch

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
            revision=(MONDAY + 20 * 60_000) * NUMBERS,
            version=2,
        )
    )
    answer = await get(
        rows, "queue=care&from=2026-01-05T01:00:00%2B01:00&to=2026-01-05T01:15:00%2B01:00&tz=Europe/Berlin"
    )
    (row,) = answer["rows"]
    assert (
        row.items()
        >= {
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
            "revision": (MONDAY + 20 * 60_000) * NUMBERS,
            "version": 2,
            "revised_at": "2026-01-05T00:20:00.000+00:00",
            "missing": 0,
            "policy": "without_short_abandons",
            "waits_by": "queued",
            "handling_by": "completed",
            "outage": None,
        }.items()
    )
    assert list(answer["rows"][0]) == list(IntervalsRow.__struct_fields__)
    assert list(answer) == ["at", "interval", "tz", "from", "to", "rows", "next", "revision"]
    assert (answer["interval"], answer["tz"], answer["next"]) == ("15m", "Europe/Berlin", None)
    assert (answer["from"], answer["to"]) == ("2026-01-05T01:00:00+01:00", "2026-01-05T01:15:00+01:00")
    assert answer["revision"] == (MONDAY + 20 * 60_000) * NUMBERS


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
    first = "/v1/intervals?queue=billing&interval=1d&tz=Europe/Berlin&from=2026-01-05&to=2026-01-06"
    seen = set()
    for at, missing in ((MONDAY - HOUR, 0), (MONDAY - HOUR // 2, 2), (MONDAY + 48 * HOUR, 4)):
        rows.board.advance(at)
        _, headers, answer = await rows.get(first)
        assert [(row["missing"], row["final"]) for row in answer["rows"]] == [(missing, False)]
        seen.add(headers["ETag"])
    assert len(seen) == 3, "what is missing goes by the clock"


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
    assert await places("unit=insurance&site=Leeds") == set()
    for parameter in ("queue", "channel", "site", "unit"):
        status, _, problem = await rows.get(f"/v1/intervals?{parameter}=nowhere&{RANGE}")
        assert (status, problem["parameter"]) == (400, parameter)
    assert (await get(rows, "unit=insurance&site=Leeds&since=5"))["revision"] == 5


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
    kept.put(busy(MONDAY + INTERVAL_MS, "care"))
    kept.drop(("billing", "voice", MONDAY + INTERVAL_MS))  # the cursor's own row
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


# --- others need not wait ---


async def test_many_rows_let_others_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)
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
    assert turns > 48 * pieces.TURNS


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
    kept = Kept([busy(MONDAY + n * 5 * INTERVAL_MS, queue) for queue, n in places])

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
