"""Surveys, reviews, moods and sales: what they count, and where, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .currencies import CURRENCIES
from .facts import Settings
from .log import CHAT, DUPLICATE, MIN, OK, T0, VOICE, H, Log
from .model import Reference

EUR, JPY = CURRENCIES.index("EUR"), CURRENCIES.index("JPY")


@pytest.fixture
def log() -> Log:
    return Log()


def answer(log: Log, kind: str, *scores: float, **fields: Any) -> dict[str, int]:
    """Each score is another contact's."""
    for score in scores:
        contact = f"c{log.offset}"
        assert log.put(0, "survey.answered", contact, kind=kind, score=score, queue="billing", **fields) == OK
    return log.total()


@pytest.mark.parametrize(
    ("scale", "satisfied"),
    [(None, 2), (5, 2), (2, 1), (3, 1), (4, 1), (7, 2), (9, 3), (10, 3), (100, 25)],
)
def test_who_is_satisfied(log: Log, scale: int | None, satisfied: int) -> None:
    """From 4 of 5; 2 of 2; 2.5 of 3; 3.25 of 4; 5.5 of 7; 7 of 9; 7.75 of 10; 75.25 of 100."""
    count = scale or 5
    total = answer(log, "csat", *range(1, count + 1), scale=scale)
    assert total == {"csat_answers": count, "csat_satisfied": satisfied}


def test_the_satisfied_set_is_a_setting() -> None:
    log = Log()
    log.reference = Reference(surveys=lambda *_: Settings(lambda score, scale: score == scale))
    assert answer(log, "csat", 4, 5) == {"csat_answers": 2, "csat_satisfied": 1}


def test_promoters_and_detractors(log: Log) -> None:
    assert answer(log, "nps", *range(11), scale=10) == {
        "nps_answers": 11,
        "nps_promoters": 2,
        "nps_detractors": 7,
    }


def test_effort_is_on_a_scale_of_seven(log: Log) -> None:
    assert answer(log, "ces", 1) == {"ces_answers": 1, "ces_effort": 1_000}  # low is easy
    assert answer(log, "ces", 7)["ces_effort"] == 8_000
    assert answer(log, "ces", 4, scale=5)["ces_effort"] == 8_000 + 5_500  # 4 of 5 is 1 + 6 * 3/4
    assert answer(log, "ces", 8, scale=10)["ces_effort"] == 13_500 + 5_667  # 8 of 10 is 1 + 6 * 7/9
    assert answer(log, "ces", 2, scale=33)["ces_effort"] == 19_167 + 1_188  # 1187.5: half to even
    easy = Log()
    easy.reference = Reference(surveys=lambda *_: Settings(low_is_easy=False))
    assert answer(easy, "ces", 4, scale=5)["ces_effort"] == 2_500


def test_reviews_by_people_and_machines(log: Log) -> None:
    for fields in (
        {"score": 0.875, "compliant": True},
        {"score": 0.5, "compliant": False, "automatic": False},
        {"score": 1, "compliant": None, "automatic": None},
        {"score": 0.12345, "compliant": True, "automatic": True},
        {"score": 0, "automatic": True},
    ):
        assert log.put(0, "quality.scored", queue="billing", **fields) == OK
    assert log.total() == {
        "reviews": 3,
        "review_score": 8_750 + 5_000 + 10_000,
        "reviews_judged": 2,
        "reviews_compliant": 1,
        "auto_reviews": 2,
        "auto_review_score": 1_234,  # 1234.5: half to even
        "auto_reviews_judged": 1,
        "auto_reviews_compliant": 1,
    }


def test_moods_may_be_below_zero(log: Log) -> None:
    log.put(0, "sentiment.scored", queue="billing", score=-1)
    log.put(1, "sentiment.scored", queue="billing", score=0.25, predicted_csat=4.5)
    assert log.total() == {
        "sentiments": 2,
        "sentiment_score": -750,
        "predictions": 1,
        "predicted_csat": 4_500,
    }
    log.put(2, "sentiment.scored", queue="billing", score=0.75)
    assert log.total() == {"sentiments": 3, "predictions": 1, "predicted_csat": 4_500}


