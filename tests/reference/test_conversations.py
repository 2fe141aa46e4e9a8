"""Replies, the response clock and outbound visits, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, VOICE, H, Log


@pytest.fixture
def log() -> Log:
    return Log()


def test_every_answer_to_the_customer_is_a_reply(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "message.received")
    log.put(11, "message.sent")  # 10 s, the first response
    log.put(12, "message.sent")  # answers nothing
    log.put(20, "message.received")
    log.put(25, "message.received")  # the clock runs already
    log.put(26, "message.sent", bot=True)  # a bot's is no reply
    log.put(27, "bot.handed_off")  # after the first response: nothing
    log.put(50, "message.sent")  # 30 s
    log.put(60, "message.received")
    log.put(59, "message.sent")  # a clock that runs backwards: 0
    total = log.total(channel="chat")
    assert (total["replies"], total["reply_ms"], total["reply_open_ms"]) == (3, 40_000, 40_000)
    assert (total["responded"], total["response_ms"], total["response_open_ms"]) == (1, 10_000, 10_000)
    assert log.where("replies") == [10, 50]
    assert log.reference.total_sketch("response") == {("billing", "chat"): {213: 1}}  # 2^(213/16) = 10,173


def test_a_first_response_that_nobody_asked_for_counts_since_queueing(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    log.put(10, "contact.answered")
    log.put(40, "message.sent")
    log.put(45, "message.sent")
    total = log.total(channel="email")
    assert (total["replies"], total["reply_ms"], total["response_ms"]) == (1, 40_000, 40_000)


def test_a_hand_off_starts_the_clock_anew_until_the_first_response(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "message.received")
    log.put(10, "contact.answered")
    assert log.put(20, "bot.handed_off") == OK
    log.put(22, "message.received")
    log.put(25, "message.sent")
    assert log.total(channel="chat")["response_ms"] == 5_000
    assert log.total(channel="chat")["reply_ms"] == 5_000


def test_the_answer_of_a_call_is_no_reply(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.answered")
    assert log.put(15, "message.sent") == OK  # nobody asked
    assert {"replies", "reply_ms"}.isdisjoint(log.total())
    log.put(20, "message.received")
    log.put(23, "message.sent")
    total = log.total()
    assert (total["replies"], total["reply_ms"], total["response_ms"]) == (1, 3_000, 10_000)


def test_a_message_answers_a_call(log: Log) -> None:
    log.put(0, "contact.queued", "c1")
    log.put(8, "message.sent", "c1")
    assert (log.total()["answer_wait_ms"], log.total()["response_ms"]) == (8_000, 8_000)
    assert "replies" not in log.total()
    log.put(20, "contact.queued", "c2")
    log.put(22, "message.received", "c2")
    log.put(29, "message.sent", "c2")  # the answer after 9 s, and a reply after 7 s
    total = log.total()
    assert (total["response_ms"], total["replies"], total["reply_ms"]) == (17_000, 1, 7_000)
    assert total["responded"] == 2


def test_an_outbound_call(log: Log) -> None:
    out: dict[str, Any] = {"direction": "outbound", "queue": "billing"}
    assert log.put(0, "contact.answered", direction="outbound") == ILLEGAL
    assert log.put(0, "contact.answered", id="o", agent="a1", wait_s=7, **out) == OK
    assert log.put(0, "contact.answered", id="o", agent="a1", **out) == DUPLICATE
    assert log.put(1, "contact.answered", agent="a2", **out) == ILLEGAL  # it talks
    assert log.put(1, "contact.answered", agent="a2", **out, channel="chat") == OK
    assert log.put(10, "contact.held", agent="a1") == OK
    assert log.put(11, "contact.answered", **out) == ILLEGAL  # it is held
    assert log.put(20, "contact.resumed", agent="a1") == OK
    assert log.put(25, "agent.missed", agent="a1") == OK
    assert log.put(60, "contact.transferred", agent="a1") == OK
    assert log.put(61, "contact.answered", id="o2", agent="a3", **out) == OK  # the first wraps up
    assert log.put(75, "contact.wrapped", agent="a1", hold_s=12) == OK
    assert log.put(76, "contact.answered", id="o", **out) == DUPLICATE
    assert log.total() == {
        "outbound": 2,
        "missed": 1,
        "outbound_handled": 1,
        "outbound_ms": 50_000 + 12_000 + 15_000,
    }
    assert log.total(channel="chat") == {"outbound": 1}
    assert (log.where("outbound"), log.where("outbound_handled")) == ([0, 0, 60], [70])
    assert log.reference.total_sketch("handle") == {}
    assert log.reference.reasons == {(ILLEGAL, "no_visit"): 1, (ILLEGAL, "state"): 2}


def test_an_outbound_call_beside_a_waiting_one(log: Log) -> None:
    log.put(0, "contact.queued")
    assert log.put(5, "contact.answered", direction="outbound", queue="billing", agent="a1") == OK
    assert log.states() == [("c1", "billing", "talking"), ("c1", "billing", "waiting")]
    assert log.put(9, "contact.answered", direction="inbound", agent="a2") == OK  # the one that waits
    assert log.put(10, "contact.answered", agent="a2") == DUPLICATE
    assert (log.total()["outbound"], log.total()["answer_wait_ms"]) == (1, 9_000)


def test_outbound_visits_time_out_without_a_trace_among_the_others(log: Log) -> None:
    for contact in ("c1", "c2"):
        log.put(0, "contact.answered", contact, direction="outbound", queue="billing")
    log.put(90, "contact.ended", "c1")
    log.tick(32 * MIN)
    assert log.total() == {"outbound": 2, "outbound_handled": 1, "outbound_ms": 90_000}
    log.tick(12 * H + MIN)
    assert log.total()["unfinished"] == 1
    assert log.states() == []


def test_an_outbound_chat_responds_once_the_customer_has_written(log: Log) -> None:
    log.put(0, "contact.answered", direction="outbound", queue="billing", channel="chat")
    log.put(5, "message.sent")  # nobody asked
    assert log.total(channel="chat") == {"outbound": 1}
    log.put(60, "message.received")
    log.put(64, "message.sent")
    log.put(70, "message.received")
    log.put(75, "message.sent")
    log.put(80, "contact.wrapped", talk_s=79)
    assert log.total(channel="chat") == {
        "outbound": 1,
        "responded": 1,
        "response_ms": 4_000,
        "response_open_ms": 4_000,
        "replies": 2,
        "reply_ms": 9_000,
        "reply_open_ms": 9_000,
        "outbound_handled": 1,
        "outbound_ms": 79_000,
    }


def test_the_first_response_of_an_outbound_visit_is_to_somebody_who_waits_for_it(log: Log) -> None:
    log.put(0, "contact.answered", direction="outbound", queue="billing")
    log.put(10, "message.sent")
    assert log.total() == {"outbound": 1}
    log.put(20, "message.received")
    log.put(23, "message.sent")
    log.put(24, "bot.handed_off")
    assert (log.total()["responded"], log.total()["response_ms"], log.total()["replies"]) == (1, 3_000, 1)
    assert log.reference.total_sketch("response") == {VOICE: {185: 1}}  # 2,899 < 3,000 <= 2^(185/16) = 3,025
