"""The fold follows docs/semantics.md, however its stream is cut, and wherever a worker restarts."""

import itertools
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.events import Answered, LeftQueue, MessageReceived, Queued, Refused
from stream_app.model.fold import lasting, places, seen
from stream_app.model.fold.cells import unpack_cell
from stream_app.model.fold.deltas import Deltas, Result
from stream_app.model.fold.fold import Fold
from stream_app.model.targets import Overrides, Targets
from tests.reference.model import Reference
from tests.reference.traffic import hostile, traffic

from .kept import Kept, Line, differences, folded, referred
from .settings import WORLDS, World
from .streams import AGENTS, DAY, HOUR, MINUTE, SURVEYS, T0, line, streams

MANY = settings(max_examples=3 * (settings.default.max_examples if settings.default else 0))


def everything(kept: Kept) -> tuple[object, ...]:
    cells = {place: unpack_cell(packed) for place, packed in kept.cells.items()}
    return kept.time, cells, kept.open_visits(), kept.results, kept.reasons, kept.dead


def hostile_lines(seed: int, contacts: int, rate: float) -> list[Line]:
    calm = traffic(seed, contacts, rate=rate, tail_s=40_000)
    stream = hostile(calm, seed, duplicates=0.05, out_of_order=0.05, late=0.02, future=0.02)
    rng, offset, out = Random(seed), 0, []
    for _, value, timestamp in stream:
        offset += 1 if rng.random() < 0.98 else rng.randrange(2, 9)
        out.append(Line(offset, value, timestamp))
    return out


@MANY
@given(streams(), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)), st.sampled_from(WORLDS))
def test_any_stream_in_any_pieces_is_what_the_specification_says(
    lines: list[Line], cuts: set[int], restarts: set[int], world: World
) -> None:
    if lines:
        kept = folded(lines, cuts, restarts, targets=world.targets(), tells_messages=world.tells_messages)
        assert differences(referred(lines, world=world), kept) == []


@MANY
@given(
    streams(kinds=SURVEYS), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)), st.sampled_from(WORLDS)
)
def test_whoever_is_asked_and_answers_however_often_is_counted_as_the_specification_says(
    lines: list[Line], cuts: set[int], restarts: set[int], world: World
) -> None:
    if lines:
        kept = folded(lines, cuts, restarts, targets=world.targets(), tells_messages=world.tells_messages)
        assert differences(referred(lines, world=world), kept) == []


@MANY
@given(
    streams(kinds=AGENTS), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)), st.sampled_from(WORLDS)
)
def test_agents_are_and_were_what_the_specification_says_whatever_is_told_late_or_never(
    lines: list[Line], cuts: set[int], restarts: set[int], world: World
) -> None:
    if lines:
        kept = folded(lines, cuts, restarts, targets=world.targets(), tells_messages=world.tells_messages)
        assert differences(referred(lines, world=world), kept) == []


@pytest.mark.parametrize("place", [{}, {"queue": "x"}, {"queue": "y", "channel": "chat"}])
@pytest.mark.parametrize("minutes", [1, 90])
def test_the_id_of_what_opened_a_visit_means_a_repetition_only_where_a_visit_opens(
    place: dict[str, str], minutes: int
) -> None:
    """Who reopens a case in a queue opens a visit there; who only marks the contact does not."""
    at = T0 + minutes * MINUTE
    lines = [
        line(0, T0, T0, type="contact.queued", id="i", contact_id="a", queue="x"),
        line(1, at, at, type="case.reopened", id="i", contact_id="a", case="k", **place),
    ]
    kept = folded(lines, set(), set())
    assert differences(referred(lines), kept) == []
    assert kept.results[Result.APPLIED] == (1 if place else 2)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "rate"), [(1, 5.0), (2, 0.5), (3, 0.05), (4, 0.005)])
def test_hostile_traffic_is_what_the_specification_says(seed: int, rate: float) -> None:
    """From a busy hour to a week in which every visit meets its time-out."""
    lines = hostile_lines(seed, 400, rate)
    rng = Random(seed)
    cuts = rng.sample(range(len(lines)), 60)
    kept = folded(lines, cuts, cuts[:20], seed=seed)
    assert differences(referred(lines), kept) == []
    assert sum(kept.results.values()) == lines[-1].offset - lines[0].offset + 1


