"""What answers, replies, and the reply clock, by hand."""

from __future__ import annotations

import pytest

from .log import DUPLICATE, OK, D, Log


@pytest.fixture
def log() -> Log:
    return Log()


def test_every_answer_to_the_customer_is_a_reply(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "message.received")  # waits since 0
    log.put(11, "message.sent")  # 11 s, and the answer
    log.put(12, "message.sent")  # answers nothing
    log.put(20, "message.received")
    log.put(25, "message.received")  # the clock runs already
    log.put(27, "bot.handed_off")  # people have it: nothing
    log.put(50, "message.sent")  # 30 s
    log.put(60, "message.received")
    log.put(63, "message.sent", bot=True)  # settled without people
    log.put(70, "message.sent")
    log.put(80, "message.received")
    log.put(79, "message.sent")  # a clock that runs backwards: 0
    total = log.total(channel="chat")
    assert (total["replies"], total["reply_ms"], total["reply_open_ms"]) == (3, 41_000, 41_000)
    assert (total["responded"], total["response_ms"], total["response_open_ms"]) == (1, 11_000, 11_000)
    assert (total["queue_responded"], total["queue_response_ms"]) == (1, 11_000)
    assert log.where("replies") == [10, 50, 70]
    assert log.reference.total_sketch("response") == {("billing", "chat"): {215: 1}}  # 2^(215/16) = 11,094


def test_an_assignment_is_no_answer(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    assert log.put(10, "contact.answered", id="a", agent="a1") == OK
    assert log.put(10, "contact.answered", id="a", agent="a1") == DUPLICATE
    assert log.put(20, "contact.answered", id="a2", agent="a2") == OK
    assert log.states() == [("c1", "billing", "waiting")]
    log.put(40, "message.sent", agent="a2")
    assert log.put(41, "contact.answered", id="a", agent="a1") == DUPLICATE
    assert log.put(42, "contact.answered", id="a3", agent="a1") == OK  # a colleague takes over
    log.put(45, "message.sent", agent="a1")
    total = log.total(channel="email")
    assert (total["replies"], total["reply_ms"], total["response_ms"]) == (1, 40_000, 40_000)
    assert (total["answered"], total["answer_wait_ms"]) == (1, 40_000)
    log.put(46, "contact.ended")
    assert log.put(47, "contact.answered", id="a4") == DUPLICATE  # a conversation that is over took one


def test_a_message_answers_a_call(log: Log) -> None:
    log.put(0, "contact.queued", "c1")
    log.put(8, "message.sent", "c1")
    assert (log.total()["answer_wait_ms"], log.total()["response_ms"]) == (8_000, 8_000)
    assert (log.total()["replies"], log.total()["reply_ms"]) == (1, 8_000)
    log.put(20, "contact.queued", "c2")
    log.put(22, "message.received", "c2")  # waits since 20
    log.put(29, "message.sent", "c2")
    total = log.total()
    assert (total["response_ms"], total["replies"], total["reply_ms"]) == (17_000, 2, 17_000)
    assert total["responded"] == 2
    assert "queue_responded" not in total  # as it were the answer again


def test_who_is_spoken_to_waits_for_no_message(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.answered")
    assert log.put(15, "message.sent") == OK  # nobody asked
    assert {"replies", "reply_ms"}.isdisjoint(log.total())
    log.put(20, "message.received")
    log.put(24, "message.sent")
    assert (log.total()["replies"], log.total()["reply_ms"], log.total()["responded"]) == (1, 4_000, 1)


def test_what_a_bot_has_answered_waits_for_nobody(log: Log) -> None:
    """A reply after 5 s, two questions that the bot answers, and a reply after 60 s: 32.5 s on average."""
    log.put(0, "contact.queued", channel="messaging")
    log.put(5, "message.sent", agent="a1")
    for day in (0, 14):
        log.put(day * D + 1200, "message.received")
        log.put(day * D + 1203, "message.sent", bot=True)
    log.put(15 * D, "message.received")
    log.put(15 * D + 60, "message.sent", agent="a1")
    total = log.total(channel="messaging")
    assert (total["replies"], total["reply_ms"], total["response_ms"]) == (2, 65_000, 5_000)


def test_bursts_of_messages_count_from_the_first_to_the_first(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    for at, kind, fields in (
        (0, "received", {}),
        (1800, "received", {}),
        (3600, "sent", {"agent": "a1"}),
        (3660, "sent", {"agent": "a1"}),
        (3660, "sent", {"bot": True}),
        (7200, "received", {}),
        (7800, "received", {}),
        (14400, "sent", {"agent": "a2"}),
        (16200, "received", {}),
    ):
        assert log.put(at, f"message.{kind}", **fields) == OK
    assert (log.total(channel="email")["replies"], log.total(channel="email")["reply_ms"]) == (2, 10_800_000)


def test_of_two_mails_that_are_merged_one_is_answered(log: Log) -> None:
    log.put(0, "contact.queued", "a", channel="email")
    log.put(300, "contact.queued", "b", channel="email")
    log.put(1200, "contact.left_queue", "a", reason="merged")
    log.put(3600, "message.sent", "b", agent="a1")
    total = log.total(channel="email")
    assert (total["decided"], total["answered_in_target"], total["responded"]) == (1, 1, 1)
    assert total["response_ms"] == 3_300_000
