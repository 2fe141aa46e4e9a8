"""A batch of anything: each record ends in exactly one named counter, and its neighbours are applied."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.errors import LostDataError, PassedOverError, StreamAppError
from stream_app.failpoints import Failpoints
from stream_app.ingest.batch import KEPT_BYTES, MAX_EVENT_BYTES, Read, Slices, fold_records
from stream_app.ingest.dialects import Headers
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.partition import DeadLetterLimitError, Owned
from stream_app.model.fold.deltas import Gap
from stream_app.model.fold.fold import Fold
from stream_app.model.ports import Commit, Partition
from stream_app.model.targets import Targets
from stream_app.store.memory import MemoryStore
from stream_app.telemetry import Telemetry
from tests.model.streams import DAY, T0
from tests.reference import poison

from .slices import slices

PARTITION = Partition("t", 0)


@dataclass
class Record:
    offset: int
    value: bytes | None
    timestamp: int = T0
    timestamp_type: int = 1
    headers: tuple[tuple[str, bytes], ...] = ()


def queued(contact: str, at: int = T0, **more: Any) -> bytes:
    event = {"id": f"i-{contact}", "type": "contact.queued", "at": at, "contact_id": contact, "queue": "x"}
    return json.dumps(event | more).encode()


def fold(values: list[bytes | None]) -> Commit:
    records = [Record(10 + n, value) for n, value in enumerate(values)]
    return fold_records(Fold(Targets()), records, 10, decode)


@dataclass
class Bad:
    value: bytes | None
    result: str
    reason: str = ""


def letter(value: bytes | None, reason: str) -> Bad:
    return Bad(value, "dead_letter", reason)


BAD = {
    "tombstone": letter(None, "not_json"),
    "empty": letter(b"", "not_json"),
    "not json": letter(b"ENTERQUEUE|sales", "not_json"),
    "a list": letter(b"[]", "invalid"),
    "wrong types": letter(queued("z", queue=5), "invalid"),
    "no contact": letter(b'{"id":"1","type":"contact.ended","at":1763800200000}', "invalid"),
    "unknown type": Bad(queued("z", type="contact.teleported"), "unknown_type"),
    "a megabyte": letter(queued("z", note="x" * 1_000_000), "too_large"),
    "deep": letter(queued("z", note=0).replace(b"0}", b"[" * 30_000 + b"]" * 30_000 + b"}"), "too_deep"),
    "200,000 deep": letter(b"[" * 200_000, "too_large"),
    "100,000 digits": letter(queued("z", visit="@").replace(b'"@"', b"7" * 60_000), "invalid"),
    "bad utf-8": letter(queued("z").replace(b'"z"', b'"\xff"'), "bad_utf8"),
    "a NUL": Bad(queued("\0"), "applied"),
    "naive time": letter(queued("z", at="2025-11-22T08:26:40"), "invalid"),  # type: ignore[arg-type]
    "seconds for milliseconds": letter(queued("z", T0 // 1000), "invalid"),
    "from the future": letter(queued("z", T0 + 60_001), "future"),
    "just not from the future": Bad(queued("z", T0 + 60_000), "applied"),
    "ancient": Bad(queued("z", T0 - 2 * DAY - 1), "late"),
    "just not ancient": Bad(queued("z", T0 - 2 * DAY), "applied"),
    "said twice": Bad(queued("before"), "duplicate"),
    "without a visit": Bad(queued("z", type="contact.ended"), "illegal", "no_visit"),
    "not in this state": Bad(queued("before", type="contact.wrapped"), "illegal", "state"),
    **{f"poison: {bad.name}": letter(bad.value, bad.reason) for bad in poison.GALLERY},
}


@pytest.mark.parametrize("name", BAD)
def test_each_ends_in_one_counter_and_its_neighbours_are_applied(name: str) -> None:
    bad = BAD[name]
    commit = fold([queued("before"), bad.value, queued("after")])
    assert commit.deltas.results == Counter({"applied": 2}) + Counter({bad.result: 1})
    assert commit.deltas.reasons == ({(bad.result, bad.reason): 1} if bad.reason else {})
    assert {"before", "after"} <= commit.deltas.visits.keys()
    dead = [(x.offset, x.reason) for x in commit.dead]
    assert dead == ([(11, bad.reason)] if bad.result == "dead_letter" else [])
    assert (commit.start, commit.end) == (10, 13)


@pytest.mark.parametrize("name", BAD)
def test_a_dead_letter_holds_a_little_of_the_value_and_says_nothing_of_it(name: str) -> None:
    for dead in fold([queued("before"), BAD[name].value]).dead:
        assert len(dead.value) <= KEPT_BYTES
        assert (BAD[name].value or b"").startswith(dead.value)
        assert len(dead.detail) < 200


def test_the_largest_value_that_is_read_and_one_byte_more() -> None:
    largest = queued("a", note="x" * (MAX_EVENT_BYTES - len(queued("a", note=""))))
    assert len(largest) == MAX_EVENT_BYTES
    assert fold([largest]).deltas.results == {"applied": 1}
    assert fold([largest + b" "]).deltas.reasons == {("dead_letter", "too_large"): 1}


anything = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.one_of(st.none(), st.binary(max_size=50), st.sampled_from([bad.value for bad in BAD.values()])),
    ),
    min_size=1,
    max_size=20,
)


@given(anything, st.integers(0, 3))
def test_every_offset_is_accounted_for(steps: list[tuple[int, bytes | None]], skipped: int) -> None:
    offset, records = 10 + skipped, []
    for step, value in steps:
        records.append(Record(offset, value))
        offset += step
    commit = fold_records(Fold(Targets()), records, 10, decode)
    assert sum(commit.deltas.results.values()) == commit.end - 10
    assert commit.end == records[-1].offset + 1
    assert commit.deltas.results.get("gap", 0) == commit.end - 10 - len(records)
    assert len(commit.dead) == commit.deltas.results.get("dead_letter", 0)


# --- one partition in a worker's hands ---


async def owned(store: MemoryStore, *, most_dead: int = 1_000, begin: int = 0) -> Owned:
    mine = Owned(
        PARTITION,
        store,
        decode,
        Telemetry(),
        Failpoints(),
        max_bytes=MAX_EVENT_BYTES,
        max_dead_in_a_row=most_dead,
    )
    mine.begin = begin
    await mine.take_over()
    return mine


async def test_nothing_but_poison_trips_the_limit_before_anything_is_stored() -> None:
    store = MemoryStore()
    mine = await owned(store, most_dead=5)
    await mine.fold(slices([Record(0, queued("a"))]))
    before = store.partitions[PARTITION].results.copy()
    with pytest.raises(DeadLetterLimitError) as error:
        await mine.fold(slices([Record(n, b"{") for n in range(1, 7)]))
    assert store.partitions[PARTITION].results == before
    assert store.partitions[PARTITION].position == 1
    assert isinstance(error.value, LostDataError)
    line = str(error.value)
    assert all(part in line for part in ("t.0", "6 records", "not_json", "STREAM_APP_MAX_DEAD_IN_A_ROW"))
    assert "\n" not in line


async def test_the_limit_is_of_records_in_a_row_over_batches() -> None:
    mine = await owned(MemoryStore(), most_dead=5)
    await mine.fold(slices([Record(n, b"{") for n in range(4)]))
    await mine.fold(slices([Record(4, queued("a")), Record(5, b"{")]))  # one that lives
    await mine.fold(slices([Record(n, b"{") for n in range(6, 10)]))
    with pytest.raises(DeadLetterLimitError):
        await mine.fold(slices([Record(10, b"{")]))


async def test_without_a_limit_all_poison_is_drained() -> None:
    store = MemoryStore()
    mine = await owned(store, most_dead=0)
    await mine.fold(slices(*([Record(n, b"{")] for n in range(3_000))))
    assert store.partitions[PARTITION].results == {"dead_letter": 3_000, "dead_letter:not_json": 3_000}


async def test_records_that_were_counted_before_are_passed_over() -> None:
    store = MemoryStore()
    mine = await owned(store)
    records = [Record(n, queued(f"c{n}")) for n in range(6)]
    await mine.fold(slices(records[:4]))
    await mine.fold(slices(records))
    await mine.fold(slices(records))
    assert store.partitions[PARTITION].results == {"applied": 6}
    assert store.partitions[PARTITION].position == 6


async def test_offsets_before_the_first_record_are_a_gap_too() -> None:
    """Aborted transactions at a topic's beginning: offsets consumed = all results together."""
    store = MemoryStore()
    mine = await owned(store, begin=3)
    await mine.fold(slices([Record(7, queued("a"))]))
    assert store.partitions[PARTITION].results == {"gap": 4, "applied": 1}
    assert store.partitions[PARTITION].position == 8


