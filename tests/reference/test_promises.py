"""The promised clock, priorities, targets of replies, and values of a moment, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .hours import ALWAYS, WEEK, Weekly, office
from .levels import Levels
from .log import CHAT, T0, VOICE, D, H, Log
from .rules import Rules, usual

MONDAY = 39.5 * H  # T0 is a Saturday, half past eight
FRIDAY = MONDAY + 4 * D + 17.5 * H
NEXT_MONDAY = MONDAY + 7 * D
MAIL = ("billing", "email")


def at_an_office(**more: Any) -> Log:
    """Open from Monday to Friday, 9 to 18; an hour for mails."""
    return Log(rules=lambda _, channel: usual(channel, office(5, 9, 18))._replace(**more))


# The promised clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "in_target"), [(9.5, True), (9.5 + 1 / 3_600_000, False)])
def test_the_answer_to_a_mail_of_friday_evening_is_due_on_monday(reply: float, *, in_target: bool) -> None:
    log = at_an_office()
    log.put(FRIDAY, "contact.queued", channel="email")
    log.put(NEXT_MONDAY + reply * H, "message.sent")
    total = log.total(channel="email")
    assert total.get("answered_in_target", 0) == in_target
    assert total["response_ms"] == total["answer_wait_ms"] > 2 * D * 1000  # by the clock on the wall
    assert total["response_open_ms"] == total["answer_open_ms"] == H * 1000 + (not in_target)
    assert log.where("decided", 900) == [NEXT_MONDAY + 9.5 * H]


def test_a_chat_s_promise_is_by_the_clock_on_the_wall() -> None:
    log = at_an_office()
    log.put(FRIDAY, "contact.queued", channel="chat")
    log.put(FRIDAY + 61, "message.sent")
    assert "answered_in_target" not in log.total(channel="chat")
    log = at_an_office(clock="business")
    log.put(FRIDAY + H, "contact.queued", channel="chat")  # after hours
    log.put(NEXT_MONDAY + 9 * H + 60, "message.sent")
    assert log.total(channel="chat")["answered_in_target"] == 1


def test_a_hand_off_is_promised_anew() -> None:
    log = at_an_office()
    for contact in ("a", "b"):
        log.put(FRIDAY, "contact.queued", contact, channel="email")
        log.put(FRIDAY + 60, "bot.started", contact)
    for contact, wait in (("a", H), ("b", H + 1)):
        log.put(NEXT_MONDAY + 9.9 * H, "bot.handed_off", contact)
        log.put(NEXT_MONDAY + 9.9 * H + wait, "message.sent", contact)
    total = log.total(channel="email")
    assert (total["answered"], total["answered_in_target"]) == (2, 1)


def test_short_is_by_the_same_clock() -> None:
    log = at_an_office()
    log.reference = type(log.reference)(
        lambda *_: (H * 1000, 60_000), rules=lambda _, channel: usual(channel, office(5, 9, 18))
    )
    for contact in ("a", "b"):
        log.put(FRIDAY + H, "contact.queued", contact, channel="email")  # after hours
    for contact, later in (("a", 60), ("b", 60.001)):
        log.put(NEXT_MONDAY + 9 * H + later, "contact.abandoned", contact)
    total = log.total(channel="email")
    assert (total["abandoned"], total["abandoned_short"], total["abandoned_in_target"]) == (2, 1, 2)
    assert total["abandon_open_ms"] == 120_001


def test_a_promise_that_never_falls_due_is_by_the_clock_on_the_wall() -> None:
    never = Weekly([])
    rules = Rules(clock="business", calendar=never)
    assert rules.promised(5_000, (60_000, 5_000)) == (60_000, 5_000)
    rarely = Rules(clock="business", calendar=Weekly([(0, 1_000)]))  # a second a week
    assert rarely.promised(0, (60_000, 5_000)) == (60_000, 60_000)  # T after 60 weeks; short at most T


def test_the_promise_of_no_time_is_the_next_opening() -> None:
    rules = Rules(clock="business", calendar=office(5, 9, 18))
    closed, opened = T0 + round(FRIDAY + H) * 1000, T0 + round(NEXT_MONDAY + 9 * H) * 1000
    assert rules.promised(closed, (0, 0)) == (opened - closed, 0)
    assert rules.promised(opened, (0, 0)) == (0, 0)
    assert Rules(clock="business").promised(closed, (7, 3)) == (7, 3)  # always open


def test_hours() -> None:
    nine = T0 + round(MONDAY + 9 * H) * 1000
    hours = office(5, 9, 18)
    assert hours.within(nine - 5, nine + 5) == 5
    assert hours.within(nine, nine + WEEK) == hours.within(nine - 1, nine - 1 + WEEK) == 45 * H * 1000
    assert hours.within(nine + 5, nine) == 0
    assert hours.after(nine, 9 * H * 1000) == nine + 9 * H * 1000  # closing time
    assert hours.after(nine, 9 * H * 1000 + 1) == nine + D * 1000 + 1
    assert ALWAYS.within(nine - 10**9, nine + 10**9) == 2 * 10**9
    assert ALWAYS.after(nine, 10**9) == nine + 10**9


# Replies and priorities -------------------------------------------------------------------------------


def test_replies_are_due_where_there_is_a_target() -> None:
    log = at_an_office(reply_target=H * 1000)
    log.put(FRIDAY, "contact.queued", channel="email")
    log.put(FRIDAY + 60, "message.sent")  # the answer has another target
    log.put(FRIDAY + 120, "message.received")
    log.put(NEXT_MONDAY + 9.5 * H + 120, "message.sent")  # an hour of business
    log.put(NEXT_MONDAY + 10 * H, "message.received")
    log.put(NEXT_MONDAY + 11 * H + 1, "message.sent")
    total = log.total(channel="email")
    assert (total["replies"], total["replies_due"], total["replies_in_target"]) == (3, 2, 1)
    log = at_an_office(reply_target=H * 1000)
    log.put(FRIDAY, "contact.queued", channel="chat")
    log.put(FRIDAY + 10, "message.sent")
    log.put(FRIDAY + 20, "message.received")
    log.put(NEXT_MONDAY + 9 * H, "message.sent")  # a chat's clock is that on the wall
    assert log.total(channel="chat")["replies_due"] == 1
    assert "replies_in_target" not in log.total(channel="chat")


def test_a_priority_may_have_targets_of_its_own() -> None:
    def urgent(_queue: str, channel: str, priority: str) -> tuple[int, int] | None:
        return {"high": (10_000, 1_000), "1": (5_000, 0)}.get(priority) if channel == "chat" else None

    log = Log(priority_targets=urgent)
    cases: list[tuple[Any, str, int]] = [
        *[("high", "chat", 10), (1, "chat", 5), ("1", "chat", 5), ("low", "chat", 60)],
        *[(0, "chat", 60), (None, "chat", 60), ("high", "voice", 20)],
    ]
    for number, (priority, channel, target) in enumerate(cases):
        for late in (0, 1):
            contact = f"c{number}-{late}"
            log.put(0, "contact.queued", contact, channel=channel, priority=priority)
            log.put(target + late, "message.sent", contact)
    assert log.total(channel="chat")["answered_in_target"] == 6
    assert log.total()["answered_in_target"] == 1


def test_a_priority_is_kept_through_the_hand_off() -> None:
    log = Log(priority_targets=lambda *_: (10_000, 0))
    log.put(0, "contact.queued", channel="chat", priority="high")
    log.put(100, "bot.handed_off")
    log.put(111, "message.sent")
    assert "answered_in_target" not in log.total(channel="chat")


@pytest.mark.parametrize("priority", [True, 1.5, "", "x" * 257, ["high"]])
def test_what_is_no_priority(priority: object) -> None:
    log = Log()
    assert log.put(0, "contact.queued", priority=priority) == "dead_letter"
    assert log.put(0, "contact.refused", priority=priority) == "applied"  # nobody reads it there


# Values of a moment -----------------------------------------------------------------------------------


def test_who_waits_for_people_and_who_for_a_reply() -> None:
    """c1 had a reply and writes again; c2 is assigned to somebody, who writes nothing; c3 has all replies."""
    log = Log()
    for contact in ("c1", "c2", "c3"):
        log.put(0, "contact.queued", contact, channel="chat")
    log.put(10, "contact.answered", "c2", agent="a1")
    log.put(15, "message.sent", "c1")
    log.put(20, "message.sent", "c3")
    log.put(300, "message.received", "c1")
    log.put(310, "contact.held", "c3")
    log.put(400, "message.sent", "c4", queue="billing", channel="chat", direction="outbound")
    now = T0 + 4 * H * 1000
    assert log.reference.levels(now)[CHAT] == Levels(
        backlog=1,
        oldest_waiting=4 * H * 1000,
        awaiting_reply=2,
        oldest_awaiting_reply=4 * H * 1000,
        open_conversations=4,
        pending=1,
    )
    log.put(500, "message.received", "c4")
    log.put(600, "message.sent", "c2")
    levels = log.reference.levels(now)[CHAT]
    assert (levels.backlog, levels.oldest_waiting) == (0, 0)
    assert (levels.awaiting_reply, levels.oldest_awaiting_reply) == (2, 4 * H * 1000 - 300_000)


def test_who_is_with_a_bot_waits_for_nobody() -> None:
    log = Log()
    for contact in ("c1", "c2"):
        log.put(0, "contact.queued", contact, channel="chat")
        log.put(1, "message.sent", contact, bot=True)
    now = T0 + 60_000
    assert log.reference.levels(now) == {CHAT: Levels(with_bot=2)}
    log.put(20, "message.received", "c2")
    assert log.reference.levels(now)[CHAT] == Levels(with_bot=2, oldest_unanswered_by_bot=40_000)


def test_who_is_spoken_to_awaits_no_reply() -> None:
    log = Log()
    log.put(0, "contact.queued", "c1")
    log.put(0, "contact.queued", "c2")
    log.put(5, "contact.answered", "c2")
    log.put(6, "message.received", "c2")
    assert log.reference.levels(T0 + 9_000) == {VOICE: Levels(backlog=1, oldest_waiting=9_000)}


def test_the_oldest_mail_is_as_old_as_the_office_was_open() -> None:
    log = at_an_office()
    log.put(FRIDAY, "contact.queued", channel="email")
    log.put(FRIDAY, "contact.queued", "c2", channel="email")
    log.put(FRIDAY, "bot.started", "c2")
    opening = T0 + round(NEXT_MONDAY + 9 * H) * 1000
    found = log.reference.levels(opening + 120_000)[MAIL]
    assert found.oldest_waiting == found.oldest_awaiting_reply == 1920_000
    assert found.oldest_unanswered_by_bot == opening + 120_000 - T0 - round(FRIDAY) * 1000  # bots don't sleep
