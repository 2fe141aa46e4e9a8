"""Worked examples published by others, through our pipeline: docs/comparisons.md explains each result."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Overrides, Targets

from .examples import Told
from .kept import Kept, Line, folded
from .streams import line

PAGE = Path(__file__).parents[2] / "docs" / "comparisons.md"
DAY = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
MINUTE, HALF_AN_HOUR = 60, 1_800
OFFICE = {"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}}


def seconds(clock: str) -> int:
    """A time of that Monday."""
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def since(stamp: str) -> float:
    return (datetime.fromisoformat(stamp) - DAY).total_seconds()


def kept(*told: Told, targets: Targets | None = None) -> Kept:
    lines: list[Line] = []
    for n, (at, contact, kind, fields) in enumerate(sorted(told, key=lambda one: one[0])):
        stamp = round((DAY.timestamp() + at) * 1000)
        event = {"id": f"e{n}", "type": kind, "contact_id": contact, **fields}
        lines.append(line(n, stamp, stamp, **event))
    found = folded(lines, targets=targets)
    assert set(found.results) == {"applied"}
    return found


def queued(at: float, contact: str = "c", channel: str = "chat", queue: str = "q") -> Told:
    return at, contact, "contact.queued", {"queue": queue, "channel": channel}


def then(at: float, kind: str, contact: str = "c", **fields: Any) -> Told:
    return at, contact, kind, fields


def total(found: Kept, name: str, queue: str = "q", channel: str = "chat") -> int:
    return found.counters(0).get((queue, channel), {}).get(name, 0)


def by_half_hour(found: Kept, name: str) -> dict[str, int]:
    """A counter by the half hour, of those that have any."""
    out: dict[str, int] = {}
    for (start, *_), cell in found.counters(900_000).items():
        at = datetime.fromtimestamp(start / 1000 // HALF_AN_HOUR * HALF_AN_HOUR, tz=UTC).strftime("%H:%M")
        if cell.get(name):
            out[at] = out.get(at, 0) + cell[name]
    return out


def call(contact: str, begin: str, end: str) -> list[Told]:
    """Answered at once, and no wrap-up."""
    at = seconds(begin)
    return [
        queued(at, contact, "voice"),
        then(at, "contact.answered", contact),
        then(seconds(end), "contact.wrapped", contact),
    ]


CASES: dict[str, Callable[[], None]] = {}


def case(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def remember(check: Callable[[], None]) -> Callable[[], None]:
        CASES[name] = check
        return check

    return remember


@case("c01")
def first_response_in_business_hours() -> None:
    hours = Targets.of({"queues": {"q": {"calendar": "office"}}, "calendars": OFFICE})
    asked, answered = since("2022-03-20T00:00:00+00:00"), since("2022-03-26T23:59:00+00:00")
    found = kept(queued(asked), then(answered, "message.sent"), targets=hours)
    assert total(found, "response_open_ms") == 144_000_000


@case("c03")
def the_response_clock_starts_at_the_hand_off() -> None:
    found = kept(queued(0), then(20, "bot.handed_off"), then(62, "message.sent"))
    assert total(found, "response_ms") == 42_000


@case("c04")
def a_second_hand_off_counts_no_second_bot() -> None:
    told = [queued(0), then(20, "bot.handed_off"), then(25, "bot.handed_off")]
    assert total(kept(*told, then(62, "contact.answered")), "from_bot") == 1


@case("c05")
def a_reply_is_measured_from_the_message_that_waits_for_it() -> None:
    found = kept(queued(0), then(0, "message.received"), then(7_200, "message.sent"))
    assert (total(found, "reply_ms"), total(found, "replies")) == (7_200_000, 1)


@case("c06")
def a_bot_contains_only_what_no_human_had() -> None:
    bot = then(5, "message.sent", bot=True)
    over = then(60, "contact.ended", by="bot")
    assert total(kept(queued(0), bot, over), "bot_contained") == 1
    assert total(kept(queued(0), bot, then(9, "message.sent"), over), "bot_contained") == 0
    assert total(kept(queued(0), then(9, "message.sent"), then(60, "contact.ended")), "to_bot") == 0


@case("c07")
def a_conversation_that_is_opened_again_waits_from_then() -> None:
    begin, again = since("2025-07-28T09:00:00+00:00"), since("2025-08-01T14:00:00+00:00")
    told = [queued(begin), then(begin + 300, "contact.ended", by="bot")]
    found = kept(*told, queued(again), then(again + 600, "message.sent"))
    assert (total(found, "response_ms"), total(found, "responded")) == (600_000, 1)


@case("c08")
def the_mean_of_first_responses() -> None:
    told: list[Told] = []
    for n in range(15):
        at = 0 if n < 10 else -2 * 86_400
        told += [queued(at, f"c{n}"), then(at + (7_200 if n < 10 else 0), "message.sent", f"c{n}")]
    found = kept(*told)
    assert total(found, "response_ms") / total(found, "responded") == 4_800_000


@case("v01")
def handle_time_counts_where_it_ends() -> None:
    found = kept(*call("c", "05:23", "06:15"))
    assert by_half_hour(found, "talk_ms") == {"06:00": 52 * MINUTE * 1000}


@case("v03")
def each_conversation_counts_whole_where_it_ends() -> None:
    found = kept(*call("a", "09:35", "10:05"), *call("b", "09:16", "09:32"))
    assert by_half_hour(found, "talk_ms") == {"09:30": 16 * MINUTE * 1000, "10:00": 30 * MINUTE * 1000}


def level(policy: str, answered: int, late: int, abandoned: int, waiting: int = 0) -> float:
    """The service level of these calls with T = 20 s; those still waiting are past it."""
    waits = [("contact.answered", 10)] * answered + [("contact.answered", 30)] * late
    waits += [("contact.abandoned", 10)] * abandoned
    told = [
        one
        for n, (kind, wait) in enumerate(waits)
        for one in (queued(0, f"c{n}", "voice"), then(wait, kind, f"c{n}"))
    ]
    found = kept(*told, targets=Targets(defaults=Overrides(short_abandon_s=0)))
    sums = found.counters(0)["q", "voice"]
    value = SERVICE_LEVELS[policy].value({**sums, "decided": sums["decided"] + waiting})
    assert value is not None
    return round(100 * value, 2)


@case("v05")
def three_ways_to_treat_who_gave_up() -> None:
    assert level("ignoring_early_abandons", 70, 0, 10, waiting=20) == 77.78
    assert level("answered_of_offered", 70, 0, 10, waiting=20) == 70.0
    assert level("abandons_count_as_met", 70, 0, 10, waiting=20) == 80.0


@case("v06")
def answered_late_counts_against_it() -> None:
    assert level("ignoring_early_abandons", 50, 80, 0) == 38.46


@case("v09")
def a_callback_waits_again_when_its_time_has_come() -> None:
    told = [queued(0, channel="voice"), then(0, "callback.scheduled", due="2026-03-02T00:00:30+00:00")]
    later = [queued(30, channel="voice"), then(40, "contact.answered")]
    waiting = [[v[3] for v in kept(*told, *later[:n]).open_visits()] for n in range(3)]
    assert waiting == [[], ["waiting"], ["talking"]]


@case("v12")
def each_thing_counts_when_it_happens() -> None:
    told = [queued(seconds("07:28"), channel="voice"), then(seconds("07:32"), "contact.answered")]
    found = kept(*told)
    assert (by_half_hour(found, "offered"), by_half_hour(found, "answered")) == ({"07:00": 1}, {"07:30": 1})


@case("v13")
def a_contact_that_a_queue_passes_on_is_offered_twice() -> None:
    told = [queued(0, channel="voice", queue="A"), then(30, "contact.left_queue", reason="transfer")]
    told += [
        queued(30, channel="voice", queue="B"),
        then(40, "contact.answered"),
        then(90, "contact.wrapped"),
    ]
    found = kept(*told)
    numbers = {
        q: [total(found, name, q, "voice") for name in ("offered", "handled", "abandoned", "left")]
        for q in "AB"
    }
    assert numbers == {"A": [1, 0, 0, 1], "B": [1, 1, 0, 0]}


@pytest.mark.parametrize("name", CASES)
def test_through_the_pipeline(name: str) -> None:
    CASES[name]()


def rows() -> Iterator[list[str]]:
    for text in PAGE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| [bcv]\d\d", text):
            yield [cell.strip() for cell in text.strip("|").split("|")]


def test_the_page_says_what_became_of_every_case() -> None:
    told = {row[0]: row[2] for row in rows()}
    assert {name for name, how in told.items() if how == "pipeline"} == set(CASES)
    hours = (Path(__file__).parent / "business_hours.json").read_text()
    elsewhere = {"v10"}  # tests/workforce/test_erlang.py
    assert {name for name, how in told.items() if how == "function"} - elsewhere == set(
        re.findall(r'"id": "(\w+)"', hours)
    ) - {"c01"}
    assert len(told) == 31
    for name, _, how, *why in rows():
        assert how in {"pipeline", "function", "not ours"}, name
        assert why[0], name
