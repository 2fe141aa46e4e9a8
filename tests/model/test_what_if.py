"""Contacts that are judged anew are counted as if the other settings had been in force all along."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model import facts as f
from stream_app.model.fold.cells import Cell, CellKey
from stream_app.model.fold.tally import Tally
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.ledger import Happening, VisitRow, counted_by, unpack_facts
from stream_app.model.targets import Targets
from stream_app.model.targets.overrides import QueueOverrides
from stream_app.model.what_if import JUDGED_BY, Hindsight, idle_settings, unanswerable

from .kept import Kept, Line, folded
from .noted import unpacked, without_zeros
from .streams import streams

Json = dict[str, Any]
HOURS = {"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-18:00"]}}}
PAIRS = [(1, 0), (1, 1), (5, 1), (20, 5), (21, 20), (60, 0), (600, 60)]
queue = st.builds(
    lambda pair, rest: {"answer_target_s": pair[0], "short_abandon_s": pair[1], **rest},
    st.sampled_from(PAIRS),
    st.fixed_dictionaries(
        {},
        optional={
            "calendar": st.just("office"),
            "clock": st.sampled_from(["wall", "business"]),
            "reply_target_s": st.sampled_from([1, 20, 60, 600]),
            "priorities": st.just(
                {"urgent": {"answer_target_s": 5, "short_abandon_s": 1, "reply_target_s": 7}}
            ),
        },
    ),
)
documents = st.builds(lambda x, y: {"calendars": HOURS, "queues": {"x": x, "y": y}}, queue, queue)


def judged(kept: Kept, targets: Targets) -> dict[CellKey, Cell]:
    """Cells of what was noted, under other targets."""
    tally = Tally()
    visits = [v for some in kept.memory(Random(1)).open.values() for v in some if v.state < REMEMBERED]
    for row in unpacked(kept.ledger):
        if isinstance(row, VisitRow):
            visits.append(row.visit)
            continue
        assert isinstance(row, Happening)
        priority = row.about.get("priority") if row.about else None
        facts = Hindsight(targets.rule(row.queue, row.channel)).again(unpack_facts(row.facts), priority)
        if row.sign < 0:
            facts = (f.TakenBack(0, facts),)
        tally.add(facts, row.queue, row.channel)
    for visit in visits:
        hindsight = Hindsight(targets.rule(visit.queue, visit.channel))
        tally.add(hindsight.again(counted_by(visit), visit.priority), visit.queue, visit.channel)
    return without_zeros(tally.take())


@given(streams(), documents, documents)
def test_what_would_have_been_is_what_a_replay_counts(lines: list[Line], was: Json, would: Json) -> None:
    before, after = Targets.of(was), Targets.of(would)
    kept = folded(lines, targets=before)
    assert judged(kept, after) == without_zeros(folded(lines, targets=after).added)
    assert judged(kept, before) == without_zeros(kept.added)


def test_what_no_contact_can_tell_is_named() -> None:
    was = Targets.of({}).rule("x", "chat")
    would = Targets.of({"queues": {"x": {"bot": "acknowledges", "request_gap_s": 5, "answer_target_s": 5}}})
    assert unanswerable(was, would.rule("x", "chat")) == ["bot", "request_gap"]


OTHERWISE: dict[str, Any] = {
    "answer_target_s": 5,
    "short_abandon_s": 1,
    "reply_target_s": 5,
    "priorities": {"urgent": {"answer_target_s": 5}},
    "calendar": "office",
    "clock": "business",
    "zone": "Europe/Berlin",
    "policy": "answered_only",
    "targets": {"csat": 0.5},
    "too_good": {"csat": 0.99},
    "risk_below": 2,
    "site": "Graz",
    "partner": True,
    "unit": "retail",
    "external_id": "7",
    "cost_per_hour": 40,
    "overhead_per_hour": 1,
    "cost_per_contact": 1,
    "currency": "EUR",
    "shrinkage": 0.2,
    "patience_s": 60,
    "occupancy_max": 0.8,
    "asa_max_s": 20,
    "concurrency": 2,
    "full_time_h": 38,
    "ces_easy": "high",
    "csat_satisfied": {"5": [5]},
    "bot": "acknowledges",
    "answer": "assignment",
    "work": "replies",
    "reply_work_cap_s": 5,
    "request_gap_s": 5,
    "containment_return_h": 1,
    "idle_days": 9,
    "not_demand": ["wrong number"],
}


def test_each_setting_is_tried_or_refused() -> None:
    """In a queue that has hours: nothing that is said goes without effect, and without a word."""
    assert OTHERWISE.keys() == {*QueueOverrides.__struct_fields__} - {"channels"}
    was = Targets.of({"calendars": HOURS | {"local": {"hours": {"mon-fri": ["09:00-18:00"]}}}})
    was = was.changed({"defaults": {"calendar": "local", "clock": "wall", "currency": "USD"}})
    needed: dict[str, Json] = {"partner": {"site": "Graz"}, "calendar": {"clock": "wall"}}
    for name, value in OTHERWISE.items():
        document = {"queues": {"x": {name: value} | needed.get(name, {})}}
        would = was.changed(document)
        refused = unanswerable(was.rule("x", "chat"), would.rule("x", "chat"))
        idle = f"queues.x.{name}" in idle_settings(document)
        assert [name in JUDGED_BY, idle, bool(refused)].count(True) == 1, name


@pytest.mark.parametrize(
    ("document", "idle"),
    [
        ({}, []),
        ({"defaults": {"answer_target_s": 5, "site": "Graz"}}, ["defaults.site"]),
        ({"channels": {"voice": {"risk_below": 2}}}, ["channels.voice.risk_below"]),
        (
            {"queues": {"x": {"unit": "a", "channels": {"chat": {"concurrency": 2, "clock": "wall"}}}}},
            ["queues.x.unit", "queues.x.channels.chat.concurrency"],
        ),
    ],
)
def test_what_changes_nothing_is_named_where_it_was_said(document: Json, idle: list[str]) -> None:
    assert idle_settings(document) == idle
