"""Contacts of a centre, and the table that a platform would make of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from hypothesis import strategies as st
from msgspec import structs

from stream_app.model.reconciling.booking import Booking
from stream_app.model.reconciling.conventions import OURS, Conventions, SettledVisit
from stream_app.model.reconciling.their_tables import TheirInterval, instant

BEGIN = datetime(2026, 1, 5, 8)  # noqa: DTZ001 - a wall clock's reading
COLUMNS = (
    "offered",
    "answered",
    "answered_in_target",
    "wait_ms",
    "abandoned",
    "abandoned_short",
    "handled",
    "talk_ms",
    "wrap_ms",
)
QUEUES = ("sales", "help")
SHORT = 5_000
T = 20_000


def answered(
    contact: str, at: int, wait: int, talk: int, wrap: int = 0, *, queue: str = "sales"
) -> SettledVisit:
    """A call that was answered; times in ms."""
    over = at + wait
    handled = over + talk + wrap
    return SettledVisit(
        contact,
        queue,
        "voice",
        at,
        at,
        "answered",
        over,
        wait,
        wait <= T,
        handled=handled,
        talk=talk,
        wrap=wrap,
    )


def gave_up(contact: str, at: int, wait: int, queue: str = "sales") -> SettledVisit:
    """A call that was abandoned."""
    return SettledVisit(
        contact, queue, "voice", at, at, "abandoned", at + wait, wait, wait <= T, wait <= SHORT
    )


def centre(seed: int, clock: str = "UTC", begin: datetime = BEGIN, hours: int = 6) -> list[SettledVisit]:
    """Some hours of two queues: with short abandonments, transfers, and contacts over the edges of intervals."""
    seeded = Random(seed)
    start = instant(begin, clock)
    visits = []
    for n in range(seeded.randrange(40, 120)):
        at = start + seeded.randrange(hours * 3_600_000 - 1_200_000)
        queue = seeded.choice(QUEUES)
        kind = seeded.random()
        if kind < 0.25:
            visits.append(
                gave_up(f"c{n}", at, seeded.randrange(1, 2 * SHORT if kind < 0.1 else 120_000), queue)
            )
            continue
        talk, wrap = seeded.randrange(1, 400_000), seeded.randrange(1, 120_000)
        visit = answered(f"c{n}", at, seeded.randrange(90_000), talk, wrap, queue=queue)
        if kind > 0.85:
            other = QUEUES[1 - QUEUES.index(queue)]
            visits.append(structs.replace(visit, passed_on=True, wrap=0, handled=at + visit.wait + talk))
            visit = answered(
                f"c{n}", at + visit.wait + talk, seeded.randrange(90_000), talk // 2, wrap, queue=other
            )
        visits.append(visit)
    return visits


def centres(
    clock: str = "UTC", begin: datetime = BEGIN, hours: int = 6
) -> st.SearchStrategy[list[SettledVisit]]:
    """Any of them."""
    return st.builds(centre, st.integers(0, 1 << 32), st.just(clock), st.just(begin), st.just(hours))


def tabled(
    visits: Sequence[SettledVisit],
    how: Conventions = OURS,
    *,
    clock: str = "UTC",
    begin: datetime = BEGIN,
    hours: int = 6,
    minutes: int = 30,
    columns: Sequence[str] = COLUMNS,
) -> list[TheirInterval]:
    """The table by interval that counts these contacts by these conventions, as ``clock`` was said to be its clock."""
    rows = [
        TheirInterval(2 + n, queue, "voice", begin + timedelta(minutes=minutes * step), clock, minutes, {})
        for queue in QUEUES
        for n, step in enumerate(range(hours * 60 // minutes))
    ]
    booking = Booking(visits, rows)
    counted = [booking.ours(row, how) for row in rows]
    return [
        structs.replace(row, cells={column: ours.get(column, 0) for column in columns})
        for row, ours in zip(rows, counted, strict=True)
    ]
