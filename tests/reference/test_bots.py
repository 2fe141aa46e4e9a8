"""Visits that are with a bot, by hand: handed off, contained, given up, and who came back."""

from __future__ import annotations

import pytest

from .log import CHAT, DUPLICATE, ILLEGAL, MIN, OK, T0, D, H, Log
from .rules import usual


@pytest.fixture
def log() -> Log:
    return Log()


def test_people_are_asked_at_the_hand_off(log: Log) -> None:
    """The bot talks for five minutes, a person answers ten seconds after the hand-off."""
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "message.received")
    assert log.put(13, "message.sent", bot=True) == OK
    assert log.put(240, "message.received") == OK
    assert log.put(241, "contact.queued", channel="chat") == ILLEGAL  # it is with a bot there
    assert log.put(242, "contact.held") == log.put(243, "contact.resumed") == OK  # which changes nothing
    assert log.put(300, "bot.handed_off", id="h") == OK
    assert log.put(300, "bot.handed_off", id="h") == DUPLICATE
    assert log.reference.open_visits() == [("c1", *CHAT, "waiting", T0 + 300_000)]
    log.put(310, "message.sent", agent="a1")
    log.put(600, "contact.ended", by="agent")
    log.put(600, "contact.wrapped")
    assert log.total(channel="chat") == {
        "offered": 1,
        "to_bot": 1,
        "from_bot": 1,
        "answered": 1,
        "answered_in_target": 1,
        "answer_wait_ms": 10_000,
        "answer_open_ms": 10_000,
        "decided": 1,
        "responded": 1,
        "response_ms": 10_000,
        "response_open_ms": 10_000,
        "queue_responded": 1,
        "queue_response_ms": 10_000,
        "queue_response_open_ms": 10_000,
        "replies": 1,
        "reply_ms": 10_000,
        "reply_open_ms": 10_000,
        "handled": 1,
        "talk_ms": 290_000,
        "conversations": 1,
        "conversation_ms": 600_000,  # the customer's, bot included
    }
    assert (log.where("offered"), log.where("to_bot"), log.where("from_bot")) == ([0], [0], [300])


def test_whom_a_bot_settles_is_no_sample_of_people(log: Log) -> None:
    for number in range(10):
        bots, peoples = f"b{number}", f"p{number}"
        log.put(60 * number, "contact.queued", bots, channel="chat")
        log.put(60 * number, "contact.queued", peoples, channel="chat")
        log.put(60 * number + 2, "message.sent", bots, bot=True)
        log.put(60 * number + 20, "message.sent", peoples)
        assert log.put(60 * number + 40, "contact.ended", bots, by="bot", talk_s=38) == OK
    total = log.total(channel="chat")
    assert (total["offered"], total["to_bot"], total["bot_contained"]) == (20, 10, 10)
    assert total["answered"] == total["decided"] == total["answered_in_target"] == 10
    assert {"left", "left_wait_ms", "handled"}.isdisjoint(total)


