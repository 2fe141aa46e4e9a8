"""A simulated day, told by a platform and read by its dialect, is the same day, as far as the platform can tell it.

The truth is the ledger's, and the canonical events' own; a platform that knows whole seconds may be a second off each time.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ingest import batch
from stream_app.ingest.dialects import amazon_connect, asterisk, available
from stream_app.model import events as e
from stream_app.model.fold.cells import NUMBERS, add_into
from stream_app.model.fold.fold import Fold
from stream_app.model.kpis import COUNTERS
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
    """What is told about contacts; of agents see ``tests/simulation/test_people.py``."""
    return [(at, value) for _, at, value in say_with_keys(platform, events)]


def say_with_keys(platform: str, events: Iterable[e.Event]) -> list[tuple[str, int, bytes]]:
    encoder, contacts = (
        PLATFORMS[platform](),
        [event for event in events if isinstance(event, e.ContactEvent)],
    )
    agents = {event.agent for event in contacts}
    return [
        (key, event.at, value)
        for event in contacts
        for key, value in encoder.encode(event)
        if key not in agents
    ]


def read(platform: str, said: Said) -> list[e.Event]:
    """Each fact once."""
    decode = {"amazon_connect": amazon_connect, "asterisk": asterisk}[platform].decode
    facts = {event.id: event for _, value in reversed(said) for event in reversed(decode(value))}
    return list(reversed(facts.values()))


def outcome(event: e.ContactEvent) -> str | None:
    """In the ledger's words; a contact that a bot settles leaves the queue."""
    return "left" if isinstance(event, e.Ended) and event.by == "bot" else OUTCOMES.get(type(event))


def outcomes(events: Sequence[e.Event]) -> Counter[tuple[str, str]]:
    """How often what happened in which queue; an event that does not name it is about its contact's."""
    queues = {event.contact_id: event.queue for event in events if isinstance(event, e.Queued)}
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if isinstance(event, e.ContactEvent) and (what := outcome(event)):
            found[event.queue or queues[event.contact_id], what] += 1
    return found


def counted(said: Said, platform: str) -> dict[str, dict[str, int]]:
    """Counters by queue, as the pipeline folds the records."""
    decode = {"amazon_connect": amazon_connect, "asterisk": asterisk}[platform].decode
    records = [Record(n, at, value) for n, (at, value) in enumerate(said)]
    deltas = batch.fold_records(Fold(Targets(), tells_messages=False), records, 0, decode).deltas
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


def test_every_encoder_has_a_dialect_that_reads_it() -> None:
    """Not the other way round: a dialect whose platform is not simulated is held to its gallery alone."""
    assert set(PLATFORMS) <= set(available())


def given_up_on_callbacks(events: Iterable[e.Event]) -> list[e.Abandoned]:
    """Whoever is called back and gives up: to Connect it is a callback that reached nobody, and left."""
    called_back: set[tuple[str, int]] = set()
    found: list[e.Abandoned] = []
    for event in events:
        if isinstance(event, e.CallbackScheduled):
            called_back.add((event.contact_id, (event.visit or 0) + 1))
        elif isinstance(event, e.Abandoned) and (event.contact_id, event.visit or 0) in called_back:
            found.append(event)
    return found


def at_connect(events: Sequence[e.Event]) -> list[e.Event]:
    """The day as Connect can tell it."""
    left = {event.id for event in given_up_on_callbacks(events)}
    return [
        e.LeftQueue(
            id=event.id, at=event.at, contact_id=event.contact_id, visit=event.visit, queue=event.queue
        )
        if isinstance(event, e.Abandoned) and event.id in left
        else event
        for event in events
    ]


def voice(events: Iterable[e.Event]) -> list[e.Event]:
    return [event for event in events if getattr(event, "channel", "voice") == "voice"]


# --- fact by fact ---


def test_the_queue_log_tells_every_outcome_of_every_call(day: tuple[Ledger, list[e.Event]]) -> None:
    calls = voice(day[1])
    found = outcomes(read("asterisk", say("asterisk", calls)))
    assert found == outcomes(calls)
    assert {what for _, what in found} == set(OUTCOMES.values())


def test_connect_tells_every_outcome_but_refusals(day: tuple[Ledger, list[e.Event]]) -> None:
    true = outcomes(at_connect(day[1]))
    expected = Counter({place: n for place, n in true.items() if place[1] != "refused"})
    assert outcomes(read("amazon_connect", say("amazon_connect", day[1]))) == expected
    assert len(expected) > 25


