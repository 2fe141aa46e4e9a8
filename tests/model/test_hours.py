"""Business hours against a count of minutes, against others' worked values, and where clocks change."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, strategies as st

from stream_app.model.durations import DAY, HOUR, MINUTE
from stream_app.model.targets.calendars import WEEKDAYS, Hours
from stream_app.model.targets.hours import _BLOCK, _BLOCKS_KEPT, LATEST, Calendar, Period

ZONES = sorted(available_timezones())
OFFICE = Calendar("UTC", {day: [(540, 1020)] for day in range(5)})
CASES = json.loads((Path(__file__).parent / "business_hours.json").read_text())


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def daily(*periods: Period) -> dict[int, list[Period]]:
    return {day: list(periods) for day in range(7)}


# The moment around which clocks, or the calendar itself, move; both hemispheres, whole hours and parts of one.
CHANGES = {
    "Berlin, forward": ("Europe/Berlin", "2025-03-30T01:00:00Z"),
    "Berlin, back": ("Europe/Berlin", "2025-10-26T01:00:00Z"),
    "Los Angeles, forward": ("America/Los_Angeles", "2006-04-02T10:00:00Z"),
    "New York, back": ("America/New_York", "2025-11-02T06:00:00Z"),
    "Sydney, forward": ("Australia/Sydney", "2025-10-04T16:00:00Z"),
    "Sydney, back": ("Australia/Sydney", "2025-04-05T16:00:00Z"),
    "Santiago, midnight skipped": ("America/Santiago", "2025-09-07T04:00:00Z"),
    "Sao Paulo, midnight skipped": ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    "Havana, midnight twice": ("America/Havana", "2025-11-02T05:00:00Z"),
    "Lord Howe, half an hour forward": ("Australia/Lord_Howe", "2025-10-04T15:30:00Z"),
    "Lord Howe, half an hour back": ("Australia/Lord_Howe", "2025-04-05T15:00:00Z"),
    "Chatham, forward, offset of 45 minutes": ("Pacific/Chatham", "2025-09-27T14:00:00Z"),
    "Kathmandu, offset of 45 minutes": ("Asia/Kathmandu", "2025-06-01T00:00:00Z"),
    "Samoa, a day skipped": ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    "Pyongyang, half an hour for good": ("Asia/Pyongyang", "2018-05-04T15:00:00Z"),
}


@dataclass
class Plan:
    """What a calendar is made of, and the slow way to ask it: by what the wall shows at one minute."""

    zone: str
    weekly: Mapping[int, Sequence[Period]]
    special: Mapping[date, Sequence[Period]] = field(default_factory=dict)
    breaks: Mapping[date, Sequence[Period]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()

    def calendar(self) -> Calendar:
        return Calendar(
            self.zone, self.weekly, special=self.special, breaks=self.breaks, holidays=self.holidays
        )

    def is_open(self, at: int) -> bool:
        day = datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone)).date()
        periods = self.special.get(day, self.weekly.get(day.weekday(), ()))
        return (
            day not in self.holidays
            and self._shown(at, periods)
            and not self._shown(at, self.breaks.get(day, ()))
        )

    def _shown(self, at: int, periods: Sequence[Period]) -> bool:
        tz = ZoneInfo(self.zone)
        wall = datetime.fromtimestamp(at / 1000, tz)
        midnight = wall.replace(hour=0, minute=0, fold=0)
        return any(
            a <= wall.hour * 60 + wall.minute < b
            # By the offset before the gap, if the opening falls into one.
            and at >= (midnight + timedelta(minutes=a)).timestamp() * 1000
            for a, b in periods
        )

    def minutes(self, a: int, b: int) -> Iterator[int]:
        """Yield the open minutes of [a, b)."""
        return (at for at in range(a, b, MINUTE) if self.is_open(at))


def distinct(cuts: Sequence[int]) -> list[Period]:
    """Make pairs of sorted cuts: periods that neither overlap nor touch."""
    ordered = sorted(cuts)[: len(cuts) // 2 * 2]
    return list(zip(ordered[::2], ordered[1::2], strict=True))


# Often around the hours in which clocks change, often whole hours, sometimes anything.
cuts = st.sampled_from([0, 30, 60, 90, 120, 135, 150, 165, 180, 195, 240, 1410, 1440]) | st.integers(0, 1440)
periods = st.lists(cuts, max_size=6, unique=True).map(distinct)


@st.composite
def plans(draw: st.DrawFn, zone: str, around: int) -> Plan:
    start = datetime.fromtimestamp(around / 1000, UTC).date() - timedelta(days=2)
    near = st.integers(0, 4).map(lambda n: start + timedelta(days=n))
    weekly = draw(st.fixed_dictionaries(dict.fromkeys(range(7), periods)))
    assume(any(weekly.values()))
    special = draw(st.dictionaries(near, periods, max_size=1))
    breaks = draw(st.dictionaries(near, periods, max_size=3))
    holidays = frozenset(draw(st.sets(near, max_size=1))) - special.keys()
    return Plan(zone, weekly, special, breaks, holidays)


@st.composite
def looks(draw: st.DrawFn) -> tuple[Plan, int, int]:
    """A plan, and the minutes in which to look at it."""
    zone, change = draw(st.sampled_from(sorted(CHANGES.values())))
    plan = draw(plans(zone, ms(change)))
    start = ms(change) + draw(st.integers(-40 * 60, 10 * 60)) * MINUTE
    return plan, start, start + draw(st.integers(0, 36 * 60)) * MINUTE


moments = st.integers(ms("2005-01-01T00:00:00Z"), ms("2035-01-01T00:00:00Z"))
durations = st.integers(0, 3 * 365 * DAY) | st.integers(0, 3 * DAY)


@st.composite
def anywhere(draw: st.DrawFn) -> tuple[Calendar, int]:
    """Any calendar in any zone, and a moment near which its exceptions are."""
    at = draw(moments)
    return draw(plans(draw(st.sampled_from(ZONES)), at)).calendar(), at


# --- the count of minutes ---


@given(looks())
def test_within_is_the_count_of_open_minutes(look: tuple[Plan, int, int]) -> None:
    plan, a, b = look
    assert plan.calendar().within(a, b) == MINUTE * len(list(plan.minutes(a, b)))


@given(looks())
def test_periods_are_the_runs_of_open_minutes(look: tuple[Plan, int, int]) -> None:
    plan, a, b = look
    spans = takewhile(lambda span: span[0] < b, plan.calendar().periods(a))
    cut = [(start, min(end, b)) for start, end in spans]
    assert [at for start, end in cut for at in range(start, end, MINUTE)] == list(plan.minutes(a, b))
    assert all(one[1] < other[0] for one, other in pairwise(cut)), "what touches is one"


@given(looks())
def test_it_is_open_and_opens_when_the_minutes_say_so(look: tuple[Plan, int, int]) -> None:
    plan, a, b = look
    calendar = plan.calendar()
    first = next(plan.minutes(a, b), None)
    assert calendar.is_open(a) == plan.is_open(a)
    assert calendar.next_opening(a) == first if first is not None else calendar.next_opening(a) >= b


@pytest.mark.parametrize("change", CHANGES)
def test_every_minute_around_a_change_of_the_clock(change: str) -> None:
    zone, moment = CHANGES[change]
    plan = Plan(zone, daily((0, 45), (75, 135), (150, 195), (300, 1425)))
    calendar, start = plan.calendar(), ms(moment) - 30 * HOUR
    for at in range(start, start + 60 * HOUR, MINUTE):
        assert calendar.is_open(at) == plan.is_open(at), datetime.fromtimestamp(at / 1000, UTC)


# --- laws ---


@given(anywhere(), durations, durations)
def test_two_parts_add_up_to_the_whole(where: tuple[Calendar, int], first: int, second: int) -> None:
    calendar, a = where
    b, c = a + first, a + first + second
    assert calendar.within(a, b) + calendar.within(b, c) == calendar.within(a, c)


@given(anywhere(), durations)
def test_business_time_is_never_longer_than_time(where: tuple[Calendar, int], duration: int) -> None:
    calendar, a = where
    assert 0 <= calendar.within(a, a + duration) <= duration
    assert calendar.within(a + duration, a) == 0


@given(anywhere())
def test_a_millisecond_counts_where_it_is_open(where: tuple[Calendar, int]) -> None:
    calendar, at = where
    assert calendar.within(at, at + 1) == calendar.is_open(at)


@given(anywhere(), st.integers(1, 90 * DAY) | st.integers(1, DAY))
def test_after_is_the_first_moment_by_which_so_much_has_passed(
    where: tuple[Calendar, int], business: int
) -> None:
    calendar, at = where
    then = calendar.after(at, business)
    assert calendar.within(at, then) == business
    assert calendar.within(at, then - 1) == business - 1


@given(anywhere(), durations)
def test_after_takes_back_what_within_found(where: tuple[Calendar, int], duration: int) -> None:
    calendar, at = where
    end = at + duration
    back = calendar.after(at, calendar.within(at, end))
    if calendar.within(at, end):
        assert back <= end
        assert calendar.within(back, end) == 0, "nothing was open in between"
    else:
        assert back == calendar.next_opening(at) == calendar.next_opening(end)


@given(anywhere(), st.integers(0, 40))
def test_periods_hold_all_business_time(where: tuple[Calendar, int], n: int) -> None:
    calendar, at = where
    spans = list(islice(calendar.periods(at), n))
    if spans:
        assert calendar.within(at, spans[-1][1]) == sum(end - start for start, end in spans)
        assert spans[0][0] == calendar.next_opening(at)


@given(st.sampled_from(ZONES), moments, durations)
def test_what_never_closes_is_always_open(zone: str, a: int, duration: int) -> None:
    calendar = Calendar(zone, daily((0, 1440)))
    assert calendar.within(a, a + duration) == duration
    assert calendar.after(a, duration) == a + duration


@given(looks(), st.integers(1, 1439))
def test_a_period_in_two_parts_that_touch_is_one(look: tuple[Plan, int, int], cut: int) -> None:
    plan, a, b = look
    whole, halves = Plan(plan.zone, daily((0, 1440))), Plan(plan.zone, daily((0, cut), (cut, 1440)))
    assert halves.calendar().within(a, b) == whole.calendar().within(a, b) == max(0, b - a)


def test_only_so_many_days_are_kept_and_forgetting_changes_nothing() -> None:
    calendar, asked = Calendar("Europe/Berlin", {0: [(540, 1020)]}), range(0, 200 * _BLOCK, _BLOCK)
    first = [calendar.within(at, at + _BLOCK) for at in asked]
    assert len(calendar._blocks) == _BLOCKS_KEPT
    assert [calendar.within(at, at + _BLOCK) for at in asked] == first
    assert calendar.within(0, 200 * _BLOCK) == sum(first)


@pytest.mark.parametrize("calendar", [OFFICE, Calendar("UTC", daily((0, 1440)))], ids=["office", "always"])
def test_the_edges_of_what_is_laid_out_at_once_are_not_seen(calendar: Calendar) -> None:
    for edge in range(600 * _BLOCK, 605 * _BLOCK, _BLOCK):
        business = calendar.within(edge - _BLOCK, edge)
        closing = calendar.after(edge - _BLOCK, business)
        assert edge - 4 * DAY < closing <= edge, "the last moment of the block, not the first of the next"
        assert calendar.within(closing, edge) == 0


def test_from_the_moment_of_closing_the_next_period_comes() -> None:
    closing = ms("2025-06-02T17:00Z")
    assert next(OFFICE.periods(closing)) == (ms("2025-06-03T09:00Z"), ms("2025-06-03T17:00Z"))
    assert next(OFFICE.periods(closing - 1)) == (closing - 1, closing)


# --- where clocks change, by hand ---

GAP, TWICE = "2025-03-30", "2025-10-26"


@pytest.mark.parametrize(
    ("day", "opened", "expected"),
    [
        (GAP, (0, 1440), [("00:00+01:00", "00:00+02:00")]),  # 23 hours
        (GAP, (120, 180), []),  # wholly within the gap
        (GAP, (135, 165), []),
        (GAP, (150, 195), []),  # opens at 03:30, after it has closed
        (GAP, (150, 300), [("03:30+02:00", "05:00+02:00")]),
        (GAP, (60, 150), [("01:00+01:00", "02:00+01:00")]),
        (GAP, (60, 240), [("01:00+01:00", "04:00+02:00")]),
        (TWICE, (0, 1440), [("00:00+02:00", "00:00+01:00")]),  # 25 hours
        (TWICE, (120, 180), [("02:00+02:00", "03:00+01:00")]),  # the hour that comes twice: two hours
        (TWICE, (60, 150), [("01:00+02:00", "02:30+02:00"), ("02:00+01:00", "02:30+01:00")]),
        (TWICE, (150, 240), [("02:30+02:00", "03:00+02:00"), ("02:30+01:00", "04:00+01:00")]),
        (TWICE, (135, 165), [("02:15+02:00", "02:45+02:00"), ("02:15+01:00", "02:45+01:00")]),
    ],
)
def test_the_night_in_which_clocks_change(day: str, opened: Period, expected: list[tuple[str, str]]) -> None:
    sunday = date.fromisoformat(day)
    calendar = Calendar("Europe/Berlin", {2: [(540, 1020)]}, special={sunday: [opened]})

    def moment(text: str, *, ends: bool = False) -> int:
        return ms(f"{sunday + timedelta(days=ends and text.startswith('00:00'))}T{text}")

    found = takewhile(lambda span: span[0] < ms(f"{day}T23:00Z"), calendar.periods(ms(f"{day}T00:00Z") - DAY))
    assert list(found) == [(moment(start), moment(end, ends=True)) for start, end in expected]


def test_a_break_that_the_gap_swallows_closes_nothing() -> None:
    day = date.fromisoformat(GAP)
    calendar = Calendar("Europe/Berlin", {6: [(0, 1440)]}, breaks={day: [(135, 165)]})
    assert calendar.within(ms(f"{GAP}T00:00+01:00"), ms("2025-03-31T00:00+02:00")) == 23 * HOUR


def test_the_friday_that_samoa_skipped_had_no_hours() -> None:
    calendar = Calendar("Pacific/Apia", {3: [(540, 1020)], 4: [(540, 1020)], 5: [(600, 720)]})
    spans = list(islice(calendar.periods(ms("2011-12-29T00:00-10:00")), 2))
    assert spans == [
        (ms("2011-12-29T09:00-10:00"), ms("2011-12-29T17:00-10:00")),
        (ms("2011-12-31T10:00+14:00"), ms("2011-12-31T12:00+14:00")),
    ]


def test_a_night_shift_is_one_period() -> None:
    calendar = Calendar("UTC", {0: [(1320, 1440)], 1: [(0, 360)]})
    (first, *_) = calendar.periods(ms("2025-06-02T23:00Z"))
    assert first == (ms("2025-06-02T23:00Z"), ms("2025-06-03T06:00Z"))


# --- others' values ---


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["id"])
def test_worked_values_of_others(case: dict[str, Any]) -> None:
    hours = Hours.of(
        "calendars.test",
        {
            "zone": case.get("tz", "Etc/UTC"),
            "hours": case.get("hours", CASES["weekly"]),
            "breaks": case.get("breaks", {}),
            "holidays": case.get("holidays", []),
        },
    )
    calendar = hours.calendar("UTC")
    if case["op"] == "within":
        assert calendar.within(ms(case["a"]), ms(case["b"])) == case["expected_hours"] * HOUR
    elif case["op"] == "after":
        assert calendar.after(ms(case["from"]), case["minutes"] * MINUTE) == ms(case["expected"])
    else:
        found = islice(calendar.periods(ms(case["from"])), len(case["expected"]))
        assert [*found] == [(ms(a), ms(b)) for a, b in case["expected"]]


# --- what is refused ---


def test_what_can_not_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one weekday needs hours"):
        Calendar("UTC", {})
    with pytest.raises(ValueError, match="09:00-09:00 must end after it begins"):
        Calendar("UTC", {0: [(540, 540)]})
    with pytest.raises(ValueError, match="11:00-13:00 overlaps the period before it, which ends at 12:00"):
        Calendar("UTC", {0: [(540, 720), (660, 780)]})
    with pytest.raises(ValueError, match="expected non-negative business time, got -1"):
        OFFICE.after(0, -1)
    with pytest.raises(OverflowError, match="after the year 2200"):
        OFFICE.after(LATEST - DAY, 365 * DAY)
    with pytest.raises(OverflowError, match="nothing opens"):
        OFFICE.next_opening(LATEST + _BLOCK)


# --- what people write ---

WRITTEN: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "hours": {"mon-fri": ["9:00-12:00", ["13:00", "17:30"]], "sat": ["22:00-24:00"]},
    "holidays": ["2026-12-25"],
}


def test_one_form_is_kept_of_all_that_can_be_written() -> None:
    import tomllib

    toml = """
        zone = "Europe/Berlin"
        holidays = [2026-12-25, 2026-12-25]
        [hours]
        mon-thu = [[13:00:00, 17:30:00], [09:00:00, 12:00:00]]
        fri = ["09:00-12:00", "13:00 - 17:30"]
        sat = [[22:00:00, 00:00:00]]
    """
    hours = Hours.of("calendars.office", tomllib.loads(toml))
    assert hours == Hours.of("calendars.office", WRITTEN)
    assert hours.hours["fri"] == ("09:00-12:00", "13:00-17:30")
    assert hours.hours["sat"] == ("22:00-24:00",)
    assert hours.calendar("UTC") is hours.calendar("Asia/Tokyo"), "its own zone, and laid out once"


def test_days_may_go_on_into_the_next_week() -> None:
    assert [*Hours.of("c", {"hours": {"sat-mon": ["09:00-10:00"]}}).hours] == ["sat", "sun", "mon"]
    assert [*Hours.of("c", {"hours": {"mon-sun": ["09:00-10:00"]}}).hours] == list(WEEKDAYS)


def test_without_a_zone_it_follows_the_queue() -> None:
    hours = Hours.of("c", {"hours": {"mon": ["09:00-10:00"]}})
    assert hours.calendar("Asia/Tokyo").zone == "Asia/Tokyo"
    assert hours.calendar("UTC").zone == "UTC"


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"hours": 5}, "calendars.office.hours: expected a table, got 5"),
        ({"hours": {}}, "calendars.office.hours: at least one weekday needs hours"),
        ({"hours": {"mon": []}}, "calendars.office.hours: at least one weekday needs hours"),
        ({"hous": {}}, "calendars.office.hous: unknown key; did you mean 'hours'?"),
        ({"zone": "Europe/Berlln"}, "calendars.office.zone: unknown time zone 'Europe/Berlln'"),
        ({"zone": 1}, "calendars.office.zone: unknown time zone 1"),
        (
            {"hours": {"monday": ["09:00-10:00"]}},
            "calendars.office.hours.monday: unknown weekday 'monday'; use mon tue wed thu fri sat sun",
        ),
        (
            {"hours": {"mon-fri": ["09:00-10:00"], "wed": ["09:00-10:00"]}},
            "calendars.office.hours.wed: the hours of wed are listed twice",
        ),
        (
            {"hours": {"mon": "09:00-10:00"}},
            'calendars.office.hours.mon: expected a list of periods like ["09:00-17:00"]',
        ),
        (
            {"hours": {"mon": ["09:00"]}},
            "calendars.office.hours.mon: expected a period like 09:00-17:00, got '09:00'",
        ),
        ({"hours": {"mon": [5]}}, "calendars.office.hours.mon: expected a period like 09:00-17:00, got 5"),
        (
            {"hours": {"mon": ["nine-17:00"]}},
            "calendars.office.hours.mon: expected a time in whole minutes like 09:00, got 'nine'",
        ),
        (
            {"hours": {"mon": ["09:00:30-17:00"]}},
            "calendars.office.hours.mon: expected a time in whole minutes like 09:00, got '09:00:30'",
        ),
        (
            {"hours": {"mon": ["09:00-24:01"]}},
            "calendars.office.hours.mon: '24:01' is not a time of day; the latest is 24:00",
        ),
        (
            {"hours": {"mon": ["22:00-06:00"]}},
            "calendars.office.hours.mon: 22:00-06:00 must end after it begins; to cross midnight, write 22:00-24:00 and ",
        ),
        (
            {"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}},
            "calendars.office.hours.mon: 11:00-13:00 overlaps the period before it, which ends at 12:00",
        ),
        (
            {"breaks": {"24.12.2026": ["09:00-10:00"]}},
            "calendars.office.breaks: expected a date like 2026-12-24, got '24.12.2026'",
        ),
        (
            {"breaks": {"2026-12-24": ["10:00-09:00"]}},
            "calendars.office.breaks.2026-12-24: 10:00-09:00 must end after it begins",
        ),
        ({"breaks": []}, "calendars.office.breaks: expected a table, got []"),
        ({"holidays": "2026-12-24"}, "calendars.office.holidays: expected a list of dates"),
        (
            {"holidays": ["2026-02-30"]},
            "calendars.office.holidays: expected a date like 2026-12-24, got '2026-02-30'",
        ),
        (
            {"holidays": [datetime(2026, 1, 1, tzinfo=UTC)]},
            "calendars.office.holidays: expected a date like 2026-12-24, got '2026-01-01 00:00:00+00:00'",
        ),
        (
            {"special": {"2026-12-25": ["09:00-10:00"]}},
            "calendars.office.special.2026-12-25: this date is also a holiday; remove one of the two",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Hours.of("calendars.office", WRITTEN | wrong)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)
