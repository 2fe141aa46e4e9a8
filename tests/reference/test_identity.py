"""For how long an id is known, by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, OK, T0, D, H, Log

MIDNIGHT = -8.5 * H  # T0 is half past eight on a Saturday
MONDAY = MIDNIGHT + 2 * D


@pytest.fixture
def log() -> Log:
    return waiting()


def waiting(**settings: Any) -> Log:
    """Somebody waits, so that ids can be asked for."""
    log = Log(**settings)
    assert log.put(MIDNIGHT, "contact.queued", "w", id="w", channel="email") == OK
    return log


def knows(log: Log, at: float, name: str) -> bool:
    """Whether the id is known; to ask adds nothing, because who waits can't be queued there."""
    result = log.put(at, "contact.queued", "w", id=name, channel="email")
    assert result in (DUPLICATE, ILLEGAL)
    return result == DUPLICATE


def add(log: Log, at: float, *names: str) -> None:
    for name in names:
        assert log.put(at, "agent.state", id=name, agent="a9", state="break") == OK


_SALE: dict[str, Any] = {"amount": 5, "currency": "EUR"}


@pytest.mark.parametrize("hours", [6, 47])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("contact.refused", {}),
        ("survey.sent", {}),
        ("survey.answered", {"kind": "csat", "score": 5}),
        ("sale.recorded", _SALE),
        ("case.reopened", {"case": "k"}),
        ("case.reopened", {"case": "k", "queue": "billing", "channel": "chat"}),
        ("contact.queued", {}),
        ("message.received", {}),
        ("message.sent", {"agent": "a1"}),
        ("agent.missed", {"agent": "a1"}),
        ("contact.abandoned", {}),
        ("contact.answered", {"queue": "sales", "direction": "outbound"}),
    ],
)
def test_what_is_delivered_again_counts_once(log: Log, kind: str, fields: dict[str, Any], hours: int) -> None:
    """Six hours later, and nearly two days; with something that happens in every hour between."""
    log.put(0, "contact.queued", id="opener", channel="email", queue="claims")
    first = {"id": "x", **fields}
    assert log.put(10, kind, **first) == OK
    if kind == "contact.queued":
        log.put(11, "contact.left_queue", queue="billing")
    for hour in range(1, hours):
        log.tick(hour * H)
    log.tick(hours * H + 10)
    before = log.reference.totals()
    assert log.put(10, kind, **first) == DUPLICATE
    assert log.reference.totals() == before


def test_an_id_is_known_for_at_least_two_days(log: Log) -> None:
    """Of the last moment of a day, and of the first: until something is added in the fourth day."""
    add(log, MIDNIGHT, "first")
    add(log, MIDNIGHT + D - 0.001, "last")
    for day in (1, 2):
        add(log, MIDNIGHT + day * D, f"d{day}")
    assert knows(log, MIDNIGHT + 3 * D - 0.001, "last")  # 48 hours
    assert knows(log, MIDNIGHT + 3 * D, "last")
    assert knows(log, MIDNIGHT + 3 * D, "first")  # 72 hours
    add(log, MIDNIGHT + 3 * D, "d3")
    known = {name for name in ("first", "last", "d1", "d2", "d3") if knows(log, MIDNIGHT + 3 * D, name)}
    assert known == {"d1", "d2", "d3"}
    assert log.reference.dropped_early == 0


def test_over_a_weekend_in_which_nothing_happens_ids_stay_known(log: Log) -> None:
    friday = MONDAY - 7 * H
    log = Log()
    assert log.put(friday, "contact.queued", "w", id="w", channel="email") == OK
    assert log.put(friday, "message.received", "w", id="m") == OK
    assert log.put(friday, "sale.recorded", "w", id="s", **_SALE) == OK
    for morning in (MONDAY + 9 * H, MONDAY + D, MONDAY + 2 * D + H):
        assert log.put(friday, "message.received", "w", id="m", stamp=morning) == DUPLICATE
        assert log.put(friday, "sale.recorded", "w", id="s", stamp=morning, **_SALE) == DUPLICATE
        log.tick(morning)


def test_a_day_in_which_no_id_was_added_is_none_of_the_three(log: Log) -> None:
    add(log, MIDNIGHT, "a")
    for day in range(1, 5):
        assert knows(log, MIDNIGHT + day * D, "a")
        assert log.put(MIDNIGHT + day * D, "contact.held", "nobody", id=f"h{day}") == ILLEGAL
        assert log.put(MIDNIGHT + day * D, "unheard.of") == "unknown_type"
    for day in (5, 6):
        add(log, MIDNIGHT + day * D, f"d{day}")
        assert knows(log, MIDNIGHT + day * D, "a")
    add(log, MIDNIGHT + 7 * D, "d7")
    assert not knows(log, MIDNIGHT + 7 * D, "a")


def test_an_opener_is_known_as_long_as_its_visit_is_open_and_two_days_longer(log: Log) -> None:
    log.put(0, "contact.queued", id="q", channel="email", queue="claims")
    for day in range(1, 6):
        add(log, MIDNIGHT + day * D, f"d{day}")
    again: dict[str, Any] = {"id": "q", "channel": "email", "queue": "claims"}
    assert log.put(MIDNIGHT + 5 * D, "contact.queued", **again) == DUPLICATE
    assert not knows(log, MIDNIGHT + 5 * D, "q")  # another contact's is another one's
    assert log.put(MIDNIGHT + 5 * D, "contact.left_queue") == OK
    for day in (6, 7):
        add(log, MIDNIGHT + day * D, f"d{day}")
        assert log.put(MIDNIGHT + day * D, "contact.queued", **again) == DUPLICATE
    add(log, MIDNIGHT + 8 * D, "d8")
    assert log.put(MIDNIGHT + 8 * D, "contact.queued", **again) == OK


