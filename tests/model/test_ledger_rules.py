"""What the targets decide about the KPIs of the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.durations import DAY, HOUR
from stream_app.model.kpis.from_ledger import Rates
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules, OpenHours, QueueOwner
from stream_app.model.targets.misleading import misleading

MONDAY = 1_767_571_200_000
"""2026-01-05T00:00Z"""
OFFICE = {"zone": "UTC", "hours": {"mon-fri": ["09:00-12:00", "13:00-17:00"]}}
SEASON = {"zone": "Europe/Berlin", "hours": {"sat": ["08:00-16:00"]}}


def rules(**document: Any) -> LedgerRules:
    return LedgerRules.of(Targets.from_json(Targets.of(document).to_json()))


def test_without_a_document_a_week_counts_and_customers_are_looked_at_across_channels() -> None:
    found = LedgerRules.of(Targets())
    assert (found.fcr_policy, found.repeat_ms, found.return_ms) == ("by_repeat", 7 * DAY, DAY)
    assert not found.per_channel
    assert found.rates(("q", "voice")) is None, "what is not set is unknown, and not 0"
    assert [*found.open_hours([("q", "voice")], MONDAY, MONDAY + DAY)] == []


def test_a_document_sets_them() -> None:
    own = {"fcr_policy": "by_case", "repeat_days": 3, "bot_return_h": 1.5, "repeat_per_channel": True}
    found = rules(ledger=own)
    assert (found.fcr_policy, found.repeat_ms, found.return_ms) == ("by_case", 3 * DAY, 90 * 60_000)
    assert found.per_channel


def test_what_work_costs() -> None:
    found = rules(
        defaults={"currency": "EUR", "cost_per_hour": 30, "overhead_per_hour": 6, "concurrency": 3},
        queues={"sales": {"cost_per_contact": 0.5, "channels": {"chat": {"overhead_per_hour": 0}}}},
    )
    assert found.rates(("desk", "voice")) == Rates("EUR", 30, 6, 0)
    assert found.rates(("sales", "voice")) == Rates("EUR", 30, 6, 0.5)
    assert found.rates(("sales", "chat")) == Rates("EUR", 30, 0, 0.5, 3)


def test_what_a_queue_aims_at() -> None:
    found = rules(queues={"sales": {"targets": {"first_contact_resolution": 0.85}}})
    assert found.aims(("sales", "voice"))["first_contact_resolution"] == 0.85
    assert found.aims(("desk", "voice"))["first_contact_resolution"] == 0.75, "the catalogue's"
    assert "churn" not in found.aims(("sales", "voice"))


@pytest.mark.parametrize("cost", [None, 0])
def test_overhead_without_what_it_is_added_to_is_noticed(cost: float | None) -> None:
    paid = {} if cost is None else {"cost_per_hour": cost}
    targets = Targets.of({"defaults": {"currency": "EUR", "overhead_per_hour": 6} | paid})
    (found,) = misleading(targets, "q", "voice", now=MONDAY, tells_messages=True)
    assert (found.detail, found.advice) == (
        "overhead_per_hour is 6 without cost_per_hour: an hour of work costs its overhead only",
        "set cost_per_hour, too",
    )


@given(st.integers(-10 * DAY, 400 * DAY), st.integers(0, 60 * DAY), st.sampled_from(["desk", "season"]))
def test_rows_of_business_hours_are_those_of_the_calendar(after: int, lasts: int, queue: str) -> None:
    found = rules(
        calendars={"office": OFFICE, "season": SEASON},
        queues={"desk": {"calendar": "office"}, "season": {"calendar": "season"}},
    )
    start, end = MONDAY + after, MONDAY + after + lasts
    rows = [*found.open_hours([("open", "voice"), (queue, "chat")], start, end)]
    calendar = found.targets.rule(queue, "chat").calendar
    assert calendar is not None
    assert {(row.queue, row.channel) for row in rows} == {(queue, "chat")}, "and none of what is always open"
    for a, b in ((start, end), (start + HOUR, min(start + DAY, end)), (start + lasts // 3, end - lasts // 3)):
        inside = sum(max(0, min(row.closes_at, b) - max(row.opens_at, a)) for row in rows)
        assert inside == calendar.within(a, b)


def test_a_queue_that_is_closed_throughout_is_not_one_that_is_always_open() -> None:
    found = rules(calendars={"office": OFFICE}, queues={"desk": {"calendar": "office"}})
    saturday = MONDAY + 5 * DAY
    assert [*found.open_hours([("desk", "voice")], saturday, saturday + DAY)] == [
        OpenHours("desk", "voice", saturday, saturday)
    ]


def test_who_owns_a_queue() -> None:
    found = rules(
        queues={
            "sales": {"site": "Northwind", "partner": True, "unit": "insurance"},
            "desk": {"site": "Leeds"},
            "bank": {"unit": "bank"},
        }
    )
    assert [*found.owners(["sales", "desk", "bank", "nobody's"])] == [
        QueueOwner("sales", "Northwind", "insurance"),
        QueueOwner("bank", None, "bank"),
    ]
