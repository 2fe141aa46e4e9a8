"""I9: no sender's stamps move another's time by more than the accepted skew, and time moves all the same."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ingest.batch import BY_BROKER
from stream_app.model.fold.clock import WITNESSES, PartitionClock

from .kept import Kept, Line, differences, folded, referred
from .streams import DAY, HOUR, MINUTE, SECOND, T0

SKEW = MINUTE
YEARS = 10 * 365 * DAY
FEW = settings(max_examples=(settings.default.max_examples if settings.default else 0) // 2)


def call(contact: str, at: int, queue: str = "x") -> Iterator[dict[str, Any]]:
    """A contact that is answered after 4 s, talks 20 s, and is wrapped up 5 s later."""
    for kind, later in (("queued", 0), ("answered", 4), ("ended", 24), ("wrapped", 29)):
        fields = {"queue": queue} if kind == "queued" else {}
        yield {"id": f"{kind} {contact}", "type": f"contact.{kind}", "contact_id": contact, **fields} | {
            "at": at + later * SECOND
        }


def logged(told: list[tuple[int, dict[str, Any]]]) -> list[Line]:
    """A partition of what was sent, in the order of the true time; records are stamped by their producers."""
    told.sort(key=lambda sent: sent[0])
    return [Line(n, json.dumps(e).encode(), e["at"]) for n, (_, e) in enumerate(told)]


def honest_part(kept: Kept) -> tuple[Any, ...]:
    """All that was counted in the honest contacts' queue, but in buckets that a minute more or less decides on."""
    oldest = {size: kept.time - keep + 2 * SKEW for size, keep in ((10_000, 20 * MINUTE), (60_000, 2 * HOUR))}
    cells = {
        (size, key): counts
        for size in (0, 10_000, 60_000, 900_000)
        for key, counts in kept.counters(size).items()
        if key[-2] == "x" and (not size or key[0] >= oldest.get(size, 0))
    }
    rows = {key: row for key, row in kept.intervals().items() if key[1] == "x"}
    return cells, rows, [v for v in kept.open_visits() if v[1] == "x"], kept.results["late"]


skews = st.one_of(
    st.integers(2 * MINUTE, YEARS),
    st.sampled_from([2 * MINUTE, 5 * MINUTE, 25 * MINUTE, 50 * MINUTE, HOUR, DAY, 3 * DAY, YEARS]),
)


@pytest.mark.slow
@FEW
@given(
    spacings=st.lists(st.integers(0, 5_000), min_size=20, max_size=150),
    wrong=st.lists(st.integers(0, 9), min_size=150, max_size=150),
    ahead=st.one_of(skews.map(lambda skew: [skew]), st.lists(skews, min_size=1, max_size=9)),
    first=st.booleans(),
    cuts=st.sets(st.integers(0, 700)),
)
def test_stamps_from_the_future_change_nothing_of_honest_contacts(
    spacings: list[int], wrong: list[int], ahead: list[int], first: bool, cuts: set[int]
) -> None:
    """Three contacts in ten come from a clock that is ahead, by two minutes or by ten years, or each by another amount."""
    honest: list[tuple[int, dict[str, Any]]] = []
    false: list[tuple[int, dict[str, Any]]] = []
    for n, at in enumerate(accumulate(spacings, initial=T0 + HOUR)):
        honest += [(event["at"], event) for event in call(f"c{n}", at)]
        if (wrong[n % len(wrong)] % 10 < 4 and len(false) * 10 < 4 * len(honest)) or (first and not n):
            skew = ahead[n % len(ahead)]
            mine = call(f"f{n}", at - (first and not n) * SECOND, "y")
            false += [(event["at"], event | {"at": event["at"] + skew}) for event in mine]
    calm, told = folded(logged(honest)), logged(honest + false)
    kept = folded(told, cuts, cuts)
    assert honest_part(kept) == honest_part(calm)
    assert calm.time - SKEW <= kept.time <= calm.time + SKEW
    assert kept.results == calm.results + Counter({"applied": len(false)})
    assert differences(referred(told), kept) == []


@pytest.mark.parametrize("ahead", [25 * MINUTE, 50 * MINUTE, YEARS])
@pytest.mark.parametrize(
    "false", [{0}, {1}, {2}, {3}, {50}, set(range(3, 151, 4))], ids=lambda f: f"{len(f)}"
)
def test_a_fast_clock_and_the_next_hundred_calls(ahead: int, false: set[int]) -> None:
    """The case that was reported: one contact, wherever it comes, the first of a partition included; or each fourth."""
    told = []
    for n in range(151):
        at = T0 + n * SECOND
        events = call(f"c{n}", at, "y" if n in false else "x")
        told += [(event["at"], event | {"at": event["at"] + ahead * (n in false)}) for event in events]
    kept = folded(logged(told))
    offered = [c.get("offered", 0) for (_, q, _), c in kept.counters(10_000).items() if q == "x"]
    assert sum(offered) == 151 - len(false)
    assert kept.results == {"applied": 151 * 4}


