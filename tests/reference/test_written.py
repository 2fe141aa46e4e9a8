"""What ends without a reply, what is no message, and long silence in written channels, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, D, H, Log
from .rules import usual


@pytest.fixture
def log() -> Log:
    return Log()


# Ends without a reply ---------------------------------------------------------------------------------


def test_closed_is_closed(log: Log) -> None:
    """Spam is closed after 10 minutes, a real mail is answered after 20; T is an hour."""
    for contact in ("spam", "ok"):
        log.put(0, "contact.queued", contact, channel="email")
    assert log.put(600, "contact.ended", "spam", by="agent", talk_s=5) == OK
    assert log.put(601, "contact.wrapped", "spam") == OK
    assert log.put(602, "contact.ended", "spam", by="agent") == DUPLICATE
    assert log.put(602, "agent.missed", "spam") == ILLEGAL
    log.put(1200, "message.sent", "ok")
    total = log.total(channel="email")
    assert (total["offered"], total["left"], total["decided"], total["answered_in_target"]) == (2, 1, 1, 1)
    assert (total["closed_unanswered"], total["left_not_demand"], total["left_wait_ms"]) == (1, 1, 600_000)
    assert {"left_in_target", "handled"}.isdisjoint(total)
    assert log.states() == [("ok", "billing", "talking"), ("spam", "billing", "unanswered")]
    log.tick(601 + H)
    log.tick(601 + H + MIN)
    assert log.states() == [("ok", "billing", "talking")]


@pytest.mark.parametrize("channel", ["email", "voice"])
def test_what_was_no_demand_is_no_sample(log: Log, channel: str) -> None:
    reasons = ("spam", "Merged", "duplicate", "test", "closed", "overflow")
    for number, reason in enumerate(reasons):
        log.put(0, "contact.queued", f"c{number}", channel=channel)
        log.put(10, "contact.left_queue", f"c{number}", reason=reason)
    total = log.total(channel=channel)
    written = channel == "email"
    assert total.get("left_not_demand", 0) == (5 if written else 0)
    assert total["decided"] == total["left_in_target"] == (1 if written else 6)
    assert total["left"] == 6
    assert (total["left_transfer"], total["closed_unanswered"]) == (1, 1)


def test_who_is_closed_too_late_was_demand(log: Log) -> None:
    for contact, wait in (("a", H), ("b", H + 1), ("c", H + 1)):
        log.put(0, "contact.queued", contact, channel="email")
        kind = "contact.left_queue" if contact == "c" else "contact.wrapped"
        assert log.put(wait, kind, contact, reason="spam") == OK
    total = log.total(channel="email")
    assert (total["left"], total["left_not_demand"], total["decided"]) == (3, 2, 1)
    assert log.where("decided", 900) == [H]


def test_who_closes_a_chat_gave_up(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    assert log.put(30, "contact.ended", id="e", by="customer") == OK
    assert log.put(31, "contact.ended", by="agent") == DUPLICATE
    assert log.put(32, "contact.wrapped") == OK  # nothing
    assert log.put(33, "contact.wrapped") == DUPLICATE
    assert log.states() == [("c1", "billing", "abandoned")]
    assert log.total(channel="chat")["abandon_wait_ms"] == 30_000
    assert log.put(40, "contact.queued", channel="chat", resumes=True) == OK
    log.put(0, "contact.queued", "c2")
    assert log.put(30, "contact.ended", "c2", by="customer") == ILLEGAL  # a call


# No message -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["auto", "private"])
def test_what_is_no_message_does_nothing(log: Log, field: str) -> None:
    out: dict[str, Any] = {field: True}
    log.put(0, "contact.queued", channel="email")
    assert log.put(120, "message.sent", agent="a1", **out) == OK
    assert log.put(121, "message.sent", bot=True, **out) == OK
    assert log.states() == [("c1", "billing", "waiting")]
    log.put(2 * H, "message.sent", agent="a1")
    assert log.put(2 * H + 1, "message.received", **out) == OK  # out of office
    log.put(3 * H, "message.sent", agent="a1")
    log.put(3 * H + 1, "contact.ended")
    assert log.put(3 * H + 2, "message.received", **out) == OK
    log.put(3 * H + 3, "message.sent", agent="a1")
    total = log.total(channel="email")
    assert (total["response_ms"], total["replies"]) == (2 * H * 1000, 1)
    assert "reopened" not in total


def test_nagging_and_silence_change_nothing(log: Log) -> None:
    """The customer adds on the second and third day, a reply on the fourth."""
    log.put(0, "contact.queued", channel="email")
    log.put(D, "message.received")
    log.put(2 * D, "message.received")
    log.put(3 * D, "message.sent")
    assert log.total(channel="email")["response_ms"] == 3 * D * 1000


# Silence ----------------------------------------------------------------------------------------------


def test_a_conversation_is_idle_since_the_last_message(log: Log) -> None:
    """Both sides write every week for half a year and more."""
    log.put(0, "contact.queued", channel="email")
    log.put(1, "message.sent")
    for week in range(1, 40):
        log.put(week * 7 * D, "message.received")
        assert log.put(week * 7 * D + H, "message.sent") == OK
    last = 39 * 7 * D + H
    assert log.put(last + D, "message.sent", private=True) == OK  # somebody thinks of it
    last += D
    assert log.put(last + D, "message.received", auto=True) == OK  # nobody does
    log.tick(last + 180 * D)
    assert log.states() == [("c1", "billing", "talking")]
    log.tick(last + 180 * D + MIN)
    assert log.states() == []
    assert log.total(channel="email")["unfinished"] == 1


def test_wrap_up_in_which_somebody_writes_lasts_longer(log: Log) -> None:
    for channel in ("chat", "voice"):
        log.put(0, "contact.queued", channel, channel=channel)
        log.put(1, "message.sent", channel)
        log.put(2, "contact.ended", channel)
        assert log.put(20 * MIN, "message.received", channel) == OK
    log.tick(33 * MIN)
    assert [contact for contact, _, _ in log.states()] == ["chat"]
    log.tick(50 * MIN)
    log.tick(51 * MIN)
    assert log.total(channel="chat")["wrap_timed_out"] == 1


@pytest.mark.parametrize(
    ("channel", "waits", "talks"),
    [
        ("voice", 4 * H, 12 * H),
        ("video", 30 * D, 12 * H),
        ("callback", 30 * D, 12 * H),
        ("task", 30 * D, 30 * D),
        ("chat", 180 * D, 180 * D),
        ("fax", 180 * D, 180 * D),
    ],
)
def test_patience(log: Log, channel: str, waits: float, talks: float) -> None:
    log.put(0, "contact.queued", "w", channel=channel)
    log.put(0, "contact.queued", "t", channel=channel)
    log.put(0, "message.sent", "t")
    for longest in sorted({waits, talks}):
        log.tick(longest)
        assert (waits >= longest) == (("w", "billing", "waiting") in log.states())
        assert (talks >= longest) == (("t", "billing", "talking") in log.states())
        log.tick(longest + MIN)
        assert (waits > longest) == (("w", "billing", "waiting") in log.states())
        assert (talks > longest) == (("t", "billing", "talking") in log.states())


def test_settings_say_for_how_many_days() -> None:
    log = Log(rules=lambda _, channel: usual(channel)._replace(idle_days=2))
    log.put(0, "contact.queued", channel="email")
    log.put(H, "message.received")
    log.tick(2 * D + H)
    assert log.states() == [("c1", "billing", "waiting")]
    log.tick(2 * D + H + MIN)
    assert log.total(channel="email")["lost"] == 1


# A source that does not tell messages -----------------------------------------------------------------


def test_where_nobody_tells_messages_the_answer_is_the_response() -> None:
    log = Log(tells_messages=False)
    log.put(0, "contact.queued", channel="chat")
    assert log.put(10, "contact.answered", agent="a1", wait_s=9) == OK
    log.put(20, "message.sent", agent="a1")  # should there be one, nobody waits for it
    total = log.total(channel="chat")
    assert (total["answered"], total["responded"], total["response_ms"]) == (1, 1, 9_000)
    assert (total["queue_responded"], total["queue_response_ms"]) == (1, 9_000)
    assert "replies" not in total


def test_where_an_assignment_answers_the_customer_still_waits_for_a_message() -> None:
    log = Log(rules=lambda _, channel: usual(channel)._replace(answer="assignment"))
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "contact.answered", agent="a1")
    assert log.put(11, "contact.answered", agent="a1") == DUPLICATE
    log.put(30, "message.sent", agent="a1")
    log.put(40, "message.received")
    log.put(42, "message.sent", bot=True)
    log.put(50, "message.sent", agent="a1")
    total = log.total(channel="chat")
    assert (total["answer_wait_ms"], total["response_ms"]) == (10_000, 10_000)
    assert (total["queue_response_ms"], total["replies"], total["reply_ms"]) == (30_000, 1, 30_000)


def test_the_settings_of_a_visit_are_those_of_its_beginning() -> None:
    now = {"answer": "message"}
    log = Log(rules=lambda _, channel: usual(channel)._replace(answer=now["answer"]))
    log.put(0, "contact.queued", "c1", channel="chat")
    now["answer"] = "assignment"
    log.put(0, "contact.queued", "c2", channel="chat")
    for contact in ("c1", "c2"):
        log.put(10, "contact.answered", contact)
    assert [state for _, _, state in log.states()] == ["waiting", "talking"]
