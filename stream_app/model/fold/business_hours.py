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

    def add(self, facts: Iterable[Fact]) -> None:
        """Count facts of one visit in their buckets."""
        self._tally.add([self._seen(fact) for fact in facts])

    def _seen(self, fact: Fact) -> Fact:
        if isinstance(fact, TakenBack):
            return structs.replace(fact, facts=tuple(self._seen(one) for one in fact.facts))
        again = _AGAIN.get(type(fact))
        if again is None:
            return fact
        rule = self._rule(fact.queue, fact.channel)
        return fact if rule.calendar is None else again(fact, rule, rule.calendar.within)


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
