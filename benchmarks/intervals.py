"""Interval rows of 400 days, 200 queues and 2 channels: bytes a row in Redis; seconds and memory of one queue's month.

Some of the contacts leave or are refused, for all of the reasons that have columns. What those columns cost is measured beside
the same rows without them: bytes, and the time to count and to read them.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from math import pi, sin
from random import Random
from statistics import median
from typing import Final, TypeVar, get_args

from stream_app.model import events as e
from stream_app.model.durations import DAY
from stream_app.model.fold.fold import Fold
from stream_app.model.intervals.columns import COLUMNS, FLOW, FREE, INTERVAL_MS, MINUTES, PLACES
from stream_app.model.intervals.counting import INTERVALS_A_DAY, NUMBERS, SETTLED_AFTER, Amounts
from stream_app.model.intervals.day import DayRows, rows_of
from stream_app.model.ports import Partition
from stream_app.model.reasons import LeftBy, RefusedBy
from stream_app.model.targets import Targets
from stream_app.store import keys
from stream_app.store.codec import pack_amounts, pack_day, unpack_day
from stream_app.store.intervals.commands import IntervalStore
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.intervals.state import DayKey, PublisherState, WriteResult
from stream_app.store.names import Names
from tests.services.redis import RedisServer

from .figures import Figure

DAYS: Final = 400
QUEUES: Final = 200
CHANNELS: Final = ("voice", "chat")
PARTITIONS: Final = 4
FIRST: Final = 20_000
"""The number of the first day."""
TEMPLATES: Final = 60
MONTH: Final = 31
MOST_BYTES: Final = 100
MOST_S: Final = 0.3
ROUNDS: Final = 5
PACKED_ROUNDS: Final = 15
CALLS: Final = 10_000
"""Contacts that come and leave in a round of counting."""
_LEFT: Final = [f"left_{by}" for by in get_args(LeftBy) if by != "other"]
_REFUSED: Final = [f"refused_{by}" for by in get_args(RefusedBy) if by != "other"]
LATER: Final = tuple(name for name, column in COLUMNS.items() if column.number >= FREE)
"""The columns that follow the minutes' flows in a stored row: a row without any of them ends before."""
REDIS: Final = ("--hash-max-listpack-value", "96")
"""As in compose: with the default, one row of more than 64 bytes doubles the memory of a partition's day."""
_WRITER: Final = "bench"

T = TypeVar("T")


