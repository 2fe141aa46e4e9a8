"""What the pipeline counts is what happened in the simulated centre, to the last millisecond."""

from itertools import pairwise

import pytest
from msgspec import structs

from stream_app.ingest.dialects.canonical import decode
from stream_app.model.events import Event
from stream_app.model.fold.visit import WAITING, WITH_BOT
from stream_app.simulation import Centre, centre, parse_incident
from stream_app.simulation.wire import encode

from .worlds import HOUR, MINUTE, MONDAY, Record, folded, lines, planned_targets

DAY = MONDAY, MONDAY + 24 * HOUR


@pytest.fixture(scope="module")
def day() -> tuple[Centre, list[Event]]:
    """A whole day of a small centre, with a spike and an outage."""
    incidents = [
        parse_incident("spike@10h,for=20m,times=4", MONDAY),
        parse_incident("outage@19h20m,for=40m", MONDAY),
    ]
    small = Centre(centre(3), seed=7, incidents=incidents)
    return small, list(small.events(*DAY))


@pytest.mark.slow
def test_every_event_is_read_back_as_it_was(day: tuple[Centre, list[Event]]) -> None:
    for event in day[1]:
        assert decode(encode(event)) == (event,)
        (read,) = decode(encode(event, "rfc3339"))
        assert (read.at, read.id) == (event.at, event.id)


@pytest.mark.slow
def test_the_fold_of_a_day_equals_the_ledger(day: tuple[Centre, list[Event]]) -> None:
    small, events = day
    deltas, counted = folded(
        [Record(n, event.at, encode(event)) for n, event in enumerate(events)],
        planned_targets(small.settings),
    )
    assert deltas.results == {"applied": len(events)}
    assert not deltas.reasons
    assert small.ledger.events == len(events)
    compared = 0
    for place, row in small.ledger.rows.items():
        for name, true in structs.asdict(row).items():
            if name != "arrivals":
                assert counted[place].get(name, 0) == true, (place, name)
                compared += true > 0
        opened = [v for visits in deltas.visits.values() for v in visits if (v.queue, v.channel) == place]
        assert sum(v.state == WAITING for v in opened) == row.waiting
        assert sum(v.state == WITH_BOT for v in opened) == row.with_bot
    assert compared > 110  # of 32 counters, 6 queues; some never happen by e-mail


def test_a_day_has_all_that_a_centre_knows(day: tuple[Centre, list[Event]]) -> None:
    said = {str(event.__struct_config__.tag) for event in day[1]}
    assert said == {
        "agent.missed",
        "agent.state",
        "bot.handed_off",
        "callback.scheduled",
        "case.escalated",
        "case.reopened",
        "case.resolved",
        "contact.abandoned",
        "contact.answered",
        "contact.ended",
        "contact.held",
        "contact.left_queue",
        "contact.queued",
        "contact.refused",
        "contact.resumed",
        "contact.transferred",
        "contact.wrapped",
        "message.received",
        "message.sent",
        "quality.scored",
        "sale.recorded",
        "sentiment.scored",
        "survey.answered",
        "survey.sent",
        "training.assigned",
        "training.completed",
    }


def test_events_come_in_order_and_their_ids_are_unique(day: tuple[Centre, list[Event]]) -> None:
    events = day[1]
    assert all(a.at <= b.at for a, b in pairwise(events))
    assert len({event.id for event in events}) == len(events)
    assert DAY[0] <= events[0].at
    assert events[-1].at < DAY[1]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    a, b = MONDAY + 9 * HOUR, MONDAY + 10 * HOUR
    first = lines(Centre(centre(5), 3), a, b)
    assert lines(Centre(centre(5), 3), a, b) == first
    assert lines(Centre(centre(5), 4), a, b) != first
    repeated = Centre(centre(5), 3)
    assert lines(repeated, a, b) == lines(repeated, a, b)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    a = MONDAY + 9 * HOUR
    short = lines(Centre(centre(5), 3), a, a + 20 * MINUTE)
    assert lines(Centre(centre(5), 3), a, a + 40 * MINUTE)[: len(short)] == short


def test_a_second_run_is_about_other_contacts() -> None:
    a = MONDAY + 9 * HOUR
    ids = [{e.id for e in Centre(centre(2), 3).events(s, s + 5 * MINUTE)} for s in (a, a + 1000)]
    assert ids[0].isdisjoint(ids[1])


def test_a_silent_platform_delays_and_loses_nothing() -> None:
    a = MONDAY + 9 * HOUR
    silence = parse_incident("silence@10m,for=8m", a)
    quiet = Centre(centre(5), 3, [silence])
    events = list(quiet.events(a, a + 30 * MINUTE))
    usual = lines(Centre(centre(5), 3), a, a + 30 * MINUTE)
    assert sorted(map(encode, events)) == sorted(usual)
    voice = [getattr(event, "channel", None) == "voice" for event in events]
    held = [n for n, event in enumerate(events) if voice[n] and silence.begin <= event.at < silence.end]
    assert held == list(range(held[0], held[-1] + 1))  # one burst,
    assert all(event.at < silence.end for event in events[: held[0]])  # not before the silence is over,
    assert all(event.at >= silence.end for event in events[held[-1] + 1 :])  # and not later
    assert len(held) > 500
    deltas, _ = folded([Record(n, e.at, encode(e)) for n, e in enumerate(events)])
    assert deltas.results == {"applied": len(events)}
    assert deltas.late