def is_record(value: bytes) -> bool:
    return "AWSContactTraceRecordFormatVersion" in json.loads(value)


def test_contact_records_alone_tell_what_is_over(day: tuple[Ledger, list[e.Event]]) -> None:
    """A record comes when its contact is over; a missed offer is not in it."""
    said = [(at, value) for at, value in say("amazon_connect", day[1]) if is_record(value)]
    visits: dict[tuple[str, int | None], list[e.ContactEvent]] = {}
    for event in at_connect(day[1]):
        if isinstance(event, e.ContactEvent) and type(event) in (*OUTCOMES, e.Wrapped):
            visits.setdefault((event.contact_id, event.visit), []).append(event)
    last = (e.Abandoned, e.LeftQueue, e.CallbackScheduled, e.Wrapped)
    over = [
        event
        for visit in visits.values()
        if isinstance(visit[-1], last) or outcome(visit[-1]) == "left"
        for event in visit
    ]
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
    told = at_connect(events) if platform == "amazon_connect" else events
    true, found = spells(told), spells(read(platform, say(platform, events)))
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
        place, what, at = event.contact_id, outcome(event), event.at
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


@pytest.mark.slow
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_the_pipeline_counts_what_happened(day: tuple[Ledger, list[e.Event]], platform: str) -> None:
    ledger, events = day
    found = counted(say(platform, events), platform)
    queued = {(event.contact_id, event.visit): event.at for event in events if isinstance(event, e.Queued)}
    moved: dict[str | None, list[int]] = {}  # waits that are told as left
    for event in given_up_on_callbacks(events) if platform == "amazon_connect" else []:
        moved.setdefault(event.queue, []).append(event.at - queued[event.contact_id, event.visit])
    compared = 0
    for (queue, channel), row in ledger.untold.items():
        if platform == "asterisk" and channel != "voice":
            assert queue not in found
            continue
        cell = Counter(found[queue])
        for wait in moved.get(queue, ()):
            cell.update(abandoned=1, left=-1, abandon_wait_ms=wait)
        told = ledger.rows[queue, channel]
        for name in ("offered", "answered", "abandoned", "left"):
            assert cell.get(name, 0) == getattr(row, name), (queue, name)
            compared += getattr(row, name) > 0
        for name in ["missed", "transferred", *(["refused"] if platform == "asterisk" else [])]:
            assert cell.get(name, 0) == getattr(told, name), (queue, name)
            compared += getattr(told, name) > 0
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


@pytest.mark.slow
@pytest.mark.parametrize("later", [0, MINUTE, 25 * MINUTE])
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_what_comes_twice_counts_once(day: tuple[Ledger, list[e.Event]], platform: str, later: int) -> None:
    """At once, while its contact is still there, and when the contact is long gone."""
    said = say(platform, day[1][6_000:10_000])
    again = [(at + later, n, value) for n, (at, value) in enumerate(said)]
    both = sorted([*((at, n, value) for n, (at, value) in enumerate(said)), *again], key=lambda one: one[:2])
    assert counted([(at, value) for at, _, value in both], platform) == counted(said, platform)


COUNTS = [
    *(
        "offered",
        "answered",
        "abandoned",
        "left",
        "callbacks",
        "decided",
        "handled",
        "held",
        "abandonments_undone",
    ),
    *("answered_in_target", "abandoned_in_target", "abandoned_late", "left_in_target"),
]
SUMS = ["answer_wait_ms", "abandon_wait_ms", "left_wait_ms", "talk_ms", "hold_ms", "wrap_ms"]


@pytest.mark.slow
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), most=st.sampled_from([2_000, 20_000, 110_000]))
def test_connect_may_tell_it_in_any_order(day: tuple[Ledger, list[e.Event]], seed: int, most: int) -> None:
    """Its events come as they like, up to the two minutes after which an event is late.

    Durations may differ by a second a contact: records know whole seconds only, and the first to say it is believed. A transfer
    that is told when its contact is over and done with is lost; one that is told before its contact is known to be answered
    says that it left the queue, so its news comes after the connection's here.
    """
    rng = Random(seed)
    said = say("amazon_connect", day[1][6_000:8_000])
    comes = [at + rng.randrange(most) for at, _ in said]
    connected = {
        json.loads(value)["detail"]["contactId"]: at
        for at, (_, value) in zip(comes, said, strict=True)
        if b'"CONNECTED_TO_AGENT"' in value
    }
    for n, (_, value) in enumerate(said):
        previous = json.loads(value).get("detail", {}).get("previousContactId")
        comes[n] = max(comes[n], connected.get(previous, 0))
    later = sorted((at, n, value) for n, (at, (_, value)) in enumerate(zip(comes, said, strict=True)))
    found = counted([(at, value) for at, _, value in later], "amazon_connect")
    for queue, cell in counted(said, "amazon_connect").items():
        other = found[queue]
        for name in [*COUNTS, *(["transferred"] if most <= 20_000 else [])]:
            assert other.get(name, 0) == cell.get(name, 0), (queue, name)
        for name in SUMS:
            assert abs(other.get(name, 0) - cell.get(name, 0)) <= 1_000 * cell["offered"], (queue, name)


