"""The generator repeats itself, is as varied as it claims, and the reference keeps its books on it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from fractions import Fraction

import pytest

from .counters import sketch_bucket
from .facts import Asked, Review, Survey
from .model import Reference
from .poison import GALLERY, LARGEST_GOOD, Poison
from .ratios import quantile
from .records import OUTCOMES, VOCABULARY, Event, read
from .traffic import Record, hostile, traffic


def _digest(records: list[Record]) -> str:
    return hashlib.sha256(repr(records).encode()).hexdigest()


@pytest.fixture(scope="module")
def calm() -> list[Record]:
    return list(traffic(1, 2_000, rate=0.5))


@pytest.fixture(scope="module")
def rough(calm: list[Record]) -> list[Record]:
    return list(hostile(calm, 1))


@pytest.mark.parametrize("poison", GALLERY, ids=lambda poison: poison.name)
def test_poison_is_named_and_moves_nothing(poison: Poison) -> None:
    reference = Reference()
    assert reference.feed(0, poison.value, 1_763_800_000_123) == "dead_letter"
    assert reference.reasons == Counter({("dead_letter", poison.reason): 1})
    assert reference.partition_time == 0


def test_the_largest_value_that_is_read() -> None:
    assert len(LARGEST_GOOD) == 65_536
    assert Reference().feed(0, LARGEST_GOOD) == "applied"


@pytest.mark.parametrize(
    "at",
    [
        "2025-11-22T08:26:40.123Z",
        "2025-11-22t08:26:40.123z",
        "2025-11-22T09:26:40.123+01:00",
        "2025-11-21T22:56:40.123-09:30",
        "2025-11-22T08:26:40.1239+00:00",
    ],
)
def test_moments_in_words(at: str) -> None:
    event = read(json.dumps({"id": "1", "type": "customer.joined", "customer": "u", "at": at}).encode())
    assert isinstance(event, Event)
    assert event.at == 1_763_800_000_123


def test_the_same_seed_gives_the_same_bytes(calm: list[Record], rough: list[Record]) -> None:
    assert _digest(calm) == _digest(list(traffic(1, 2_000, rate=0.5)))
    assert _digest(rough) == _digest(list(hostile(traffic(1, 2_000, rate=0.5), 1)))
    assert _digest(calm) != _digest(list(traffic(2, 2_000, rate=0.5)))
    assert _digest(rough) != _digest(list(hostile(calm, 2)))


def test_traffic_is_in_order_of_time_and_interleaved(calm: list[Record]) -> None:
    events = [event for _, value, _ in calm if isinstance(event := read(value), Event)]
    assert len(events) == len(calm)
    assert all(a.at <= b.at for a, b in itertools.pairwise(events))
    assert len({event.id for event in events}) == len(events)
    assert {event.type for event in events} == VOCABULARY
    neighbours = sum(a.contact == b.contact for a, b in itertools.pairwise(events))
    assert neighbours < len(events) / 3


def test_hostile_traffic_loses_nothing(calm: list[Record], rough: list[Record]) -> None:
    assert not Counter(calm) - Counter(rough)


@pytest.mark.slow
def test_every_result_and_reason_occurs(rough: list[Record]) -> None:
    reference = Reference()
    for offset, (_, value, timestamp) in enumerate(rough):
        reference.feed(offset * 2, value, timestamp)
    assert reference.results.keys() == {
        *("applied", "duplicate", "illegal", "late", "unknown_type", "dead_letter", "gap"),
    }
    assert {reason for _, reason in reference.reasons} == {
        *("too_large", "not_json", "bad_utf8", "too_deep", "invalid", "future", "no_visit", "state"),
    }
    assert reference.results["gap"] == len(rough) - 1
    assert reference.results.total() == 2 * len(rough) - 1
    assert {name for counts in reference.totals().values() for name in counts} == {
        *("offered", "answered", "answered_in_target", "answer_wait_ms", "answer_open_ms", "answered_stated"),
        *("responded", "response_ms", "response_open_ms", "replies", "reply_ms", "reply_open_ms"),
        *("queue_responded", "queue_response_ms", "queue_response_open_ms", "reopened"),
        *("abandoned", "abandoned_in_target", "abandoned_short", "abandon_wait_ms", "abandon_open_ms"),
        *("abandoned_late", "abandonments_undone", "left", "left_in_target", "left_wait_ms", "callbacks"),
        *("left_timeout", "left_transfer", "left_callback", "refused_full"),
        *("closed_unanswered", "left_not_demand"),
        *("to_bot", "from_bot", "bot_contained", "bot_abandoned", "containments_undone"),
        *("decided", "decided_then_abandoned", "refused", "missed", "transferred"),
        *("outbound", "outbound_handled", "outbound_ms", "handled", "handled_transferred", "handled_stated"),
        *("handled_estimated", "estimated_ms", "pending_ms", "conversations", "conversation_ms"),
        *("talk_ms", "hold_ms", "wrap_ms", "held", "lost", "wrap_timed_out"),
        *("csat_sent", "csat_returned", "nps_sent", "nps_returned", "ces_sent", "ces_returned"),
        *("fcr_sent", "fcr_returned", "fcr_answers", "fcr_resolved"),
        *("csat_answers", "csat_satisfied", "nps_answers", "nps_promoters", "nps_detractors"),
        *("ces_answers", "ces_effort", "reviews", "review_score", "reviews_judged", "reviews_compliant"),
        *("auto_reviews", "auto_review_score", "auto_reviews_judged", "auto_reviews_compliant"),
        *("sentiments", "sentiment_score", "predictions", "predicted_csat", "sales"),
    }


def test_the_traffic_has_all_that_the_rules_are_about(calm: list[Record], rough: list[Record]) -> None:
    """Beginnings with and without their `contact.queued`, before and after; money as numbers and as texts."""
    events = [event for _, value, _ in rough if isinstance(event := read(value), Event)]
    told = {event.id: n for n, event in reversed(list(enumerate(events))) if event.type == "contact.queued"}
    firsts = {e.beginning.id: n for n, e in reversed(list(enumerate(events))) if e.beginning}
    assert {name in told and told[name] < n for name, n in firsts.items()} == {True, False}
    assert any(name in told and told[name] > n for name, n in firsts.items())
    assert any(name not in told for name in firsts)
    assert {e.type for e in events if e.beginning} == OUTCOMES
    assert {bool(e.queue) for e in events if e.outbound} == {True, False}
    for kind in ("survey.sent", "survey.answered", "quality.scored", "sentiment.scored", "sale.recorded"):
        about = {(bool(e.queue), bool(e.channel)) for e in events if e.type == kind}
        assert about == set(itertools.product((False, True), repeat=2))
    reviews = {(e.fact.automatic, e.fact.compliant) for e in events if isinstance(e.fact, Review)}
    assert reviews == set(itertools.product((False, True), (None, False, True)))
    assert {(e.by, e.type) for e in events if e.by} >= {
        (by, "contact.ended") for by in ("bot", "customer", "agent")
    }
    messages = {(e.type, e.auto, e.private, e.bot) for e in events if e.type.startswith("message.")}
    assert {(auto, private) for _, auto, private, _ in messages} == {
        (False, False),
        (True, False),
        (False, True),
    }
    assert {e.type for e in events if e.outbound} == {"contact.queued", "contact.answered", "message.sent"}
    assert {e.priority for e in events if e.priority} == {"high", "low", "0", "1"}
    assert any(e.reopens for e in events)
    assert {bool(e.queue) for e in events if e.type == "case.reopened"} == {True, False}
    sent = {(b'"kind":' in value, b'"queue":' in value) for _, value, _ in calm if b'"survey.sent"' in value}
    assert sent == set(itertools.product((False, True), repeat=2))
    sales = [json.loads(value) for _, value, _ in calm if b'"sale.recorded"' in value]
    assert {type(sale["amount"]) for sale in sales} == {float, str}
    assert len({sale["currency"] for sale in sales}) == 8


@pytest.mark.parametrize("hostility", ["calm", "rough"])
def test_of_contacts_who_are_asked_some_answer_once_some_twice_and_some_never(
    request: pytest.FixtureRequest, hostility: str
) -> None:
    """Before and after the survey by its stamp, at the same moment, and, told roughly, in the other order."""
    records: list[Record] = request.getfixturevalue(hostility)
    asked: dict[tuple[str, str], tuple[int, int]] = {}
    answered: dict[tuple[str, str], list[tuple[int, int]]] = {}
    ids = Counter[str]()
    for n, (_, value, _) in enumerate(records):
        event = read(value)
        if isinstance(event, Event) and isinstance(event.fact, Asked | Survey):
            ids[event.id] += 1
            key = event.contact, event.fact.kind
            if isinstance(event.fact, Asked):
                asked.setdefault(key, (event.at, n))
            elif ids[event.id] == 1:
                answered.setdefault(key, []).append((event.at, n))
    both = asked.keys() & answered.keys()
    assert min(len(both), len(asked.keys() - both), len(answered.keys() - both)) > 20
    assert sum(len(told) > 1 for told in answered.values()) > 10
    waits = Counter((answered[key][0][0] - asked[key][0]) // 1_000 for key in both)
    assert min(waits[seconds] for seconds in (-2, -1, 0, 1, 60, 600)) > 5
    reversed_order = sum(
        at <= answered[key][0][0] and n > answered[key][0][1] for key, (at, n) in asked.items() if key in both
    )
    assert reversed_order > 5
    assert (max(ids.values()) > 1) == (hostility == "rough")


@pytest.mark.slow
def test_the_books_balance_after_every_prefix(rough: list[Record]) -> None:
    reference = Reference()
    for offset, (_, value, timestamp) in enumerate(rough):
        reference.feed(offset, value, timestamp)
        if offset % 500 and offset + 1 < len(rough):
            continue
        total: Counter[str] = Counter()
        for counts in reference.totals().values():
            total.update(counts)
        visits = Counter(state for _, _, _, state, _ in reference.open_visits())
        over = sum(total[n] for n in ("answered", "abandoned", "left", "lost"))
        assert total["decided"] == over - total["left_not_demand"]
        assert total["offered"] - total["to_bot"] + total["from_bot"] == over + visits["waiting"]
        contained = total["bot_contained"] + total["containments_undone"]
        assert total["to_bot"] == total["from_bot"] + contained + total["bot_abandoned"] + visits["with_bot"]
        under_way = visits["talking"] + visits["held"] + visits["wrapping"]
        over = total["handled"] + total["outbound_handled"] + total["unfinished"]
        begun = total["answered"] + total["outbound"]
        assert begun <= over + under_way <= begun + total["reopened"]
        assert total["abandoned"] >= visits["abandoned"]
        assert total["response_ms"] == total["response_open_ms"]
        assert total["reply_ms"] == total["reply_open_ms"]
        assert min(total[n] for n in total if n != "sentiment_score") >= 0
        handled = Counter[int]()
        for sketch in reference.total_sketch("handle").values():
            handled.update(sketch)
        assert handled.total() == total["handled"]
        for size in (10, 60, 900):
            kept = sum(counts.get("offered", 0) for counts in reference.cells(size).values())
            assert kept <= total["offered"]


def test_sketch_buckets_are_exact_at_their_bounds() -> None:
    assert [sketch_bucket(d) for d in (0, 1, 2, 3, 4, 65_536, 65_537)] == [0, 0, 16, 26, 32, 256, 257]
    assert sketch_bucket(2**31 + 1) == 497
    assert sketch_bucket(10**18) == 511


@pytest.mark.parametrize("duration", [2, 999, 20_000, 138_000, 86_400_000])
def test_a_quantile_is_within_two_per_cent(duration: int) -> None:
    estimate = quantile({sketch_bucket(duration): 3, 0: 1}, Fraction(1, 2))
    assert estimate == pytest.approx(duration, rel=2 ** (1 / 32) - 1)
    assert quantile({}, Fraction(1, 2)) is None
