"""Visits that we begin, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, VOICE, H, Log


@pytest.fixture
def log() -> Log:
    return Log()


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


def test_a_campaign_makes_nobody_wait(log: Log) -> None:
    """Told as queued: the customer writes after an hour, and has a reply five minutes later."""
    out: dict[str, Any] = {"channel": "messaging", "direction": "outbound"}
    assert log.put(0, "contact.queued", id="q", **out) == OK
    assert log.put(0, "contact.queued", id="q", **out) == DUPLICATE
    assert log.put(0, "contact.queued", **out) == ILLEGAL  # it talks
    assert log.put(0, "message.sent", agent="a1", direction="outbound") == OK
    assert log.total(channel="messaging") == {"outbound": 1}
    log.put(H, "message.received")
    log.put(H + 300, "message.sent", agent="a1")
    assert log.put(H + 301, "contact.answered", agent="a2") == OK  # a colleague takes over
    log.put(H + 360, "contact.ended")
    log.put(H + 370, "contact.wrapped")
    assert log.total(channel="messaging") == {
        "outbound": 1,
        "responded": 1,
        "response_ms": 300_000,
        "response_open_ms": 300_000,
        "replies": 1,
        "reply_ms": 300_000,
        "reply_open_ms": 300_000,
        "outbound_handled": 1,
        "outbound_ms": 300_000,  # work by replies: from what the customer wrote
    }


def test_a_message_that_nobody_waits_for_begins_a_conversation(log: Log) -> None:
    out: dict[str, Any] = {"channel": "chat", "direction": "outbound"}
    assert log.put(0, "message.sent", **out) == ILLEGAL  # for which queue?
    assert log.put(0, "message.sent", queue="billing", private=True, **out) == ILLEGAL
    assert log.put(0, "message.sent", id="m", queue="billing", agent="a1", **out) == OK
    assert log.put(1, "message.sent", id="m", queue="billing", agent="a1", **out) == DUPLICATE
    assert log.states() == [("c1", "billing", "talking")]
    assert log.put(2, "message.sent", queue="billing", **out) == OK  # the visit takes it
    log.put(10, "message.received")
    assert log.put(11, "message.sent", id="m", queue="billing", agent="a1", **out) == DUPLICATE
    log.put(12, "message.sent", bot=True)  # after a person's message it settles what was asked
    log.put(15, "message.sent", agent="a1")
    assert log.total(channel="chat") == {"outbound": 1}
    log.put(20, "contact.wrapped")
    assert log.put(21, "message.sent", id="m", queue="billing", agent="a1", **out) == DUPLICATE
    assert log.put(22, "message.sent", queue="sales", bot=True, **out) == OK  # campaigns are often a bot's


def test_a_message_to_who_waits_answers_whoever_wrote_first(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    assert log.put(9, "message.sent", queue="billing", channel="chat", direction="outbound") == OK
    assert log.total(channel="chat")["answered"] == 1
    assert "outbound" not in log.total(channel="chat")


def test_of_outbound_visits_little_is_counted(log: Log) -> None:
    log.put(0, "contact.queued", channel="email", direction="outbound")
    log.put(10, "contact.held")
    log.put(40, "contact.resumed")
    log.put(50, "contact.transferred", talk_s=20, hold_s=5)
    log.put(60, "message.received")
    log.put(65, "message.sent")
    log.put(70, "contact.wrapped")
    assert log.total(channel="email") == {
        "outbound": 1,
        "responded": 1,
        "response_ms": 5_000,
        "response_open_ms": 5_000,
        "replies": 1,
        "reply_ms": 5_000,
        "reply_open_ms": 5_000,
        "reopened": 1,
        "outbound_handled": 1,
        "outbound_ms": 25_000,
    }