def measure() -> list[Figure]:
    """All figures of interval rows."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with RedisServer(aof=False, args=REDIS) as server:
        store, reader = IntervalStore(server.url), IntervalReader(server.url)
        try:
            published = await _publish(store)
            own = await _keep_own(store)
            seconds, peak, rows = await _month(reader)
        finally:
            await store.close()
            await reader.close()
    # A partition keeps its own rows as long as they may change; spread over all rows that are kept.
    kept_days = SETTLED_AFTER / DAY + 1
    total = published + own * PARTITIONS * kept_days / DAYS
    return [
        Figure("interval_row_bytes", round(total, 1), "bytes", MOST_BYTES, round(total / MOST_BYTES, 3)),
        Figure("interval_row_bytes_published", round(published, 1), "bytes"),
        Figure("interval_row_bytes_of_a_partition", round(own, 1), "bytes"),
        Figure(
            "interval_month_of_a_queue_seconds", round(seconds, 4), "s", MOST_S, round(seconds / MOST_S, 3)
        ),
        Figure("interval_month_of_a_queue_bytes_per_row", round(peak / rows), "bytes"),
        _packed(),
        _unpacking(),
        _counting(),
    ]


# --- what reasons cost ---


def _packed() -> Figure:
    """Bytes of a row in a packed day, beside the same rows without the later columns."""
    whole, without = (
        sum(len(_day(Random(seed), later=later)) for seed in range(TEMPLATES)) / TEMPLATES / INTERVALS_A_DAY
        for later in (True, False)
    )
    return Figure(
        "interval_row_packed_bytes", round(whole, 1), "bytes", round(without, 1), round(whole / without, 3)
    )


def _unpacking() -> Figure:
    """Seconds from a packed month to its rows, beside the same month without the later columns."""

    def month(*, later: bool) -> list[bytes]:
        return [_day(Random(seed), later=later) for seed in range(MONTH)]

    def read(days: list[bytes]) -> float:
        started = time.perf_counter()
        for number, packed in enumerate(days):
            list(rows_of(number, unpack_day(packed), "billing", "voice"))
        return time.perf_counter() - started

    return _paired("interval_month_unpacked_seconds", month(later=True), month(later=False), read)


def _counting() -> Figure:
    """Seconds to count contacts that leave for a reason, beside the same contacts without one: one more column a contact."""

    def calls(reason: str | None) -> list[e.Event]:
        found: list[e.Event] = []
        for n in range(CALLS):
            at = FIRST * DAY + n * 500
            contact = f"c{n}"
            found.append(e.Queued(id=f"q{n}", at=at, contact_id=contact, queue="billing", channel="voice"))
            found.append(
                e.LeftQueue(id=f"l{n}", at=at + 20_000, contact_id=contact, queue="billing", reason=reason)
            )
        return sorted(found, key=lambda event: int(event.at))

    def count(events: list[e.Event]) -> float:
        fold = Fold(Targets())
        fold.by_broker = True
        started = time.perf_counter()
        for n, event in enumerate(events):
            fold.record(event, -1)
            if n % 2_000 == 0:
                fold.take()
        fold.take()
        return time.perf_counter() - started

    return _paired("interval_counting_with_reasons_seconds", calls("timeout"), calls(None), count)


def _paired(name: str, one: T, other: T, work: Callable[[T], float]) -> Figure:
    """Do both in turn; the ratio is the median of the rounds'."""
    work(one), work(other)
    times = []
    gc.disable()
    try:
        for _ in range(PACKED_ROUNDS):
            times.append((work(one), work(other)))
            gc.collect()
    finally:
        gc.enable()
    ratio = median(mine / theirs for mine, theirs in times)
    mine, theirs = (median(seconds) for seconds in zip(*times, strict=True))
    return Figure(name, round(mine, 5), "s", round(theirs, 5), round(ratio, 3))


# --- what is kept ---


async def _publish(store: IntervalStore) -> float:
    """Fill it as a publisher would, a day at a time; gives bytes a row, the index of revisions among them."""
    await store.lease(_WRITER, 600_000)
    places = [b"%d.%d" % (q, c) for q in range(1, QUEUES + 1) for c in range(1, len(CHANNELS) + 1)]
    await Names(store.client, "queue").learn(f"queue-{n:03d}" for n in range(1, QUEUES + 1))
    await Names(store.client, "channel").learn(CHANNELS)
    templates = [_day(Random(seed)) for seed in range(TEMPLATES)]
    before = (await store.client.info("memory"))["used_memory"]
    state = PublisherState(revision=FIRST * DAY * NUMBERS)
    for number in range(FIRST, FIRST + DAYS):
        days: dict[DayKey, DayRows] = {
            (number, place): DayRows(number, unpack_day(templates[(n + number) % TEMPLATES]))
            for n, place in enumerate(places)
        }
        for quarter in range(INTERVALS_A_DAY):  # as they become final: all queues, every 15 minutes
            state.final = number * DAY + (quarter + 1) * INTERVAL_MS
            state.revision = max(state.revision, state.final * NUMBERS) + len(places)
            numbered = [(number, place, [quarter]) for place in places]
            await store.write(_WRITER, state, {}, WriteResult(numbered=numbered))
        for day in days.values():
            _, state.revision = day.finish(state.final, state.revision)
        await store.write(_WRITER, state, {key: day.day for key, day in days.items()}, WriteResult())
    after = (await store.client.info("memory"))["used_memory"]
    return float(after - before) / (DAYS * QUEUES * len(CHANNELS) * INTERVALS_A_DAY)


