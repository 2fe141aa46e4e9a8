"""How another program may count the same contacts. Each convention holds for a whole table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

RuleName = Literal[
    "edge", "transfer", "short", "time_zone", "wrap_up", "target", "missing_there", "missing_here"
]
SettledOutcome = Literal["answered", "abandoned", "left", "lost", "open", "outbound"]
COUNTS: Final = (
    "offered",
    "answered",
    "answered_in_target",
    "abandoned",
    "abandoned_in_target",
    "abandoned_short",
    "left",
    "lost",
    "handled",
)
DURATIONS: Final = ("wait_ms", "talk_ms", "hold_ms", "wrap_ms", "handle_ms")
CellAmounts = Mapping[str, int]
"""Column → a count, or milliseconds."""


class SettledVisit(Struct, frozen=True, gc=False):
    """What we know of a visit; times are milliseconds since the epoch, durations milliseconds.

    Attributes:
        contact: its id; empty if it was forgotten.
        offered: when it counts as offered; ``None``: it does not.
        queued: when its wait for a person began.
        outcome: what became of the wait.
        over: when the wait was over.
        passed_on: to another queue, by an agent or while it waited.
        handled: when the work was complete.
    """

    contact: str
    queue: str
    channel: str
    offered: int | None
    queued: int
    outcome: SettledOutcome
    over: int | None = None
    wait: int = 0
    in_target: bool = False
    short: bool = False
    passed_on: bool = False
    handled: int | None = None
    talk: int = 0
    hold: int = 0
    wrap: int = 0

    @property
    def ended(self) -> int | None:
        """When the conversation was over."""
        return None if self.handled is None else self.handled - self.wrap


class Conventions(Struct, frozen=True):
    """How contacts are counted; the defaults are ours.

    Attributes:
        clock: the IANA zone of times without an offset, if it is not the one that was named.
        doubled: whether a local time that occurs twice has a row for each, or one for both.
        counted_at: the time at which offers and outcomes count: when a contact was queued (``outcome``: that of the outcome,
            but for offers; ``end``: all at the end of the conversation or the wait).
        passed_on: of a contact that was passed on, which visits count.
        short: short abandonments count, count as offered only, or are left out.
        handled_at: the time at which the work on a contact counts.
        targets: queue, channel and answer target, ms, where it is another.
    """

    clock: str = ""
    doubled: Literal["apart", "together"] = "apart"
    counted_at: Literal["queued", "outcome", "end"] = "queued"
    passed_on: Literal["each", "first", "last"] = "each"
    short: Literal["counted", "offered", "left_out"] = "counted"
    handled_at: Literal["wrapped", "ended", "answered", "queued"] = "wrapped"
    targets: tuple[tuple[str, str, int], ...] = ()


OURS: Final = Conventions()
RULE_OF: Final[Mapping[str, RuleName]] = {
    "clock": "time_zone",
    "doubled": "time_zone",
    "counted_at": "edge",
    "passed_on": "transfer",
    "short": "short",
    "handled_at": "wrap_up",
    "targets": "target",
}
"""Field of ``Conventions`` → the rule that it is named by."""
OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "doubled": ("together",),
    "counted_at": ("outcome", "end"),
    "passed_on": ("first", "last"),
    "short": ("left_out", "offered"),
    "handled_at": ("ended", "answered", "queued"),
}
"""Field → what it may be otherwise, the likeliest first; clocks and targets are found from the table."""


def left_out(visits: Sequence[SettledVisit], how: Conventions) -> set[int]:
    """Return the places of visits that don't count because their contact was passed on."""
    if how.passed_on == "each":
        return set()
    return {
        place for chain in chains(visits) for place in (chain[1:] if how.passed_on == "first" else chain[:-1])
    }


def chains(visits: Sequence[SettledVisit]) -> Iterator[list[int]]:
    """Yield the places of the visits of each contact that was passed on, in the order of time."""
    of: dict[str, list[int]] = defaultdict(list)
    for place, visit in enumerate(visits):
        if visit.contact:
            of[visit.contact].append(place)
    for places in of.values():
        if len(places) > 1:
            chain: list[int] = []
            for place in sorted(places, key=lambda one: visits[one].queued):
                chain.append(place)
                if not visits[place].passed_on:
                    if len(chain) > 1:
                        yield chain
                    chain = []
            if len(chain) > 1:
                yield chain


def additions(visit: SettledVisit, how: Conventions, target: int | None) -> Iterator[tuple[int, str, int]]:
    """Yield time, column and amount of all that a visit counts.

    Args:
        visit: one that counts.
        how: by which conventions.
        target: another answer target, ms.
    """
    short = visit.outcome == "abandoned" and visit.short
    if short and how.short == "left_out":
        return
    end = visit.ended or visit.over or visit.queued
    if visit.offered is not None:
        yield end if how.counted_at == "end" else visit.offered, "offered", 1
    if visit.outcome not in {"open", "outbound"} and not (short and how.short == "offered"):
        at = {"queued": visit.queued, "outcome": visit.over or visit.queued, "end": end}[how.counted_at]
        yield at, visit.outcome, 1
        in_target = visit.in_target if target is None else visit.wait <= target
        if in_target and visit.outcome in {"answered", "abandoned"}:
            yield at, f"{visit.outcome}_in_target", 1
        if visit.outcome == "answered":
            yield at, "wait_ms", visit.wait
        if short:
            yield at, "abandoned_short", 1
    if visit.handled is not None and visit.outcome != "outbound":
        yield from _work(visit, how, visit.handled)


def _work(visit: SettledVisit, how: Conventions, handled: int) -> Iterator[tuple[int, str, int]]:
    answered = visit.over or visit.queued
    at = {
        "wrapped": handled,
        "ended": handled - visit.wrap,
        "answered": answered,
        "queued": visit.queued,
    }[how.handled_at]
    yield at, "handled", 1
    yield at, "talk_ms", visit.talk
    yield at, "hold_ms", visit.hold
    yield at, "wrap_ms", visit.wrap
    yield at, "handle_ms", visit.talk + visit.hold + visit.wrap
