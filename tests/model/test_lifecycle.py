"""The table is the specification: what has no row changes nothing, and what is drawn is what holds."""

import re
from pathlib import Path
from typing import Any

import pytest

from stream_app.model import events as e
from stream_app.model.fold import kinds, lifecycle, visit
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.lifecycle import TABLE
from stream_app.model.fold.row_kind import kind_of
from stream_app.model.fold.visit import CLOSED, Visit, VisitState
from stream_app.model.targets import Targets

from .streams import FIELDS, T0

PAGE = Path(__file__).parents[2] / "docs" / "semantics.md"
OPEN = [state for state in VisitState if state is not VisitState.CLOSED]
VISITS = [state for state in OPEN if state < VisitState.ENDED]
ROUTES: dict[VisitState, list[tuple[str, dict[str, Any]]]] = {
    VisitState.WAITING: [("contact.queued", {})],
    VisitState.TALKING: [("contact.queued", {}), ("message.sent", {})],
    VisitState.HELD: [("contact.queued", {}), ("message.sent", {}), ("contact.held", {})],
    VisitState.WRAPPING: [("contact.queued", {}), ("message.sent", {}), ("contact.ended", {})],
    VisitState.ABANDONED: [("contact.queued", {}), ("contact.abandoned", {})],
    VisitState.WITH_BOT: [("contact.queued", {}), ("bot.started", {})],
    VisitState.UNANSWERED: [("contact.queued", {}), ("contact.ended", {})],
    VisitState.CONTAINED: [("contact.queued", {}), ("contact.ended", {"by": "bot"})],
}
"""How a visit gets into each state."""
EVENTS: list[tuple[str, dict[str, Any]]] = [
    *((e.type_name(kind), {}) for kind in e.CONTACT_TYPES if kind not in (e.Queued, e.Refused)),
    ("message.sent", {"bot": True}),
    ("message.sent", {"auto": True}),
    ("message.received", {"private": True}),
    ("contact.ended", {"by": "bot"}),
    ("contact.ended", {"by": "customer"}),
]


def make(name: str, event_id: str, at: int, **fields: Any) -> Any:
    kind: Any = e.TYPES[name]
    return kind(id=event_id, at=at, contact_id="c", **FIELDS.get(name, {}), **fields)


def in_state(state: VisitState, channel: str) -> Fold:
    fold = Fold(Targets())
    for n, (name, fields) in enumerate(ROUTES[state]):
        more = {"channel": channel} if name == "contact.queued" else {}
        assert fold.record(make(name, f"r{n}", T0 + n * 1000, **fields, **more), T0) == "applied"
    fold.take()
    return fold


def written_only(state: VisitState) -> bool:
    return state is VisitState.UNANSWERED


def test_every_open_state_has_a_row_and_every_row_leads_somewhere() -> None:
    assert set(TABLE) == {int(state) for state in OPEN}
    reached = {move.to for row in TABLE.values() for move in row.values()}
    assert reached == {int(state) for state in VISITS} | {CLOSED}
    assert set(ROUTES) == set(VISITS)


def test_every_type_of_a_visit_is_in_the_table() -> None:
    listed = {kind for row in TABLE.values() for kind in row}
    plain = {kind for kind in listed if kind in e.CONTACT_TYPES}
    assert plain == set(e.CONTACT_TYPES) - {e.Queued, e.Refused}
    finer = {kind for name, kind in vars(kinds).items() if isinstance(kind, type) and ":" in _tag(kind)}
    assert listed - plain == finer


def _tag(kind: type) -> str:
    return e.type_name(kind) if issubclass(kind, e.ContactEvent) else ""


