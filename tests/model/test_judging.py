"""The rule of docs/wallboard.md: what colours a queue, what names it, and what comes first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, strategies as st
from msgspec import structs

from stream_app.model.kpis import BY_NAME, HEADLINES
from stream_app.model.kpis.measures import Value
from stream_app.model.live.judging import CUSTOMERS, FEW, Judgement, judged, state_of
from stream_app.model.live.rows import QueueRow

AMBER = {"near", "recovering", "closed_waiting"}
COLOURS = ("closed", "none few", "met", "too_good", "near recovering closed_waiting", "off")
TARGETS = {
    "service_level": 0.8,
    "abandonment": 0.05,
    "first_response": 20.0,
    "oldest_waiting": 120.0,
    "handle_time": 360.0,
}


def row(
    *,
    waiting: int = 0,
    oldest: float = 0.0,
    late: int = 0,
    level: float | None = 0.9,
    gave_up: float | None = 0.0,
    contacts: int = 40,
    handle: float | None = 300.0,
    recent: float | None = 0.9,
    answer: float | None = 10.0,
    **more: Any,
) -> QueueRow:
    """Make a row of a voice queue; all is well unless something else is said."""
    samples = {
        "service_level": level,
        "abandonment": gave_up,
        "first_response": answer,
        "handle_time": handle,
    }
    values = {name: Value(value, contacts if value is not None else 0) for name, value in samples.items()}
    return QueueRow(
        "billing",
        "voice",
        "without_short_abandons",
        more.pop("targets", TARGETS),
        {"backlog": float(waiting), "oldest_waiting": oldest},
        {"30m": values, "5m": values},
        {},
        late=late,
        recent={"service_level": Value(recent, 8), "abandonment": Value(0.0, 8)},
        **more,
    )


def rows() -> st.SearchStrategy[QueueRow]:
    """Every kind of row."""
    share = st.one_of(st.none(), st.floats(0, 1))
    waits = st.integers(0, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
    return st.builds(
        lambda waits, oldest, targets, **more: row(
            waiting=waits[0], late=waits[1], oldest=oldest if waits[0] else 0.0, targets=targets, **more
        ),
        waits,
        st.floats(0, 20_000),
        st.sampled_from([TARGETS, {**TARGETS, "oldest_waiting": 14_400.0}, {}]),
        level=share,
        gave_up=share,
        contacts=st.integers(0, 500),
        handle=st.one_of(st.none(), st.floats(0, 3_000)),
        recent=share,
        answer=st.one_of(st.none(), st.floats(0, 500)),
        open=st.booleans(),
    )


def colour(found: Judgement) -> int:
    return next(n for n, names in enumerate(COLOURS) if found.state in names.split())


@given(rows(), rows())
def test_order_and_colour_agree(one: QueueRow, other: QueueRow) -> None:
    a, b = judged(one, "30m"), judged(other, "30m")
    if colour(a) > colour(b):
        assert a.urgency > b.urgency


@given(rows(), st.one_of(st.none(), st.floats(0, 90_000)))
def test_handle_time_neither_colours_nor_moves(one: QueueRow, handle: float | None) -> None:
    values = {**one.windows["30m"], "handle_time": Value(handle, 40)}
    other = structs.replace(one, windows={**one.windows, "30m": values})
    before, after = judged(one, "30m"), judged(other, "30m")
    assert (before.state, before.reasons, before.urgency) == (after.state, after.reasons, after.urgency)
    assert after.kpis.get("handle_time") in {None, "near", "few"}


@given(rows(), st.integers(0, FEW - 1), st.floats(0, 1), st.floats(0, 1))
def test_few_contacts_neither_colour_nor_move(one: QueueRow, n: int, level: float, gave_up: float) -> None:
    """With few contacts in the window, only who waits now counts, whatever the ratios happen to be."""
    values = {name: Value(value.value, n) for name, value in one.windows["30m"].items()}
    by_chance = values | {"service_level": Value(level, n), "abandonment": Value(gave_up, n)}
    states = [
        judged(structs.replace(one, windows={"30m": some, "5m": some}), "30m") for some in (values, by_chance)
    ]
    assert set(states[1].reasons) <= {"oldest_waiting", "backlog"}
    assert states[0].urgency == states[1].urgency or {one.state for one in states} & {"few", "none", "met"}
    if one.open and not one.levels["backlog"]:
        assert states[1].state in {"few", "none"}


@given(rows(), st.integers(1, 300))
def test_more_who_wait_too_long_never_come_later(one: QueueRow, more: int) -> None:
    assume(one.levels["backlog"])
    waiting = one.levels["backlog"] or 0
    worse = structs.replace(one, late=one.late + more, levels={**one.levels, "backlog": waiting + more})
    assert judged(worse, "30m").urgency >= judged(one, "30m").urgency


@given(rows(), st.floats(1, 50))
def test_who_waits_longer_never_comes_later(one: QueueRow, times: float) -> None:
    assume(one.levels["backlog"])
    oldest = (one.levels["oldest_waiting"] or 0) * times
    worse = structs.replace(one, levels={**one.levels, "oldest_waiting": oldest})
    assert judged(worse, "30m").urgency >= judged(one, "30m").urgency


@given(rows())
def test_a_badge_can_always_be_named(one: QueueRow) -> None:
    found = judged(one, "30m")
    assert bool(found.reasons) == (found.state in {"off", "near", "recovering", "too_good"})
    assert set(found.reasons) <= {kpi.name for kpi in HEADLINES}
    if found.state in {"off", "near", "recovering"}:
        assert set(found.reasons) <= set(CUSTOMERS)


def test_who_waits_comes_before_what_is_over() -> None:
    """Billing, with 66 who wait up to 4:50 of 2:00, before support, whose day is a little worse."""
    billing = judged(row(waiting=66, late=60, oldest=290.0, level=0.75), "30m")
    support = judged(row(waiting=5, late=2, oldest=39.0, level=0.6, handle=900.0), "30m")
    assert (billing.state, billing.reasons) == ("off", ("oldest_waiting",))
    assert support.reasons == ("service_level",)
    assert billing.urgency > support.urgency


def test_nobody_who_waits_has_no_longest_wait() -> None:
    found = judged(row(level=None, gave_up=None, answer=None, handle=None), "30m")
    assert (found.state, found.kpis) == ("none", {})


def test_email_comes_after_those_who_are_there() -> None:
    email = row(waiting=400, late=300, oldest=20_000, targets={**TARGETS, "oldest_waiting": 14_400.0})
    call = row(waiting=1, late=1, oldest=130.0)
    assert judged(email, "30m").state == judged(call, "30m").state == "off"
    assert judged(call, "30m").urgency > judged(email, "30m").urgency


def test_closed_with_customers_is_amber_and_empty_is_last() -> None:
    held, empty = judged(row(waiting=2, oldest=70.0, open=False), "30m"), judged(row(open=False), "30m")
    email = row(waiting=200, late=10, open=False, targets={**TARGETS, "oldest_waiting": 14_400.0})
    night, fine = judged(email, "30m"), judged(row(), "30m")
    assert (held.state, night.state, empty.state) == ("closed_waiting", "closed", "closed")
    order = sorted([empty, night, fine, held], key=lambda one: -one.urgency)
    assert order == [held, fine, night, empty]


@pytest.mark.parametrize(
    ("changes", "window", "state"),
    [
        ({}, "30m", "recovering"),
        ({}, "5m", "off"),  # its own minutes are off
        ({"late": 1, "waiting": 1, "oldest": 30.0}, "30m", "off"),  # somebody waits too long again
        ({"waiting": 3, "oldest": 12.0}, "30m", "recovering"),  # within the answer target
        ({"waiting": 3, "oldest": 130.0}, "30m", "off"),
        ({"recent": 0.79}, "30m", "off"),
        ({"recent": None}, "30m", "off"),  # nobody came: nothing shows that it is better
        ({"gave_up": 0.5}, "30m", "recovering"),
    ],
)
def test_recovering(changes: dict[str, Any], window: str, state: str) -> None:
    found = judged(row(**({"level": 0.3} | changes)), window)
    assert found.state == state
    assert "service_level" in found.reasons


@pytest.mark.parametrize(
    ("kpi", "value", "target", "state"),
    [
        ("service_level", 0.8, 0.8, "met"),
        ("service_level", 0.79996, 0.8, "met"),  # 0.0000 past it
        ("service_level", 0.7, 0.8, "near"),  # in floating point that is more than 0.1 past it
        ("service_level", 0.69996, 0.8, "near"),
        ("service_level", 0.6999, 0.8, "off"),
        ("service_level", 0.35, 0.45, "near"),
        ("abandonment", 0.1, 0.05, "near"),
        ("abandonment", 0.1001, 0.05, "off"),
        ("first_response", 30, 20, "near"),
        ("first_response", 30.0008, 20, "near"),
        ("first_response", 30.002, 20, "off"),
        ("first_response", 0, 0, "met"),
        ("first_response", 1, 0, "off"),
        ("backlog", 5, 5, "met"),
        ("backlog", 6, 5, "off"),
        ("handle_time", 3_000, 360, "near"),  # work, not waiting
        ("service_level", 0.1, None, "none"),
        ("service_level", None, 0.8, "none"),
    ],
)
def test_the_edge_of_the_tolerance_is_that_of_the_alert(
    kpi: str, value: float | None, target: float | None, state: str
) -> None:
    """The rules round to 0.0001 how far it is past the target, and more than is tolerated is off."""
    assert state_of(BY_NAME[kpi], value, target, None, None if BY_NAME[kpi].is_level else 40) == state


@pytest.mark.parametrize(("samples", "state"), [(FEW - 1, "few"), (FEW, "off")])
def test_the_least_number_of_contacts(samples: int, state: str) -> None:
    assert state_of(BY_NAME["service_level"], 0.0, 0.8, None, samples) == state
    assert (
        judged(row(level=0.0, contacts=samples, gave_up=None, answer=None, handle=None), "5m").state == state
    )


@pytest.mark.parametrize(("value", "state"), [(299.0, "too_good"), (301.0, "met")])
def test_better_than_is_plausible(value: float, state: str) -> None:
    found = judged(row(handle=value, too_good={"handle_time": 300.0}), "30m")
    assert (found.state, found.kpis.get("handle_time", "met")) == (state, state)


def conversations(*, awaiting: int, oldest: float, clock: str = "wall", answer: float = 10.0) -> Judgement:
    """Judge a queue in which people write, and nobody waits for a first answer."""
    held = "first_response_business" if clock == "business" else "first_response"
    found = row(recent=0.5, targets=TARGETS | {"oldest_awaiting_reply": 300.0, held: 60.0})
    if clock == "business":
        found = structs.replace(
            found, targets={k: v for k, v in found.targets.items() if k != "first_response"}
        )
    levels = {**found.levels, "awaiting_reply": float(awaiting), "oldest_awaiting_reply": oldest}
    values = found.windows["30m"] | {held: Value(answer, 40)}
    return judged(structs.replace(found, levels=levels, windows={"30m": values}, clock=clock), "30m")


def test_a_reply_that_is_owed_for_too_long_colours_the_queue_and_moves_it_up() -> None:
    calm, late = conversations(awaiting=3, oldest=299.0), conversations(awaiting=3, oldest=301.0)
    assert (calm.state, late.state, late.reasons) == ("met", "off", ("oldest_awaiting_reply",))
    assert late.urgency > calm.urgency


def test_where_no_reply_is_owed_there_is_no_oldest_to_judge() -> None:
    assert conversations(awaiting=0, oldest=301.0).state == "met"


def test_the_first_response_is_judged_by_the_clock_that_was_promised() -> None:
    """The mean on the wall, ten seconds, has no target there."""
    found = conversations(awaiting=0, oldest=0.0, clock="business", answer=200.0)
    assert (found.state, found.reasons) == ("off", ("first_response_business",))
    assert conversations(awaiting=0, oldest=0.0, clock="business", answer=40.0).state == "met"
