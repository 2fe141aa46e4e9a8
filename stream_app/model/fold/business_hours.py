"""Times in business hours: time in which a queue is closed is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import structs

from stream_app.model.facts import Abandoned, Answered, Fact, QueueResponded, Replied, Responded, TakenBack
from stream_app.model.targets import QueueTargets

from .tally import Tally


class InHours:
    """Adds facts up like the tally does, where some queues have business hours."""

    def __init__(self, tally: Tally, rule: Callable[[str, str], QueueTargets]) -> None:
        """Take the tally; ``rule`` returns the targets of a queue and channel."""
        self._tally = tally
        self._rule = rule

    def add(self, facts: Iterable[Fact], queue: str, channel: str) -> None:
        """Count facts of a queue and channel in their buckets."""
        rule = self._rule(queue, channel)
        if rule.calendar is not None:
            facts = [_seen(fact, rule, rule.calendar.within) for fact in facts]
        self._tally.add(facts, queue, channel)


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
