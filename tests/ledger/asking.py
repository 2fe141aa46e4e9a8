"""Questions to the ledger's numbers, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from stream_app.ledger.kpis import FAMILIES, LedgerQuestion
from tests.model.kept import Line
from tests.reference.model import Reference

from .streams_of_customers import DAY, HOUR, T0, WEEKS
from .tables_of import Owner, Stretch, Sums

HOURS: list[Stretch] = [
    ("x", "voice", T0 + day * DAY + start * HOUR, T0 + day * DAY + end * HOUR)
    for day in range(-3, 50)
    for start, end in ((1, 5), (6, 9))
]
OWNERS: list[Owner] = [("x", "Northwind", "insurance"), ("y", None, "bank")]


def refer(lines: Sequence[Line]) -> Reference:
    """The reference after these records."""
    reference = Reference()
    for line in lines:
        reference.feed(line.offset, line.value, line.timestamp, by_broker=True)
    return reference


def question(random: Random, lines: Sequence[Line]) -> LedgerQuestion:
    """Any window of these weeks, and any settings; what matters often happens just at the bounds."""
    moments = [line.timestamp for line in lines]
    repeat_ms, return_ms = random.choice((DAY, 7 * DAY)), random.choice((HOUR, DAY))
    start = random.choice((T0 - DAY, T0, T0 + DAY, T0 + WEEKS // 3, T0 + WEEKS // 2, random.choice(moments)))
    end = random.choice((start + HOUR, start + 3 * DAY, T0 + WEEKS, T0 + WEEKS, random.choice(moments)))
    settled = random.choice(moments) + random.choice((repeat_ms, return_ms)) + random.choice((0, 1))
    return LedgerQuestion(
        start=start,
        end=max(start + 1, end),
        known=random.choice((T0 + random.randrange(WEEKS), settled)),
        repeat_ms=repeat_ms,
        return_ms=return_ms,
        per_channel=random.random() < 0.5,
    )


def known_groups(family: str) -> tuple[str, ...]:
    """What the reference knows of a family's samples."""
    names = FAMILIES[family].groups
    if family in {
        "opinions",
        "sales",
        "criteria",
    }:  # of these, events alone tell whose they are, or a visit of then
        return tuple(name for name in names if name not in {"agent", "team", "site", "segment"})
    return names


def groups(family: str, random: Random) -> tuple[str, ...]:
    """A way to split a family."""
    names = known_groups(family)
    return tuple(random.sample(names, min(len(names), random.choice((0, 1, 1, 2)))))


def without_zeros(sums: Sums) -> Sums:
    """A group in which nothing counts is as good as none."""
    return {group: row for group, row in sums.items() if any(row.values())}
