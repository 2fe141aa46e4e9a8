"""Response times in business time: time in which a queue is closed is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import structs

from stream_app.model.facts import Fact, Replied, Responded
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
        if not isinstance(fact, Responded | Replied):
            return fact
        calendar = self._rule(fact.queue, fact.channel).calendar
        if calendar is None:
            return fact
        return structs.replace(fact, after_open=calendar.within(fact.at - fact.after, fact.at))