def test_one_record_at_a_time_and_all_at_once_are_the_same() -> None:
    lines = hostile_lines(9, 60, 0.5)
    whole = folded(lines)
    assert everything(folded(lines, range(len(lines)))) == everything(whole)
    assert everything(folded(lines, (), range(len(lines)))) == everything(whole)


@given(streams(), st.integers(0, 5), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)))
def test_what_is_remembered_of_ids_is_bounded_and_still_does_not_depend_on_cuts(
    lines: list[Line], most: int, cuts: set[int], restarts: set[int]
) -> None:
    if not lines:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "RECENT_MAX", most)
        kept = folded(lines, cuts, restarts)
    assert differences(referred(lines, recent_max=most), kept) == []


@given(streams(), st.integers(0, 3), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)))
def test_so_is_what_is_remembered_of_ids_that_recur(
    lines: list[Line], most: int, cuts: set[int], restarts: set[int]
) -> None:
    if not lines:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lasting, "LASTING_MAX", most)
        kept = folded(lines, cuts, restarts)
    assert differences(referred(lines, lasting_max=most), kept) == []


@given(streams(), st.lists(st.tuples(st.integers(0, 39), st.sampled_from([MINUTE + 1, HOUR, 400 * DAY]))))
def test_a_stamp_from_the_future_is_as_if_somebody_had_said_nothing_at_that_moment(
    lines: list[Line], frauds: list[tuple[int, int]]
) -> None:
    """I9: the broker's stamp of the record is right, its sender's is not; no other contact becomes late because of it."""
    if not lines:
        return
    told, meant, clock, reference = list(lines), list(lines), [], Reference()
    for one in lines:
        reference.feed(one.offset, one.value, one.timestamp, by_broker=True)
        clock.append(reference.partition_time)
    for n, (place, ahead) in enumerate(sorted((f for f in frauds if f[0] < len(lines)), reverse=True)):
        stamp = max(T0, clock[place], lines[place].timestamp)
        fields = {"id": f"f{n}", "contact_id": "a", "queue": "x"}
        told.insert(place, line(0, stamp + ahead, stamp, type="contact.queued", **fields))
        meant.insert(place, line(0, stamp, stamp, id=f"f{n}", type="platform.restarted", source="nobody"))
    added = len(told) - len(lines)
    reference = referred(Line(n, x.value, x.timestamp, timestamp_type=1) for n, x in enumerate(meant))
    kept = folded([Line(n, x.value, x.timestamp, timestamp_type=1) for n, x in enumerate(told)])
    judged_late = reference.results["late"]
    reference.results["applied"] -= added
    reference.results["dead_letter"] += added
    reference.reasons["dead_letter", "future"] += added
    assert judged_late == kept.results["late"]
    assert differences(reference, kept) == []


def test_an_id_that_two_events_share_ages_as_its_last_use() -> None:
    """A sloppy producer uses an id for two types; the hash is remembered twice, in different minutes."""
    shift = {"type": "agent.state", "agent": "g", "state": "break"}
    later = HOUR + 2 * MINUTE
    events = [
        (0, {"id": "q", "type": "contact.queued", "contact_id": "a", "queue": "x"}),
        (0, {"id": "q", **shift}),
        (MINUTE, {"id": "m", **shift}),
        (2 * MINUTE, {"id": "z", "type": "contact.abandoned", "contact_id": "a"}),
        (2 * MINUTE, {"id": "o", **shift}),
        *((later, {"id": name, **shift}) for name in ("x1", "o", "m", "q")),
    ]
    lines = [line(n, T0 + at, T0 + at, **fields) for n, (at, fields) in enumerate(events)]
    for restarts in ((), range(len(lines))):
        assert differences(referred(lines), folded(lines, (), restarts)) == []


def test_whoever_was_just_handed_off_has_not_waited_for_hours() -> None:
    """Nobody said that a bot had the caller; when it hands them off, their wait for a person has only begun."""
    events: list[tuple[int, dict[str, Any]]] = [
        (0, {"type": "contact.queued", "contact_id": "a", "queue": "x"}),
        (4 * HOUR - MINUTE, {"type": "bot.handed_off", "contact_id": "a"}),
        (4 * HOUR + 2 * MINUTE, {"type": "agent.state", "agent": "g", "state": "break"}),
        (4 * HOUR + 3 * MINUTE, {"type": "contact.answered", "contact_id": "a"}),
    ]
    lines = [line(n, T0 + at, T0 + at, id=f"e{n}", **fields) for n, (at, fields) in enumerate(events)]
    kept = folded(lines)
    assert differences(referred(lines), kept) == []
    assert (kept.results["applied"], kept.counters(0)["x", "voice"]["answer_wait_ms"]) == (4, 4 * MINUTE)