def test_of_an_id_that_is_added_on_two_days_the_later_one_holds(log: Log) -> None:
    """Two events share an id: one is repeatable, the other one opened a visit that closes a day later."""
    log.put(0, "contact.queued", id="x", channel="email")
    add(log, 1, "x")
    assert log.put(MIDNIGHT + D, "contact.left_queue") == OK
    for day in (1, 2, 3):
        add(log, MIDNIGHT + day * D, f"d{day}")
    assert knows(log, MIDNIGHT + 3 * D, "x")
    add(log, MIDNIGHT + 4 * D, "d4")
    assert not knows(log, MIDNIGHT + 4 * D, "x")


# Partition time that goes back -------------------------------------------------------------------------


def alone(log: Log, at: float, name: str, kind: str = "sale.recorded", **fields: Any) -> str:
    """A record whose stamp is its sender's, the contact's; as long as there is only one, it leads."""
    event = {"id": name, "type": kind, "at": T0 + round(at * 1000), "contact_id": "c1", **_SALE, **fields}
    result = log.reference.feed(log.offset, json.dumps(event).encode())
    log.offset += 1
    return result


def test_when_time_goes_back_later_days_become_the_day_to_which_it_goes() -> None:
    log = Log()
    for day in (0, 1, 5):
        assert alone(log, day * D, f"d{day}") == OK
    assert (
        alone(log, D, "back", contact_id="w", kind="contact.queued", queue="billing", channel="email") == OK
    )
    assert log.reference.partition_time == T0 + (D + 60) * 1000
    for day, known in ((2, {"d0", "d1", "d5"}), (3, {"d1", "d5"}), (4, set())):
        add(log, day * D, f"later{day}")
        assert {name for name in ("d0", "d1", "d5") if knows(log, day * D, name)} == known


def test_time_may_go_back_behind_all_days() -> None:
    log = Log(recent_max=3)
    for day in (3, 4):
        assert alone(log, day * D, f"d{day}") == OK
    assert (
        alone(log, 0, "back", contact_id="w", kind="contact.queued", queue="billing", channel="email") == OK
    )
    assert {knows(log, 60, name) for name in ("d3", "d4")} == {True}
    add(log, 60, "third")
    assert log.reference.dropped_early == 0
    add(log, 60, "fourth")
    assert log.reference.dropped_early == 3
    assert [name for name in ("d3", "d4", "third", "fourth") if knows(log, 60, name)] == ["fourth"]


def test_what_was_added_on_two_days_that_become_one_is_one_pair() -> None:
    log = Log(recent_max=3)
    assert alone(log, 0, "x", kind="contact.queued", queue="billing", channel="email") == OK
    assert alone(log, 1, "x") == OK
    assert alone(log, 5 * D, "l", kind="contact.left_queue") == OK
    assert (
        alone(log, 0, "back", contact_id="w", kind="contact.queued", queue="billing", channel="email") == OK
    )
    add(log, 60, "b", "c")
    assert log.reference.dropped_early == 0
    assert {knows(log, 60, name) for name in "xbc"} == {True}
    add(log, 60, "d")
    assert log.reference.dropped_early == 3


# Too many ----------------------------------------------------------------------------------------------


def test_of_too_many_ids_the_earliest_day_is_dropped_early() -> None:
    log = waiting(recent_max=3)
    add(log, 0, "a", "b")
    add(log, D, "c")
    assert log.reference.dropped_early == 0
    add(log, D, "d")
    assert log.reference.dropped_early == 2
    assert [name for name in "abcd" if knows(log, D, name)] == ["c", "d"]
    add(log, D, "e")
    assert log.reference.dropped_early == 2
    add(log, D, "f")  # today is the earliest
    assert log.reference.dropped_early == 5
    assert [name for name in "cdef" if knows(log, D, name)] == ["f"]


def test_what_is_there_is_not_one_more() -> None:
    log = waiting(recent_max=2)
    assert log.put(0, "contact.queued", id="x") == OK
    add(log, 0, "x", "y")
    assert log.put(1, "contact.left_queue") == OK  # the opener is added again
    assert log.reference.dropped_early == 0
    assert [name for name in "xy" if knows(log, 1, name)] == ["x", "y"]


def test_a_fourth_day_comes_before_too_many() -> None:
    log = waiting(recent_max=4)
    add(log, 0, "a", "b")
    add(log, D, "c")
    add(log, 2 * D, "d")
    add(log, 3 * D, "e")
    assert log.reference.dropped_early == 0
    assert [name for name in "abcde" if knows(log, 3 * D, name)] == ["c", "d", "e"]


def test_ids_that_recur_are_dropped_early_as_well() -> None:
    log = Log(lasting_max=2)

    def recur(at: float, name: str) -> str:
        """As another contact's, which knows no opener."""
        return log.put(
            at, "contact.queued", f"c{log.offset}", id=name, recurs=True, queue="sales", channel="email"
        )

    assert [recur(0, "a"), recur(D, "b")] == [OK, OK]
    assert log.reference.dropped_early == 0
    assert recur(2 * D, "c") == OK
    assert log.reference.dropped_early == 1
    assert [recur(2 * D, "b"), recur(2 * D, "c")] == [DUPLICATE, DUPLICATE]
    assert recur(2 * D, "a") == OK
    assert log.reference.dropped_early == 2
