"""Stories of visits whose outcome was worked out by hand from docs/semantics.md."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from .log import CHAT, ILLEGAL, MIN, OK, T0, VOICE, D, H, Log
from .ratios import abandonment, service_levels


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_call_with_a_hold(log: Log) -> None:
    for at, kind in ((0, "queued"), (12, "answered"), (60, "held"), (90, "resumed"), (120, "ended")):
        assert log.put(at, f"contact.{kind}") == OK
    assert log.states() == [("c1", "billing", "wrapping")]
    assert log.put(150, "contact.wrapped") == OK
    assert log.total() == {
        "offered": 1,
        "decided": 1,
        "answered": 1,
        "answered_in_target": 1,
        "answer_wait_ms": 12_000,
        "answer_open_ms": 12_000,
        "responded": 1,
        "response_ms": 12_000,
        "response_open_ms": 12_000,
        "conversations": 1,
        "conversation_ms": 120_000,
        "handled": 1,
        "held": 1,
        "talk_ms": 78_000,
        "hold_ms": 30_000,
        "wrap_ms": 30_000,
    }
    assert log.states() == []
    assert (log.where("offered"), log.where("answered"), log.where("handled")) == ([0], [10], [150])
    assert (log.where("handled", 60), log.where("handled", 900)) == ([120], [0])
    assert log.reference.total_sketch("response") == {VOICE: {217: 1}}  # 12,000 <= 2^(217/16) = 12,098
    assert log.reference.sketch("handle", 900) == {(T0, *VOICE): {274: 1}}  # 138,000 > 2^(273/16) = 136,875


def test_a_call_that_ends_on_hold_and_is_never_wrapped_up(log: Log) -> None:
    for at, kind in ((0, "queued"), (30, "answered"), (40, "held")):
        assert log.put(at, f"contact.{kind}") == OK
    assert log.put(45, "contact.held") == ILLEGAL
    assert log.put(100, "contact.ended") == OK
    log.tick(100 + 30 * MIN)  # idle for exactly 30 minutes is not longer than 30 minutes
    assert "handled" not in log.total()
    log.tick(31 * MIN + 59.999)
    assert "handled" not in log.total()  # no whole minute was crossed
    log.tick(32 * MIN)
    total = log.total()
    assert (total["handled"], total["wrap_timed_out"], total["held"]) == (1, 1, 1)
    assert (total["talk_ms"], total["hold_ms"], total.get("wrap_ms", 0)) == (10_000, 60_000, 0)
    assert log.where("wrap_timed_out") == [32 * MIN]
    assert log.put(33 * MIN, "contact.wrapped") == ILLEGAL
    assert log.reference.reasons == Counter({(ILLEGAL, "state"): 1, (ILLEGAL, "no_visit"): 1})


def test_a_transfer_is_a_visit_in_each_queue(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(5, "contact.answered", agent="a1")
    assert log.put(65, "contact.transferred", agent="a1", to_queue="sales") == OK
    assert log.put(66, "contact.queued", queue="sales") == OK
    assert log.put(90, "contact.answered", agent="a2", queue="sales") == OK
    assert log.states() == [("c1", "billing", "wrapping"), ("c1", "sales", "talking")]
    assert log.put(95, "contact.wrapped", agent="a1") == OK  # the newer visit is another agent's
    assert log.put(200, "contact.wrapped", agent="a2") == OK  # straight from talking
    first, second = log.total(), log.total("sales")
    assert (first["transferred"], first["talk_ms"], first["wrap_ms"]) == (1, 60_000, 30_000)
    assert first["handled_transferred"] == 1
    assert (second["talk_ms"], second["answer_wait_ms"]) == (110_000, 24_000)
    assert {"transferred", "wrap_ms", "answered_in_target", "handled_transferred"}.isdisjoint(second)
    assert {"answered_stated", "handled_stated"}.isdisjoint(first.keys() | second.keys())
    assert second["decided"] == 1
    assert log.where("decided") == [0, 80]  # the second at 66 + 20 s, before it was answered


def test_a_transfer_out_of_the_queue_is_left(log: Log) -> None:
    log.put(0, "contact.queued")
    assert log.put(20, "contact.transferred", to_queue="sales") == OK
    assert log.total() == {
        "offered": 1,
        "decided": 1,
        "left": 1,
        "left_in_target": 1,
        "left_transfer": 1,
        "left_wait_ms": 20_000,
    }


def test_the_first_response_of_a_chat_counts_from_the_hand_off(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    assert log.put(1, "message.received") == OK
    assert log.put(2, "message.sent", bot=True) == OK
    assert log.states() == [("c1", "billing", "with_bot")]
    assert log.put(10, "message.received") == OK
    assert log.put(30, "bot.handed_off") == OK
    assert log.states() == [("c1", "billing", "waiting")]
    assert log.put(50, "message.sent", agent="a1") == OK
    assert log.put(70, "message.received") == OK
    assert log.put(80, "message.sent", agent="a1") == OK
    assert log.put(81, "message.sent", agent="a2") == OK  # a colleague helps
    total = log.total(channel="chat")
    assert (total["answer_wait_ms"], total["response_ms"], total["responded"]) == (20_000, 20_000, 1)
    assert (total["replies"], total["reply_ms"]) == (2, 30_000)
    assert total["answered_in_target"] == 1  # 60 s for chats


def test_a_chat_is_answered_by_a_message(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    assert log.put(10, "contact.answered", agent="a1") == OK
    assert log.states() == [("c1", "billing", "waiting")]
    log.put(15, "message.received")
    log.put(40, "message.sent")
    total = log.total(channel="chat")
    assert (total["answer_wait_ms"], total["response_ms"], total["reply_ms"]) == (40_000, 40_000, 40_000)
    assert log.where("responded") == log.where("answered") == [40]


def test_a_call_that_nobody_ends_is_lost_after_four_hours(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(0, "contact.queued", "c2", channel="chat")
    log.tick(4 * H)
    assert "lost" not in log.total()
    log.tick(4 * H + MIN)
    assert log.total() == {"offered": 1, "lost": 1, "decided": 1}
    assert log.where("lost", 900) == [4 * H]
    assert log.where("decided", 900) == [0]  # decided at 20 s
    assert log.states() == [("c2", "billing", "waiting")]
    for day in range(1, 181):
        log.tick(day * D)
    log.tick(180 * D + 1)
    assert log.states() == [("c2", "billing", "waiting")]  # no whole minute since
    log.tick(180 * D + MIN)
    assert log.total(channel="chat")["lost"] == 1


def test_a_talk_that_nobody_ends_is_unfinished(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.answered")
    log.tick(12 * H + 10)
    log.tick(12 * H + MIN)
    total = log.total()
    assert total["unfinished"] == 1
    assert "handled" not in total
    assert log.where("unfinished") == [12 * H + MIN]


def test_a_contact_may_come_back_to_the_same_queue(log: Log) -> None:
    assert log.put(0, "contact.queued") == OK
    assert log.put(3, "contact.queued") == ILLEGAL  # it waits there
    assert log.put(4, "contact.queued", channel="chat") == OK
    assert log.put(5, "contact.abandoned") == OK  # the newest visit: the chat
    assert log.put(8, "callback.scheduled", due=T0) == OK  # the chat again: it was no abandonment
    assert log.put(9, "callback.scheduled", due=T0) == OK  # the call
    assert log.put(600, "contact.queued", resumes=True) == OK
    assert log.put(603, "contact.answered") == OK
    assert log.put(604, "contact.queued") == OK  # it talks there, but does not wait
    total = log.total()
    assert (total["offered"], total["left"], total["answered"], total["answer_wait_ms"]) == (3, 1, 1, 3_000)
    assert (total["callbacks"], total["left_wait_ms"]) == (1, 9_000)
    assert log.total(channel="chat") == {
        "offered": 1,
        "abandonments_undone": 1,
        "decided": 1,
        "left": 1,
        "left_in_target": 1,
        "left_wait_ms": 1_000,  # it waited from 4 to 5
        "left_callback": 1,
        "callbacks": 1,
    }


def test_late_abandonment_is_decided_when_the_target_passes(log: Log) -> None:
    for contact, at in (("short", 5), ("early", 20), ("late", 20.001), ("later", 95)):
        log.put(0, "contact.queued", contact)
        log.put(at, "contact.abandoned", contact)
    total = log.total()
    assert total["abandoned"] == total["decided"] == 4
    assert (total["abandoned_short"], total["abandoned_in_target"]) == (1, 2)
    assert total["abandoned_late"] == total["decided_then_abandoned"] == 2
    assert log.where("decided") == [0, 20]
    assert log.where("decided_then_abandoned") == [20]
    assert log.where("abandoned_late") == [20, 90]
    assert abandonment(total) == 1


def test_stated_durations_win(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(5, "contact.answered", wait_s=20.0005)  # half to even: 20,000 ms, within the target
    log.put(50, "contact.held")
    log.put(60, "contact.ended", talk_s=31, hold_s=0)
    log.put(90, "contact.wrapped", wrap_s=2.5, talk_s=30)
    total = log.total()
    assert (total["answer_wait_ms"], total["response_ms"], total["answered_in_target"]) == (20_000, 20_000, 1)
    assert (total["answered_stated"], total["handled_stated"]) == (1, 1)
    assert (total["talk_ms"], total["wrap_ms"], total["held"]) == (30_000, 2_500, 1)
    assert "hold_ms" not in total


def test_a_conversation_ended_before_the_wrap_up_that_is_stated(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.answered")
    log.put(100, "contact.wrapped", wrap_s=30)
    total = log.total()
    assert (total["talk_ms"], total["wrap_ms"], total["conversation_ms"]) == (60_000, 30_000, 70_000)


def test_a_stated_wait_beyond_the_target_is_decided_no_later_than_the_answer(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(11, "contact.answered", wait_s=21)
    assert log.where("decided") == [10]


def test_missed_offers_and_refusals(log: Log) -> None:
    assert log.put(0, "contact.refused", channel="chat") == OK
    assert log.put(0, "agent.missed") == ILLEGAL
    log.put(1, "contact.queued")
    for agent in ("a1", "a2"):
        assert log.put(11, "agent.missed", agent=agent) == OK
    assert log.put(12, "contact.answered", agent="a3") == OK
    assert log.put(13, "agent.missed", agent="a3") == OK  # agents' events come later
    assert log.put(20, "contact.ended") == OK
    assert log.put(21, "agent.missed", agent="a1") == OK
    assert log.put(22, "contact.wrapped") == OK
    assert log.put(23, "agent.missed", agent="a1") == ILLEGAL
    assert log.total()["missed"] == 4
    assert log.reference.totals()[CHAT] == {"refused": 1}


def test_the_day_of_a_hundred_offered_contacts(log: Log) -> None:
    day = [(70, "answered", 20), (15, "answered", 21), (4, "abandoned", 5), (4, "abandoned", 20)]
    day += [(5, "abandoned", 21), (1, "left_queue", 20), (1, "left_queue", 21)]
    for number, (count, outcome, wait) in enumerate(day):
        for each in range(count):
            at = number * 1000 + each
            log.put(at, "contact.queued", f"c{number}-{each}")
            log.put(at + wait, f"contact.{outcome}", f"c{number}-{each}")
    total = log.total()
    assert total["offered"] == total["decided"] == 100
    assert service_levels(total) == {
        "answered_of_offered": Fraction(70, 100),
        "without_short_abandons": Fraction(70, 96),
        "answered_or_abandoned": Fraction(70, 98),
        "answered_or_abandoned_late": Fraction(70, 90),
        "answered_only": Fraction(70, 85),
        "ignoring_early_abandons": Fraction(70, 92),
        "abandons_count_as_met": Fraction(78, 100),
        "answered_or_abandoned_without_short": Fraction(70, 94),
        "removed_within": Fraction(79, 100),
    }
    shown = [f"{float(level):.1%}" for level in service_levels(total).values() if level is not None]
    assert shown == ["70.0%", "72.9%", "71.4%", "77.8%", "82.4%", "76.1%", "78.0%", "74.5%", "79.0%"]
    assert abandonment(total) == Fraction(9, 96)
    assert set(service_levels({}).values()) == {None}