@pytest.mark.parametrize("channel", ["voice", "email", "chat"])
@pytest.mark.parametrize("event", EVENTS, ids=lambda x: " ".join([x[0], *map(str, x[1])]))
@pytest.mark.parametrize("state", VISITS, ids=lambda x: x.name)
def test_a_pair_is_in_the_table_or_changes_nothing(
    state: VisitState, event: tuple[str, dict[str, Any]], channel: str
) -> None:
    if written_only(state) and channel == "voice":
        return
    fold = in_state(state, channel)
    before = repr(fold.state.open)
    (mine,) = fold.state.open["c"]
    kind = kind_of(mine.state, mine.seen, told := make(event[0], "new", T0 + 5_000, **event[1]))
    seen = mine.seen & told.bit and not told.repeatable
    result = fold.record(told, T0 + 5_000)
    deltas = fold.take()
    move = TABLE[state].get(kind)
    if move is not None and not (seen and move.to == state):
        assert result == "applied"
        goes_on = kind in (e.LeftQueue, e.Transferred) and state is not VisitState.WITH_BOT
        over = [VisitState.ENDED] if goes_on else []
        assert [v.state for v in fold.state.open.get("c", ())] == (over if move.to == CLOSED else [move.to])
        return
    assert result == ("duplicate" if seen else "illegal")
    assert deltas.reasons == ({} if seen else {("illegal", "state"): 1})
    assert repr(fold.state.open) == before
    assert (deltas.cells, deltas.visits, deltas.recent) == ({}, {}, {})


@pytest.mark.parametrize("event", EVENTS, ids=lambda x: " ".join([x[0], *map(str, x[1])]))
def test_without_a_visit_every_event_is_illegal_and_changes_nothing(
    event: tuple[str, dict[str, Any]],
) -> None:
    fold = Fold(Targets())
    assert fold.record(make(event[0], "x", T0, **event[1]), T0) == "illegal"
    deltas = fold.take()
    assert deltas.reasons == {("illegal", "no_visit"): 1}
    assert (deltas.cells, deltas.visits, deltas.recent) == ({}, {}, {})


def test_the_page_names_every_state_and_every_event_of_the_table() -> None:
    """What each row does is compared with the independent reference; here, that no row is missing on the page."""
    told: dict[str, set[str]] = {state.name.lower(): set() for state in VISITS}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4:
            continue
        whose = (
            told
            if cells[0].startswith("any")
            else [name for name in told if re.search(rf"\b{name}\b", cells[0])]
        )
        for name in whose:
            if name not in cells[0].partition("any but")[2]:
                told[name] |= set(re.findall(r"`([a-z]+\.[a-z_]+)`", cells[1]))
    plain = {
        VisitState(state).name.lower(): {
            part for kind in row for part in re.findall(r"[a-z]+\.[a-z_]+", e.type_name(kind))
        }
        for state, row in TABLE.items()
        if row
    }
    for name, events in plain.items():
        assert events - told[name] <= {"message.received", "message.sent"}, name


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
        "WITH_BOT": 6,
        "UNANSWERED": 7,
        "CONTAINED": 8,
        "CLOSED": 9,
        "ENDED": 10,
        "REOPENING": 11,
        "SURVEYED": 12,
        "RATED": 13,
    }
    assert [e.type_name(kind) for kind in sorted(e.CONTACT_TYPES, key=lambda kind: kind.bit)][:16] == [
        *("contact.queued", "contact.answered", "contact.held", "contact.resumed", "agent.missed"),
        *("bot.handed_off", "callback.scheduled", "contact.transferred", "contact.left_queue"),
        *("contact.refused", "contact.abandoned", "contact.ended", "contact.wrapped"),
        *("message.received", "message.sent", "bot.started"),
    ]
    flags = [
        *(visit.WRITTEN, visit.BY_MESSAGE, visit.TELLS, visit.BOT_TALKS, visit.BY_REPLIES, visit.HANDED_OFF),
        *(visit.OWED, visit.MET, visit.REOPENED, visit.GOES_ON, visit.TALK_STATED),
        *(visit.STATED, visit.CAME_BACK, visit.EXACT),
    ]
    assert flags == [1 << n for n in range(20, 34)]
    assert max(kind.bit for kind in e.CONTACT_TYPES) < flags[0]
    assert Visit.__struct_fields__[:30] == (
        *("queue", "channel", "state", "queued_at", "since", "answer_target", "short_abandon", "opener"),
        *("seen", "number", "agent", "clock", "responded", "talk", "hold", "held", "wait", "predicted"),
        *("began", "asked_at", "asked_open", "active", "heard_at", "assigned_at", "wrote", "reply_target"),
        *("work_cap", "pending", "priority", "idle_days"),
    )
