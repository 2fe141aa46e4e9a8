"""Surveys that were sent and came back, by hand."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from .asking import SALES, counted, reply, send
from .log import DUPLICATE, OK, VOICE, D, H, Log
from .ratios import response_rate

MS = 0.001


@pytest.fixture
def log() -> Log:
    return Log()


def test_four_of_ten_are_asked_and_two_of_them_answer(log: Log) -> None:
    for n in range(10):
        at = 100 * n
        for later, kind in ((0, "queued"), (5, "answered"), (50, "ended"), (60, "wrapped")):
            assert log.put(at + later, f"contact.{kind}", f"c{n}") == OK
    for n in range(4):
        send(log, 1_000 + n, f"c{n}")
    for n in (1, 3):
        reply(log, 2_000 + n, 5 if n == 1 else 2, f"c{n}")
    total = log.total()
    assert total["handled"] == 10
    assert counted(log)[VOICE] == {"sent": 4, "returned": 2, "answers": 2, "satisfied": 1}
    assert response_rate(total) == Fraction(1, 2)
    reply(log, 2_100, 5, "c9")  # nobody asked: where surveys are sent, this is no part of the rate
    assert counted(log)[VOICE] == {"sent": 4, "returned": 2, "answers": 3, "satisfied": 2}
    assert response_rate(log.total()) == Fraction(1, 2)


def test_the_response_rate_is_of_those_handled_where_none_was_sent() -> None:
    asked = {"csat_sent": 4, "csat_returned": 2, "csat_answers": 3, "handled": 10, "nps_sent": 5}
    silent = {"csat_answers": 3, "handled": 20}
    assert response_rate(silent) == Fraction(3, 20)
    assert response_rate(asked, silent) == Fraction(5, 24)
    assert response_rate(asked, kind="nps") == 0
    assert response_rate({"csat_answers": 1}) is None
    assert response_rate({}, {}) is None


def test_a_return_counts_where_and_when_the_survey_was_sent(log: Log) -> None:
    send(log, 5)
    reply(log, 65, queue="sales")
    assert counted(log) == {
        VOICE: {"sent": 1, "returned": 1},
        SALES: {"answers": 1, "satisfied": 1},
    }
    assert [log.where(f"csat_{n}") for n in ("sent", "returned", "answers")] == [[0], [0], [60]]


def test_a_survey_is_of_the_newest_open_visit_unless_it_says_otherwise(log: Log) -> None:
    log.put(0, "contact.queued", queue="claims", channel="chat")
    send(log, 1, queue=None)
    send(log, 1, "c2", queue=None)
    send(log, 1, channel="email")
    places = {("claims", "chat"), ("unassigned", "voice"), ("billing", "email")}
    assert counted(log) == {place: {"sent": 1} for place in places}


def test_without_a_kind_it_is_about_satisfaction(log: Log) -> None:
    for n, kind in enumerate((None, "csat", "nps", "ces")):
        send(log, n, kind=kind)
    send(log, 9, score="anything", scale=[])
    assert log.total() == {"csat_sent": 3, "nps_sent": 1, "ces_sent": 1}


def test_kinds_and_contacts_are_kept_apart(log: Log) -> None:
    for kind in ("csat", "nps", "ces"):
        send(log, 0, kind=kind)
    send(log, 0, "c2")
    reply(log, 1, 9, kind="nps")
    assert counted(log, "nps")[VOICE] == {"sent": 1, "returned": 1, "answers": 1, "promoters": 1}
    reply(log, 2, 2, kind="ces")
    assert counted(log, "ces")[VOICE] == {"sent": 1, "returned": 1, "answers": 1, "effort": 2_000}
    assert counted(log)[VOICE] == {"sent": 2}
    reply(log, 3, contact="c3")
    assert counted(log)[VOICE] == {"sent": 2, "answers": 1, "satisfied": 1}
    reply(log, 4, contact="c2")
    assert counted(log)[VOICE] == {"sent": 2, "returned": 1, "answers": 2, "satisfied": 2}


_WITHIN_TWO_DAYS = [(30 - MS, 0), (30, 1), (30 + MS, 1), (2 * D + 30, 1)]


@pytest.mark.parametrize(
    ("answered_at", "returned", "answer_first"),
    [
        *((at, returned, first) for first in (False, True) for at, returned in _WITHIN_TWO_DAYS),
        (2 * D + 30 + MS, 0, False),  # told after that, the survey would be late
    ],
)
def test_it_returns_within_two_days_and_not_before_in_whatever_order_it_is_told(
    log: Log, answered_at: float, returned: int, *, answer_first: bool
) -> None:
    """Sent at 30 s, so that no time-outs run between the last moment that is in time and the next one."""
    if not answer_first:
        send(log, 30)
    if answered_at > D:
        log.tick(2 * D)
    reply(log, answered_at)
    if answer_first:
        send(log, 30)
    returns = {"returned": 1} if returned else {}
    assert counted(log)[VOICE] == {"sent": 1, **returns, "answers": 1, "satisfied": 1}


def test_it_is_forgotten_when_time_outs_run(log: Log) -> None:
    """A late answer still belongs to a survey that is remembered, and not to one that is not."""
    send(log, 30, "kept")
    send(log, 30, "gone")
    log.tick(2 * D)
    log.tick(2 * D + 60 - MS)  # no time-outs have run since it was 48 h ago
    reply(log, 2 * D + 30, contact="kept")
    log.tick(2 * D + 60)
    reply(log, 2 * D + 30, contact="gone")
    assert counted(log)[VOICE] == {"sent": 2, "returned": 1, "answers": 2, "satisfied": 2}


def test_time_outs_exactly_two_days_later_forget_nothing(log: Log) -> None:
    send(log, 0)
    reply(log, 0, 1, "c2")
    log.tick(2 * D)
    reply(log, 2 * D)
    reply(log, 2 * D, 5, "c2")
    assert counted(log)[VOICE] == {"sent": 1, "returned": 1, "answers": 2, "satisfied": 2}


def test_an_opinion_whose_first_or_second_answer_returned_a_survey_returns_no_other(log: Log) -> None:
    send(log, 90)
    reply(log, 100)  # this one did
    reply(log, 120)
    send(log, 80)
    reply(log, 100, contact="c2")
    send(log, 110, "c2")
    reply(log, 120, contact="c2")  # this one did
    send(log, 80, "c2")
    assert counted(log)[VOICE] == {"sent": 4, "returned": 2, "answers": 2, "satisfied": 2}


def test_one_answer_returns_one_survey(log: Log) -> None:
    reply(log, 100)
    send(log, 40)
    assert counted(log)[VOICE]["returned"] == 1
    send(log, 50)  # the answer has returned one
    assert counted(log)[VOICE] == {"sent": 2, "returned": 1, "answers": 1, "satisfied": 1}
    reply(log, 110)  # of which the other one is still out
    assert counted(log)[VOICE] == {"sent": 2, "returned": 2, "answers": 1, "satisfied": 1}


def test_the_last_survey_is_the_one_that_returns(log: Log) -> None:
    send(log, 0)
    send(log, 60, queue="sales")
    reply(log, 100, 1)
    assert counted(log) == {VOICE: {"sent": 1, "answers": 1}, SALES: {"sent": 1, "returned": 1}}
    reply(log, 110, 1)
    assert counted(log) == {VOICE: {"sent": 1, "answers": 1}, SALES: {"sent": 1, "returned": 1}}


def test_a_survey_that_returned_itself_is_not_remembered(log: Log) -> None:
    reply(log, 100)
    send(log, 90)
    reply(log, 120)
    assert counted(log)[VOICE] == {"sent": 1, "returned": 1, "answers": 1, "satisfied": 1}


def test_who_is_asked_again_may_answer_again(log: Log) -> None:
    """Two surveys came back, and it is one opinion."""
    for at, score in ((0, 1), (D, 5)):
        send(log, at)
        reply(log, at + 60, score)
    assert counted(log)[VOICE] == {"sent": 2, "returned": 2, "answers": 1, "satisfied": 1}


def test_what_is_told_again_counts_once(log: Log) -> None:
    send(log, 0, id="s")
    reply(log, 60, 1, id="a")
    reply(log, 70, 5, id="b")
    before = log.reference.totals()
    log.tick(D)
    assert log.put(0, "survey.sent", id="s") == DUPLICATE
    assert log.put(60, "survey.answered", kind="csat", score=1, id="a") == DUPLICATE
    assert log.put(70, "survey.answered", kind="csat", score=5, id="b") == DUPLICATE
    assert log.put(-D - MS, "survey.sent") == "late"
    assert {place: n for place, n in log.reference.totals().items() if n} == before


_TOLD = st.tuples(
    st.sampled_from((0, 1, 60, H, 12 * H, D, 2 * D)),  # time that passes
    st.sampled_from((0, 0, -1, -60, -H, -D, -2 * D)),  # since it happened
    st.sampled_from(("c1", "c1", "c2")),
    st.sampled_from(("sent", "answered")),
    st.sampled_from(("csat", "nps", "ces")),
    st.integers(1, 5),
    st.sampled_from(("billing", "sales", "claims")),
)


@given(st.lists(_TOLD, max_size=20))
def test_no_more_return_than_were_sent_and_each_opinion_counts_once(told: list[Any]) -> None:
    """In every bucket; and what is told twice changes nothing."""
    once, twice = Log(), Log()
    now, answers = 0, Counter[str]()
    for n, (step, since, contact, what, kind, score, queue) in enumerate(told):
        now += step
        fields = {"id": f"s{n}", "kind": kind, "score": score, "queue": queue}
        assert once.put(now + since, f"survey.{what}", contact, stamp=now, **fields) == OK
        assert twice.put(now + since, f"survey.{what}", contact, stamp=now, **fields) == OK
        assert twice.put(now + since, f"survey.{what}", contact, stamp=now, **fields) == DUPLICATE
        answers[kind] += what == "answered"
        places = once.reference.totals()
        for n_of, kind_of in itertools.product(once.reference.cells(10).values(), ("csat", "nps", "ces")):
            assert n_of.get(f"{kind_of}_returned", 0) <= n_of.get(f"{kind_of}_sent", 0)
            assert min(n_of.values()) > 0
        for kind_of, most in answers.items():
            counted_of = sum(n_of.get(f"{kind_of}_answers", 0) for n_of in places.values())
            assert min(1, most) <= counted_of <= most
    assert once.reference.totals() == twice.reference.totals()
    assert once.reference.cells(900) == twice.reference.cells(900)
