"""Outcomes that say how their visit began, by hand."""

from __future__ import annotations

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, T0, D, Log, began


@pytest.fixture
def log() -> Log:
    return Log()


def test_an_answer_opens_the_visit_that_was_lost(log: Log) -> None:
    start = began("b", 0, 3)
    assert log.put(8, "contact.answered", queue="billing", agent="a1", beginning=start) == OK
    assert log.put(8, "contact.answered", queue="billing", agent="a1", beginning=start) == DUPLICATE
    total = log.total()
    assert (total["offered"], total["answered"], total["answer_wait_ms"]) == (
        1,
        1,
        8_000,
    )  # its own time counts
    assert log.where("offered") == [0]
    assert log.put(9, "contact.queued", id="b") == DUPLICATE
    assert log.put(20, "contact.ended", queue="billing", beginning=start) == OK
    assert log.put(30, "contact.wrapped", queue="billing", beginning=start) == OK
    assert log.put(31, "contact.wrapped", queue="billing", beginning=start) == DUPLICATE  # b is recent
    assert log.put(32, "contact.queued", id="b") == DUPLICATE
    total = log.total()
    assert (total["offered"], total["handled"], total["talk_ms"], total["wrap_ms"]) == (1, 1, 12_000, 10_000)


def test_an_end_makes_up_for_the_answer_as_well(log: Log) -> None:
    start = began("b", 10, 35)
    assert (
        log.put(95, "contact.ended", queue="billing", channel="chat", agent="a1", visit=4, beginning=start)
        == OK
    )
    assert log.reference.open_visits() == [("c1", "billing", "chat", "wrapping", T0 + 10_000)]
    total = log.total(channel="chat")
    assert total == {
        "offered": 1,
        "answered": 1,
        "answered_in_target": 1,
        "answer_wait_ms": 25_000,
        "answer_open_ms": 25_000,
        "responded": 1,
        "response_ms": 25_000,
        "response_open_ms": 25_000,
        "decided": 1,
    }
    assert (log.where("offered"), log.where("answered")) == ([10], [30])
    assert log.put(96, "contact.wrapped", visit=5) == ILLEGAL
    assert log.put(97, "contact.wrapped", visit=4, agent="a1") == OK
    assert log.total(channel="chat")["talk_ms"] == 60_000


def test_an_answer_that_was_lost_is_made_up_for_in_the_visit_that_waits(log: Log) -> None:
    log.put(0, "contact.queued", id="b")
    assert log.put(60, "contact.wrapped", queue="billing", wait_s=3, beginning=began("b", 0, 12)) == OK
    assert log.total() == {
        "offered": 1,
        "answered": 1,
        "answered_in_target": 1,
        "answer_wait_ms": 12_000,
        "answer_open_ms": 12_000,
        "decided": 1,
        "responded": 1,
        "response_ms": 12_000,
        "response_open_ms": 12_000,
        "conversations": 1,
        "conversation_ms": 60_000,
        "handled": 1,
        "talk_ms": 48_000,
    }
    assert log.put(61, "contact.answered", queue="billing") == ILLEGAL


def test_the_answer_itself_may_come_after_the_end(log: Log) -> None:
    start = began("b", 0, 12)
    assert log.put(50, "contact.ended", queue="billing", beginning=start) == OK
    assert log.put(12, "contact.answered", queue="billing", beginning=start) == DUPLICATE


def test_an_end_that_nobody_answered_begins_nothing_but_a_bot_s_does(log: Log) -> None:
    for kind in ("contact.ended", "contact.wrapped"):
        assert log.put(50, kind, queue="billing", beginning=began("b", 0)) == ILLEGAL
        assert (
            log.put(50, kind, queue="billing", beginning=began("b", 0, 51)) == ILLEGAL
        )  # answered afterwards
    assert log.reference.reasons == {(ILLEGAL, "no_visit"): 4}
    assert log.states() == []
    assert log.put(52, "contact.ended", queue="billing", by="bot", beginning=began("b", 0)) == OK
    assert log.total()["bot_contained"] == 1


def test_who_gave_up_was_not_answered(log: Log) -> None:
    assert log.put(50, "contact.abandoned", queue="billing", beginning=began("b", 0, 5)) == OK
    assert log.states() == [("c1", "billing", "abandoned")]
    assert log.total()["abandon_wait_ms"] == 50_000


@pytest.mark.parametrize(
    "kind", ["contact.abandoned", "contact.left_queue", "contact.transferred", "callback.scheduled"]
)
def test_who_was_never_answered(log: Log, kind: str) -> None:
    start = began("b", 0)
    assert log.put(15, kind, id="x", queue="billing", beginning=start) == OK
    assert log.put(15, kind, id="x", queue="billing", beginning=start) == DUPLICATE
    total = log.total()
    assert (total["offered"], total["decided"]) == (1, 1)
    assert total.get("abandon_wait_ms", total.get("left_wait_ms")) == 15_000


