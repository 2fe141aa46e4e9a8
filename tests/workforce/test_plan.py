"""The plan: from rows and targets to people, and what the scheduled ones achieve."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from stream_app.model.targets import Targets
from stream_app.workforce import erlang, erlang_a
from stream_app.workforce.concurrency import Concurrency
from stream_app.workforce.plan import Assumptions, PlanLine, plan, unknown
from stream_app.workforce.required import Demand, Goals, required
from stream_app.workforce.schedules import Shift
from stream_app.workforce.totals import whole
from stream_app.workforce.volumes import Volume

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
PLAIN = Assumptions(shrinkage=0.0)


@dataclass
class Rows:
    channel: str = "voice"
    minutes: int = 30
    handle_s: float = 180

    def of(self, *offered: float, patience_s: float | None = None) -> list[Volume]:
        return [
            Volume(
                NINE + timedelta(minutes=self.minutes * n),
                self.minutes,
                "q",
                self.channel,
                count,
                count,
                count * self.handle_s,
                0,
                0,
                patience_s,
            )
            for n, count in enumerate(offered)
        ]


def there(people: float, begin_min: float = 0, end_min: float = 600, channel: str = "voice") -> Shift:
    begin = NINE.timestamp()
    return Shift("q", channel, begin + 60 * begin_min, begin + 60 * end_min, people)


def test_the_worked_example() -> None:
    """100 calls in half an hour, 180 s each: 10 Erlang; 80 % within 20 s, at most 5 % give up, 85 % busy."""
    [line] = plan(Rows().of(100, patience_s=120), Targets(), Assumptions())
    goals = Goals(20, 0.8, "without_short_abandons", 5, abandonment=0.05, occupancy=0.85)
    assert line.required == required(Demand(10, 180, 120), goals) == 13
    assert (line.load, line.to_schedule, line.scheduled, line.gap) == (10, 19, None, None)
    reached = erlang_a.reach(13, 10, 180, 20, patience_s=120, short_s=5)
    assert line.service_level == reached.service_level("without_short_abandons")
    assert (line.asa_s, line.occupancy) == (reached.asa_s, reached.occupancy)
    assert line.policy == "without_short_abandons"


def test_without_impatience_it_is_erlang_c() -> None:
    [line] = plan(Rows().of(100), Targets(), Assumptions(model="erlang-c"))
    assert (line.required, line.to_schedule, line.abandonment) == (14, 20, 0)
    assert line.service_level == erlang.reach(14, 10, 180, 20).service_level("answered_of_offered")


def test_targets_are_those_of_the_queue_and_channel() -> None:
    targets = Targets.of(
        {
            "queues": {
                "q": {
                    "targets": {"service_level": 0.95, "abandonment": 0.01},
                    "channels": {"voice": {"answer_target_s": 10, "policy": "answered_of_offered"}},
                }
            }
        }
    )
    [line] = plan(Rows().of(100), targets, Assumptions(occupancy=1))
    goals = Goals(10, 0.95, "answered_of_offered", 5, abandonment=0.01)
    assert line.required == required(Demand(10, 180, 120), goals)
    assert line.policy == "answered_of_offered"


def test_those_who_are_scheduled_reach_what_they_reach() -> None:
    [line] = plan(Rows().of(100), Targets(), Assumptions(shrinkage=0.3), [there(16)])
    assert (line.scheduled, line.gap) == (16, -3)
    reached = erlang_a.reach(11, 10, 180, 20, patience_s=120, short_s=5)  # 11.2 of 16 are at work
    assert line.service_level == pytest.approx(reached.service_level("without_short_abandons"))
    assert line.asa_s == pytest.approx(reached.asa_s)


def test_an_interval_half_of_which_has_fewer_people_is_the_mean_of_both() -> None:
    [line] = plan(Rows().of(100), Targets(), PLAIN, [there(12), there(4, 15)])
    few, many = (erlang_a.reach(n, 10, 180, 20, patience_s=120, short_s=5) for n in (12, 16))
    assert few.outcome is not None
    assert many.outcome is not None
    met = (few.outcome.met + many.outcome.met) / 2
    short = (few.outcome.short + many.outcome.short) / 2
    assert line.scheduled == 14
    assert line.service_level == pytest.approx(met / (1 - short))


def test_nobody_scheduled_answers_nobody() -> None:
    [line] = plan(Rows().of(100), Targets(), PLAIN, [])
    assert (line.scheduled, line.service_level, line.asa_s, line.occupancy) == (0, 0, None, None)
    assert line.abandonment == pytest.approx(1)


def test_too_few_without_impatience_wait_without_end() -> None:
    [line] = plan(Rows().of(100), Targets(), Assumptions(model="erlang-c", shrinkage=0), [there(9)])
    assert (line.service_level, line.asa_s, line.occupancy) == (0, None, 1)


def test_an_interval_without_contacts_needs_nobody_and_has_no_numbers() -> None:
    lines = plan(Rows().of(0, 100), Targets(), PLAIN, [there(5)])
    quiet = lines[0]
    assert (quiet.required, quiet.to_schedule, quiet.scheduled, quiet.gap) == (0, 0, 5, 5)
    assert (quiet.service_level, quiet.asa_s, quiet.abandonment, quiet.occupancy) == (None, None, None, 0)


def test_a_queue_of_which_no_handle_time_is_known_has_no_plan() -> None:
    [row] = Rows().of(100)
    blind = Volume(row.start, 30, "q", "voice", 100, 0, 0, 0, 0)
    for channel in ("voice", "email"):
        [line] = plan([Volume(row.start, 30, "q", channel, 100, 0, 0, 0, 0)], Targets(), PLAIN, [there(5)])
        assert (line.required, line.handle_s, line.service_level, line.gap) == (None, None, None, None)
    later = Volume(NINE + timedelta(minutes=30), 30, "q", "voice", 10, 10, 2000, 0, 0)
    assert [line.handle_s for line in plan([blind, later], Targets(), PLAIN)] == [200, 200]


def test_patience_of_the_row_comes_before_the_assumed_one() -> None:
    [patient] = plan(Rows().of(100, patience_s=1e6), Targets(), PLAIN, [there(11)])
    [assumed] = plan(Rows().of(100), Targets(), PLAIN, [there(11)])
    assert (patient.abandonment or 0) < (assumed.abandonment or 0)


def test_two_chats_at_once_halve_the_people_and_calls_stay_calls() -> None:
    two = Assumptions(concurrency=Concurrency(2), shrinkage=0)
    chats, calls = (plan(Rows(channel).of(100), Targets(), two)[0] for channel in ("chat", "voice"))
    alone = plan(Rows("chat").of(100), Targets(), PLAIN)[0]
    assert chats.required == -(-(alone.required or 0) // 2)
    assert calls == plan(Rows().of(100), Targets(), PLAIN)[0]
    [seen] = plan(Rows("chat").of(100), Targets(), two, [there(6, channel="chat")])
    places = erlang_a.reach(12, 10, 180, 60, patience_s=120, short_s=5)
    assert seen.service_level == pytest.approx(places.service_level("without_short_abandons"))


# --- work that waits ---


def test_mail_is_done_by_its_deadline() -> None:
    rows = Rows("email", handle_s=600).of(*[12, 0, 0, 30, 5, 5, 0, 0])
    lines = plan(rows, Targets(), PLAIN)
    assert {line.model for line in lines} == {"deferred"}
    assert all(line.service_level == 1 for line in lines if line.volume.offered)
    assert [line.abandonment for line in lines] == [None] * 8
    worked = sum((line.required or 0) * 1800 for line in lines)
    assert worked >= 52 * 600


def test_too_few_for_the_mail_are_late() -> None:
    lines = plan(Rows("email", handle_s=1800).of(4, 4, 4, 4), Targets(), PLAIN, [there(2, channel="email")])
    levels = [line.service_level for line in lines]
    assert levels[0] == 1
    assert levels[-1] == 0
    assert [line.asa_s is None for line in lines] == [False, False, True, True]  # not done when the plan ends
    assert [line.occupancy for line in lines] == [1, 1, 1, 1]


def test_nobody_works_in_a_gap_between_the_rows() -> None:
    """Mail of the last half-hour, due within one of work: the night between is none."""
    day = Rows("email", handle_s=1800).of(4)
    morning = Volume(NINE + timedelta(hours=15), 30, "q", "email", 0, 0, 0, 0, 0)
    two_hours = Targets.of({"channels": {"email": {"answer_target_s": 7200}}})
    assert [line.required for line in plan([*day, morning], two_hours, PLAIN)] == [4, 0]
    sixteen = Targets.of({"channels": {"email": {"answer_target_s": 16 * 3600}}})
    assert sum(line.required or 0 for line in plan([*day, morning], sixteen, PLAIN)) == 4


def test_which_channels_wait_is_a_choice() -> None:
    [line] = plan(Rows("email").of(10), Targets(), Assumptions(deferred=frozenset({"case"})))
    assert line.model == "erlang-a"
    [line] = plan(Rows("case").of(10), Targets(), Assumptions(deferred=frozenset({"case"})))
    assert line.model == "deferred"
    [line] = plan(Rows("callback").of(10), Targets(), Assumptions())
    assert line.model == "deferred"


# --- the whole ---


@pytest.mark.parametrize(("day", "intervals"), [((2026, 3, 29), 92), ((2026, 10, 25), 100)])
def test_a_day_on_which_clocks_change(day: tuple[int, int, int], intervals: int) -> None:
    tz = ZoneInfo("Europe/Berlin")
    begin = datetime(*day, tzinfo=tz).astimezone(UTC)
    rows = [
        Volume((begin + timedelta(minutes=15 * n)).astimezone(tz), 15, "q", "voice", 20, 20, 3600, 0, 0)
        for n in range(intervals)
    ]
    assert rows[-1].end.astimezone(tz).time().isoformat() == "00:00:00"
    end = rows[-1].end.timestamp()
    lines = plan(rows, Targets(), PLAIN, [Shift("q", "voice", begin.timestamp(), end, 6)])
    assert len({(line.required, line.scheduled, line.service_level) for line in lines}) == 1
    assert lines[0].scheduled == 6
    [total] = whole(lines)
    assert total.hours == (lines[0].to_schedule or 0) * intervals / 4


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = Rows().of(100, 40, 70) + Rows("email").of(5, 6, 7)
    assert plan(rows[::-1], Targets(), PLAIN) == plan(rows, Targets(), PLAIN)


def test_a_target_that_nobody_reaches_names_its_queue() -> None:
    targets = Targets.of({"queues": {"q": {"targets": {"service_level": 1.0}}}})
    with pytest.raises(ValueError, match=r"q \(voice\): service_level: expected at least 0 and less than 1"):
        plan(Rows().of(10), targets, PLAIN)


def test_a_queue_that_only_the_roster_knows_is_named() -> None:
    assert unknown([there(1), there(2, channel="fax")], Rows().of(1)) == [("q", "fax")]


def test_more_people_never_reach_less() -> None:
    levels = [plan(Rows().of(100), Targets(), PLAIN, [there(n)])[0].service_level or 0 for n in range(25)]
    assert levels == sorted(levels)


def test_a_line_without_a_roster_has_no_gap() -> None:
    line = PlanLine(Rows().of(1)[0], "erlang-a", "answered_only", to_schedule=3)
    assert line.gap is None


# --- what the targets say ---

SET = {
    "shrinkage": 0.2,
    "patience_s": 60,
    "occupancy_max": 0.7,
    "asa_max_s": 2,
    "concurrency": 3,
    "full_time_h": 37.5,
}


@pytest.mark.parametrize(
    "document",
    [
        {"defaults": SET},
        {"channels": {"chat": SET}},
        {"queues": {"q": SET}},
        {"queues": {"q": {"shrinkage": 0.9, "channels": {"chat": SET}}}},
    ],
)
def test_the_targets_say_what_options_say(document: dict[str, Any]) -> None:
    """A setting of the targets, at any level, makes the plan that the same option makes."""
    rows = Rows("chat").of(100, 40)
    by_option = Assumptions(shrinkage=0.2, patience_s=60, occupancy=0.7, asa_s=2, concurrency=Concurrency(3))
    targets = Targets.of(document)
    assert plan(rows, targets, Assumptions()) == plan(rows, Targets(), by_option)
    assert plan(rows, targets, Assumptions()) != plan(rows, Targets(), Assumptions())
    assert plan(rows, targets, replace(by_option, shrinkage=0.0)) == plan(
        rows, Targets(), replace(by_option, shrinkage=0.0)
    )
    assert targets.rule("q", "chat").full_time_h == 37.5


def test_concurrency_is_for_neither_calls_nor_deferred_work() -> None:
    many = Targets.of({"defaults": {"concurrency": 4}})
    for channel in ("voice", "email"):
        assert plan(Rows(channel).of(100), many, PLAIN) == plan(Rows(channel).of(100), Targets(), PLAIN)
    for channel in ("chat", "messaging", "whatsapp"):
        [line] = plan(Rows(channel).of(100), many, PLAIN)
        [alone] = plan(Rows(channel).of(100), Targets(), PLAIN)
        assert line.required == -(-(alone.required or 0) // 4)


@pytest.mark.parametrize("field", ["shrinkage", "patience_s", "occupancy_max", "asa_max_s", "concurrency"])
def test_a_setting_out_of_range_is_refused_with_its_place(field: str) -> None:
    with pytest.raises(ValueError, match=rf"channels.chat.{field}: expected"):
        Targets.of({"channels": {"chat": {field: -1}}})


# --- what binds ---


@pytest.mark.parametrize(
    ("changes", "binds"),
    [
        ({"targets": {"service_level": 0.99, "abandonment": 0.5}, "occupancy_max": 1}, "service_level"),
        ({"targets": {"service_level": 0.1, "abandonment": 0.001}, "occupancy_max": 1}, "abandonment"),
        ({"targets": {"service_level": 0.1, "abandonment": 0.5}, "occupancy_max": 0.4}, "occupancy"),
        (
            {"targets": {"service_level": 0.1, "abandonment": 0.5}, "asa_max_s": 0.5, "occupancy_max": 1},
            "asa",
        ),
    ],
)
def test_the_goal_that_binds_is_what_one_person_fewer_misses(changes: dict[str, Any], binds: str) -> None:
    targets = Targets.of({"queues": {"q": changes}})
    [line] = plan(Rows().of(100), targets, PLAIN)
    assert line.binds == binds
    loosened: dict[str, dict[str, Any]] = {
        "service_level": {"targets": {**changes["targets"], "service_level": 0.05}},
        "abandonment": {"targets": {**changes["targets"], "abandonment": 0.9}},
        "occupancy": {"occupancy_max": 1},
        "asa": {"asa_max_s": 86_400},
    }
    looser = Targets.of({"queues": {"q": changes | loosened[binds]}})
    [fewer] = plan(Rows().of(100), looser, PLAIN)
    assert (fewer.required or 0) < (line.required or 0)


def test_nothing_binds_where_one_or_nobody_is_enough() -> None:
    assert [line.binds for line in plan(Rows().of(0, 0.01), Targets(), PLAIN)] == [None, None]
    assert {line.binds for line in plan(Rows("email").of(40), Targets(), PLAIN)} == {"deadline"}


# --- business hours ---

OFFICE: dict[str, Any] = {
    "queues": {"q": {"calendar": "office", "answer_target_s": 20}},
    "calendars": {
        "office": {"hours": {"mon-fri": ["09:00-10:00", "11:00-12:00"]}, "holidays": ["2026-01-06"]}
    },
}


def test_nobody_is_planned_for_a_closed_hour() -> None:
    rows = Rows().of(10, 10, 10, 10, 10, 10, 10)
    lines = plan(rows, Targets.of(OFFICE), PLAIN, [there(3)])
    assert [line.open for line in lines] == [True, True, False, False, True, True, False]
    always = plan(rows, Targets.of({"queues": {"q": {"answer_target_s": 20}}}), PLAIN, [there(3)])
    for line, usual in zip(lines, always, strict=True):
        if line.open:
            assert line == usual
        else:
            assert (line.required, line.to_schedule, line.gap, line.service_level) == (0, 0, 3, None)


def test_mail_that_comes_while_closed_is_done_after_the_opening() -> None:
    """Closed from ten to eleven: its work waits, and its deadline counts business time."""
    document = OFFICE | {"queues": {"q": {"calendar": "office", "answer_target_s": 1800}}}
    rows = Rows("email", handle_s=900).of(2, 0, 6, 0, 0, 0)
    lines = plan(rows, Targets.of(document), PLAIN)
    assert [line.required for line in lines] == [1, 0, 0, 0, 3, 0]
    assert [line.open for line in lines] == [True, True, False, False, True, True]
    assert lines[2].service_level == 1
    # What nobody can do before the plan ends is not promised.
    late = plan(Rows("email", handle_s=900).of(0, 0, 6, 0), Targets.of(document), PLAIN)
    assert [(line.required, line.service_level) for line in late] == [(0, None)] * 4


def test_a_schedule_says_nothing_of_intervals_that_it_does_not_cover() -> None:
    begin = NINE.timestamp()
    [first, second] = plan(
        Rows().of(100, 100), Targets(), PLAIN, [there(3)], {("q", "voice"): (begin, begin + 1800)}
    )
    assert (first.scheduled, second.scheduled, second.gap) == (3, None, None)
    assert second == plan(Rows().of(100, 100), Targets(), PLAIN)[1]
