"""What counts and what does not: duplicates, disorder, time, retention, offsets, by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from .log import DUPLICATE, ILLEGAL, MIN, OK, T0, VOICE, D, H, Log
from .model import Reference


@pytest.fixture
def log() -> Log:
    return Log()


def test_duplicates_at_once_change_nothing(log: Log) -> None:
    story: list[tuple[float, str, dict[str, Any]]] = [
        (0, "contact.queued", {"id": "q"}),
        (1, "agent.missed", {"id": "m", "agent": "a1"}),
        (5, "contact.answered", {"id": "a"}),
        (9, "contact.held", {"id": "h"}),
        (10, "contact.resumed", {"id": "r"}),
        (11, "contact.held", {"id": "h2"}),
        (20, "contact.ended", {"id": "e"}),
    ]
    for at, kind, fields in story:
        assert log.put(at, kind, **fields) == OK
        assert log.put(at, kind, **fields) == DUPLICATE
    before = log.reference.totals()
    assert [log.put(at, kind, **fields) for at, kind, fields in story] == [DUPLICATE] * 7
    assert log.put(21, "contact.ended", id="another end") == DUPLICATE  # one end per visit, whatever its id
    assert log.put(21, "contact.ended", queue="sales") == ILLEGAL
    assert log.put(21, "contact.abandoned") == ILLEGAL
    assert log.reference.totals() == before
    assert log.put(30, "contact.wrapped", id="w") == OK
    assert log.put(30, "contact.wrapped", id="w") == ILLEGAL  # nothing is left that knows it
    assert log.put(31, "contact.queued", id="q") == DUPLICATE


def test_events_out_of_order(log: Log) -> None:
    assert log.put(5, "contact.answered") == ILLEGAL
    assert log.put(10, "contact.queued", queue="billing") == OK
    assert log.put(9, "contact.ended") == ILLEGAL
    assert log.put(8, "contact.answered", agent="a1") == OK  # the clock ran backwards: a wait of 0
    assert log.put(20, "contact.resumed") == ILLEGAL
    assert log.put(7, "contact.ended", agent="a2") == OK
    total = log.total()
    assert total["answered_in_target"] == 1
    assert "answer_wait_ms" not in total
    assert log.reference.reasons == Counter({(ILLEGAL, "no_visit"): 1, (ILLEGAL, "state"): 2})
    assert log.reference.partition_time == T0 + 20_000


def test_visit_numbers_tell_visits_apart(log: Log) -> None:
    log.put(0, "contact.queued", visit=1)
    log.put(1, "contact.queued", visit=2, queue="sales")
    assert log.put(2, "contact.answered", visit=3) == ILLEGAL
    assert log.put(2, "contact.answered", visit=1, queue="sales") == ILLEGAL
    assert log.put(2, "contact.answered", visit=1) == OK
    assert log.put(3, "contact.answered", visit=1) == DUPLICATE
    assert log.put(4, "contact.answered") == OK
    assert log.total("sales")["answer_wait_ms"] == 3_000


def test_future_and_late(log: Log) -> None:
    log.tick(3 * D)
    assert log.put(3 * D + 60, "contact.queued", "c2", stamp=3 * D) == OK
    assert log.put(3 * D + 60.001, "contact.queued", "c3", stamp=3 * D) == "dead_letter"
    assert log.put(3 * D + 90, "contact.queued", "c3", stamp=3 * D + 30) == OK  # its own stamp moves time
    assert log.put(1 * D + 30, "contact.queued", "c4") == OK
    assert log.put(1 * D + 29.999, "contact.queued", "c5") == "late"
    assert log.put(1 * D + 29.999, "contact.queued", "c5", recurs=True) == OK  # its id is known for a month
    assert log.put(1 * D + 29.999, "contact.answered", "c5") == OK  # nobody else's: there is a visit
    assert log.put(-28 * D + 29.999, "contact.queued", "c6", recurs=True) == "late"
    assert log.put(30 * D, "unheard.of") == "unknown_type"
    assert log.reference.partition_time == T0 + (3 * D + 30) * 1000
    assert log.reference.reasons == Counter({("dead_letter", "future"): 1})


def test_a_bucket_is_kept_for_a_while_and_a_total_for_ever(log: Log) -> None:
    log.put(0, "contact.queued")
    for at, kept in ((20 * MIN, (1, 1, 1)), (20 * MIN + 1, (0, 1, 1)), (2 * H + 1, (0, 0, 1))):
        log.tick(at)
        assert tuple(len(log.where("offered", size)) for size in (10, 60, 900)) == kept
    assert log.put(H, "contact.refused") == OK  # its 10 s are gone, its minute is not
    assert [log.where("refused", size) for size in (10, 60, 900)] == [[], [H], [H]]
    log.tick(2 * D)
    assert log.where("offered", 900) == [0]
    log.tick(2 * D + 1)
    assert log.where("offered", 900) == []
    assert log.total()["offered"] == 1


def test_offsets_without_records_are_gaps() -> None:
    reference = Reference()
    for offset in (7, 8, 11):
        reference.feed(offset, None)
    reference.skip_to(13)
    assert reference.results == Counter({"dead_letter": 3, "gap": 3})
    with pytest.raises(ValueError, match="offset 12 was passed"):
        reference.feed(12, None)


def test_targets_belong_to_the_queue_and_the_time_of_queueing() -> None:
    log = Log()
    log.reference = Reference(lambda queue, _, at: (30_000 if queue == "vip" or at > T0 else 10_000, 1_000))
    for contact, at, queue in (("c1", 0, "billing"), ("c2", 0, "vip"), ("c3", 1, "billing")):
        log.put(at, "contact.queued", contact, queue=queue)
        log.put(20, "contact.answered", contact)
    assert "answered_in_target" not in log.reference.cells(10)[T0 + 10_000, *VOICE]
    assert log.total()["answered_in_target"] == log.total("vip")["answered_in_target"] == 1