def test_revenue_is_kept_by_currency(log: Log) -> None:
    for at, amount, currency in ((0, 49.9, "EUR"), (3, "0.0001", "EUR"), (4, 1200, "JPY"), (11, "5", "EUR")):
        assert log.put(at, "sale.recorded", queue="billing", amount=amount, currency=currency) == OK
    assert log.put(11, "sale.recorded", "c2", queue="billing", amount=0, currency="USD") == OK
    assert log.total() == {"sales": 5}
    revenue = log.reference.sketch("revenue", 10)
    assert revenue == {
        (T0, *VOICE): {EUR: 499_001, JPY: 12_000_000},
        (T0 + 10_000, *VOICE): {EUR: 50_000},
    }
    assert log.reference.total_sketch("revenue") == {VOICE: {EUR: 549_001, JPY: 12_000_000}}
    log.tick(20 * MIN + 10)
    assert list(log.reference.sketch("revenue", 10)) == [(T0 + 10_000, *VOICE)]
    log.tick(2 * H)
    assert log.reference.sketch("revenue", 10) == {}
    assert log.reference.sketch("revenue", 900) == {(T0, *VOICE): {EUR: 549_001, JPY: 12_000_000}}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        *(
            (1, 10_000),
            (0.1, 1_000),
            (2.0, 20_000),
            (1e8, 10**12),
            (0.0001, 1),
            (123_456.7891, 1_234_567_891),
        ),
        *(("1", 10_000), ("9.90", 99_000), ("1e3", 10_000_000), ("1.50000000", 15_000), ("12E-4", 12)),
        *(("100000000.0000", 10**12), ("99999999.9999", 10**12 - 1), ("100", 10**6)),
    ],
)
def test_amounts(log: Log, amount: float | str, expected: int) -> None:
    assert log.put(0, "sale.recorded", amount=amount, currency="EUR") == OK
    assert log.reference.total_sketch("revenue") == {("unassigned", "voice"): {EUR: expected}}


@pytest.mark.parametrize("amount", [0, 0.0, "0", "0.00000", "-0", "0e5"])
def test_nothing_is_an_amount_as_well(log: Log, amount: float | str) -> None:
    assert log.put(0, "sale.recorded", amount=amount, currency="EUR") == OK
    assert log.total("unassigned") == {"sales": 1}
    assert log.reference.total_sketch("revenue") == {}


def test_where_a_fact_counts(log: Log) -> None:
    def place(**fields: Any) -> set[tuple[str, str]]:
        before = {key: counts.get("sentiments", 0) for key, counts in log.reference.totals().items()}
        assert log.put(30, "sentiment.scored", score=1, **fields) == OK
        after = {key: counts.get("sentiments", 0) for key, counts in log.reference.totals().items()}
        return {key for key in after if after[key] > before.get(key, 0)}

    assert place() == {("unassigned", "voice")}
    assert place(channel="chat") == {("unassigned", "chat")}
    assert place(queue="sales") == {("sales", "voice")}
    assert place(queue="sales", channel="chat") == {("sales", "chat")}
    log.put(0, "contact.queued", queue="claims")
    log.put(1, "contact.queued", channel="chat")
    assert place() == {CHAT}  # the newest open visit
    log.put(2, "contact.abandoned")
    assert place() == {CHAT}  # abandoned ones included
    assert place(channel="email") == {("billing", "email")}
    assert place(queue="sales") == {("sales", "voice")}
    assert place(queue="billing") == {CHAT}
    assert place(queue="sales", channel="email") == {("sales", "email")}
    assert place(contact="c2") == {("unassigned", "voice")}
    log.put(3, "contact.left_queue")
    assert place() == {("claims", "voice")}


def test_facts_count_once_and_when_they_happened(log: Log) -> None:
    log.tick(100)
    fields: dict[str, Any] = {"queue": "billing", "amount": 5, "currency": "EUR", "id": "s"}
    assert log.put(0, "sale.recorded", **fields) == OK
    assert log.put(0, "sale.recorded", **fields) == DUPLICATE
    assert log.where("sales") == [0]
    assert log.total() == {"sales": 1}
    assert log.reference.total_sketch("revenue") == {VOICE: {EUR: 50_000}}


def test_fields_that_nobody_reads_there_may_be_anything(log: Log) -> None:
    strange: dict[str, Any] = {"resumes": 1, "bot": 1, "compliant": 1, "automatic": 1, "by": 1, "amount": []}
    assert log.put(0, "contact.refused", score="x", scale={}, currency=3, beginning=7, **strange) == OK
    assert log.put(0, "survey.answered", kind="nps", score=9, scale=None, compliant="x", bot="x") == OK


def test_null_is_absent(log: Log) -> None:
    envelope: dict[str, Any] = dict.fromkeys(
        ("team", "site", "customer", "direction", "channel", "agent", "visit")
    )
    assert log.put(0, "contact.queued", resumes=None, **envelope) == OK
    assert log.put(1, "message.sent", bot=None, **envelope) == OK
    assert log.put(2, "contact.ended", by=None, **envelope) == OK
    assert log.put(3, "survey.answered", kind="csat", score=5, scale=None) == OK
    assert log.put(3, "sentiment.scored", score=0, predicted_csat=None) == OK
