"""What the pipeline knows of agents is what the simulated agents did; and they do what was asked for."""

from collections import Counter
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from stream_app.errors import BadSettingsError
from stream_app.ingest import batch, dialects
from stream_app.model import events as e
from stream_app.model.fold.deltas import Deltas
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.ledger import Happening, join_rows, unpack_rows
from stream_app.model.live.people import People
from stream_app.model.presence import Presence
from stream_app.model.targets import Targets
from stream_app.simulation import Centre, CentreSettings, centre
from stream_app.simulation.habits import PUNCTUAL, Habits, workday
from stream_app.simulation.ledger import Activity, Attended
from stream_app.simulation.platforms import PLATFORMS
from stream_app.simulation.presets import brief
from stream_app.simulation.staffing import AgentShift
from stream_app.simulation.wire import encode

from .worlds import HOUR, MINUTE, MONDAY, Record, plain

END = MONDAY + 16 * HOUR  # the early ones are gone, most are there
RESTLESS = Habits(late=0.4, moved=0.5, overrun=0.5, meeting=0.5, training=0.5)


def restless(settings: CentreSettings, habits: Habits) -> CentreSettings:
    """Agents of calls are told to wrap up, too."""
    queues = tuple(
        structs.replace(queue, habits=structs.replace(habits, tells_wrap=queue.channel == "voice"))
        for queue in settings.queues
    )
    return structs.replace(settings, queues=queues)


class Over(NamedTuple):
    """A spell that is over, as the ledger has it."""

    agent: str
    doing: Activity
    began: int
    ended: int
    unended: bool


def over(row: Happening) -> Over:
    assert row.sign == 1
    about = row.about or {}
    doing = about["agent_state"], about["reason"], about["work"] or ""
    return Over(str(row.agent), doing, about["began_at"], about["ended_at"], about["unended"])


def deltas_of(said: list[tuple[int, bytes]], dialect: str) -> Deltas:
    records = [Record(n, at, value) for n, (at, value) in enumerate(said)]
    fold = Fold(Targets(), noted=Noted(on=True))
    deltas = batch.fold_records(fold, records, 0, dialects.load(dialect)).deltas
    assert not deltas.results.keys() & {"late", "dead_letter", "unknown_type"}
    return deltas


def told(deltas: Deltas) -> tuple[list[Over], dict[str, Presence]]:
    """What the fold found: spells that are over, and agents at the end."""
    rows = unpack_rows(join_rows(deltas.ledger or []))
    spells = [over(row) for row in rows if isinstance(row, Happening) and row.kind == "spell"]
    return spells, {agent: presence for agent, presence in deltas.agents.items() if presence is not None}


def spent(spells: list[Over], agents: dict[str, Presence], until: int) -> dict[str, Counter[Activity]]:
    """How long each agent did what, milliseconds."""
    found: dict[str, Counter[Activity]] = {agent: Counter() for agent in agents}
    for spell in spells:
        found[spell.agent][spell.doing] += spell.ended - spell.began
    for agent, presence in agents.items():
        now = presence.current()
        status = now.status
        found[agent][status.state, status.reason, status.work] += until - now.began
    return {agent: +of for agent, of in found.items()}


def true(small: Centre, until: int) -> dict[str, Counter[Activity]]:
    people = small.ledger.people.items()
    return {agent: found for agent, one in people if (found := +Counter(one.until(until)))}


def now(one: Attended) -> str:
    """In the words of those who look at the agents now."""
    state, _, work = one.doing
    return work or (state if state in {"available", "offline"} else "away")


def without(found: Counter[Activity], *works: str) -> Counter[Activity]:
    """The same for somebody who knows nothing of this work."""
    out: Counter[Activity] = Counter()
    for (state, reason, work), ms in found.items():
        out[state, reason, "" if work in works else work] += ms
    return out


@pytest.fixture(scope="module")
def day() -> tuple[Centre, list[e.Event]]:
    small = Centre(restless(centre(0.3), RESTLESS), seed=3)
    return small, list(small.events(MONDAY, END))


def test_our_own_events_tell_what_each_agent_did(day: tuple[Centre, list[e.Event]]) -> None:
    """To the millisecond, but for contacts: these are told by themselves, with the wrap-up of all that is no call."""
    small, events = day
    found = spent(*told(deltas_of([(event.at, encode(event)) for event in events], "canonical")), END)
    expected = {
        agent: without(of, "on_contact", *([] if "-v" in agent else ["wrap"]))
        for agent, of in true(small, END).items()
    }
    assert found == expected
    kinds = {doing for of in found.values() for doing in of}
    assert {"available", "break", "meeting", "training", "offline"} == {state for state, _, _ in kinds}
    assert {"", "wrap"} == {work for _, _, work in kinds}


def test_connect_tells_what_each_agent_did_contacts_included(day: tuple[Centre, list[e.Event]]) -> None:
    small, events = day
    encoder = PLATFORMS["amazon_connect"]()
    said = [(event.at, value) for event in events for _, value in encoder.encode(event)]
    deltas = deltas_of(said, "amazon_connect")
    spells, agents = told(deltas)
    assert spent(spells, agents, END) == true(small, END)
    people = People()
    for agent, presence in agents.items():
        people.put_agent("t.0", agent, presence)
    for contact, visits in deltas.visits.items():
        people.put_visits("t.0", contact, visits, END)
    doing = {agent: people.agent(agent).doing for agent in agents}
    assert doing == {agent: now(small.ledger.people[agent]) for agent in agents}
    assert {*doing.values()} == {"available", "on_contact", "wrap", "away", "offline"}
    queues = {agent: presence.current().status.served for agent, presence in agents.items()}
    there = {agent: of for agent, of in queues.items() if of}
    assert there
    assert all([agent.rpartition("-")[0]] == [*of] for agent, of in there.items())
    slots = {agent.rpartition("-")[2][0]: p.current().status.slots for agent, p in agents.items()}
    assert slots == {"v": {"voice": 1}, "c": {"chat": 3}, "m": {"chat": 4}, "e": {"email": 1}}


