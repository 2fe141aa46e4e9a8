"""A simulated day, told by a platform and read by its dialect, is the same day, as far as the platform can tell it.

The truth is the ledger's, and the canonical events' own; a platform that knows whole seconds may be a second off each time.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ingest import batch
from stream_app.ingest.dialects import amazon_connect, asterisk, available
from stream_app.model import events as e
from stream_app.model.fold import Fold
from stream_app.model.kpis import COUNTERS
from stream_app.model.tally import NUMBERS, add_into
from stream_app.model.targets import Targets
from stream_app.simulation import Centre, Ledger, centre
from stream_app.simulation.platforms import PLATFORMS
from tests.simulation.worlds import HOUR, MINUTE, MONDAY, Record

DAY = MONDAY, MONDAY + 24 * HOUR
OUTCOMES: dict[type[e.Event], str] = {
    e.Queued: "offered",
    e.Answered: "answered",
    e.Abandoned: "abandoned",
    e.LeftQueue: "left",
    e.CallbackScheduled: "left",
    e.Transferred: "transferred",
    e.Ended: "ended",
    e.Refused: "refused",
    e.Missed: "missed",
}
Said = list[tuple[int, bytes]]
"""When it was said, and what."""


def say(platform: str, events: Iterable[e.Event]) -> Said:
    encoder = PLATFORMS[platform]()
    return [(event.at, value) for event in events for _, value in encoder.encode(event)]


def read(platform: str, said: Said) -> list[e.Event]:
    """Each fact once."""
    decode = {"amazon_connect": amazon_connect, "asterisk": asterisk}[platform].decode
    facts = {event.id: event for _, value in reversed(said) for event in reversed(decode(value))}
    return list(reversed(facts.values()))


def outcomes(events: Sequence[e.Event]) -> Counter[tuple[str, str]]:
    """How often what happened in which queue; an event that does not name it is about its contact's."""
    queues = {event.contact_id: event.queue for event in events if isinstance(event, e.Queued)}
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if isinstance(event, e.ContactEvent) and (what := OUTCOMES.get(type(event))):
            found[event.queue or queues[event.contact_id], what] += 1
    return found


def counted(said: Said, platform: str) -> dict[str, dict[str, int]]:
    """Counters by queue, as the pipeline folds the records."""
    decode = {"amazon_connect": amazon_connect, "asterisk": asterisk}[platform].decode
    records = [Record(n, at, value) for n, (at, value) in enumerate(said)]
    deltas = batch.fold_records(Fold(Targets()), records, 0, decode).deltas
    assert deltas.results.get("dead_letter", 0) == deltas.results.get("unknown_type", 0) == 0
    cells: dict[str, dict[int, int]] = {}
    for (_, queue, _), amounts in deltas.cells.items():
        add_into(cells.setdefault(queue, {}), amounts)
    names = {NUMBERS[counter.name]: counter.name for counter in COUNTERS}
    return {q: {names[n]: value for n, value in cell.items() if n in names} for q, cell in cells.items()}


@pytest.fixture(scope="module")
def day() -> tuple[Ledger, list[e.Event]]:
    small = Centre(centre(0.7), seed=11)
    events = list(small.events(*DAY))
    return small.ledger, events


def test_there_is_an_encoder_for_each_platform() -> None:
    assert set(PLATFORMS) == set(available()) - {"canonical"}


def voice(events: Iterable[e.Event]) -> list[e.Event]:
    return [event for event in events if getattr(event, "channel", "voice") == "voice"]


# --- fact by fact ---


def test_the_queue_log_tells_every_outcome_of_every_call(day: tuple[Ledger, list[e.Event]]) -> None:
    calls = voice(day[1])
    found = outcomes(read("asterisk", say("asterisk", calls)))
    assert found == outcomes(calls)
    assert {what for _, what in found} == set(OUTCOMES.values())


def test_connect_tells_every_outcome_but_refusals(day: tuple[Ledger, list[e.Event]]) -> None:
    true = outcomes(day[1])
    expected = Counter({place: n for place, n in true.items() if place[1] != "refused"})
    assert outcomes(read("amazon_connect", say("amazon_connect", day[1]))) == expected
    assert len(expected) > 25


def is_record(value: bytes) -> bool:
    return "AWSContactTraceRecordFormatVersion" in json.loads(value)


