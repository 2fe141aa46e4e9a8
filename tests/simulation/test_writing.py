"""What only written contacts have comes as often as it was asked for, and mails wait until somebody works."""

from collections import Counter

import pytest
from msgspec import structs

from stream_app.errors import BadSettingsError
from stream_app.model import events as e
from stream_app.simulation import Centre, CentreSettings, Duration, QueueSettings
from stream_app.simulation.writing import WorkingHours, Writing

from .worlds import HOUR, MONDAY, plain

DAY = 24 * HOUR


def written(channel: str, **changes: object) -> CentreSettings:
    """A desk with people enough, on which nobody gives up."""
    return plain(channel=channel, staff=(60,) * 24, patience=None, **changes)


def said(settings: CentreSettings, hours: int = 80) -> tuple[Centre, list[e.Event]]:
    run = Centre(settings, 1)
    return run, list(run.events(MONDAY, MONDAY + hours * HOUR))


def test_shares_of_mails_are_shares() -> None:
    shares = Writing(acknowledged=0.5, unanswered=0.1, notes=0.3, pending=0.2, pending_s=600, returns=0.1)
    run, events = said(written("email", writing=shares))
    row = run.ledger.row("desk", "email")
    counts = Counter(type(event) for event in events)
    messages = [event for event in events if isinstance(event, e.MessageSent)]
    replied = row.answered + row.reopened
    assert sum(m.auto for m in messages) / row.arrivals == pytest.approx(0.5, rel=0.05)
    assert row.closed_unanswered / row.arrivals == pytest.approx(0.1, rel=0.1)
    assert sum(m.private for m in messages) / replied == pytest.approx(0.3, rel=0.05)
    assert counts[e.Held] / replied == pytest.approx(0.2, rel=0.05)
    assert row.pending_ms / counts[e.Held] == pytest.approx(600_000, rel=0.1)
    assert counts[e.CaseReopened] / row.handled == pytest.approx(0.1, rel=0.1)
    assert 0 <= counts[e.CaseReopened] - row.reopened <= 1
    assert counts[e.Queued] == row.offered + row.reopened


def test_as_many_customers_give_up_on_a_bot_as_were_asked_for() -> None:
    giving_up = Writing(bot_given_up=0.2)
    run, events = said(written("chat", bot_share=0.5, bot_settles=0.25, messages=3.0, writing=giving_up))
    row = run.ledger.row("desk", "chat")
    assert row.to_bot / row.arrivals == pytest.approx(0.5, rel=0.05)
    assert row.bot_abandoned / row.to_bot == pytest.approx(0.2, rel=0.05)
    assert row.bot_contained / row.to_bot == pytest.approx(0.8 * 0.25, rel=0.05)
    assert row.bot_abandoned == sum(isinstance(event, e.Abandoned) for event in events)
    assert row.abandoned == 0, "nobody gives up on people here"


def test_spam_leaves_the_queue_unless_an_agent_has_it_first() -> None:
    settings = plain(channel="email", staff=(0,) * 24, patience=None, writing=Writing(junk=0.2))
    run, events = said(settings, 100)
    reasons = Counter(event.reason for event in events if isinstance(event, e.LeftQueue))
    row = run.ledger.row("desk", "email")
    assert reasons.keys() == {"spam", "merged"}
    assert reasons["spam"] == pytest.approx(reasons["merged"], rel=0.15)
    assert row.left == reasons.total() == pytest.approx(0.2 * row.arrivals, rel=0.06)


def test_a_conversation_that_waits_for_its_customer_leaves_the_agent_free() -> None:
    """One agent, and every mail waits for an hour after the first reply: the next one is begun at once."""
    waits = Writing(pending=1.0, pending_s=3600)
    settings = plain(
        channel="email", staff=(1,) * 24, per_hour=8.0, patience=None, talk=Duration(60, 0.1), writing=waits
    )
    run, _ = said(settings, 100)
    row = run.ledger.row("desk", "email")
    assert row.handled > 600
    assert row.answer_wait_ms / row.answered < 5 * 60_000
    assert row.pending_ms / row.handled == pytest.approx(3_600_000, rel=0.1)


def test_several_chats_are_held_at_once() -> None:
    run = Centre(plain(channel="chat", staff=(4,) * 24, at_once=3, messages=4.0, per_hour=200.0), 1)
    load: Counter[str | None] = Counter()
    most = 0
    for event in run.events(MONDAY, MONDAY + 6 * HOUR):
        if isinstance(event, e.Answered | e.Wrapped):
            load[event.agent] += 1 if isinstance(event, e.Answered) else -1
            most = max(most, load[event.agent])
    assert most == 3


def test_who_writes_at_night_or_at_the_weekend_waits_until_somebody_works() -> None:
    office = tuple(40 if 8 <= hour < 18 else 0 for hour in range(24))
    settings = plain(channel="email", staff=office, patience=None, rests=(5, 6), talk=Duration(60, 0.2))
    run, events = said(settings, 8 * 24)
    assigned = [event.at - MONDAY for event in events if isinstance(event, e.Answered)]
    assert {at // DAY % 7 for at in assigned} == set(range(5))
    assert all(8 * HOUR <= at % DAY < 18 * HOUR + HOUR // 4 for at in assigned)
    weekend = [event for event in events if isinstance(event, e.Queued) and (event.at - MONDAY) // DAY == 5]
    assert len(weekend) == pytest.approx(120 * 24, rel=0.1), "mails are taken in all week"
    row = run.ledger.row("desk", "email")
    assert 0 < row.answer_open_ms < 0.3 * row.answer_wait_ms


def test_working_hours_are_added_up_day_by_day() -> None:
    tuesday = MONDAY // DAY + 1
    hours = WorkingHours(8, 18, rests=(5, 6), holidays=frozenset({tuesday}), offset=HOUR)
    opens = MONDAY + 7 * HOUR  # eight by the centre's clock
    assert hours.within(MONDAY, opens) == 0
    assert hours.within(opens + HOUR, opens + 3 * HOUR) == 2 * HOUR
    assert hours.within(MONDAY, MONDAY + 3 * DAY) == 2 * 10 * HOUR
    assert hours.within(MONDAY + 4 * DAY, MONDAY + 7 * DAY + 8 * HOUR) == 11 * HOUR
    assert hours.within(opens + 2 * HOUR, opens) == 0


@pytest.mark.parametrize(
    ("channel", "changes", "named"),
    [
        ("email", {"writing": Writing(junk=1.5)}, r"writing\.junk"),
        ("email", {"writing": Writing(pending_s=0)}, r"writing\.pending_s"),
        ("email", {"writing": Writing(returns=1.0)}, r"writing\.returns"),
        ("voice", {"writing": Writing(notes=0.1)}, "writing"),
        ("email", {"bot_share": 0.1}, "bot_share"),
        ("chat", {"hold_share": 0.1}, "hold_share"),
    ],
)
def test_what_cannot_be_written_is_refused(channel: str, changes: dict[str, object], named: str) -> None:
    (queue,) = plain(channel=channel).queues
    wrong: QueueSettings = structs.replace(queue, **changes)
    with pytest.raises(BadSettingsError, match=f"queue desk: {named}"):
        wrong.check()
