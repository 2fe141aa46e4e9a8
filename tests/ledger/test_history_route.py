"""``/v1/history`` over a real ledger: days and weeks are what the reference says, right over changes of the clock."""

from __future__ import annotations

import csv
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st
from msgspec import UNSET

from stream_app.ledger.kpis import LedgerQuestion
from stream_app.ledger.whys import LedgerWhys
from stream_app.model.kpis.from_ledger import FromLedger, LedgerShare
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Unit, WindowCount
from stream_app.model.ledger_numbers import HistoryQuery, KpiHistory
from stream_app.model.targets import Targets
from stream_app.model.why import WhyQuery
from stream_app.model.windows import BASE
from stream_app.views.history.query import KPIS, parse_history, periods
from stream_app.views.history.wire import rows_of
from stream_app.views.intervals.query import zones
from stream_app.views.ledger.query import BY_NAME
from stream_app.views.naming import parts_of
from tests.reference.history import History

from .asking import refer
from .serving import Numbers
from .streams_of_customers import DAY, HOUR, T0, Weeks
from .tables_of import referred

PLACES = (("x", "voice"), ("y", "voice"), ("x", "chat"), ("y", "email"))
LINES = Weeks(11).tell(160)
TZ = "Europe/Berlin"
SPAN = f"from=2026-03-16&to=2026-04-13&tz={TZ}"
"""Four whole weeks; in the second one clocks change."""


@pytest.fixture(scope="module")
def history() -> History:
    return refer(LINES).history