async def test_records_that_do_not_follow_what_is_counted_are_no_proof_of_a_gap() -> None:
    """What was read in between is with nobody: to count it as a gap would lose it for good."""
    store = MemoryStore()
    mine = await owned(store)
    await mine.fold(slices([Record(0, queued("a"))]))

    async def later() -> Slices:
        yield Read(3, [Record(3, queued("d"))])

    with pytest.raises(PassedOverError, match="counted up to 1"):
        await mine.fold(later())
    assert store.partitions[PARTITION].results == {"applied": 1}


async def test_why_offsets_hold_no_record_is_looked_up_once() -> None:
    mine = await owned(MemoryStore())
    await mine.fold(slices([Record(0, queued("a")), Record(3, queued("b"))], [Record(5, queued("c"))]))
    assert mine.unexplained == (1, 3, 3)
    mine.explain(Gap.TRANSACTION)
    assert mine.gap is Gap.TRANSACTION
    await mine.fold(slices([Record(8, queued("d"))]))
    gaps = mine._telemetry.gaps
    assert [gaps.labels(kind)._value.get() for kind in Gap] == [5.0, 0.0, 0.0]


async def test_a_partition_of_nothing_but_gaps_is_read_to_its_end() -> None:
    store = MemoryStore()
    mine = await owned(store)
    await mine.skip_to(0, Gap.TRANSACTION)
    assert store.partitions[PARTITION].position is None
    await mine.skip_to(5, Gap.TRANSACTION)
    await mine.skip_to(5, Gap.TRANSACTION)
    await mine.skip_to(4, Gap.TRANSACTION)
    assert store.partitions[PARTITION].results == {"gap": 5}
    assert store.partitions[PARTITION].position == 5
    await mine.fold(slices([Record(6, queued("a"))]))
    assert store.partitions[PARTITION].results == {"gap": 6, "applied": 1}


async def test_a_bug_is_no_dead_letter() -> None:
    """Our own mistakes end the worker: to go on would count wrong for ever."""

    def broken(_value: bytes, _headers: Headers = ()) -> tuple[()]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fold_records(Fold(Targets()), [Record(0, b"{}")], 0, broken)
    assert not issubclass(ZeroDivisionError, StreamAppError)
