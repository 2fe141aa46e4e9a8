"""Files replayed: the report is what the reference says, a store is what the report says, a topic gets the recorded bytes."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from stream_app.errors import FencedError, UnknownTypeError, UnreadableError
from stream_app.ingest.batch import MAX_EVENT_BYTES
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.files import FileError, Layout, RecordFile
from stream_app.ingest.replay import (
    Account,
    FileReplay,
    ReplayPace,
    ReportRow,
    Selection,
    StrictError,
    into_store,
    into_topic,
    report,
)
from stream_app.ingest.replay.run import COMPLAINTS
from stream_app.kafka.producer import Record
from stream_app.model.events import Event
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.store.memory import MemoryStore
from tests.model.kept import Line, folded
from tests.model.streams import HOUR, MINUTE, T0, streams
from tests.reference import traffic
from tests.reference.model import Reference


def told(kind: str, at: int, contact: str = "c", **fields: Any) -> bytes:
    event = {"id": f"{contact}-{kind}-{at}", "type": kind, "at": T0 + at, "contact_id": contact}
    return json.dumps(event | fields).encode()


def visit(contact: str, at: int, wait: int = 5_000, queue: str = "x", channel: str = "voice") -> list[bytes]:
    """A visit from the queue to the end of its wrap-up; nothing but the first event names the queue."""
    kinds = (("answered", wait), ("ended", wait + 60_000), ("wrapped", wait + 70_000))
    first = told("contact.queued", at, contact, queue=queue, channel=channel)
    return [first, *(told(f"contact.{kind}", at + after, contact) for kind, after in kinds)]


DAY = [value for n in range(40) for value in visit(f"c{n}", n * 100_000, n * 1_000)]
BAD = b'{"half": '


def is_line(value: bytes | None) -> bool:
    """Whether a record can stand in a file, and is one there: the objects of an array are records of their own."""
    if not value or not value.strip() or value.startswith(b"["):
        return False
    return b"\n" not in value and not value.endswith(b"\r")


def written(path: Path, values: Iterable[bytes], *, end: bytes = b"\n") -> RecordFile:
    path.write_bytes(b"\n".join(values) + end)
    return RecordFile(path, Layout())


def reported(
    files: Sequence[RecordFile], run: FileReplay | None = None, targets: Targets | None = None
) -> list[ReportRow]:
    return report(files, targets or Targets(), run or FileReplay(decode))


def referred(values: Sequence[bytes]) -> Reference:
    reference = Reference()
    for offset, value in enumerate(values):
        reference.feed(offset, value, by_broker=True)
    return reference


def expected(reference: Reference) -> list[ReportRow]:
    """The report, by the independent arithmetic."""
    waiting = Counter((q, c) for _, q, c, state, _ in reference.open_visits() if state == "waiting")
    seconds = {
        "wait_s": "answer_wait_ms",
        "talk_s": "talk_ms",
        "hold_s": "hold_ms",
        "wrap_s": "wrap_ms",
        "left_wait_s": "left_wait_ms",
        "response_s": "response_ms",
        "response_business_s": "response_open_ms",
        "reply_s": "reply_ms",
        "pending_s": "pending_ms",
    }
    with_bot = Counter((q, c) for _, q, c, state, _ in reference.open_visits() if state == "with_bot")
    rows = []
    for (queue, channel), found in sorted(reference.totals().items()):
        row: dict[str, Any] = {"queue": queue, "channel": channel, "waiting": waiting[queue, channel]}
        row["with_bot"] = with_bot[queue, channel]
        for field in ReportRow.__struct_fields__:
            if field in seconds:
                row[field] = found.get(seconds[field], 0) / 1000
            elif field not in row:
                row[field] = found.get(field, 0)
        for outcome in ("left", "refused"):
            apart = {f"{outcome}_other", "left_not_demand"}
            known = [
                n
                for name, n in row.items()
                if name.startswith(f"{outcome}_") and isinstance(n, int) and name not in apart
            ]
            known += [row["closed_unanswered"]] if outcome == "left" else []
            row[f"{outcome}_other"] = row[outcome] - sum(known)
        rows.append(ReportRow(**row))
    return rows


def adds_up(rows: Iterable[ReportRow]) -> bool:
    return all(
        r.answered + r.abandoned + r.left + r.lost + r.waiting == r.offered - r.to_bot + r.from_bot
        for r in rows
    )


def cut(values: Sequence[bytes], at: Iterable[int]) -> Iterator[Sequence[bytes]]:
    bounds = sorted({0, len(values), *(n for n in at if n < len(values))})
    for begin, end in pairwise(bounds):
        yield values[begin:end]


# --- reports ---


@given(streams(max_size=60), st.lists(st.integers(1, 60), max_size=3), st.integers(0, 3))
def test_a_report_of_anything_is_what_the_reference_says(
    tmp_path_factory: pytest.TempPathFactory, stream: list[Line], cuts: list[int], packing: int
) -> None:
    values = [told("contact.queued", 0, "first", queue="x")]
    values += [line.value for line in stream if line.value and is_line(line.value)]
    base = tmp_path_factory.getbasetemp()
    run = FileReplay(decode)
    rows = reported([written(base / "whole", values, end=b"\r\n")], run)
    reference = referred(values)
    assert rows == expected(reference)
    assert adds_up(rows)
    assert run.account.results == +reference.results
    assert run.account.reasons == +reference.reasons
    assert run.account.read == len(values)
    files = []
    for n, part in enumerate(cut(values, cuts)):
        files.append(written(base / f"part-{n}", part))
        if n == packing:
            (base / f"part-{n}").write_bytes(gzip.compress((base / f"part-{n}").read_bytes()))
    assert reported(files) == rows


@pytest.fixture(scope="module")
def hostile() -> list[bytes]:
    """Realistic traffic with all that goes wrong, as lines."""
    told = traffic.hostile(traffic.traffic(3, 2_500), 3, future=0)  # one far ahead makes all others late
    return [value for _, value, _ in told if is_line(value)]


@pytest.mark.slow
def test_a_report_of_hostile_traffic_is_what_the_reference_says(tmp_path: Path, hostile: list[bytes]) -> None:
    run = FileReplay(decode)
    rows = reported([written(tmp_path / "f", hostile)], run)
    reference = referred(hostile)
    assert rows == expected(reference)
    assert adds_up(rows)
    assert run.account.results == reference.results
    assert run.account.reasons == reference.reasons
    assert {
        "applied",
        "duplicate",
        "illegal",
        "dead_letter",
        "late",
        "unknown_type",
    } <= run.account.results.keys()
    rng = Random(5)
    parts = list(cut(hostile, [rng.randrange(1, len(hostile)) for _ in range(5)]))
    assert reported([written(tmp_path / f"{n}", part) for n, part in enumerate(parts)]) == rows


def test_a_report_is_of_the_targets_that_it_was_given(tmp_path: Path) -> None:
    file = written(tmp_path / "f", DAY)
    (row,) = reported([file])
    assert (row.offered, row.answered_in_target, row.wait_s) == (40, 21, sum(range(40)))
    (strict,) = reported([file], targets=Targets().with_queue("x", answer_target_s=5.0))
    assert strict == structs.replace(row, answered_in_target=6)


def test_the_end_of_the_file_is_not_the_end_of_time(tmp_path: Path) -> None:
    open_visits = [told("contact.queued", 0, "waits", queue="x"), *visit("talks", 1_000)[:2]]
    (row,) = reported([written(tmp_path / "f", open_visits)])
    assert (row.offered, row.waiting, row.answered, row.lost, row.handled) == (2, 1, 1, 0, 0)
    breaks = [told("agent.state", 4 * HOUR + MINUTE, agent, agent=agent, state="break") for agent in "ab"]
    passed = [*open_visits, *breaks]
    (row,) = reported([written(tmp_path / "f", passed)])
    assert (row.waiting, row.lost) == (0, 1)  # because time passed in the file


def test_rows_of_a_queue_are_whole(tmp_path: Path) -> None:
    """A contact that moved on is counted in each queue as it is without the filter."""
    moved = [
        *visit("c", 0, queue="a")[:2],
        told("contact.transferred", 60_000, "c", agent="g"),
        *visit("c", 61_000, queue="b", channel="chat"),
    ]
    file = written(tmp_path / "f", moved)
    both = reported([file])
    assert [(row.queue, row.channel, row.offered) for row in both] == [("a", "voice", 1), ("b", "chat", 1)]
    assert reported([file], FileReplay(decode, selection=Selection(queues=["a"]))) == both[:1]
    assert reported([file], FileReplay(decode, selection=Selection(channels=["chat"]))) == both[1:]
    assert reported([file], FileReplay(decode, selection=Selection(["a"], ["chat"]))) == []


def test_a_stretch_of_time_is_half_open_and_what_is_no_event_is_counted_in_any(tmp_path: Path) -> None:
    values = [told("contact.queued", n * 1_000, f"c{n}", queue="x") for n in range(10)]
    file = written(tmp_path / "f", [*values, BAD])
    run = FileReplay(decode, selection=Selection(begin=T0 + 2_000, end=T0 + 5_000))
    (row,) = reported([file], run)
    assert row.offered == 3
    assert run.account.left_out == 7
    assert run.account.results == {"applied": 3, "dead_letter": 1}


def test_a_limit_is_of_all_files_together(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{n}", part) for n, part in enumerate(cut(DAY, [70]))]
    run = FileReplay(decode, limit=100)
    rows = reported(files, run)
    assert run.account.results == {"applied": 100}
    assert rows == reported([written(tmp_path / "f", DAY[:100])])


# --- what is wrong ---


def test_lines_that_are_no_events_are_named_and_counted(tmp_path: Path) -> None:
    values = [*DAY[:3], b"", BAD, b"[]", DAY[3], *[BAD] * 20]
    run = FileReplay(decode)
    (row,) = reported([written(tmp_path / "f", values)], run)
    assert row.handled == 1
    assert run.account.results == {"applied": 4, "dead_letter": 22}
    assert run.account.reasons == {("dead_letter", "not_json"): 21, ("dead_letter", "invalid"): 1}
    assert len(run.account.complaints) == COMPLAINTS
    assert [c.partition(": ")[0] for c in run.account.complaints[:3]] == [
        f"{tmp_path / 'f'}:{n}" for n in (5, 6, 8)
    ]
    assert not any("half" in complaint for complaint in run.account.complaints)


def test_strict_ends_at_the_first_of_them(tmp_path: Path) -> None:
    file = written(tmp_path / "f", [*DAY[:3], b"", BAD, BAD])
    with pytest.raises(StrictError, match=r"f:5: not_json: "):
        reported([file], FileReplay(decode, strict=True))
    future = told("contact.queued", -50 * HOUR, "z", queue="x")
    unknown = told("contact.teleported", 0)
    assert reported([written(tmp_path / "f", [*DAY, future, unknown])], FileReplay(decode, strict=True))


def test_damage_ends_a_report(tmp_path: Path) -> None:
    file = written(tmp_path / "f", DAY)
    (tmp_path / "f").write_bytes(gzip.compress((tmp_path / "f").read_bytes())[:-1])
    with pytest.raises(FileError, match=rf"f:{len(DAY) + 1}: the gzip data ends too early"):
        reported([file])


# --- into a store ---


async def stored(
    file: RecordFile,
    store: MemoryStore,
    run: FileReplay | None = None,
    *,
    batch: int = 30_000,
    most_dead: int = 0,
) -> Account:
    run = run or FileReplay(decode)
    with file:
        await into_store(file, store, run, batch_records=batch, max_dead_in_a_row=most_dead)
    return run.account


def contents(store: MemoryStore) -> Any:
    """All that was counted, in one partition."""
    ((partition, found),) = store.partitions.items()
    assert partition.topic.startswith("file:")
    return (
        found.position,
        found.time,
        found.cells,
        found.visits,
        found.results,
        [d.offset for d in found.dead],
    )


def store_all(values: Sequence[bytes], path: Path) -> Any:
    store = MemoryStore()
    asyncio.run(stored(written(path, values), store))
    return contents(store)


@given(streams(max_size=60), st.lists(st.integers(1, 20), max_size=6), st.integers(1, 50))
def test_however_often_it_is_interrupted_each_record_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, stream: list[Line], limits: list[int], batch: int
) -> None:
    values = [told("contact.queued", 0, "first", queue="x")]
    values += [line.value for line in stream if line.value and is_line(line.value)]
    path = tmp_path_factory.getbasetemp() / "stored"
    whole = store_all(values, path)
    kept = folded([Line(n, value, -1, timestamp_type=1) for n, value in enumerate(values)])
    assert whole[4] == kept.results + Counter({f"{r}:{why}": n for (r, why), n in kept.reasons.items()}) + (
        Counter({"applied:late": whole[4].get("applied:late", 0)})
    )
    store = MemoryStore()
    for limit in [*limits, None, None]:
        asyncio.run(stored(RecordFile(path, Layout()), store, FileReplay(decode, limit=limit), batch=batch))
    assert contents(store) == whole


async def test_a_second_run_adds_nothing_and_says_so(tmp_path: Path) -> None:
    store = MemoryStore()
    first = await stored(written(tmp_path / "f", DAY), store)
    before = contents(store)
    assert (first.read, first.before, first.results) == (len(DAY), 0, {"applied": len(DAY)})
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "f.gz").write_bytes(gzip.compress((tmp_path / "f").read_bytes()))
    second = await stored(RecordFile(tmp_path / "g" / "f.gz", Layout()), store)
    assert (second.read, second.before, second.results) == (len(DAY), len(DAY), {})
    assert contents(store) == before


async def test_what_a_file_grew_by_is_counted_and_its_cut_last_line_when_it_is_whole(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "f"
    await stored(written(path, [*DAY[:10], DAY[10][:-5]], end=b""), store)
    account = await stored(RecordFile(path, Layout()), store)
    assert account.unfinished == [f"{path}:11"]
    assert contents(store)[4] == {"applied": 10}
    await stored(written(path, DAY, end=b""), store)  # whole, though nothing stands behind the last one
    assert contents(store)[4] == {"applied": len(DAY)}
    await stored(written(path, [*DAY, told("contact.teleported", 0)], end=b""), store)
    assert contents(store)[4] == {"applied": len(DAY), "unknown_type": 1}


async def test_what_stands_before_the_damage_is_counted_and_the_rest_when_it_is_mended(
    tmp_path: Path,
) -> None:
    store, path = MemoryStore(), tmp_path / "f"
    file = written(path, DAY)
    whole = path.read_bytes()
    path.write_bytes(gzip.compress(whole[: len(whole) // 2]) + gzip.compress(whole[len(whole) // 2 :])[:-9])
    with pytest.raises(FileError, match="the gzip data ends too early"):
        await stored(file, store)
    assert contents(store)[0] > len(DAY) // 3
    await stored(written(path, DAY), store)
    assert contents(store)[4] == {"applied": len(DAY)}


async def test_strict_stores_nothing_from_the_line_on(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "f"
    for _ in range(2):
        with pytest.raises(StrictError, match=r"f:41: not_json: "):
            await stored(
                written(path, [*DAY[:40], BAD, *DAY[40:]]), store, FileReplay(decode, strict=True), batch=10
            )
        assert contents(store)[4] == {"applied": 40}  # four batches of ten
    await stored(written(path, DAY), store)
    assert contents(store)[4] == {"applied": len(DAY)}


async def test_a_file_in_other_words_is_not_drained(tmp_path: Path) -> None:
    """With the right dialect it can still be counted."""
    store, path = MemoryStore(), tmp_path / "f"
    with pytest.raises(
        FileError, match=r"f:1: not_json: .*; none of the first 2 records is an event, so nothing"
    ):
        await stored(written(path, [b"1763800200|c|sales|NONE|ENTERQUEUE||1|1", b"", b"x"]), store)
    assert contents(store)[0] is None
    await stored(written(path, [DAY[0], *[BAD] * 99]), store, batch=1)
    with pytest.raises(FileError, match=r"records in a row are dead letters .*STREAM_APP_MAX_DEAD_IN_A_ROW"):
        await stored(written(path, [DAY[0], *[BAD] * 99, *[b"{"] * 50]), store, most_dead=20)
    partition = next(p for p, found in store.partitions.items() if found.position)
    assert store.partitions[partition].results == {
        "applied": 1,
        "dead_letter": 99,
        "dead_letter:not_json": 99,
    }


async def test_an_empty_file_has_nothing_to_count(tmp_path: Path) -> None:
    store = MemoryStore()
    account = await stored(written(tmp_path / "f", [], end=b"\n \n"), store)
    assert (account.read, store.partitions) == (0, {})


async def test_two_runs_at_once_count_once(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "f"
    values = [value for n in range(3_000) for value in visit(f"c{n}", n * 1_000)]
    written(path, values)

    async def one() -> Account | FencedError:
        try:
            return await stored(RecordFile(path, Layout()), store, batch=1_000)
        except FencedError as error:
            return error

    found = await asyncio.gather(one(), one())
    assert sum(isinstance(each, FencedError) for each in found) == 1
    assert contents(store)[4] == {"applied": len(values)}


async def test_two_files_are_two_partitions(tmp_path: Path) -> None:
    store = MemoryStore()
    for name, part in zip(("a", "b"), cut(DAY, [80]), strict=True):
        await stored(written(tmp_path / name, part), store)
    assert sorted(p.topic for p in store.partitions) == ["file:a", "file:b"]
    assert all(isinstance(p, Partition) and c.position == 80 for p, c in store.partitions.items())


# --- into a topic ---


class Taken:
    """A sink that remembers what it was given."""

    def __init__(self) -> None:
        self.puts: list[list[Record]] = []

    async def send(self, records: Sequence[Record]) -> None:
        assert records
        self.puts.append(list(records))

    @property
    def records(self) -> list[Record]:
        return [record for put in self.puts for record in put]


@pytest.mark.slow
async def test_records_keep_their_bytes_and_get_the_key_and_the_time_of_their_events(
    tmp_path: Path, hostile: list[bytes]
) -> None:
    sink, run = Taken(), FileReplay(decode)
    await into_topic([written(tmp_path / "f", hostile)], sink, run)
    events = []
    for value in hostile:
        if len(value) > MAX_EVENT_BYTES:
            continue
        try:
            events.append((decode(value)[0], value))
        except (UnreadableError, UnknownTypeError):
            continue
    assert [(s.at, s.value) for s in sink.records] == [(event.at, value) for event, value in events]
    names = ("contact_id", "agent", "customer", "source", "id")
    about = [next(v for n in names if (v := getattr(event, n, None))) for event, _ in events]
    assert [s.key for s in sink.records] == about
    assert run.account.sent == len(events)
    reference = referred(hostile)
    assert run.account.results["unknown_type"] == reference.results["unknown_type"]
    dead = {key: n for key, n in reference.reasons.items() if key[0] == "dead_letter" and key[1] != "future"}
    assert run.account.reasons == dead
    assert run.account.read == run.account.sent + sum(run.account.results.values())


async def test_a_record_of_several_events_goes_to_the_first_s_contact_at_the_time_of_the_last(
    tmp_path: Path,
) -> None:
    def several(value: bytes, _headers: Any = ()) -> tuple[Event, ...]:
        return tuple(event for part in value.split(b"|") for event in decode(part) if b"{" in part)

    def small(kind: str, at: int, contact: str) -> bytes:
        return told(kind, at, contact, queue="x").replace(b" ", b"")

    two = small("contact.queued", 5, "a") + b"|" + small("contact.queued", 9, "b")
    sink, run = Taken(), FileReplay(several)
    await into_topic([written(tmp_path / "f", [two])], sink, run)
    assert sink.records == [Record("a", T0 + 9, two)]
    await into_topic([written(tmp_path / "f", [two])], sink, FileReplay(several, key="pbx-1"))
    assert sink.records[1:] == [Record("pbx-1", T0 + 9, two)]

    async def nothing(value: bytes) -> None:
        await into_topic([written(tmp_path / "f", [value])], sink, silent)

    silent = FileReplay(lambda _value, _headers=(): ())
    await nothing(b"tells nothing")
    assert (len(sink.records), silent.account.results) == (2, {"ignored": 1})


async def test_strict_and_damage_come_after_what_stands_before_them(tmp_path: Path) -> None:
    sink = Taken()
    with pytest.raises(StrictError, match=r"f:7: "):
        await into_topic([written(tmp_path / "f", [*DAY[:6], BAD])], sink, FileReplay(decode, strict=True))
    assert [s.value for s in sink.records] == DAY[:6]
    sink = Taken()
    file = written(tmp_path / "f", DAY)
    (tmp_path / "f").write_bytes(gzip.compress((tmp_path / "f").read_bytes())[:-1])
    with pytest.raises(FileError):
        await into_topic([file], sink, FileReplay(decode))
    assert [s.value for s in sink.records] == DAY


async def test_a_pace_keeps_the_recording_s_time(tmp_path: Path) -> None:
    now, slept = [100.0], [0.0]

    async def sleep(seconds: float) -> None:
        assert 0 < seconds <= 0.25
        now[0] += seconds
        slept[0] += seconds

    class Timed(Taken):
        async def send(self, records: Sequence[Record]) -> None:
            for record in records:
                late = now[0] - 100 - (record.at - T0) / 1000 / 10
                assert -1e-6 <= late < 0.26, record.at
            await super().send(records)

    sink = Timed()
    steps = [0, 0, 1_000, 900, 5_000, 20_000]  # one is out of order: it is late, and goes at once
    values = [told("contact.queued", at, f"c{n}", queue="x") for n, at in enumerate(steps)]
    await into_topic(
        [written(tmp_path / "f", values)], sink, FileReplay(decode), ReplayPace(10, lambda: now[0], sleep)
    )
    assert [s.value for s in sink.records] == values
    assert slept[0] == pytest.approx(2.0)
    assert [len(put) for put in sink.puts] == [2, 2, 1, 1]


async def sent(
    path: Path, values: Sequence[bytes], selection: Selection, limit: int | None = None
) -> list[int]:
    """Which of the values are sent."""
    sink, run = Taken(), FileReplay(decode, selection=selection, limit=limit)
    await into_topic([written(path, values)], sink, run)
    assert run.account.left_out + run.account.sent == run.account.read or limit
    return [values.index(record.value) for record in sink.records]


async def test_events_that_name_no_queue_go_with_their_contact(tmp_path: Path) -> None:
    values = [
        *visit("a", 0, queue="sales"),
        *visit("b", 0, queue="billing", channel="chat"),
        told("contact.refused", 0, "c", queue="sales"),
        told("agent.state", 0, agent="g", state="break"),
        told("contact.ended", 0, "never-queued"),
        told("contact.queued", 1, "a", queue="billing", channel="chat"),
        told("agent.missed", 2, "a"),
        told("agent.missed", 3, "a", queue="billing"),
    ]
    path = tmp_path / "f"
    everything = list(range(len(values)))
    assert await sent(path, values, Selection()) == everything
    assert await sent(path, values, Selection(["sales"])) == [0, 1, 2, 3, 8, 12]
    assert await sent(path, values, Selection(["billing"])) == [4, 5, 6, 7, 11, 12, 13]
    assert await sent(path, values, Selection(["billing", "sales"])) == [
        n for n in everything if n not in (9, 10)
    ]
    assert await sent(path, values, Selection(channels=["chat"])) == [4, 5, 6, 7, 11, 12, 13]
    assert await sent(path, values, Selection(["sales"], ["chat"])) == []
    assert await sent(path, values, Selection(["sales"], begin=T0 + 5_000)) == [1, 2, 3]
    assert await sent(path, values, Selection(end=T0 + 1)) == [0, 4, 8, 9, 10]
    assert await sent(path, values, Selection(["billing"]), limit=3) == [4, 5, 6]
