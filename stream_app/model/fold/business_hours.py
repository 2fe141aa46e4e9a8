"""Response times in business time: what passes while a queue is closed is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import structs

from .facts import Fact, Replied, Responded
from .tally import Tally
from .targets import Rule


class InHours:
    """Adds facts up as the tally does, where some queues are not always open."""

    def __init__(self, tally: Tally, rule: Callable[[str, str], Rule]) -> None:
        """``rule`` gives what holds for a queue and channel."""
        self._tally = tally
        self._rule = rule

    def add(self, facts: Iterable[Fact]) -> None:
        """Count facts of one visit where they belong."""
        self._tally.add([self._seen(fact) for fact in facts])

    def _seen(self, fact: Fact) -> Fact:
        if not isinstance(fact, Responded | Replied):
            return fact
        calendar = self._rule(fact.queue, fact.channel).calendar
        if calendar is None:
            return fact
        return structs.replace(fact, after_open=calendar.within(fact.at - fact.after, fact.at))
