"""A month with bots, nights, weekends and a holiday: the pipeline, the ledger and the independent reference agree on it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec import structs

from stream_app.model.windows import RESOLUTIONS, TOTAL
from stream_app.simulation import Centre, CentreSettings, Ledger, centre
from stream_app.simulation.presets import WEEK
from stream_app.simulation.wire import encode
from tests.model.kept import Kept, Line, folded
from tests.reference.hours import Weekly
from tests.reference.model import Reference
from tests.reference.rules import Rules, usual, usual_targets

from .worlds import HOUR, MONDAY, planned_targets

DAY = 24 * HOUR
DAYS = 30
WEEKEND = (5, 6)
MAIL = ("service", "email")
STATED = {"chat": 0.2, "email": 0.3}
"""The share of the conversations whose work is stated."""
REPLY_TARGETS = {"service": 1800, "app": 120}
"""How long a customer may wait for the next reply, in seconds."""


def settings() -> CentreSettings:
    """The demo's centre, so small that a month is soon over, with mails that wait over the weekend and some stated work."""
    small = centre(0.04)
    queues = tuple(
        structs.replace(
            queue,
            week=WEEK,
            rests=WEEKEND if queue.channel == "email" else (),
            writing=structs.replace(queue.writing, stated=STATED.get(queue.channel, 0.0)),
        )
        for queue in small.queues
    )
    return structs.replace(small, queues=queues)


SETTINGS = settings()


def rules(name: str, channel: str) -> Rules:
    """What the demo's targets mean, in the words of the reference."""
    queue = SETTINGS.queue(name)
    reply_target = REPLY_TARGETS.get(name, 0) * 1000 or None
    if queue.hours is None:
        return usual(channel)._replace(reply_target=reply_target)
    opens, closes = queue.hours
    days = [day for day in range(7) if day not in queue.rests]
    calendar = Weekly([(day * DAY + opens * HOUR, day * DAY + closes * HOUR) for day in days])
    return usual(channel, calendar)._replace(reply_target=reply_target)


def limits(queue: str, channel: str, at: int) -> tuple[int, int]:
    """The demo promises callers a minute."""
    target, short = usual_targets(queue, channel, at)
    return 60_000 if channel == "voice" else target, short


Month = tuple[Ledger, Reference, Kept]


@pytest.fixture(scope="module")
def month() -> Month:
    run = Centre(SETTINGS, seed=5)
    events = run.events(MONDAY, MONDAY + DAYS * DAY)
    # A log's own time never stands still: at night nobody is there to agree with.
    lines = [Line(n, encode(event), event.at, timestamp_type=1) for n, event in enumerate(events)]
    reference = Reference(limits, rules=rules)
    for line in lines:
        reference.feed(line.offset, line.value, line.timestamp, by_broker=True)
    targets = planned_targets(SETTINGS, REPLY_TARGETS)
    commits = range(0, len(lines), 5_000)
    kept = folded(lines, commits, commits[::3], targets=targets)  # and three times by another worker
    return run.ledger, reference, kept


@pytest.mark.slow
def test_every_counter_of_a_month_is_that_of_the_reference(month: Month) -> None:
    _, reference, kept = month
    assert +kept.results == +reference.results == Counter(applied=kept.results["applied"])
    assert not reference.reasons
    assert kept.open_visits() == reference.open_visits()
    assert kept.counters(TOTAL) == reference.totals()
    assert kept.intervals() == reference.rows()
    for size in RESOLUTIONS:
        assert kept.counters(size) == reference.cells(size // 1000)
        for name in ("response", "handle"):
            assert kept.sketch(name, size) == reference.sketch(name, size // 1000)
    for key in sorted(kept.rows)[::997]:
        assert kept.backlog(*key) == reference.backlog(*key)


@pytest.mark.slow
def test_every_number_of_a_month_is_what_happened(month: Month) -> None:
    ledger, _, kept = month
    totals: dict[Any, dict[str, int]] = kept.counters(TOTAL)
    for place, row in ledger.rows.items():
        for name, true in structs.asdict(row).items():
            if name != "arrivals":
                assert totals[place].get(name, 0) == true, (place, name)


@pytest.mark.slow
def test_a_month_has_what_is_peculiar_to_written_contacts(month: Month) -> None:
    ledger, _, kept = month
    mail, chat = ledger.rows[MAIL], ledger.rows["webshop", "chat"]
    assert mail.answer_open_ms < 0.7 * mail.answer_wait_ms, "most of a wait is night or weekend"
    assert min(mail.pending_ms, mail.reopened, mail.closed_unanswered, mail.estimated_ms) > 0
    assert min(mail.handled_stated, chat.handled_stated) > 0
    assert min(chat.to_bot, chat.from_bot, chat.bot_contained, chat.bot_abandoned, chat.pending_ms) > 0
    counted = kept.counters(TOTAL)
    assert counted[MAIL]["left_not_demand"] > mail.closed_unanswered / 2
    for place in (MAIL, ("app", "messaging")):
        assert 0 < counted[place]["replies_in_target"] < counted[place]["replies_due"]
