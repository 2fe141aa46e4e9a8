"""Answers that are one opinion, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from .asking import SALES, counted, reply, send
from .facts import Settings
from .log import VOICE, D, H, Log

MS = 0.001


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_second_answer_replaces_what_the_first_one_said(log: Log) -> None:
    """Where and when the first one was given, whatever the queue of the second."""
    reply(log, 5, 2)
    assert counted(log) == {VOICE: {"answers": 1}}
    reply(log, 65, 5, queue="sales")
    assert counted(log) == {VOICE: {"answers": 1, "satisfied": 1}}
    assert (log.where("csat_answers"), log.where("csat_satisfied")) == ([0], [0])
    reply(log, 130, 3, queue="claims")
    assert counted(log) == {VOICE: {"answers": 1}}


def test_an_answer_that_comes_late_moves_the_opinion_to_its_place(log: Log) -> None:
    reply(log, 125, 5)
    reply(log, 65, 1, queue="sales")
    assert counted(log) == {SALES: {"answers": 1, "satisfied": 1}}
    assert (log.where("csat_answers"), log.where("csat_satisfied")) == ([60], [60])
    reply(log, 95, 1, queue="claims")  # between both: neither the first nor the last
    assert counted(log) == {SALES: {"answers": 1, "satisfied": 1}}
    reply(log, 125, 1, queue="claims")  # as late as the last
    assert counted(log) == {SALES: {"answers": 1}}


def test_of_two_at_the_same_time_the_second_one_counts_where_the_first_was(log: Log) -> None:
    reply(log, 5, 1)
    reply(log, 5, 5, queue="sales")
    assert counted(log) == {VOICE: {"answers": 1, "satisfied": 1}}


@pytest.mark.parametrize(
    ("first", "second", "opinions"),
    [
        (30, 2 * D + 30, 1),
        (30, 2 * D + 30 + MS, 2),
        (2 * D + 30, 30, 1),
    ],
)
def test_answers_two_days_apart_are_two_opinions(
    log: Log, first: float, second: float, opinions: int
) -> None:
    for at, queue in ((first, "billing"), (second, "sales")):
        if at > D:
            log.tick(2 * D)
        reply(log, at, queue=queue)
    places = [place for place, n in counted(log).items() if "answers" in n]
    assert len(places) == opinions
    assert sum(n["answers"] for n in counted(log).values()) == opinions


def test_the_two_days_are_those_since_the_first_answer(log: Log) -> None:
    reply(log, 30, 1)
    reply(log, D, 2)
    log.tick(2 * D)
    reply(log, 2 * D + 30 + MS, 5, queue="sales")
    assert counted(log) == {VOICE: {"answers": 1}, SALES: {"answers": 1, "satisfied": 1}}
    reply(log, 2 * D + 31, 1)  # belongs to the last one
    assert counted(log) == {VOICE: {"answers": 1}, SALES: {"answers": 1}}


def test_an_answer_is_forgotten_two_days_after_its_first_time(log: Log) -> None:
    for contact in ("kept", "gone"):
        reply(log, 30, 1, contact)
        reply(log, D, 1, contact)
    log.tick(2 * D)
    log.tick(2 * D + 60 - MS)
    reply(log, 2 * D + 30, 5, "kept")
    log.tick(2 * D + 60)
    reply(log, 2 * D + 30, 5, "gone")
    assert counted(log) == {VOICE: {"answers": 3, "satisfied": 2}}


def test_a_survey_between_two_answers_came_before_neither(log: Log) -> None:
    """It is told last, and after the first time of the opinion: nobody returned it."""
    reply(log, 10)
    reply(log, 100)
    send(log, 50)
    assert counted(log)[VOICE] == {"sent": 1, "answers": 1, "satisfied": 1}


def test_what_an_answer_says_is_found_under_the_targets_of_its_own_place() -> None:
    def settings(queue: str, _channel: str) -> Settings:
        return Settings(lambda score, scale: queue == "billing" or score == scale, queue == "billing")

    log = Log(surveys=settings)
    reply(log, 0, 4, queue="sales")
    assert counted(log) == {SALES: {"answers": 1}}
    reply(log, 1, 2)  # satisfied in billing, and counted in sales
    assert counted(log) == {SALES: {"answers": 1, "satisfied": 1}}
    reply(log, 2, 4, queue="sales")
    assert counted(log) == {SALES: {"answers": 1}}
    reply(log, 3, 7, kind="ces")
    assert counted(log, "ces") == {VOICE: {"answers": 1, "effort": 7_000}}
    reply(log, 4, 7, kind="ces", queue="sales")
    assert counted(log, "ces") == {VOICE: {"answers": 1, "effort": 1_000}}


def test_what_is_taken_back_from_a_bucket_that_is_gone_is_gone(log: Log) -> None:
    reply(log, 0, 1)
    log.tick(3 * H)
    reply(log, 3 * H, 5, queue="sales")
    assert [log.where("csat_satisfied", size) for size in (10, 60, 900)] == [[], [], [0]]
    assert counted(log) == {VOICE: {"answers": 1, "satisfied": 1}}


@given(
    st.lists(st.tuples(st.integers(0, 2 * D * 1000), st.integers(1, 5)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_within_two_days_the_order_in_which_answers_come_does_not_matter(
    answers: list[tuple[int, int]], rng: Any
) -> None:
    """It is the opinion that was given last, where the first one was."""
    told = [(at, score, f"q{n}") for n, (at, score) in enumerate(dict(answers).items())]
    told_in_order = sorted(told)
    rng.shuffle(told)
    log = Log()
    log.tick(2 * D)
    for at, score, queue in told:
        reply(log, at / 1000, score, queue=queue)
    place = told_in_order[0][2], "voice"
    says = {"answers": 1, **({"satisfied": 1} if told_in_order[-1][1] >= 4 else {})}
    assert counted(log) == {place: says}
    bucket = told_in_order[0][0] // 900_000 * 900
    assert log.where("csat_answers", 900) == ([bucket] if bucket * 1000 >= 0 else [])