def test_an_assignment_that_is_told_late_replaces_no_later_one() -> None:
    """Work on a reply begins with the latest of what it may have begun with, whatever was told last."""
    message = {"type": "message.sent", "agent": "g", "contact_id": "a"}
    assigned = {"type": "contact.answered", "agent": "g", "contact_id": "a"}
    events: list[tuple[int, dict[str, Any]]] = [
        (0, {"type": "contact.queued", "contact_id": "a", "queue": "x", "channel": "email"}),
        (30_000, assigned),
        (10_000, assigned),
        (50_000, message),
        (51_000, {"type": "contact.wrapped", "contact_id": "a"}),
    ]
    lines = [line(n, T0 + at, T0 + at, id=f"e{n}", **fields) for n, (at, fields) in enumerate(events)]
    kept = folded(lines)
    assert differences(referred(lines), kept) == []
    assert kept.counters(0)["x", "email"]["talk_ms"] == 20_000


@pytest.mark.slow
def test_a_million_queue_names_leave_no_trace_in_memory() -> None:
    fold = Fold(Targets())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "PLACES_MAX", 100)
        patch.setattr(seen, "RECENT_MAX", 1_000)
        for n in range(20_000):
            at, queue, contact = T0 + n * 100, f"q{n}", f"c{n}"
            for event in (
                Refused(id=f"i{n}", at=at, contact_id="c", queue=queue),
                Queued(id=f"j{n}", at=at, contact_id=contact, queue=queue),
                LeftQueue(id=f"k{n}", at=at, contact_id=contact, reason="callback"),
            ):
                assert fold.record(event, at) is Result.APPLIED
            if n % 1_000 == 0:
                fold.take()
                assert len(fold._contacts._places) <= 100
                assert len(fold.state.recent) <= 1_000 + 2 * 600, "the cap, and what the running minute added"
    assert fold.state.open == {}


def test_the_clock_on_the_wall_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = hostile_lines(5, 60, 0.5)
    before = everything(folded(lines, (100, 200)))
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert everything(folded(lines, (100, 200))) == before


def test_settings_are_those_of_the_moment_of_queueing() -> None:
    """A visit restored under another version keeps the T under which it was queued."""
    short, long = (Targets(defaults=Overrides(answer_target_s=s)) for s in (10, 30))
    fold = Fold(short)
    fold.record(Queued(id="1", at=T0, contact_id="a", queue="x"), T0)
    kept = Kept()
    kept.add(fold.take())
    anew = Fold(long, memory=kept.memory(Random(0)))
    anew.record(Answered(id="2", at=T0 + 20_000, contact_id="a"), T0 + 20_000)
    kept.add(anew.take())
    total = kept.counters(0)["x", "voice"]
    assert "answered_in_target" not in total
    assert kept.counters(10_000)[T0 + 10_000, "x", "voice"] == {"decided": 1}


def test_taking_twice_gives_nothing_the_second_time() -> None:
    fold = Fold(Targets())
    fold.record(Queued(id="1", at=T0, contact_id="a", queue="x"), T0)
    assert fold.take().cells
    assert fold.take() == Deltas(T0, {}, {}, {}, {}, -1, {}, {}, 0, fold.take().agreement)