def test_contact_records_alone_tell_what_is_over(day: tuple[Ledger, list[e.Event]]) -> None:
    """A record comes when its contact is over; a missed offer is not in it."""
    said = [(at, value) for at, value in say("amazon_connect", day[1]) if is_record(value)]
    visits: dict[tuple[str, int | None], list[e.ContactEvent]] = {}
    for event in day[1]:
        if isinstance(event, e.ContactEvent) and type(event) in (*OUTCOMES, e.Wrapped):
            visits.setdefault((event.contact_id, event.visit), []).append(event)
    last = (e.Abandoned, e.LeftQueue, e.CallbackScheduled, e.Wrapped)
    over = [event for visit in visits.values() if isinstance(visit[-1], last) for event in visit]
    expected = Counter({p: n for p, n in outcomes(over).items() if p[1] not in ("refused", "missed")})
    assert outcomes(read("amazon_connect", said)) == expected


def test_contact_events_and_contact_records_tell_the_same_facts(day: tuple[Ledger, list[e.Event]]) -> None:
    said = say("amazon_connect", day[1][:4_000])
    told = {event.id for event in read("amazon_connect", [x for x in said if not is_record(x[1])])}
    recorded = {event.id for event in read("amazon_connect", [x for x in said if is_record(x[1])])}
    assert recorded
    assert recorded <= told


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), hour=st.integers(0, 23), platform=st.sampled_from(sorted(PLATFORMS)))
def test_any_hour_of_any_centre(seed: int, hour: int, platform: str) -> None:
    """Each wait and each conversation is what it was, to the platform's second."""
    start = MONDAY + hour * HOUR
    events = list(Centre(centre(2), seed).events(start, start + HOUR // 3))
    if platform == "asterisk":
        events = voice(events)
    true, found = spells(events), spells(read(platform, say(platform, events)))
    for kind, durations in true.items():
        assert len(found[kind]) == len(durations), kind
        for one, other in zip(sorted(durations), sorted(found[kind]), strict=True):
            assert abs(one - other) <= 1_000, kind


def spells(events: Sequence[e.Event]) -> dict[str, list[int]]:
    """All waits, by outcome, and all conversations, hold included; milliseconds. What is stated wins."""
    opened: dict[Any, int] = {}
    answered: dict[Any, int] = {}
    out: dict[str, list[int]] = {"answered": [], "abandoned": [], "left": [], "talked": []}
    for event in events:
        if not isinstance(event, e.ContactEvent):
            continue
        # A call's visits follow one another.
        place, what, at = event.contact_id, OUTCOMES.get(type(event)), event.at
        stated: dict[str, Any] = {n: getattr(event, f"{n}_s", None) for n in ("wait", "talk", "hold")}
        if what == "offered":
            opened[place] = at
        elif what in ("answered", "abandoned", "left"):
            wait = at - opened[place] if stated["wait"] is None else round(stated["wait"] * 1000)
            out[what].append(wait)
            answered[place] = at
        elif what in ("ended", "transferred"):
            talk = at - answered[place]
            if stated["talk"] is not None:
                talk = round((stated["talk"] + (stated["hold"] or 0)) * 1000)
            out["talked"].append(talk)
    return out


# --- and counted ---


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_the_pipeline_counts_what_happened(day: tuple[Ledger, list[e.Event]], platform: str) -> None:
    ledger, events = day
    found = counted(say(platform, events), platform)
    compared = 0
    for (queue, channel), row in ledger.rows.items():
        if platform == "asterisk" and channel != "voice":
            assert queue not in found
            continue
        cell = found[queue]
        exact = ["offered", "answered", "abandoned", "left", "missed", "transferred"]
        for name in [*exact, *(["refused"] if platform == "asterisk" else [])]:
            assert cell.get(name, 0) == getattr(row, name), (queue, name)
            compared += getattr(row, name) > 0
        for name, times in (("answer_wait_ms", "answered"), ("abandon_wait_ms", "abandoned")):
            assert abs(cell.get(name, 0) - getattr(row, name)) <= 1_000 * getattr(row, times), (queue, name)
        handled = cell["handled"]
        if platform == "asterisk":  # without a wrap-up, handled is what was answered and is over
            assert row.handled <= handled <= row.answered
            assert cell.get("wrap_ms", 0) == cell.get("hold_ms", 0) == 0
        else:
            assert handled == row.handled
            for name in ("talk_ms", "hold_ms", "wrap_ms"):
                assert abs(cell.get(name, 0) - getattr(row, name)) <= 1_000 * handled, (queue, name)
    assert compared > 15


@pytest.mark.parametrize("later", [0, MINUTE, 25 * MINUTE])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_what_comes_twice_counts_once(day: tuple[Ledger, list[e.Event]], platform: str, later: int) -> None:
    """At once, while its contact is still there, and when the contact is long gone."""
    said = say(platform, day[1][6_000:10_000])
    again = [(at + later, n, value) for n, (at, value) in enumerate(said)]
    both = sorted([*((at, n, value) for n, (at, value) in enumerate(said)), *again], key=lambda one: one[:2])
    assert counted([(at, value) for at, _, value in both], platform) == counted(said, platform)