def hear(clock: PartitionClock, who: str, stamp: int) -> int:
    """As the fold does it."""
    if clock.heard and clock.heard[-1][0] == who:
        clock.heard[-1] = (who, stamp)
    else:
        clock.heard.append((who, stamp))
    return clock.lead(stamp)


@pytest.mark.parametrize("spacing", [SECOND, MINUTE, 61 * SECOND, 10 * MINUTE, HOUR, 3 * DAY])
def test_a_partition_with_a_contact_now_and_then_moves_at_once(spacing: int) -> None:
    """From the third on: with two, either may be wrong."""
    clock = PartitionClock(0, None)
    for n in range(600):
        at = T0 + n * spacing
        now = hear(clock, f"c{n}", at)
        assert now == (at if n != 1 else min(at, T0 + SKEW)), n


@given(st.integers(0, 1_000), st.sampled_from([MINUTE, HOUR]))
def test_time_does_not_stay_behind_for_long_in_a_partition_with_few_contacts(seed: int, spacing: int) -> None:
    rng, clock, at, late = Random(seed), PartitionClock(0, None), T0, []
    for n in range(500):
        at += round(rng.expovariate(1 / spacing))
        late.append(at - hear(clock, f"c{n}", at))
    assert min(late) == 0
    assert max(late) < 30 * spacing
    assert sorted(late)[250] <= spacing


@pytest.mark.parametrize("ahead", [25 * MINUTE, DAY, YEARS])
@pytest.mark.parametrize("spacing", [2, 10, 20])
@pytest.mark.parametrize("seed", range(2))
def test_a_fast_clock_never_creeps_ahead(ahead: int, spacing: int, seed: int) -> None:
    """Also where the stamps of long ago, which were ahead, are now those of the hour."""
    rng, clock, at = Random(seed), PartitionClock(0, None), T0
    for n in range(2_000):
        at += round(rng.expovariate(1 / (spacing * SECOND)))
        now = hear(clock, f"c{n}", at + ahead * (n > 2 and rng.random() < 0.3))
        assert now <= at + SKEW, n


def test_an_outage_of_all_producers_ends_with_as_many_contacts_as_spoke_before() -> None:
    clock = PartitionClock(0, None)
    for n in range(1_000):
        hear(clock, f"c{n}", T0 + n * 100)
    stood = clock.now
    for n in range(WITNESSES):
        now = hear(clock, f"d{n}", stood + 2 * HOUR + n * 100)
        if now > stood + 2 * SKEW:
            break
    assert n <= WITNESSES // 2
    assert clock.now >= stood + 2 * HOUR


def test_duplicates_right_after_an_outage_are_duplicates() -> None:
    """An id seen while time stands is known when it has moved, though that is days later."""
    told: list[Line] = []

    def say(name: str, at: int, contact: str) -> None:
        event = {"id": name, "type": "contact.refused", "at": at, "contact_id": contact, "queue": "x"}
        told.append(Line(len(told), json.dumps(event).encode(), at))

    for n in range(600):
        say(f"before {n}", T0 + n * 100, f"c{n}")
    back = T0 + MINUTE + 5 * DAY
    for n in range(200):
        say(f"after {n}", back + n * 100, f"d{n}")
    for n in range(200):
        say(f"after {n}", back + n * 100, f"d{n}")
    for restarts in ((), range(0, 1_000, 7)):
        kept = folded(told, (), restarts)
        assert kept.time == back + 199 * 100
        assert kept.results == {"applied": 800, "duplicate": 200}
        assert differences(referred(told), kept) == []


def test_a_topic_that_is_stamped_by_its_broker_and_by_its_producers_in_turn() -> None:
    """The topic's setting is changed; the first contact after that leads nobody."""
    told = []
    for n in range(300):
        at = T0 + n * SECOND
        false = n in (100, 104, 250)
        event = next(call(f"c{n}", at + 25 * MINUTE * false, "y" if false else "x"))
        told.append(Line(n, json.dumps(event).encode(), at, timestamp_type=n < 100 or 200 <= n < 220))
        if n >= 100:
            told[-1].timestamp = event["at"]
    assert told[0].timestamp_type == BY_BROKER
    kept = folded(told, (5, 150, 210), range(0, 300, 9))
    assert T0 + 299 * SECOND <= kept.time <= T0 + 299 * SECOND + SKEW
    assert differences(referred(told), kept) == []


