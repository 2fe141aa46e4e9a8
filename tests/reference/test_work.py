"""Work in written channels, by hand."""

from __future__ import annotations

import pytest

from .log import ILLEGAL, OK, D, H, Log
from .rules import usual


@pytest.fixture
def log() -> Log:
    return Log()


def work(log: Log, channel: str = "email") -> dict[str, int]:
    """What is counted of the work."""
    names = ("handled", "talk_ms", "hold_ms", "wrap_ms", "pending_ms", "handled_estimated", "estimated_ms")
    return {name: n for name, n in log.total(channel=channel).items() if name in (*names, "held")}


def test_pending_is_nobodys_work(log: Log) -> None:
    """Opened at 0, a reply after 5 minutes, an hour pending, closed after three."""
    log.put(0, "contact.queued", channel="email")
    log.put(300, "message.sent", agent="a1")
    log.put(H, "contact.held")
    log.put(2 * H, "contact.resumed")
    log.put(3 * H, "contact.ended")
    log.put(3 * H + 60, "contact.wrapped")
    assert work(log) == {
        "handled": 1,
        "talk_ms": 300_000,
        "pending_ms": H * 1000,
        "handled_estimated": 1,
        "estimated_ms": 300_000,
    }
    assert log.total(channel="email")["conversation_ms"] == 3 * H * 1000


def test_a_chat_is_work_from_the_answer_to_the_end(log: Log) -> None:
    log.put(0, "contact.queued", channel="chat")
    log.put(10, "message.sent")
    log.put(20, "contact.held")
    assert log.put(21, "contact.held") == ILLEGAL
    log.put(50, "contact.resumed")
    assert log.put(51, "contact.resumed") == OK  # nothing
    log.put(100, "contact.ended")
    log.put(130, "contact.wrapped")
    assert work(log, "chat") == {
        "handled": 1,
        "talk_ms": 60_000,
        "wrap_ms": 30_000,
        "pending_ms": 30_000,
    }


def test_each_reply_is_work_since_there_was_something_to_do(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    log.put(100, "contact.answered", agent="a1")  # assigned
    log.put(160, "message.sent", agent="a1")  # 60 s since the assignment
    log.put(170, "message.sent", agent="a1")  # 10 s since the last one
    log.put(180, "message.sent", agent="a2")  # 80 s: a colleague's since the assignment
    log.put(H, "message.received")
    log.put(H + 601, "message.sent", agent="a2")  # at most 600 s
    log.put(H + 602, "message.sent", agent="a1", private=True)  # a note is none
    log.put(H + 603, "message.sent")  # 603 s, and 600 are counted: somebody's first
    log.put(H + 608, "message.sent")  # 5 s
    log.put(H + 620, "contact.ended")
    log.put(H + 630, "message.sent", agent="a2")  # 29 s
    log.put(H + 640, "contact.wrapped")
    assert "held" not in work(log)
    assert work(log)["estimated_ms"] == (60 + 10 + 80 + 600 + 600 + 5 + 29) * 1000


def test_stated_work_is_no_estimate(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    log.put(100, "message.sent")
    log.put(200, "contact.ended", talk_s=40)
    log.put(210, "message.received")
    log.put(250, "message.sent")
    log.put(300, "contact.wrapped", wrap_s=7)
    assert work(log) == {"handled": 1, "talk_ms": 40_000, "wrap_ms": 7_000}
    log.put(400, "contact.queued", "c2", channel="email")
    log.put(500, "message.sent", "c2")
    log.put(600, "contact.wrapped", "c2", wrap_s=7)  # only the wrap-up is known
    assert work(log)["estimated_ms"] == 100_000
    log.put(700, "contact.queued", "c3", channel="email")
    log.put(800, "message.sent", "c3")
    log.put(850, "contact.ended", "c3", hold_s=3)  # nor this
    log.put(900, "contact.wrapped", "c3")
    assert (work(log)["estimated_ms"], work(log)["held"], work(log)["hold_ms"]) == (200_000, 1, 3_000)


def test_messages_out_of_order_are_work_since_the_latest(log: Log) -> None:
    log.put(0, "contact.queued", channel="email")
    log.put(50, "message.received")
    log.put(40, "message.received")
    log.put(60, "message.sent", agent="a1")  # 10 s
    log.put(55, "message.sent", agent="a1")  # none
    log.put(90, "message.sent", agent="a1")  # 30 s
    log.put(100, "contact.answered", agent="a2")
    log.put(95, "contact.answered", agent="a1")
    log.put(107, "message.sent", agent="a1")  # 7 s
    log.put(110, "contact.wrapped")
    assert work(log)["estimated_ms"] == 47_000


def test_settings_say_how_work_is_found() -> None:
    log = Log(rules=lambda _, channel: usual(channel)._replace(work="replies", reply_work_cap=30_000))
    log.put(0, "contact.queued")
    log.put(20, "contact.answered", agent="a1")  # answers: no assignment
    log.put(25, "message.sent", agent="a1")
    log.put(90, "message.received")
    log.put(140, "message.sent", agent="a1")
    log.put(141, "contact.held")
    log.put(150, "contact.wrapped")
    assert work(log, "voice") == {
        "handled": 1,
        "held": 1,
        "talk_ms": 25_000 + 30_000,
        "pending_ms": 9_000,
        "handled_estimated": 1,
        "estimated_ms": 55_000,
    }


def test_the_customer_s_days_are_nobody_s_work(log: Log) -> None:
    """Two replies, with three days in between in which the customer thought; each counts ten minutes at most."""
    log.put(0, "contact.queued", channel="email")
    log.put(1800, "message.sent", agent="a1")
    log.put(3 * D, "message.received")
    log.put(3 * D + 600, "message.sent", agent="a1")
    log.put(3 * D + 600, "contact.ended")
    log.put(3 * D + 600, "contact.wrapped")
    assert work(log)["talk_ms"] == 1_200_000


def test_answered_and_set_pending_at_once(log: Log) -> None:
    """The customer writes five hours later, and has a reply in ten minutes."""
    log.put(0, "contact.queued", channel="email")
    log.put(300, "message.sent", agent="a1")
    log.put(300, "contact.held")
    log.put(5 * H, "message.received")
    log.put(5 * H, "contact.resumed")
    log.put(5 * H + 600, "message.sent", agent="a1")
    log.put(5 * H + 600, "contact.ended")
    log.put(5 * H + 600, "contact.wrapped")
    total = log.total(channel="email")
    assert (total["response_ms"], total["reply_ms"], total["replies"]) == (300_000, 900_000, 2)
    assert (total["talk_ms"], total["pending_ms"]) == (900_000, 5 * H * 1000 - 300_000)
