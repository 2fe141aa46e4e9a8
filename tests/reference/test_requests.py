"""Requests that go through several visits, and what is reopened, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .hours import Weekly
from .log import CHAT, DUPLICATE, ILLEGAL, MIN, OK, T0, D, H, Log
from .rules import usual


@pytest.fixture
def log() -> Log:
    return Log()


def mail(log: Log, at: float, queue: str, **fields: Any) -> None:
    assert log.put(at, "contact.queued", queue=queue, channel="email", **fields) == OK


def test_a_request_is_answered_once_whatever_the_queues(log: Log) -> None:
    mail(log, 0, "level1")
    log.put(D, "contact.transferred")
    mail(log, D, "level2")
    log.put(D + 21, "message.sent", agent="a1")
    log.put(D + 60, "contact.transferred", agent="a1")
    mail(log, D + 61, "level3")
    log.put(D + 70, "message.received")
    log.put(D + 90, "message.sent", agent="a2")
    log.put(D + 95, "contact.ended", agent="a2")
    log.put(D + 95, "contact.wrapped", agent="a2")
    first, second, third = (log.total(f"level{n}", "email") for n in (1, 2, 3))
    assert "responded" not in first
    assert (second["responded"], second["response_ms"]) == (1, (D + 21) * 1000)
    assert (second["queue_response_ms"], second["answer_wait_ms"]) == (21_000, 21_000)
    assert (second["replies"], second["reply_ms"]) == (1, (D + 21) * 1000)  # since the customer wrote
    assert "responded" not in third
    assert (third["answered"], third["queue_response_ms"], third["answer_wait_ms"]) == (1, 29_000, 29_000)
    assert (third["replies"], third["reply_ms"]) == (1, 20_000)  # nobody owed a reply when it was passed on
    assert (third["conversations"], third["conversation_ms"]) == (1, (D + 95) * 1000)
    assert "conversations" not in second


def test_business_time_is_that_of_each_queue_in_its_turn() -> None:
    """The first queue is open in the first half of each hour, the second one in its last ten minutes."""
    hours = range(24 * 7)
    early = Weekly([(h * H * 1000, (h * H + 1800) * 1000) for h in hours])
    late = Weekly([((h * H + 3000) * 1000, (h * H + 3600) * 1000) for h in hours])
    log = Log(rules=lambda queue, channel: usual(channel, early if queue == "level1" else late))
    start = 1800  # T0 is half past eight: this is nine
    mail(log, start, "level1")
    log.put(start + 2 * H, "contact.transferred")
    mail(log, start + 2 * H, "level2")
    log.put(start + 3 * H, "message.sent")
    total = log.total("level2", "email")
    assert total["response_open_ms"] == (2 * 1800 + 600) * 1000
    assert total["queue_response_open_ms"] == total["answer_open_ms"] == 600_000
    assert total["reply_open_ms"] == 3 * 600_000  # a reply's is that of the queue that replies


def test_who_calls_again_goes_on_for_half_an_hour(log: Log) -> None:
    for contact, gap in (("a", 1800), ("b", 1800.001)):
        log.put(0, "contact.queued", contact)
        log.put(10, "contact.left_queue", contact, reason="overflow")
        log.put(10 + gap, "contact.queued", contact, queue="sales")
        log.put(15 + gap, "contact.answered", contact)
    assert log.total("sales")["response_ms"] == 1_815_000 + 5_000


@pytest.mark.parametrize(
    ("kind", "fields", "goes_on"),
    [
        ("contact.left_queue", {"reason": "timeout"}, True),
        ("contact.left_queue", {"reason": "Merged"}, False),
        ("contact.left_queue", {"reason": "callback"}, False),
        ("contact.left_queue", {"reason": "Closed"}, False),
        ("callback.scheduled", {}, False),
        ("contact.transferred", {}, True),
        ("contact.abandoned", {}, False),
        ("contact.ended", {"by": "agent"}, False),
        ("contact.wrapped", {}, False),
    ],
)
def test_not_every_end_of_a_wait_goes_on(
    log: Log, kind: str, fields: dict[str, Any], *, goes_on: bool
) -> None:
    mail(log, 0, "billing")
    assert log.put(60, kind, **fields) == OK
    mail(log, 70, "sales")
    log.put(90, "message.sent")
    assert log.total("sales", "email")["response_ms"] == (90_000 if goes_on else 20_000)


def test_an_abandonment_that_was_none_goes_on(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.abandoned")
    log.put(20, "contact.transferred")
    log.put(20, "contact.queued", queue="sales")
    log.put(25, "contact.answered")
    assert log.total("sales")["response_ms"] == 25_000


def test_a_transfer_counts_from_when_the_conversation_ended(log: Log) -> None:
    for contact, at in (("a", 1900), ("b", 1901)):
        log.put(0, "contact.queued", contact)
        log.put(10, "contact.answered", contact)
        log.put(100, "contact.transferred", contact)
        log.put(1899, "contact.wrapped", contact)
        log.put(at, "contact.queued", contact, queue="sales")
        log.put(at + 5, "contact.answered", contact)
    total = log.total("sales")
    assert (total["answered"], total["responded"]) == (2, 1)  # b's is a new request
    assert total["response_ms"] == 5_000


def test_what_is_remembered_of_a_visit_is_forgotten_once_it_went_on(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.left_queue")
    log.put(20, "contact.queued", queue="sales")
    log.put(30, "contact.abandoned")
    log.put(40, "contact.queued", queue="claims")
    log.put(45, "contact.answered")
    assert log.total("claims")["response_ms"] == 5_000


def test_an_hour_of_partition_time_later_nothing_goes_on() -> None:
    log = Log(rules=lambda _, channel: usual(channel)._replace(request_gap=2 * H * 1000))
    for contact, later in (("a", H), ("b", H + MIN)):
        log.put(later, "contact.queued", contact)
    for contact in ("a", "b"):
        log.put(H + MIN, "contact.left_queue", contact)
    log.tick(2 * H + MIN)
    log.put(2 * H + MIN, "contact.queued", "a", queue="sales")
    log.put(2 * H + MIN, "contact.answered", "a")
    log.tick(2 * H + 2 * MIN)
    log.put(2 * H + 2 * MIN, "contact.queued", "b", queue="sales")
    log.put(2 * H + 2 * MIN, "contact.answered", "b")
    assert log.total("sales")["response_ms"] == (H + MIN) * 1000


def test_a_visit_that_is_open_goes_on_and_is_answered_with_the_other(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(30, "contact.queued", queue="sales", visit=2)
    log.put(40, "contact.answered", visit=2)
    log.put(50, "contact.answered", queue="billing")
    assert (log.total("sales")["responded"], log.total("sales")["response_ms"]) == (1, 40_000)
    assert "responded" not in log.total()
    assert log.total()["answered"] == 1


def test_of_several_requests_that_of_the_visit_that_was_opened_last_goes_on(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "contact.queued", queue="sales", channel="chat")
    log.put(80, "bot.handed_off", queue="sales")  # a request of its own
    log.put(90, "contact.queued", queue="claims", channel="chat")
    log.put(100, "message.sent", queue="claims")
    assert log.total("claims", "chat")["response_ms"] == 20_000
    log.put(0, "contact.queued", "c2", channel="chat")
    log.put(10, "contact.queued", "c2", queue="sales", channel="chat")
    log.put(80, "bot.handed_off", "c2", queue="billing")
    log.put(90, "contact.queued", "c2", queue="claims", channel="chat")
    log.put(100, "message.sent", "c2", queue="claims")
    assert log.total("claims", "chat")["response_ms"] == 20_000 + 100_000


def test_neither_is_outbound(log: Log) -> None:
    log.put(0, "contact.answered", queue="billing", direction="outbound", agent="a1")
    log.put(30, "contact.queued", queue="sales")
    log.put(40, "contact.answered", queue="sales")
    assert log.total("sales")["response_ms"] == 10_000


def test_a_bot_s_visit_is_no_request_of_people(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "bot.started")
    log.put(60, "contact.queued", queue="sales", channel="chat")
    log.put(70, "message.sent", queue="sales")
    assert log.total("sales", "chat")["response_ms"] == 10_000
    log.put(80, "bot.handed_off", queue="billing")
    log.put(90, "message.sent", queue="billing")
    assert log.total(channel="chat")["response_ms"] == 10_000  # a request of its own


# What is reopened --------------------------------------------------------------------------------------


def test_a_reopened_request_has_one_first_response(log: Log) -> None:
    """A reply after 42 s, resolved; ten days later it is reopened, and replied to after an hour."""
    log.put(0, "contact.queued", channel="messaging")
    log.put(42, "message.sent")
    log.put(600, "contact.ended")
    log.put(600, "contact.wrapped")
    again = 10 * D
    assert log.put(again, "case.reopened", case="k") == OK
    assert log.put(again, "contact.queued", channel="messaging") == OK
    assert log.states() == [("c1", "billing", "talking")]
    log.put(again + H, "message.sent")
    total = log.total(channel="messaging")
    assert (total["responded"], total["response_ms"], total["offered"], total["decided"]) == (1, 42_000, 1, 1)
    assert (total["replies"], total["reply_ms"], total["reopened"]) == (2, 3_642_000, 1)
    assert (total["queue_responded"], total["answered"]) == (1, 1)


@pytest.mark.parametrize(("before", "reopens"), [(600, True), (600.001, False)])
def test_a_case_reopens_for_ten_minutes(log: Log, before: float, *, reopens: bool) -> None:
    log.put(0, "case.reopened", case="k")
    log.put(before, "contact.queued", channel="chat")
    assert log.total(channel="chat") == ({"reopened": 1} if reopens else {"offered": 1})


def test_a_case_that_names_its_queue_opens_the_visit(log: Log) -> None:
    place: dict[str, Any] = {"queue": "billing", "channel": "chat"}
    assert log.put(0, "case.reopened", id="r", case="k", **place) == OK
    assert log.put(0, "case.reopened", id="r", case="k", **place) == DUPLICATE
    assert log.reference.open_visits() == [("c1", *CHAT, "talking", T0)]
    assert log.put(5, "contact.queued", id="q", channel="chat") == OK  # the same again
    assert log.put(5, "contact.queued", id="q", channel="chat") == DUPLICATE
    assert log.total(channel="chat") == {"reopened": 1}
    log.put(20, "message.sent")
    log.put(30, "contact.wrapped")
    assert log.put(31, "contact.queued", id="q", channel="chat") == DUPLICATE
    assert log.put(32, "contact.queued", id="r", channel="chat") == DUPLICATE
    assert log.put(40, "contact.queued", channel="chat") == OK  # once more, and the case says why
    assert log.total(channel="chat")["reopened"] == 2


def test_a_case_reopens_nothing_for_who_waits_or_is_with_a_bot(log: Log) -> None:
    log.put(0, "contact.queued", "c1", channel="chat")
    log.put(0, "contact.queued", "c2", channel="chat")
    log.put(1, "bot.started", "c2")
    for contact in ("c1", "c2"):
        assert log.put(5, "case.reopened", contact, queue="billing", channel="chat", case="k") == OK
    assert log.states() == [("c1", "billing", "waiting"), ("c2", "billing", "with_bot")]
    assert log.put(6, "contact.queued", "c1", channel="chat", reopens=True) == ILLEGAL


def test_a_case_of_no_contact_reopens_nothing(log: Log) -> None:
    assert log.put(0, "case.reopened", contact_id=None, case="k", queue="billing") == OK
    assert log.states() == []


def test_a_call_may_be_reopened(log: Log) -> None:
    assert log.put(0, "contact.queued", reopens=True) == OK
    assert log.total() == {"reopened": 1}
    log.put(60, "contact.ended", talk_s=50)
    log.put(70, "contact.wrapped")
    assert log.total() == {
        "reopened": 1,
        "handled": 1,
        "handled_stated": 1,
        "talk_ms": 50_000,
        "wrap_ms": 10_000,
        "conversations": 1,
        "conversation_ms": 60_000,
    }


def test_a_reopened_request_was_answered_and_is_owed_a_reply(log: Log) -> None:
    """It begins with the request that it goes on with, but the customer waits anew."""
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "message.sent")
    log.put(20, "contact.transferred")
    log.put(100, "contact.queued", queue="sales", channel="chat", reopens=True)
    log.put(130, "message.sent", queue="sales")
    sales = log.total("sales", "chat")
    assert (sales["replies"], sales["reply_ms"], sales["reopened"]) == (1, 30_000, 1)
    log.put(140, "contact.transferred", queue="sales")
    log.put(150, "contact.wrapped", queue="sales")
    log.put(160, "contact.queued", "c2", channel="chat", reopens=True)
    log.put(170, "contact.transferred", "c2")
    log.put(170, "contact.queued", "c2", queue="claims", channel="chat")
    log.put(180, "message.sent", "c2", queue="claims")
    claims = log.total("claims", "chat")
    assert (claims["answered"], claims["reply_ms"]) == (1, 20_000)
    assert "responded" not in claims


def test_a_reply_in_wrap_up_reopens_if_the_customer_asked(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "message.sent")
    log.put(20, "contact.ended")
    log.put(21, "message.sent")  # good bye
    assert "reopened" not in log.total(channel="chat")
    for at in (30, 40):  # once a visit
        log.put(at, "message.received")
        log.put(at + 2, "message.sent")
    log.put(50, "message.sent", bot=True)
    total = log.total(channel="chat")
    assert (total["reopened"], total["replies"], total["reply_ms"]) == (1, 3, 14_000)
    assert log.states() == [("c1", "billing", "wrapping")]


def test_an_abandoned_visit_is_resumed_rather_than_reopened(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.abandoned")
    assert log.put(20, "contact.queued", resumes=True, reopens=True) == OK
    assert log.states() == [("c1", "billing", "waiting")]
