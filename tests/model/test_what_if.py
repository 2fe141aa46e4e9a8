"""Contacts that are judged anew are counted as if the other settings had been in force all along."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, strategies as st

from stream_app.model import facts as f
from stream_app.model.fold.cells import Cell, CellKey
from stream_app.model.fold.tally import Tally
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.ledger import Happening, VisitRow, counted_by, unpack_facts
from stream_app.model.targets import Targets
from stream_app.model.what_if import Hindsight, unanswerable

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