@pytest.fixture
async def numbers(redis_url: str, tmp_path: Path) -> AsyncIterator[Numbers]:
    made = Numbers(redis_url, tmp_path / "ledger", LINES, Targets())
    await made.begin()
    await made.desk.count(len(LINES) // 2)
    await made.desk.write()
    await made.desk.count(len(LINES))
    await made.serve(PLACES, refresh=False)
    yield made
    await made.close()


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.slow
async def test_days_and_weeks_are_what_the_reference_says(numbers: Numbers, history: History) -> None:
    known = max(line.timestamp for line in LINES)
    seen = 0
    for name, policy in (
        ("repeat_contacts", ""),
        ("first_contact_resolution", "by_repeat"),
        ("first_contact_resolution", "by_case"),
        ("one_touch", ""),
        ("time_to_resolve", ""),
        ("escalation", ""),
        ("retention", ""),
        ("ai_resolved", ""),
        ("csat_satisfied", ""),
        ("training_compliance", ""),
    ):
        kpi = BY_NAME[name]
        measure = kpi.measures[policy]
        assert isinstance(measure, LedgerShare)
        for by in ("day", "week"):
            answer = await numbers.get(
                f"/v1/history?kpi={name}&by={by}&{SPAN}&policy={policy}".removesuffix("&policy=")
            )
            assert (len({row["period"] for row in answer["rows"]}), answer["next"]) == (
                28 if by == "day" else 4,
                None,
            )
            for row in answer["rows"]:
                if (row["policy"] or "") != policy:
                    continue
                asked = LedgerQuestion(start=ms(row["begin"]), end=ms(row["end"]), known=known)
                sums = referred(history, measure.family, asked, ()).get((), {})
                n = sums.get(measure.samples, 0)
                value = round(sums[measure.of] / n / kpi.unit.parts, 6) if n > 0 else None
                assert (row["value"], row["samples"]) == (value, n), (name, row)
                if measure.settled and n:
                    assert row["settled_samples"] == sums[f"settled_{measure.samples}"]
                seen += bool(n)
                assert (row["final"], row["known"]) == (True, True)
    assert seen > 30


@pytest.mark.slow
async def test_days_are_the_parts_of_a_week(numbers: Numbers) -> None:
    for name in ("repeat_contacts", "bounced", "handled", "offered"):
        weeks = (await numbers.get(f"/v1/history?kpi={name}&by=week&{SPAN}"))["rows"]
        days = (await numbers.get(f"/v1/history?kpi={name}&by=day&{SPAN}"))["rows"]
        for week in weeks:
            mine = [day for day in days if week["begin"] <= day["begin"] < week["end"]]
            assert len(mine) == 7
            assert sum(day["samples"] for day in mine) == week["samples"]
        assert any(week["samples"] for week in weeks), name


@pytest.mark.slow
async def test_counted_kpis_are_what_why_explains(numbers: Numbers) -> None:
    whys = LedgerWhys(numbers.centre.reader)
    seen = 0
    for n, kpi in enumerate(kpi for kpi in KPIS.values() if isinstance(kpi, Kpi)):
        answer = await numbers.get(f"/v1/history?kpi={kpi.name}&by=week&{SPAN}")
        for row in answer["rows"][n % 3 :: 3]:
            start, end = ms(row["begin"]), ms(row["end"])
            assert start % BASE == 0
            query = WhyQuery(kpi=kpi, now=numbers.now, start=start, end=end)
            value = (await whys.why(query, numbers.targets)).value
            if row["samples"] == 0:
                assert value.samples == 0
                continue
            rounded = None if value.value is None else round(value.value, 6)
            assert (row["value"], row["samples"]) == (rounded, value.samples), (kpi.name, row)
            assert row.get("amounts") == value.amounts
            assert (row["policy"] is not None) == isinstance(kpi.measure, Choice)
            seen += 1
    assert seen > 30


async def test_groups_and_filters_split_a_day(numbers: Numbers) -> None:
    for name in ("handled", "bounced"):
        whole = (await numbers.get(f"/v1/history?kpi={name}&by=week&{SPAN}"))["rows"]
        for group in ("queue", "channel", "agent"):
            split = (await numbers.get(f"/v1/history?kpi={name}&by=week&{SPAN}&group={group}"))["rows"]
            for week in whole:
                mine = [row for row in split if row["period"] == week["period"]]
                assert sum(row["samples"] for row in mine) == week["samples"]
        only = (await numbers.get(f"/v1/history?kpi={name}&by=week&{SPAN}&queue=x&channel=voice"))["rows"]
        assert sum(row["samples"] for row in only) < sum(row["samples"] for row in whole)


async def test_pages_follow_each_other(numbers: Numbers) -> None:
    whole = (await numbers.get(f"/v1/history?kpi=bounced&{SPAN}"))["rows"]
    rows, path = [], f"/v1/history?kpi=bounced&{SPAN}&limit=11"
    while path:
        answer = await numbers.get(path)
        rows += answer["rows"]
        path = answer["next"]
    assert rows == whole
    assert numbers.served
    _, _, text = await numbers.served.get(f"/v1/history?kpi=bounced&{SPAN}&format=csv")
    lines = [*csv.DictReader(StringIO(text.decode()))]
    assert [(line["period"], line["samples"]) for line in lines] == [
        (row["period"], str(row["samples"])) for row in whole
    ]


async def test_the_running_day_is_not_final(numbers: Numbers) -> None:
    answer = await numbers.get("/v1/history?kpi=bounced&tz=Europe/Berlin")
    *before, last = answer["rows"]
    assert len(before) == 13
    assert {row["final"] for row in before} == {True}
    assert last["final"] is False
    now = datetime.fromtimestamp(numbers.now / 1000, ZoneInfo(TZ))
    assert last["period"] == now.date().isoformat()


async def test_what_is_so_at_the_end_of_a_running_week_is_so_by_now(
    numbers: Numbers, history: History
) -> None:
    """What is due on Friday is not overdue on Monday; of a week to come nobody knows anything."""
    seen = 0
    for weeks in (1, 2, 3):
        now = T0 + weeks * 7 * DAY - HOUR
        stretches = tuple(one.stretch for one in periods(now, now + 8 * DAY, "week", ZoneInfo("UTC"), 2))
        query = HistoryQuery(kpi=BY_NAME["training_overdue"], periods=stretches, now=now)
        found = await numbers.service.history(query, Targets())
        (begin, end), _ = stretches
        asked = [LedgerQuestion(start=begin, end=at, known=now) for at in (now, end)]
        expected = [referred(history, "trainings", one, ()).get((), {}).get("overdue", 0) for one in asked]
        assert [(one.period, one.value) for one in found.points] == [(0, expected[0])] * bool(expected[0])
        assert found.done == 2
        seen += expected[0] != expected[1]
    assert seen


@given(st.sampled_from([*KPIS.values()]), st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_day_on_which_nothing_happened_has_0_if_it_is_known(
    kpi: Kpi | FromLedger, known: list[bool]
) -> None:
    """Of what is counted, as everywhere else; of a day that has not begun, and of time that nobody told, nobody knows."""
    now = ms("2026-03-03T12:00+00:00")
    asked = parse_history({"kpi": [kpi.name], "from": ["2026-03-02"], "to": ["2026-03-05"]}, now)
    unknown = [[] if one else [(0, now)] for one in known]
    rows = rows_of(asked, KpiHistory([], unknown, 3, now))
    counts = kpi.counts if isinstance(kpi, FromLedger) else isinstance(kpi.measure, WindowCount)
    counts = counts and kpi.unit is not Unit.SECONDS
    assert [row.value for row in rows] == [0 if counts and one else None for one in (*known[:2], False)]
    parts = dict.fromkeys(parts_of(kpi), 0) if isinstance(kpi, FromLedger) and counts else {}
    assert {str(row.parts) for row in rows if row.value == 0} <= {str(parts or UNSET)}


def hours(begin: date, tz: str, by: Any = "day") -> list[float]:
    zone = ZoneInfo(tz)
    start = round(datetime(begin.year, begin.month, begin.day, 12, tzinfo=zone).timestamp() * 1000)
    found = periods(start, start + 3 * 86_400_000, by, zone, 100)
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    return [(one.end - one.start) / 3_600_000 for one in found[:3]]


def test_days_have_the_hours_that_the_clock_gives_them() -> None:
    assert hours(date(2026, 3, 28), TZ) == [24, 23, 24]
    assert hours(date(2026, 10, 24), TZ) == [24, 25, 24]
    assert hours(date(2026, 4, 23), "Africa/Cairo") == [24, 23, 24], "midnight itself is skipped"
    assert hours(date(2026, 3, 28), TZ, "week")[0] == 7 * 24 - 1


@given(
    st.sampled_from(sorted(zones())),
    st.integers(946_684_800_000, 1_893_456_000_000),
    st.integers(1, 40 * 86_400_000),
    st.sampled_from(["day", "week"]),
)
def test_days_and_weeks_cover_any_range_without_a_gap(tz: str, start: int, length: int, by: Any) -> None:
    zone = ZoneInfo(tz)
    found = periods(start, start + length, by, zone, 1_000)
    assert found[0].start <= start < found[0].end
    assert found[-1].start < start + length <= found[-1].end
    for one, other in itertools.pairwise(found):
        assert one.end == other.start
    for one in found:
        first = datetime.fromtimestamp(one.start / 1000, UTC).astimezone(zone).date()
        last = datetime.fromtimestamp((one.end - 1) / 1000, UTC).astimezone(zone).date()
        if by == "day":
            assert first == last
            assert one.name == first.isoformat()
        else:
            assert first.isocalendar()[:2] == last.isocalendar()[:2]
            assert one.name == f"{first.isocalendar()[0]}-W{first.isocalendar()[1]:02}"
