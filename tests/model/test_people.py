"""Who is there: what is kept up to date step by step is what follows from all that is known."""

from collections import Counter
from typing import Any

from hypothesis import given, strategies as st

from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.live.agent_now import DOING, AgentNow, places_of
from stream_app.model.live.over_limit import OverLimit
from stream_app.model.live.people import People
from stream_app.model.presence import Presence, Telling

QUEUES = ("a", "b", "c")
LIMITS = ({"available": 1.0, "wrap": 1.0, "on_contact": 2.0}, {"break": 1.0, "wrap": 2.0})
LATER = 60_025
"""A minute after some of what is told began, and not of all."""
_queues = st.sets(st.sampled_from(QUEUES)).map(tuple)
_telling = st.builds(
    Telling,
    at=st.integers(1, 50),
    state=st.sampled_from(("available", "on_contact", "wrap", "break", "offline")),
    queue=st.none() | st.sampled_from(QUEUES),
    queues=st.none() | _queues,
    slots=st.none() | st.just({"chat": 2}),
)
_visit = st.builds(
    lambda agent, queue, state, at: Visit(
        queue, "chat", state, at, at, 20_000, 5_000, b"12345678", agent=agent
    ),
    st.sampled_from(("x", "y", "z")),
    st.sampled_from(QUEUES),
    st.sampled_from((VisitState.TALKING, VisitState.WRAPPING, VisitState.WAITING)),
    st.integers(1, 50),
)
_steps = st.lists(
    st.tuples(st.sampled_from(("t.0", "t.1")), st.sampled_from(("x", "y", "z")), st.none() | _telling)
    | st.tuples(st.sampled_from(("t.0", "t.1")), st.sampled_from(("c1", "c2")), st.lists(_visit, max_size=2)),
    max_size=25,
)


@given(_steps)
def test_what_queues_and_followers_know_is_what_agents_do(steps: list[tuple[str, str, Any]]) -> None:
    people, told = People(), dict[tuple[str, str], Presence]()
    mirror, seen, over = dict[str, AgentNow](), 0, OverLimit(people)
    for n, (partition, who, what) in enumerate(steps):
        before = {queue: people.version(queue) for queue in QUEUES}
        counts = {queue: people.counts(queue) for queue in QUEUES}
        if isinstance(what, list):
            people.put_visits(partition, who, what, 60 + n)
        else:
            presence = None if what is None else told.get((partition, who), Presence()).tell(what)
            told.pop((partition, who), None)
            if presence is not None:
                told[partition, who] = presence
            people.put_agent(partition, who, presence)
        if n % 3 == 0:  # whoever follows need not read at every step
            changed = people.changed(seen)
            assert changed is not None
            for agent in people.gone(seen):
                mirror.pop(agent, None)
            mirror |= {now.agent: now for _, now in changed}
            seen = people.changes
            assert mirror == {now.agent: now for now in people.agents()}
            limits = LIMITS[n % 2]
            past = [
                now for now in people.agents() if (until := now.limit(limits)) is not None and until < LATER
            ]
            assert over.counts(limits, LATER) == Counter(place.queue for now in past for place in now.places)
        for queue in QUEUES:
            if people.counts(queue) != counts[queue]:
                assert people.version(queue) != before[queue]
            check(people, queue)


def check(people: People, queue: str) -> None:
    """Compare a queue's counts with those that follow from its agents."""
    found = people.counts(queue)
    if found is None:
        return
    places = [place for now in people.agents() for place in places_of(now) if place.queue == queue]
    for doing in DOING:
        since = [place.since for place in places if place.doing == doing]
        assert (found.doing[doing].count, found.doing[doing].since) == (len(since), min(since, default=None))
    room = [(slots, used) for place in places for _, slots, used in place.room]
    assert [(use.slots, use.used) for use in found.slots.values()] == (
        [(sum(n for n, _ in room), sum(n for _, n in room))] if room else []
    )


def test_what_was_told_again_changes_nothing() -> None:
    people, presence = People(), Presence().tell(Telling(5, "break", queues=("a",)))
    people.put_agent("t.0", "x", presence)
    changes = people.changes
    people.put_agent("t.0", "x", presence)
    assert (people.changes, people.changed(changes), people.gone(changes)) == (changes, [], [])
