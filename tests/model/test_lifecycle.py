"""The table is the specification: what has no row changes nothing, and what is drawn is what holds."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stream_app.model import events as e
from stream_app.model.fold import lifecycle
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.lifecycle import TABLE, BotEnded, BotMessage, QueuedAgain
from stream_app.model.fold.visit import CLOSED, Visit, VisitState
from stream_app.model.targets import Targets

from .streams import FIELDS, T0

PAGE = Path(__file__).parents[2] / "docs" / "semantics.md"
OPEN = [state for state in VisitState if state is not VisitState.CLOSED]
ROUTES: dict[VisitState, list[type[e.ContactEvent]]] = {
    VisitState.WAITING: [e.Queued],
    VisitState.TALKING: [e.Queued, e.Answered],
    VisitState.HELD: [e.Queued, e.Answered, e.Held],
    VisitState.WRAPPING: [e.Queued, e.Answered, e.Ended],
    VisitState.ABANDONED: [e.Queued, e.Abandoned],
}
"""How a visit gets into each state."""
EVERY_TYPE: list[type[e.ContactEvent]] = [*e.CONTACT_TYPES, BotMessage, BotEnded, QueuedAgain]


def make(kind: type[e.ContactEvent], name: str, at: int, contact: str = "c") -> e.Event:
    fields: dict[str, Any] = {"id": name, "at": at, "contact_id": contact}
    fields |= FIELDS.get(e.type_name(kind).partition(":")[0], {})
    if kind is BotMessage:
        return e.MessageSent(bot=True, **fields)
    if kind is BotEnded:
        return e.Ended(by="bot", **fields)
    return e.Queued(resumes=True, **fields) if kind is QueuedAgain else kind(**fields)


def in_state(state: VisitState) -> Fold:
    fold = Fold(Targets())
    for n, kind in enumerate(ROUTES[state]):
        assert fold.record(make(kind, f"r{n}", T0 + n * 1000), T0) == "applied"
    fold.take()
    return fold


def test_every_open_state_has_a_row_and_every_row_leads_somewhere() -> None:
    assert set(TABLE) == {int(state) for state in OPEN}
    reached = {move.to for row in TABLE.values() for move in row.values()}
    assert (
        {int(VisitState.TALKING), int(VisitState.HELD), int(VisitState.WRAPPING), CLOSED}
        <= reached
        <= set(VisitState)
    )
    assert set(ROUTES) == set(OPEN)


def test_every_type_of_a_visit_is_in_the_table() -> None:
    listed = {kind for row in TABLE.values() for kind in row}
    assert listed == set(EVERY_TYPE) - {e.Queued, e.Refused}
    assert {kind.bit for kind in (BotMessage, BotEnded, QueuedAgain)} == {
        kind.bit for kind in (e.MessageSent, e.Ended, e.Queued)
    }


@pytest.mark.parametrize(
    ("state", "kind"), [*product(OPEN, EVERY_TYPE)], ids=lambda x: getattr(x, "__name__", str(x))
)
def test_a_pair_is_in_the_table_or_changes_nothing(state: VisitState, kind: type[e.ContactEvent]) -> None:
    fold = in_state(state)
    before = repr(fold.state.open)
    result = fold.record(make(kind, "new", T0 + 5_000), T0 + 5_000)
    deltas = fold.take()
    visits = fold.state.open.get("c", ())
    if kind is e.Refused:
        assert result == "applied"
        assert repr(fold.state.open) == before
    elif issubclass(kind, e.Queued) and state is not VisitState.WAITING and kind not in TABLE[state]:
        assert result == "applied"  # another visit of the same contact to the same queue
        assert [v.state for v in visits] == [state, VisitState.WAITING]
    elif kind in TABLE[state]:
        assert result == "applied"
        to = TABLE[state][kind].to
        assert [v.state for v in visits] == ([] if to == CLOSED else [to])
    else:
        seen = (
            kind in ROUTES[state] or (kind is BotEnded and e.Ended in ROUTES[state])
        ) and not kind.repeatable
        seen = seen and kind is not e.Queued
        assert result == ("duplicate" if seen else "illegal")
        assert deltas.reasons == ({} if seen else {("illegal", "state"): 1})
        assert repr(fold.state.open) == before
        assert (deltas.cells, deltas.visits, deltas.recent) == ({}, {}, {})


@pytest.mark.parametrize("kind", [k for k in EVERY_TYPE if not issubclass(k, e.Queued | e.Refused)])
def test_without_a_visit_every_event_is_illegal_and_changes_nothing(kind: type[e.ContactEvent]) -> None:
    fold = Fold(Targets())
    assert fold.record(make(kind, "x", T0), T0) == "illegal"
    deltas = fold.take()
    assert deltas.reasons == {("illegal", "no_visit"): 1}
    assert (deltas.cells, deltas.visits, deltas.recent) == ({}, {}, {})


def test_the_page_says_what_the_table_holds() -> None:
    """The table in docs/semantics.md, row by row."""
    told: dict[int, dict[str, int]] = {int(state): {} for state in OPEN}
    names = {state.name.lower(): int(state) for state in VisitState}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        states = OPEN if cells[0] == "any" else [names[s] for s in cells[0].split(", ") if s in names]
        if not states or len(cells) != 4:
            continue
        for kind in re.findall(r"`([a-z]+\.[a-z_]+)`", cells[1]):
            shown = kind
            for words, variant in (("bot: true", "bot"), ("`by` `bot`", "bot"), ("resumes: true", "resumes")):
                shown = f"{kind}:{variant}" if words in cells[1] else shown
            for state in states:
                told[state][shown] = state if cells[2] == "same" else names[cells[2]]
    for state in (VisitState.TALKING, VisitState.HELD):
        told[state]["message.sent:bot"] = int(state)  # in the sentence on human replies
        told[state]["contact.ended:bot"] = told[state]["contact.ended"]  # no matter who ends it
    held = {state: {e.type_name(kind): move.to for kind, move in row.items()} for state, row in TABLE.items()}
    assert told == held


def test_the_diagram_is_drawn_from_the_table() -> None:
    drawn = set()
    for line in lifecycle.mermaid():
        if found := re.fullmatch(r"\s+(\S+) --> (\S+): (.*)", line):
            source, target, kinds = found.groups()
            drawn |= {(source, target, kind) for kind in kinds.split(", ")}
    expected = {("[*]", "waiting", "contact.queued"), ("[*]", "talking", "contact.answered (outbound)")}
    for state, row in TABLE.items():
        for kind, move in row.items():
            target = "[*]" if move.to == CLOSED else VisitState(move.to).name.lower()
            expected.add((VisitState(state).name.lower(), target, e.type_name(kind)))
    assert drawn == expected


def test_what_is_stored_is_never_renumbered() -> None:
    """A newer program must read the visits that an older one left in the store."""
    assert {state.name: int(state) for state in VisitState} == {
        "WAITING": 1,
        "TALKING": 2,
        "HELD": 3,
        "WRAPPING": 4,
        "ABANDONED": 5,
        "CLOSED": 9,
    }
    assert [e.type_name(kind) for kind in sorted(e.CONTACT_TYPES, key=lambda kind: kind.bit)][:15] == [
        *("contact.queued", "contact.answered", "contact.held", "contact.resumed", "agent.missed"),
        *("bot.handed_off", "callback.scheduled", "contact.transferred", "contact.left_queue"),
        *("contact.refused", "contact.abandoned", "contact.ended", "contact.wrapped"),
        *("message.received", "message.sent"),
    ]
    assert Visit.__struct_fields__[:16] == (
        *("queue", "channel", "state", "queued_at", "since", "answer_target", "short_abandon", "opener"),
        *("seen", "number", "agent", "clock", "responded", "talk", "hold", "held"),
    )