def test_the_queue_log_tells_it_of_those_who_take_calls(day: tuple[Centre, list[e.Event]]) -> None:
    """To its seconds, and without work."""
    small, events = day
    encoder = PLATFORMS["asterisk"]()
    said = [(event.at, value) for event in events for _, value in encoder.encode(event)]
    spells, agents = told(deltas_of(said, "asterisk"))
    changes = Counter(spell.agent for spell in spells)
    found = spent(spells, agents, END)
    expected = {
        agent: without(of, "on_contact", "wrap") for agent, of in true(small, END).items() if "-v" in agent
    }
    assert found.keys() == expected.keys()
    for agent, of in expected.items():
        for doing in of | found[agent]:
            assert abs(of[doing] - found[agent][doing]) <= 1_000 * (1 + changes[agent]), (agent, doing)


def test_who_does_not_log_off_is_there_until_nothing_was_told_for_long() -> None:
    small = Centre(restless(centre(0.1), Habits(forgotten=1.0)), seed=3)
    end = MONDAY + 48 * HOUR
    events = list(small.events(MONDAY, end))
    states = [event for event in events if isinstance(event, e.AgentState)]
    assert all(event.state != "offline" for event in states)
    last: dict[str, list[int]] = {}
    for event in states:
        last.setdefault(event.agent, []).append(event.at)
    spells, agents = told(deltas_of([(event.at, encode(event)) for event in events], "canonical"))
    unended = Counter(spell.agent for spell in spells if spell.unended)
    assert all(spell.ended - 12 * HOUR in last[spell.agent] for spell in spells if spell.unended)
    came = {agent: one for agent, one in small.ledger.people.items() if one.comes}
    assert came.keys() == agents.keys()
    assert any(one.comes > 1 for one in came.values())
    for agent, one in came.items():
        assert one.comes - 1 <= unended[agent] <= one.forgotten
    assert any(unended.values())


def test_nobody_tells_states_where_they_are_left_out() -> None:
    short = Centre(brief(centre(0.3)), seed=3)
    events = list(short.events(MONDAY, END))
    assert not any(isinstance(event, e.AgentState) for event in events)
    assert sum(one.comes for one in short.ledger.people.values()) > 20  # and people come all the same


_shares = st.floats(0, 1)
_seconds = st.floats(0, 7_200)


@given(
    habits=st.builds(
        Habits,
        late=_shares,
        late_s=_seconds,
        moved=_shares,
        moved_s=_seconds,
        overrun=_shares,
        overrun_s=_seconds,
        meeting=_shares,
        training=_shares,
        away_s=_seconds,
        forgotten=_shares,
    ),
    hours=st.integers(1, 12),
    rest=st.tuples(st.floats(0, 1), st.integers(0, 90)),
    seed=st.integers(0, 99),
)
def test_a_day_is_in_order_and_within_its_shift(
    habits: Habits, hours: int, rest: tuple[float, int], seed: int
) -> None:
    shift, span = AgentShift(8, 8 + hours), hours * HOUR
    planned = (MONDAY + round(span * rest[0]), rest[1] * MINUTE)
    day = workday(habits, shift, MONDAY, planned, Random(seed))
    assert MONDAY <= day.begin <= MONDAY + round(habits.late_s * 1000)
    assert day.end == MONDAY + span
    moments = [day.begin, *(at for away in day.away for at in (away.begin, away.end))]
    assert all(a <= b for a, b in pairwise(moments))
    assert all(away.begin < away.end <= day.end for away in day.away)
    assert hours >= 5 or not day.away


def test_habits_happen_as_often_as_was_asked_for_and_the_punctual_keep_their_plan() -> None:
    habits = Habits(late=0.2, moved=0.3, overrun=0.1, meeting=0.15, training=0.05, forgotten=0.02)
    shift, rest = AgentShift(8, 17), (MONDAY + 4 * HOUR, 30 * MINUTE)
    found: Counter[str] = Counter()
    for n in range(4_000):
        day = workday(habits, shift, MONDAY, rest, Random(n))
        found["late"] += day.begin > MONDAY
        found["forgotten"] += day.forgets
        for away in day.away:
            found[away.state] += 1
            if away.state == "break":
                found["moved"] += away.begin != rest[0]
                found["overrun"] += away.end - away.begin > rest[1]
    assert found["break"] == 4_000
    for name in ("late", "moved", "overrun", "meeting", "training", "forgotten"):
        share = getattr(habits, name)
        assert found[name] / 4_000 == pytest.approx(share, abs=4 * (share / 4_000) ** 0.5), name
    (only,) = workday(PUNCTUAL, shift, MONDAY, rest, Random(1)).away
    assert (only.begin, only.end, only.state) == (rest[0], rest[0] + rest[1], "break")


@pytest.mark.parametrize(("name", "wrong"), [("late", Habits(late=1.5)), ("moved_s", Habits(moved_s=-1.0))])
def test_a_habit_that_cannot_be_is_refused_by_its_name(name: str, wrong: Habits) -> None:
    with pytest.raises(BadSettingsError, match=rf"queue desk: habits\.{name}: expected shares"):
        Centre(plain(habits=wrong))
