"""Times in business hours: time in which a queue is closed is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from stream_app.model.facts import (
    Abandoned,
    Answered,
    Fact,
    Facts,
    QueueResponded,
    Replied,
    Responded,
    TakenBack,
)
from stream_app.model.targets import QueueTargets


def in_hours(facts: Facts, targets: QueueTargets) -> Facts:
    """Return facts with their times in business hours, if the queue and channel with these targets have any."""
    if targets.calendar is None:
        return facts
    return tuple([_seen(fact, targets, targets.calendar.within) for fact in facts])


def _seen(fact: Fact, rule: QueueTargets, within: _Within) -> Fact:
    if isinstance(fact, TakenBack):
        return structs.replace(fact, facts=tuple(_seen(one, rule, within) for one in fact.facts))
    again = _AGAIN.get(type(fact))
    return fact if again is None else again(fact, rule, within)


_Waited = Answered | Abandoned | QueueResponded
_Within = Callable[[int, int], int]


def _waited(fact: _Waited, _rule: QueueTargets, within: _Within) -> Fact:
    return structs.replace(fact, wait_open=within(fact.at - fact.wait, fact.at))


def _responded(fact: Responded, _rule: QueueTargets, within: _Within) -> Fact:
    return structs.replace(fact, after_open=fact.before_open + within(fact.at - fact.here, fact.at))


def _replied(fact: Replied, rule: QueueTargets, within: _Within) -> Fact:
    after = within(fact.at - fact.after, fact.at)
    took = after if rule.clock == "business" else fact.after
    return structs.replace(fact, after_open=after, in_target=took <= fact.target)


_AGAIN: dict[type[Fact], Callable[[Any, QueueTargets, _Within], Fact]] = {
    Answered: _waited,
    Abandoned: _waited,
    QueueResponded: _waited,
    Responded: _responded,
    Replied: _replied,
}
