"""What becomes of each visit, case, customer and opinion, kept for as long as anybody asks.

All other books forget a visit when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .counters import Key
    from .records import Event
    from .visits import Visit

WHOSE = ("team", "site", "customer", "case", "contact_reason")
"""What events tell of a visit, besides its agent."""


@dataclass
class Life:
    """What became of a visit; times in ms, absent until it happened."""

    whose: dict[str, str]
    passed_at: int | None = None
    demand: bool = True
    handled_at: int | None = None
    transferred: bool = False
    work: int = 0
    pending: int = 0
    replies: int = 0
    contained_at: int | None = None
    over: bool = False
    row: float = inf
    """When it was closed, among all that were."""

    def learn(self, event: Event) -> None:
        """The visit took an event, which may tell whose it is."""
        self.whose |= told_of(event)


def told_of(event: Event) -> dict[str, str]:
    """Whose it is, as far as the event says."""
    return {name: str(event.said[name]) for name in WHOSE if event.said.get(name)}


class Opinion(NamedTuple):
    """An answer that counts, or with `sign` -1 does no longer."""

    contact: str
    place: Key
    at: int
    counted: dict[str, int]
    sign: int


class Sold(NamedTuple):
    """A sale that counts."""

    contact: str
    place: Key
    at: int
    kind: str
    currency: str
    amount: int


class Scored(NamedTuple):
    """A criterion of a review."""

    contact: str
    place: Key
    at: int
    criterion: str
    score: int
    automatic: bool


@dataclass
class History:
    """All that was told, in order."""

    visits: list[Visit] = field(default_factory=list)
    cases: list[Event] = field(default_factory=list)
    customers: list[Event] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    sales: list[Sold] = field(default_factory=list)
    criteria: list[Scored] = field(default_factory=list)
    trainings: list[Event] = field(default_factory=list)

    def told(self, event: Event) -> None:
        """An event that belongs to no visit, and is no duplicate."""
        if event.type.startswith("case."):
            self.cases.append(event)
        elif event.type.startswith("customer."):
            self.customers.append(event)
        elif event.type.startswith("training."):
            self.trainings.append(event)