def test_what_began_too_long_ago_may_have_been_there_and_begins_nothing(log: Log) -> None:
    log.tick(1 * D + 59)  # the minute began at 1 * D
    late, just = 1 * D - 55 * MIN - 0.001, 1 * D - 55 * MIN
    assert log.put(1 * D, "contact.ended", queue="billing", beginning=began("b", late, late + 9)) == ILLEGAL
    assert log.put(1 * D, "contact.ended", queue="billing", beginning=began("b", just, just + 9)) == OK
    assert log.total()["answer_wait_ms"] == 9_000


def test_a_wrap_up_that_is_stated_is_no_talk(log: Log) -> None:
    """Nobody said when the conversation ended: 300 s before all was done."""
    start = began("b", 0, 10)
    assert log.put(400, "contact.wrapped", queue="billing", wrap_s=300, beginning=start) == OK
    assert (log.total()["talk_ms"], log.total()["wrap_ms"]) == (90_000, 300_000)


def test_without_a_queue_or_outbound_it_has_no_meaning(log: Log) -> None:
    assert log.put(8, "contact.answered", beginning=began("b", 0)) == ILLEGAL
    out = log.put(9, "contact.answered", queue="billing", direction="outbound", beginning=began("b", 0))
    assert out == OK
    assert log.total() == {"outbound": 1}
    log.put(10, "contact.ended", queue="billing", direction="outbound", beginning=began("b", 0))
    log.put(11, "contact.wrapped")
    assert (
        log.put(12, "contact.ended", queue="billing", direction="outbound", beginning=began("b", 0))
        == ILLEGAL
    )
    assert log.put(13, "contact.queued", id="b") == OK
    assert log.reference.reasons == {(ILLEGAL, "no_visit"): 2}


def test_another_beginning_of_a_visit_that_is_there_is_remembered(log: Log) -> None:
    log.put(0, "contact.queued", id="q")
    assert log.put(5, "contact.answered", queue="billing", beginning=began("b", 1)) == OK
    assert log.put(6, "contact.queued", id="b") == DUPLICATE
    assert log.put(7, "contact.ended", queue="sales", beginning=began("b", 1, 2)) == DUPLICATE  # b is recent
    assert (
        log.put(8, "contact.ended", queue="sales", beginning=began("q", 1, 2)) == ILLEGAL
    )  # of another queue
    assert log.total()["offered"] == 1
    assert log.put(9, "contact.ended", queue="sales", beginning=began("s", 1, 2)) == OK
    assert log.total("sales")["answer_wait_ms"] == 1_000


def test_a_visit_that_fits_is_none_that_must_begin(log: Log) -> None:
    """It need not be in a state for the outcome, if it took one before: this is the second end of the first visit."""
    log.put(0, "contact.queued", visit=1)
    log.put(5, "contact.answered", visit=1)
    log.put(50, "contact.ended", visit=1)
    assert log.put(55, "contact.ended", queue="billing", beginning=began("b", 40, 45)) == DUPLICATE
    assert log.put(55, "contact.ended", queue="billing", visit=2, beginning=began("b", 40, 45)) == OK
    assert log.total()["offered"] == 2


def test_of_several_the_newest_that_waits_was_answered(log: Log) -> None:
    log.put(0, "contact.queued", channel="callback")
    log.put(2, "contact.queued")
    log.put(4, "contact.queued", channel="video")
    log.put(5, "contact.answered")  # the newest
    assert log.put(30, "contact.ended", queue="billing", agent="a1", beginning=began("b", 2, 10)) == OK
    assert log.reference.open_visits() == [
        ("c1", "billing", "callback", "waiting", T0),
        ("c1", "billing", "video", "talking", T0 + 4_000),
        ("c1", "billing", "voice", "wrapping", T0 + 2_000),
    ]
    assert log.total()["answer_wait_ms"] == 8_000
    assert log.put(31, "contact.queued", id="b") == DUPLICATE


def test_targets_are_those_of_the_time_of_queueing() -> None:
    log = Log()
    log.reference = type(log.reference)(lambda _queue, _channel, at: (9_000 if at == T0 else 1_000, 0))
    log.put(9, "contact.answered", queue="billing", beginning=began("b", 0))
    log.put(18, "contact.answered", queue="sales", beginning=began("b2", 9))
    assert log.total()["answered_in_target"] == 1
    assert "answered_in_target" not in log.total("sales")


def test_a_beginning_that_is_null_is_none(log: Log) -> None:
    assert log.put(9, "contact.answered", queue="billing", beginning=None) == ILLEGAL
    start = {**began("b", 0), "answered_at": None, "more": 1}
    assert log.put(9, "contact.answered", queue="billing", beginning=start) == OK
    assert log.put(10, "agent.missed", beginning="no outcome, and so nobody reads it") == OK