def test_what_only_knows_the_time_goes_on_from_there() -> None:
    """A former version's state: one contact alone leads nobody, and nobody leads time back."""
    clock = PartitionClock(T0, None)
    assert hear(clock, "a", T0 + 25 * MINUTE) == T0 + SKEW
    assert hear(clock, "b", T0 - HOUR) == T0 + SKEW
    assert hear(clock, "b", T0 + 2 * SKEW) == T0 + 2 * SKEW


# --- what is remembered, and restored ---


def said(sent: list[tuple[str, str, int]]) -> list[Line]:
    """(id, contact, stamp) of events of which only the id is remembered."""
    out: list[Line] = []
    for name, contact, at in sent:
        event = {"id": name, "type": "contact.refused", "contact_id": contact, "at": at, "queue": "x"}
        out.append(Line(len(out), json.dumps(event).encode(), at))
    return out


@pytest.mark.parametrize("restart", [301, 511, 599])
def test_a_restart_amid_a_contacts_records_leaves_the_same_witnesses(restart: int) -> None:
    told = said([(f"e{n}", f"c{n // 2}", T0 + n) for n in range(600)])
    assert folded(told, (), (restart,)).clock == folded(told, (restart,)).clock


@pytest.mark.parametrize("ahead", [2 * HOUR, YEARS])
@pytest.mark.parametrize("restarts", [(), range(0, 900, 7)])
def test_ids_and_time_outs_after_the_first_contact_of_all_was_ahead(ahead: int, restarts: range) -> None:
    """Time moves back once: the days of ids move back with it, and every visit that is due is found."""
    sent: list[tuple[int, dict[str, Any]]] = []
    for n in range(3):
        event = {"id": f"far {n}", "type": "contact.refused", "contact_id": "far", "queue": "y"}
        sent += [(T0 + again, event | {"at": T0 + ahead}) for again in (n, 20 * SECOND, 70 * MINUTE)]
    sent += [(T0 + 5, event) for event in call("far", T0 + ahead, "y") if event["type"] == "contact.queued"]
    for n in range(0, 80 * 60, 10):
        events = list(call(f"c{n}", T0 + (n + 1) * SECOND))
        sent += [(event["at"], event) for event in events[: 3 if n < 600 else 4]]
    sent.sort(key=lambda pair: pair[0])
    told = [Line(n, json.dumps(event).encode(), event["at"]) for n, (_, event) in enumerate(sent)]
    kept = folded(told, (), restarts)
    assert kept.results["duplicate"] == 6
    assert kept.counters(0)["x", "voice"]["wrap_timed_out"] == 60
    assert differences(referred(told), kept) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_ids_are_remembered_for_three_days_while_others_are_ahead(seed: int) -> None:
    rng, sent = Random(seed), list[tuple[str, str, int]]()
    for n in range(3_000):
        at = T0 + n * 3 * MINUTE  # for six days
        ahead = rng.choice([2 * MINUTE, 25 * MINUTE, YEARS]) if rng.random() < 0.1 else 0
        sent.append((f"e{n}", f"c{n}", at + ahead))
        if n % 5 == 0 and n > 1_700:
            back = rng.randrange(800, 1_600)  # 40 to 80 hours ago
            sent.append((f"e{max(n - back, 0)}", f"d{n}", at))
    told = said(sent)
    kept = folded(told, range(0, 3_500, 25), range(0, 3_500, 85))
    assert kept.results["duplicate"] > 50
    assert kept.results["applied"] > 3_010
    assert differences(referred(told), kept) == []


def test_a_beginning_is_made_up_for_by_partition_time_also_while_that_stands() -> None:
    told = said([(f"e{n}", f"c{n}", T0) for n in range(9)] + [("far", "far", T0 + HOUR)])
    beginning = {"id": "began", "at": T0 + SKEW - 55 * MINUTE}
    outcome = {"id": "left", "type": "contact.left_queue", "contact_id": "a", "queue": "x", "at": T0}
    told.append(Line(len(told), json.dumps(outcome | {"beginning": beginning}).encode(), T0))
    kept = folded(told)
    assert (kept.time, kept.results) == (T0 + SKEW, {"applied": 11})
    assert differences(referred(told), kept) == []