def test_a_contained_visit_takes_the_wrap_up_that_is_told_afterwards(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(20, "contact.ended", by="bot")  # it met one, evidently
    before = log.total(channel="chat")
    assert before == {"offered": 1, "to_bot": 1, "bot_contained": 1}
    assert log.put(21, "contact.wrapped") == OK
    assert log.put(22, "contact.wrapped") == DUPLICATE
    assert log.put(23, "contact.ended", by="bot") == DUPLICATE
    assert log.put(24, "agent.missed") == log.put(24, "message.received") == ILLEGAL
    assert log.total(channel="chat") == before
    log.tick(2 * D)
    assert log.states() == [("c1", "billing", "contained")]
    log.tick(2 * D + MIN)
    assert log.states() == []


@pytest.mark.parametrize(("later", "undone"), [(D, True), (D + 0.001, False)])
def test_who_comes_back_within_a_day_was_not_settled(log: Log, later: float, *, undone: bool) -> None:
    log.put(0, "contact.queued", id="q", channel="chat")
    log.put(20, "contact.ended", by="bot")
    assert log.put(20 + later, "contact.queued", queue="sales", channel="messaging") == OK
    total = log.total(channel="chat")
    assert total.get("containments_undone", 0) == undone
    assert total.get("bot_contained", 0) == (not undone)
    assert len(log.states()) == 2 - undone
    if undone:
        assert log.where("containments_undone", 900) == [0]
        assert log.put(21 + later, "contact.queued", id="q", channel="chat") == DUPLICATE  # its opener


def test_only_a_contact_that_is_queued_takes_a_containment_back(log: Log) -> None:
    log.put(0, "contact.queued", id="q", channel="chat")
    log.put(20, "contact.ended", by="bot")
    assert log.put(30, "contact.queued", id="q", channel="chat") == DUPLICATE
    assert log.put(40, "case.reopened", queue="billing", channel="chat", case="k") == OK
    assert log.total(channel="chat")["bot_contained"] == 1
    assert log.put(50, "contact.queued", queue="sales", direction="outbound") == OK  # any that is queued
    assert log.total(channel="chat")["containments_undone"] == 1


def test_who_leaves_the_bot_never_waited(log: Log) -> None:
    kinds = ("abandoned", "left_queue", "transferred", "ended")
    for number, kind in enumerate(kinds):
        log.put(0, "contact.queued", f"c{number}", channel="chat")
        log.put(1, "bot.started", f"c{number}")
        assert log.put(90, f"contact.{kind}", f"c{number}", by="customer", wait_s=3) == OK
    log.put(0, "contact.queued", "c9", channel="chat")
    log.put(2, "bot.started", "c9")
    assert log.put(3, "bot.started", "c9") == OK
    log.put(95, "callback.scheduled", "c9")
    assert log.total(channel="chat") == {"offered": 5, "to_bot": 5, "bot_abandoned": 5}
    assert log.where("bot_abandoned") == [90]
    assert log.put(96, "contact.wrapped", "c3") == OK
    assert log.put(97, "contact.wrapped", "c3") == DUPLICATE
    assert log.states() == [("c3", "billing", "unanswered")]


def test_somebody_closes_what_a_bot_has(log: Log) -> None:
    """In a written channel with one event or two; a call has no such end."""
    for contact, channel in (("c1", "chat"), ("c2", "voice")):
        log.put(0, "contact.queued", contact, channel=channel)
        log.put(1, "bot.started", contact)
        assert log.put(90, "contact.wrapped", contact) == (OK if channel == "chat" else ILLEGAL)
        assert log.put(91, "contact.held", contact) == ILLEGAL
    assert log.total(channel="chat") == {"offered": 1, "to_bot": 1, "bot_abandoned": 1}
    assert log.states() == [("c1", "billing", "unanswered"), ("c2", "billing", "with_bot")]


def test_a_visit_that_was_handed_off_started_before(log: Log) -> None:
    """Events that are told late fit it, if they are not of the time before it was queued."""
    log.put(100, "contact.queued", channel="chat")
    log.put(700, "bot.handed_off")
    assert log.put(40, "message.received") == OK
    assert log.put(39, "message.received") == ILLEGAL
    assert log.put(100, "message.sent") == OK  # by its stamp no wait at all
    assert "answer_wait_ms" not in log.total(channel="chat")


def test_a_person_takes_over_since_the_customer_last_asked(log: Log) -> None:
    """Nobody says that the bot handed over: people's wait began when it left the customer waiting."""
    log.put(0, "contact.queued", channel="chat")
    log.put(5, "message.sent", bot=True)
    log.put(20, "message.received")
    log.put(25, "message.received")
    assert log.put(50, "message.sent", agent="a1", private=True) == OK  # a note takes nothing over
    assert log.states() == [("c1", "billing", "with_bot")]
    log.put(50, "message.sent", agent="a1")
    total = log.total(channel="chat")
    assert (log.where("from_bot"), total["answer_wait_ms"], total["reply_ms"]) == ([20], 30_000, 30_000)
    log.put(0, "contact.queued", "c2", channel="chat")
    log.put(5, "message.sent", "c2", bot=True)
    log.put(60, "message.sent", "c2", agent="a1")  # the customer waited for nothing
    assert log.where("from_bot") == [20, 60]
    assert log.total(channel="chat")["answer_wait_ms"] == 30_000


def test_an_assignment_takes_over_from_the_bot_and_waits_on(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(5, "bot.started")
    assert log.put(30, "contact.answered", agent="a1") == OK
    assert log.reference.open_visits() == [("c1", *CHAT, "waiting", T0)]  # it waited for a message all along
    log.put(0, "contact.queued", "c2")
    log.put(2, "bot.started", "c2")
    assert log.put(30, "contact.answered", "c2", agent="a1") == OK
    assert log.states()[1] == ("c2", "billing", "talking")
    assert "answer_wait_ms" not in log.total()  # a bot that speaks keeps nobody waiting


def test_after_a_hand_off_no_bot_is_met_again(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    assert log.put(10, "bot.handed_off") == OK  # it met one, evidently
    for kind in ("bot.started", "bot.handed_off"):
        assert log.put(20, kind) == OK
    assert log.put(20, "message.sent", bot=True) == OK
    assert log.reference.open_visits() == [("c1", *CHAT, "waiting", T0 + 10_000)]
    assert log.put(40, "contact.ended", by="bot") == OK  # closed without a reply
    assert log.states() == [("c1", "billing", "unanswered")]
    total = log.total(channel="chat")
    assert (total["to_bot"], total["from_bot"], total["left"], total["left_wait_ms"]) == (1, 1, 1, 30_000)
    assert "bot_contained" not in total
    log.put(0, "contact.queued", "c2")
    log.put(10, "bot.handed_off", "c2")
    assert log.put(40, "contact.ended", "c2", by="bot") == ILLEGAL  # a call


def test_what_acknowledges_a_mail_is_no_conversation(log: Log) -> None:
    for channel in ("email", "voice"):
        log.put(0, "contact.queued", channel, channel=channel)
        assert log.put(1, "message.sent", channel, bot=True) == OK
        assert log.put(1, "message.sent", channel, auto=True) == OK
    assert [state for _, _, state in log.states()] == ["waiting", "waiting"]
    assert log.put(2, "bot.started", "email") == OK  # that is one
    assert log.total(channel="email") == {"offered": 1, "to_bot": 1}


def test_settings_say_whether_bots_talk() -> None:
    log = Log(rules=lambda _, channel: usual(channel)._replace(bot="acknowledges"))
    log.put(0, "contact.queued", channel="chat")
    log.put(1, "message.sent", bot=True)
    assert log.states() == [("c1", "billing", "waiting")]
    log.put(10, "message.sent")
    assert log.total(channel="chat")["reply_ms"] == 10_000


def test_a_bot_s_message_settles_what_came_after_a_persons(log: Log) -> None:
    """After a hand-off the customer waits for a person, whatever the bot still says."""
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "bot.handed_off")
    log.put(20, "contact.answered", agent="a1")
    log.put(21, "message.sent", bot=True)
    log.put(40, "message.sent", agent="a1")  # 30 s
    log.put(50, "message.received")
    log.put(52, "message.sent", bot=True)
    log.put(70, "message.sent", agent="a1")
    assert (log.total(channel="chat")["replies"], log.total(channel="chat")["reply_ms"]) == (1, 30_000)


def test_nobody_speaks_with_the_bot_any_more(log: Log) -> None:
    for channel in ("voice", "chat"):
        log.put(0, "contact.queued", channel, channel=channel)
        log.put(10, "bot.started", channel)
    log.tick(4 * H + 10)
    assert "bot_abandoned" not in log.total()
    log.tick(4 * H + MIN)
    assert log.total() == {"offered": 1, "to_bot": 1, "bot_abandoned": 1}
    assert log.where("bot_abandoned", 900) == [4 * H]
    assert log.states() == [("chat", "billing", "with_bot")]
    log.tick(180 * D + MIN)
    assert log.total(channel="chat")["bot_abandoned"] == 1


def test_a_restart_ends_calls_with_the_bot(log: Log) -> None:
    for contact in ("a", "b"):
        log.put(0, "contact.queued", contact)
        log.put(1, "bot.started", contact)
    log.put(2, "contact.ended", "b", by="bot")
    assert log.put(9, "platform.restarted") == OK
    assert log.states() == [("b", "billing", "contained")]
    assert log.total() == {"offered": 2, "to_bot": 2, "bot_abandoned": 1, "bot_contained": 1}
