"""Abandonments that are kept for an hour and may be taken back, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, H, Log


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_resumed_visit_waits_since_it_was_queued(log: Log) -> None:
    log.put(0, "contact.queued", id="q")
    assert log.put(30, "contact.abandoned", id="a") == OK
    assert log.states() == [("c1", "billing", "abandoned")]
    assert log.total() == {
        "offered": 1,
        "abandoned": 1,
        "abandoned_late": 1,
        "abandon_wait_ms": 30_000,
        "abandon_open_ms": 30_000,
        "decided": 1,
        "decided_then_abandoned": 1,
    }
    assert log.put(100, "contact.queued", id="q2", resumes=True) == OK
    assert log.put(100, "contact.queued", id="q2", resumes=True) == DUPLICATE
    assert log.put(101, "contact.queued", id="q", resumes=True) == DUPLICATE  # the opener of an open visit
    assert log.put(101, "contact.queued", id="q3", resumes=True) == ILLEGAL  # it waits again
    assert log.put(102, "contact.abandoned", id="a") == DUPLICATE
    assert log.states() == [("c1", "billing", "waiting")]
    assert log.total() == {"offered": 1, "abandonments_undone": 1}
    assert log.where("abandonments_undone") == [30]
    assert log.where("decided") == log.where("abandoned") == []
    assert log.put(125, "contact.answered") == OK
    assert log.total()["answer_wait_ms"] == 125_000
    assert log.where("decided") == [20]
    assert log.put(126, "contact.queued", id="q2", resumes=True) == DUPLICATE


def test_an_abandonment_is_taken_back_from_its_own_buckets(log: Log) -> None:
    log.put(0, "contact.queued", "c1")
    log.put(0, "contact.queued", "c2")
    log.put(30, "contact.abandoned", "c1")
    log.put(31, "contact.abandoned", "c2", wait_s=4)  # short, and decided at once
    log.put(60, "contact.queued", "c1", resumes=True)
    assert log.total() == {
        "offered": 2,
        "abandoned": 1,
        "abandoned_in_target": 1,
        "abandoned_short": 1,
        "abandon_wait_ms": 4_000,
        "abandon_open_ms": 4_000,
        "decided": 1,
        "abandonments_undone": 1,
    }
    assert (log.where("decided"), log.where("abandoned")) == ([30], [30])
    log.put(70, "contact.abandoned", "c1")
    log.put(80, "contact.queued", "c1", resumes=True)
    log.put(90, "contact.abandoned", "c1")
    total = log.total()
    assert (total["abandoned"], total["abandonments_undone"], total["abandon_wait_ms"]) == (2, 2, 94_000)


def test_an_abandonment_is_taken_back_even_if_its_bucket_is_gone(log: Log) -> None:
    log.tick(22 * MIN)
    log.put(90, "contact.queued")
    log.put(110, "contact.abandoned")  # 10-second buckets are kept from 120 on
    assert (log.where("abandoned"), log.where("abandoned", 60)) == ([], [60])
    assert (
        log.put(400, "contact.queued", resumes=True) == OK
    )  # within ten minutes, though all of it comes late
    assert (log.where("abandonments_undone"), log.where("abandonments_undone", 60)) == ([], [60])
    assert log.where("abandoned", 60) == log.where("decided", 60) == []
    assert log.total() == {"offered": 1, "abandonments_undone": 1}


def test_an_abandoned_visit_is_kept_for_an_hour(log: Log) -> None:
    log.put(0, "contact.queued", id="q")
    log.put(60, "contact.abandoned")
    before = log.total()
    log.tick(61 * MIN)  # idle for exactly an hour
    assert log.states() == [("c1", "billing", "abandoned")]
    log.tick(62 * MIN)
    assert log.states() == []
    assert log.total() == before
    assert log.put(62 * MIN, "contact.left_queue") == ILLEGAL
    assert log.put(62 * MIN, "contact.queued", id="q", resumes=True) == DUPLICATE  # the opener is recent now
    assert (
        log.put(62 * MIN, "contact.queued", resumes=True) == OK
    )  # nothing to resume: a visit like any other
    assert log.total()["offered"] == 2
    assert "abandonments_undone" not in log.total()


def test_the_newest_abandoned_visit_of_the_place_is_resumed(log: Log) -> None:
    for at in (0, 100):
        log.put(at, "contact.queued")
        log.put(at + 50, "contact.abandoned")
    log.put(160, "contact.queued", channel="chat")
    log.put(170, "contact.abandoned", channel="chat")
    assert log.put(200, "contact.queued", resumes=False) == OK  # not taken back: the third call
    assert log.put(210, "contact.abandoned") == OK
    assert log.put(220, "contact.queued", queue="sales", resumes=True) == OK  # another queue: opens
    assert log.put(230, "contact.queued", resumes=True) == OK
    assert log.put(240, "contact.answered", queue="billing") == OK
    total = log.total()
    assert (total["offered"], total["answer_wait_ms"], total["abandonments_undone"]) == (3, 40_000, 1)
    assert (total["abandoned"], total["abandon_wait_ms"]) == (2, 100_000)
    assert log.total("sales") == {"offered": 1}
    assert log.total(channel="chat")["abandoned"] == 1


def test_left_after_an_abandonment_that_was_none(log: Log) -> None:
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("contact.left_queue", {}),
        ("contact.transferred", {"wait_s": 19}),
        ("callback.scheduled", {}),
    )
    for number, (kind, fields) in enumerate(cases):
        contact = f"c{number}"
        log.put(0, "contact.queued", contact)
        log.put(30, "contact.abandoned", contact)
        assert log.put(50, kind, contact, **fields) == OK
        assert log.put(51, kind, contact, **fields) == ILLEGAL
    assert log.states() == []
    assert log.total() == {
        "offered": 3,
        "abandonments_undone": 3,
        "left": 3,
        "left_transfer": 1,
        "left_callback": 1,
        "left_wait_ms": 30_000 + 19_000 + 30_000,
        "left_in_target": 1,
        "callbacks": 1,
        "decided": 3,
    }
    assert log.where("left") == [50]
    assert log.where("decided") == [20, 50]  # the two that waited too long, and the one that says 19 s


def test_an_abandoned_visit_takes_nothing_else_but_missed_offers(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(10, "contact.abandoned")
    for kind in ("answered", "abandoned", "held", "ended", "wrapped"):
        assert log.put(11, f"contact.{kind}") == ILLEGAL
    assert log.put(11, "contact.ended", by="bot") == ILLEGAL
    assert log.put(11, "message.received") == log.put(11, "message.sent") == ILLEGAL
    assert log.put(12, "agent.missed", agent="a1") == OK
    assert log.total()["missed"] == 1


def test_a_resumed_visit_is_lost_four_hours_after_it_resumed(log: Log) -> None:
    log.put(0, "contact.queued")
    log.put(60, "contact.abandoned")
    log.put(120, "contact.queued", resumes=True)
    log.tick(4 * H + 2 * MIN)
    assert "lost" not in log.total()
    log.tick(4 * H + 3 * MIN)
    assert log.total() == {"offered": 1, "abandonments_undone": 1, "lost": 1, "decided": 1}
    assert log.where("decided", 900) == [0]


def test_of_several_abandonments_the_newest_may_be_taken_back(log: Log) -> None:
    for at in (0, 100, 200):
        assert log.put(at, "contact.queued") == OK
        assert log.put(at + 50, "contact.abandoned") == OK
    assert log.states() == [("c1", "billing", "abandoned")]
    assert log.put(260, "contact.queued", resumes=True) == OK
    assert log.total()["abandoned"] == 2
    assert log.total()["abandonments_undone"] == 1
