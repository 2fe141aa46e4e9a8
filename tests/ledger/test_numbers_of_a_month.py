"""A month of the simulator, with few customers, who therefore come again: SQL and the independent reference agree on it."""

from __future__ import annotations

from random import Random

import pytest
from msgspec import structs

from stream_app.ledger.kpis import LedgerQuestion
from stream_app.model import events as e
from stream_app.simulation import Centre, centre
from stream_app.simulation.presets import WEEK
from stream_app.simulation.wire import encode
from tests.model.kept import Line, folded
from tests.reference.history import History
from tests.simulation.worlds import HOUR, MONDAY

from .asking import known_groups, refer, without_zeros
from .tables_of import REFERRED, LedgerTables, Stretch, referred, tables_of

DAY = 24 * HOUR
DAYS = 30
CUSTOMERS = 400
END = MONDAY + DAYS * DAY
SETTINGS = centre(0.02)
HOURS: list[Stretch] = [
    (
        queue.name,
        queue.channel,
        MONDAY + day * DAY + queue.hours[0] * HOUR,
        MONDAY + day * DAY + queue.hours[1] * HOUR,
    )
    for queue in SETTINGS.queues
    if queue.hours is not None
    for day in range(DAYS)
]
Month = tuple[LedgerTables, History]


def relationships() -> list[e.Event]:
    """What the simulator does not tell: who becomes a customer, is worth how much, and leaves."""
    random, told = Random(7), list[e.Event]()
    for n in range(CUSTOMERS):
        joined = MONDAY + random.randrange(12 * DAY)
        segment, who = random.choice(("gold", "basic", None)), f"u{n}"
        told.append(e.CustomerJoined(id=f"j{n}", at=joined, customer=who, segment=segment))
        if random.random() < 0.5:
            worth = {
                "purchase_value": random.randrange(1, 9_999) / 100,
                "purchases_per_year": 4.5,
                "years": 3.0,
            }
            told.append(
                e.CustomerValued(id=f"v{n}", at=joined + random.randrange(DAY), customer=who, **worth)
            )
        if random.random() < 0.2:
            told.append(e.CustomerLeft(id=f"l{n}", at=joined + random.randrange(18 * DAY), customer=who))
    return told


@pytest.fixture(scope="module")
def month() -> Month:
    queues = tuple(structs.replace(queue, week=WEEK) for queue in SETTINGS.queues)
    run = Centre(structs.replace(SETTINGS, queues=queues, customers=CUSTOMERS), seed=5)
    events = sorted([*run.events(MONDAY, END), *relationships()], key=lambda event: event.at)
    lines = [Line(n, encode(event), event.at, timestamp_type=1) for n, event in enumerate(events)]
    kept = folded(lines, range(0, len(lines), 5_000))
    return LedgerTables(tables_of(kept), HOURS), refer(lines).history


def windows() -> list[LedgerQuestion]:
    """The month, two of its weeks, and a day; by channel, and with other limits."""
    month = LedgerQuestion(start=MONDAY, end=END, known=END)
    weeks = [
        structs.replace(month, start=MONDAY + n * 7 * DAY, end=MONDAY + (n + 1) * 7 * DAY) for n in (0, 3)
    ]
    day = structs.replace(month, start=MONDAY + 9 * DAY, end=MONDAY + 10 * DAY, known=MONDAY + 10 * DAY)
    return [month, *weeks, day, structs.replace(month, per_channel=True, repeat_ms=DAY, return_ms=HOUR)]


@pytest.mark.slow
@pytest.mark.parametrize("family", REFERRED)
def test_every_number_of_a_month_is_that_of_the_reference(family: str, month: Month) -> None:
    tables, history = month
    names = known_groups(family)
    for asked in windows():
        for split in ((), *((name,) for name in names)):
            expected = without_zeros(referred(history, family, asked, split, HOURS))
            assert without_zeros(tables.ask(family, asked, split)) == expected, (asked, split)


@pytest.mark.slow
def test_a_month_has_what_these_numbers_are_about(month: Month) -> None:
    tables, _ = month
    asked = windows()[0]
    journeys = tables.ask("journeys", asked)[()]
    assert 0 < journeys["resolved"] < journeys["first_contacts"] < journeys["of_customers"]
    assert 0 < journeys["settled_resolved"] < journeys["resolved"]
    assert min(journeys["repeated"], journeys["transfers"]) > 0
    cases = tables.ask("resolved_cases", asked)[()]
    assert 0 < cases["by_one_contact"] < cases["with_contact"]
    assert min(cases["reopened"], cases["first_open_ms"]) > 0
    assert (
        min(tables.ask("begun_cases", asked)[()]["escalated"], tables.ask("bots", asked)[()]["resolved"]) > 0
    )
    there = tables.ask("customers", structs.replace(asked, start=MONDAY + 15 * DAY))[()]
    assert 0 < there["lost"] < there["at_start"]