async def _keep_own(store: IntervalStore) -> float:
    """Measure a partition's own rows of one day; return bytes per row."""
    partition, chance = Partition("events", 0), Random(1)
    used = 0
    for queue in range(1, QUEUES + 1):
        pipe = store.client.pipeline(transaction=False)
        for channel in range(1, len(CHANNELS) + 1):
            rows = {n: pack_amounts(_amounts(n, chance, 1 / PARTITIONS)) for n in range(INTERVALS_A_DAY)}
            pipe.hset(keys.rows(partition, FIRST, b"%d.%d" % (queue, channel)), mapping=rows)
            pipe.memory_usage(keys.rows(partition, FIRST, b"%d.%d" % (queue, channel)), samples=0)
        used += sum((await pipe.execute())[1::2])
    return used / (QUEUES * len(CHANNELS) * INTERVALS_A_DAY)


async def _month(reader: IntervalReader) -> tuple[float, float, int]:
    """Seconds and the most memory that a month of one queue takes, and how many rows it is."""
    begin, end = (FIRST + 100) * DAY, (FIRST + 100 + MONTH) * DAY
    seconds = []
    for n in range(ROUNDS):
        started = time.perf_counter()
        rows = await reader.rows(begin, end, {f"queue-{n + 1:03d}"})
        seconds.append(time.perf_counter() - started)
        if len(rows) != MONTH * INTERVALS_A_DAY * len(CHANNELS):
            raise AssertionError(f"{len(rows)} rows came back")
    tracemalloc.start()
    rows = await reader.rows(begin, end, {"queue-100"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return median(seconds), float(peak), len(rows)


def _day(chance: Random, *, later: bool = True) -> bytes:
    """Return a packed day of a queue; without the ``LATER`` columns if so asked."""
    day = DayRows(0, None)
    dropped = set() if later else {PLACES[name] for name in LATER}
    for quarter in range(INTERVALS_A_DAY):
        amounts = {place: n for place, n in _amounts(quarter, chance).items() if place not in dropped}
        day.count(quarter, {1: amounts}, ())
    day.chain(0, {}, lambda _: 0)
    return pack_day(day.day)


def _amounts(quarter: int, chance: Random, share: float = 1.0) -> Amounts:
    """Return a 15-minute interval of a queue that gets up to thirty contacts in it."""
    shape = max(0.02, sin(pi * (quarter - 24) / 60)) if 24 <= quarter < 84 else 0.02
    came = [sum(chance.random() < 2 * shape * share / 10 for _ in range(10)) for _ in range(MINUTES)]
    offered = sum(came)
    abandoned = sum(chance.random() < 0.05 for _ in range(offered))
    left = Counter(chance.choice(_LEFT) for _ in range(offered - abandoned) if chance.random() < 0.04)
    refused = Counter(chance.choice(_REFUSED) for _ in range(offered) if chance.random() < 0.02)
    answered = offered - abandoned - left.total()
    counted = {
        "offered": offered,
        "answered": answered,
        "answered_in_target": round(answered * 0.8),
        "abandoned": abandoned,
        "abandoned_in_target": abandoned // 2,
        "abandoned_short": abandoned // 4,
        "left": left.total(),
        "left_in_target": left.total() // 2,
        "refused": refused.total(),
        "handled": answered,
        "talk_ms": round(answered * chance.uniform(200_000, 300_000)),
        "hold_ms": round(answered * chance.uniform(5_000, 20_000)),
        "wrap_ms": round(answered * chance.uniform(20_000, 60_000)),
        "wait_ms": round(answered * chance.uniform(5_000, 30_000)),
        "abandon_wait_ms": round(abandoned * chance.uniform(5_000, 60_000)),
        "longest_wait_ms": round(chance.uniform(20_000, 90_000)) if offered else 0,
        "missed": sum(chance.random() < 0.05 for _ in range(answered)),
        "left_wait_ms": round(left.total() * chance.uniform(20_000, 90_000)),
        **left,
        **refused,
    }
    flows = {FLOW + minute: n - chance.randrange(n + 1) for minute, n in enumerate(came)}
    flows[FLOW + MINUTES - 1] = -sum(list(flows.values())[:-1])
    return {**{PLACES[name]: n for name, n in counted.items()}, **flows}
