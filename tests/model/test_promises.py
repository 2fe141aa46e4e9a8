"""Which mean wait a target is held against: that by the clock that was promised."""

from typing import Any

import pytest

from stream_app.model.kpis import BY_NAME
from stream_app.model.targets import Targets

TWINS = {kpi.name: kpi.twin for kpi in BY_NAME.values() if kpi.twin}
OFFICE = {"calendars": {"office": {"hours": {"mon-fri": ["09:00-17:00"]}}}}


def targets(channel: str = "email", **said: Any) -> dict[str, float]:
    document = OFFICE | {"defaults": {"calendar": "office"}} | said
    return Targets.of(document).rule("support", channel).targets


def test_there_are_means_by_both_clocks() -> None:
    assert len(TWINS) == 4
    for name, twin in TWINS.items():
        mine, other = BY_NAME[name], BY_NAME[twin]
        assert mine.targets == other.targets
        assert mine.windows[-1] == other.windows[-1]


@pytest.mark.parametrize(("channel", "by_hours"), [("email", True), ("messaging", True), ("voice", False)])
def test_a_queue_is_held_to_one_of_them(channel: str, by_hours: bool) -> None:
    found = targets(channel).keys()
    held, free = (set(TWINS.values()), set(TWINS)) if by_hours else (set(TWINS), set(TWINS.values()))
    assert held <= found
    assert not free & found


def test_without_a_calendar_there_is_only_the_clock_on_the_wall() -> None:
    found = targets(defaults={}).keys()
    assert set(TWINS) <= found
    assert not set(TWINS.values()) & found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"first_response": 7200}, 7200),
        ({"first_response": 7200, "first_response_business": 5400}, 5400),
        ({"first_response_business": 5400}, 5400),
    ],
)
def test_what_was_said_of_the_first_response_is_the_promise(said: dict[str, float], expected: float) -> None:
    found = targets(queues={"support": {"targets": said}})
    assert found["first_response_business"] == expected
    assert "first_response" not in found


def test_a_later_level_wins_over_what_a_former_one_said_of_the_other_mean() -> None:
    found = targets(
        channels={"email": {"targets": {"first_response_business": 5400}}},
        queues={"support": {"targets": {"first_response": 7200}}},
    )
    assert found["first_response_business"] == 7200


def test_a_target_by_business_hours_that_a_centre_wants_besides_is_kept() -> None:
    found = targets("voice", queues={"support": {"targets": {"first_response_business": 15}}})
    assert (found["first_response"], found["first_response_business"]) == (20, 15)


def test_a_preset_s_target_by_the_other_clock_is_none() -> None:
    found = targets("voice", preset="retail")
    assert "first_response_business" not in found
    assert "first_response" in found