@pytest.mark.slow
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), platform=st.sampled_from(sorted(PLATFORMS)))
def test_it_does_not_matter_how_contacts_are_interleaved(
    day: tuple[Ledger, list[e.Event]], seed: int, platform: str
) -> None:
    """Each contact's own records in their order, all others up to a minute and a half later."""
    rng = Random(seed)
    told = say_with_keys(platform, day[1][6_000:9_000])
    delay = {key: rng.randrange(90_000) for key, _, _ in told}
    later = sorted(((at + delay[key], n, value) for n, (key, at, value) in enumerate(told)))
    found = counted([(at, value) for at, _, value in later], platform)
    assert found == counted([(at, value) for _, at, value in told], platform)


def test_a_queue_log_that_begins_in_the_middle_of_its_calls(day: tuple[Ledger, list[e.Event]]) -> None:
    """The calls whose ENTERQUEUE was written before: they began when their outcome says that they did."""
    said = say("asterisk", voice(day[1])[3_000:7_000])
    entered = [value for _, value in said if b"|ENTERQUEUE|" in value]
    lost = set(Random(1).sample(entered, len(entered) // 3))
    over = [b"|CONNECT|", b"|ABANDON|", b"|COMPLETE", b"|EXIT"]
    calls = {value.split(b"|")[1] for _, value in said if any(word in value for word in over)}
    lost = {value for value in lost if value.split(b"|")[1] in calls}
    found = counted([(at, value) for at, value in said if value not in lost], "asterisk")
    expected = counted(said, "asterisk")
    same = ["offered", "answered", "abandoned", "handled", "talk_ms", "answer_wait_ms", "abandon_wait_ms"]
    assert len(lost) > 100
    assert {q: {name: cell.get(name, 0) for name in same} for q, cell in found.items()} == {
        q: {name: cell.get(name, 0) for name in same} for q, cell in expected.items()
    }


def test_a_call_that_enters_the_same_queue_twice_waits_twice() -> None:
    lines = [
        "1767600000|c1|sales|NONE|ENTERQUEUE||100|1",
        "1767600060|c1|sales|NONE|EXITWITHTIMEOUT|1|1|60",
        "1767600061|c1|sales|NONE|ENTERQUEUE||100|1",
        "1767600071|c1|sales|SIP/1|CONNECT|10|1767600065.1|4",
        "1767600171|c1|sales|SIP/1|COMPLETECALLER|10|100|1",
    ]
    said = [(int(line[:10]) * 1000, line.encode()) for line in lines]
    (cell,) = counted([*said, *said], "asterisk").values()  # the log is read twice
    wanted = {
        "offered": 2,
        "left": 1,
        "answered": 1,
        "answer_wait_ms": 10_000,
        "handled": 1,
        "talk_ms": 100_000,
    }
    assert {name: cell.get(name) for name in wanted} == wanted


def test_a_contact_whose_completion_never_comes_is_handled_by_its_time_out(
    day: tuple[Ledger, list[e.Event]],
) -> None:
    """Contact events are best effort: nothing tells that the wrap-ups of the morning are over, and the day goes on."""
    told = [(at, v) for at, v in say("amazon_connect", day[1][4_000:12_000]) if not is_record(v)]
    until = told[len(told) // 2][0]
    silent = [(at, v) for at, v in told if at > until or b"COMPLETED" not in v]
    assert len(silent) < len(told) - 100
    found, expected = counted(silent, "amazon_connect"), counted(told, "amazon_connect")
    for queue, cell in expected.items():
        assert found[queue].get("handled", 0) == cell.get("handled", 0)
        # Holds are stated in whole seconds.
        assert abs(found[queue].get("talk_ms", 0) - cell.get("talk_ms", 0)) <= 1_000 * cell.get("held", 0)
    assert sum(cell.get("wrap_timed_out", 0) for cell in found.values()) > 100