def test_every_prefix_keeps_its_books() -> None:
    """I2: those offered to people were answered, abandoned, left, were lost or wait; after every record. Bots likewise."""
    lines = hostile_lines(6, 120, 0.2)
    kept, fold = Kept(), Fold(Targets())
    for number, one in enumerate(lines):
        try:
            (event,) = decode(one.value or b"")
        except (UnreadableError, UnknownTypeError):
            continue
        fold.record(event, one.timestamp)
        if number % 50:
            continue
        kept.add(fold.take())
        total: dict[str, int] = {}
        for name, n in itertools.chain.from_iterable(c.items() for c in kept.counters(0).values()):
            total[name] = total.get(name, 0) + n
        waiting = sum(state == "waiting" for *_, state, _ in kept.open_visits())
        outcomes = sum(total.get(name, 0) for name in ("answered", "abandoned", "left", "lost"))
        for_people = total.get("offered", 0) - total.get("to_bot", 0) + total.get("from_bot", 0)
        assert for_people == outcomes + waiting
        assert total.get("decided", 0) == outcomes - total.get("left_not_demand", 0)
        with_bot = sum(state == "with_bot" for *_, state, _ in kept.open_visits())
        bots = ("from_bot", "bot_contained", "containments_undone", "bot_abandoned")
        assert total.get("to_bot", 0) == sum(total.get(name, 0) for name in bots) + with_bot


@pytest.mark.parametrize("short_s", [0.0, 0.001, 5.0])
@pytest.mark.parametrize("wait_ms", [0, 1, 5_000, 5_001])
def test_an_abandonment_is_short_up_to_the_threshold_and_never_with_a_threshold_of_none(
    short_s: float, wait_ms: int
) -> None:
    short_ms = round(short_s * 1000)
    lines = [
        line(0, T0, T0, id="1", type="contact.queued", contact_id="a", queue="x"),
        line(1, T0 + wait_ms, T0 + wait_ms, id="2", type="contact.abandoned", contact_id="a"),
    ]
    kept = folded(lines, targets=Targets(defaults=Overrides(short_abandon_s=short_s)))
    reference = Reference(targets=lambda *_: (20_000, short_ms))
    for one in lines:
        reference.feed(one.offset, one.value, one.timestamp)
    assert differences(reference, kept) == []
    short = kept.counters(0)["x", "voice"].get("abandoned_short", 0)
    assert short == (short_ms > 0 and wait_ms <= short_ms)


def test_a_survey_changes_no_count_of_its_contacts_call() -> None:
    """Where a person's message answers a call, an assignment does not, whatever else is remembered of the contact."""
    targets = Targets.of({"queues": {"x": {"answer": "message"}}})
    asked = line(0, T0, T0, type="survey.answered", id="s", contact_id="a", queue="x", kind="csat", score=5)
    call = [
        line(1, T0 + 1, T0 + 1, type="contact.queued", id="q", contact_id="a", queue="x"),
        line(2, T0 + 2, T0 + 2, type="contact.answered", id="w", contact_id="a", queue="x", agent="g"),
    ]
    found = [folded(lines, targets=targets) for lines in (call, [asked, *call])]
    assert [kept.counters(0)["x", "voice"].get("answered", 0) for kept in found] == [0, 0]


def test_what_is_told_again_after_days_counts_once() -> None:
    """Its id is forgotten by then, and the open visit would take it once more."""
    held = {"type": "contact.held", "id": "h", "contact_id": "a", "queue": "x", "channel": "email"}
    missed = {
        "type": "agent.missed",
        "id": "m",
        "contact_id": "a",
        "queue": "x",
        "channel": "email",
        "agent": "g",
    }
    mail = {"type": "contact.queued", "id": "q", "contact_id": "a", "queue": "x", "channel": "email"}
    told = [(T0, mail), (T0 + 1, missed), (T0 + 2, held)]
    told += [(T0 + day * DAY, mail | {"id": f"q{day}", "contact_id": f"c{day}"}) for day in range(1, 6)]
    told += [(T0 + 1, missed), (T0 + 2, held)]
    lines = [line(n, at, at, **fields) for n, (at, fields) in enumerate(told)]
    kept = folded(lines, range(len(lines)))
    assert kept.counters(0)["x", "email"]["missed"] == 1
    assert kept.results[Result.LATE] == 2
    assert differences(referred(lines), kept) == []


def test_a_contact_is_looked_at_once_a_round_however_often_it_is_told_of_late() -> None:
    fold = Fold(Targets())
    fold.by_broker = True
    fold.record(Queued(id="q", at=T0, contact_id="a", queue="x", channel="email"), T0)
    for n in range(300):
        at = T0 + HOUR + n * MINUTE
        fold.record(Refused(id=f"r{n}", at=at, contact_id="b", queue="x"), at)
        if n < 200:
            fold.record(MessageReceived(id=f"m{n}", at=at - 10 * MINUTE, contact_id="a"), at)
    assert sum(map(len, fold._contacts._looks.values())) == 1
