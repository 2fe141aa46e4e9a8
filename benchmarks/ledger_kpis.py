"""How long numbers of a month take where the ledger holds ten million visits: a year of a very large centre."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow.compute
from msgspec import structs

from stream_app.ledger.columns import CASES, VISITS
from stream_app.ledger.kpis import FAMILIES, LedgerQuestion
from stream_app.ledger.kpis.asking import look_up_together, prepare, range_of, sums_of_windows
from stream_app.ledger.kpis.refreshing import LIMITS
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifest import Manifest, RowsFile, pack
from stream_app.ledger.parquet_files import FileKey, OpenFile, day_of
from stream_app.ledger.places import manifest as manifest_name
from stream_app.ledger.querying import FailedQueryError, TooLargeQueryError, TooSlowQueryError
from stream_app.ledger.reading import LedgerReader
from stream_app.ledger.tables import ColumnKind, LedgerTable
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.moments import Moments
from tests.services.redis import RedisServer

from .figures import Figure

N: Final = 10_000_000
PARTITIONS: Final = 4
DAYS: Final = 365
DAY: Final = 86_400_000
START: Final = 1_767_225_600_000  # 2026-01-01
END: Final = START + DAYS * DAY
MONTH: Final = LedgerQuestion(start=END - 30 * DAY, end=END, known=END)
WINDOWS: Final = tuple(LedgerQuestion(start=END - days * DAY, end=END, known=END) for days in (28, 7, 1))
LONGEST: Final = 8
"""Days that an e-mail takes, at most."""
_TYPES: Final[dict[ColumnKind, str]] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "moment": "timestamptz",
    "yes_no": "boolean",
}
# Of ten visits, nine are handled, one of twelve is passed on, one of eight is an e-mail, which takes days; a customer comes
# four times a year, as chance has it.
_VISIT: Final = {
    "topic_id": "'T'",
    "partition": f"i % {PARTITIONS}",
    '"offset"': "i",
    "n": "0",
    "version": "1",
    "started_at": "epoch_ms(began)",
    "contact_id": "md5(i::varchar)",
    "queue": "'queue ' || (h // 60 % 40)",
    "channel": "case when h // 60 % 40 < 25 then 'voice' when h // 60 % 40 < 35 then 'chat' else 'email' end",
    "agent": "'agent ' || (h % 1500)",
    "team": "'team ' || (h % 60)",
    "customer": "'u' || (hash(i) % 2500000)",
    '"case"': "case when i % 5 = 0 then 'k' || i end",
    "outbound": "false",
    "offered_at": "epoch_ms(began)",
    "answered_at": "case when h % 10 > 0 then epoch_ms(began + 20000) end",
    "abandoned_at": "case when h % 10 = 0 then epoch_ms(began + 60000) end",
    "transferred_at": "case when h % 10 > 0 and h % 12 = 0 then epoch_ms(ended - 40000) end",
    "handled_at": "case when h % 10 > 0 then epoch_ms(ended) end",
    "handled_transferred": "h % 12 = 0",
    "handled_pending_ms": "0",
    "handled_talk_ms": "300000",
    "handled_hold_ms": "0",
    "handled_wrap_ms": "40000",
    "to_bot_at": "case when h // 60 % 40 between 25 and 34 and h % 7 = 0 then epoch_ms(began) end",
    "contained_at": "case when h // 60 % 40 between 25 and 34 and h % 14 = 0 then epoch_ms(ended) end",
}
_CASE: Final = {
    "topic_id": "'T'",
    "partition": f"i % {PARTITIONS}",
    '"offset"': "i",
    "n": "1",
    "version": "1",
    '"at"': "epoch_ms(ended)",
    "event": "case when h % 30 = 0 then 'escalated' when h % 30 = 1 then 'reopened' else 'resolved' end",
    "contact_id": "md5((i - case when h % 30 = 1 then 4000 else 0 end)::varchar)",
    '"case"': "'k' || (i - case when h % 30 = 1 then 4000 else 0 end)",
    "queue": "'queue ' || (h // 60 % 40)",
    "channel": "'voice'",
}


def measure() -> list[Figure]:
    """Medians of what takes longest: it looks through all contacts of a month, and what came before and after."""
    with RedisServer(aof=False) as server, tempfile.TemporaryDirectory() as folder:
        fill(server, Path(folder))
        return asyncio.run(_ask(server, Path(folder)))


def fill(server: RedisServer, folder: Path) -> None:
    """Write the files of each partition's days, and what Redis says of each partition."""
    files: dict[int, list[RowsFile]] = {number: [] for number in range(PARTITIONS)}
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        for table, told, some in ((VISITS, _VISIT, 1), (CASES, _CASE, 5)):
            for day in range(DAYS):
                for number, file in _files(database, folder, table, told, some=some, day=day):
                    files[number].append(file)
    with server.client() as client:
        for number, some_files in files.items():
            partition = Partition("calls", number)
            made = Manifest(1, "bench", END, END, END, "T", {"T": N}, files=tuple(some_files))
            asyncio.run(LocalFiles(folder).create(manifest_name(partition, 1), pack(made)))
            client.sadd(keys.PARTITIONS, str(partition))
            said = {"seq": 1, "position": N, "time": END, "topic": "T", "out": N, "noted": N}
            client.hset(keys.meta(partition), mapping=said)


def _files(
    database: Any, folder: Path, table: LedgerTable, told: dict[str, str], *, some: int, day: int
) -> Iterator[tuple[int, RowsFile]]:
    """Write what ended on a day, a file a partition."""
    begin, end = N * max(0, day - LONGEST) // DAYS, N * (day + 1) // DAYS
    rows = (
        f"select *, began + case when h // 60 % 40 < 35 then 360000 else h % {LONGEST} * {DAY} + 3600000 end as ended "
        f"from (select i, (hash(i, 7) % 1000003)::bigint as h, {START} + i * {DAYS * DAY} // {N} as began "
        f"from range({begin}, {end}) as r(i) where i % {some} = 0)"
    )
    since = START + day * DAY
    made = database.execute(
        f"select {_columns(table, told)} from ({rows}) where ended >= {since} and ended < {since + DAY} order by ended"
    ).to_arrow_table()
    made = made.cast(table.schema)
    for number in range(PARTITIONS):
        open_ = OpenFile(FileKey(table.name, day_of(since), "T"), table, folder)
        open_.write(made.filter(pyarrow.compute.equal(made["partition"], number)))
        done = open_.finish()
        if done is not None:
            name = f"{table.name}-{number}-{day:03}.parquet"
            done.path.rename(folder / name)
            yield number, structs.replace(done.described, name=name)


def _columns(table: LedgerTable, told: dict[str, str]) -> str:
    known = {name.strip('"'): text for name, text in told.items()}
    return ", ".join(
        f'cast({known.get(column.name, "null")} as {_TYPES[column.kind]}) as "{column.name}"'
        for column in table.columns
    )


async def _ask(server: RedisServer, folder: Path) -> list[Figure]:
    on_request = LedgerReader(LocalFiles(folder), Moments(server.url), {"": 4_000})
    refreshing = LedgerReader(LocalFiles(folder), Moments(server.url), {"": 4_000}, limits=LIMITS)
    try:
        month, month_cpu, _ = await _seconds(on_request, ["journeys"], [MONTH], 5)
        every, every_cpu, failed = await _seconds(refreshing, [*FAMILIES], WINDOWS, 1)
    finally:
        await on_request.close()
        await refreshing.close()
    return [
        Figure("ledger_first_contact_month_seconds", round(month, 3), "s"),
        Figure("ledger_first_contact_month_cpu_seconds", round(month_cpu, 3), "s"),
        Figure("ledger_refresh_seconds", round(every, 3), "s"),
        Figure("ledger_refresh_cpu_seconds", round(every_cpu, 3), "s"),
        Figure("ledger_refresh_failed_families", len(failed), "families"),
    ]


async def _seconds(
    reader: LedgerReader, families: Sequence[str], questions: Sequence[LedgerQuestion], times: int
) -> tuple[float, float, set[str]]:
    """Return medians of wall and CPU time, from opening the ledger on, and the families that failed.

    The first time is left out, which reads the manifests. A family that fails takes its time, too; as where numbers are
    refreshed, the others go on.
    """
    wall, cpu, failed = [], [], set[str]()
    for _ in range(times + 1):
        begun, worked = time.perf_counter(), time.process_time()
        async with reader.opened(lambda _: range_of(questions)) as ledger:
            await prepare(ledger.queries)
            if len(families) == len(FAMILIES):  # as where numbers are refreshed
                await look_up_together(ledger.queries, questions[0])
            for name in families:
                groups = [group for group in ("queue", "channel") if group in FAMILIES[name].groups]
                try:
                    found = await sums_of_windows(ledger.queries, FAMILIES[name], questions, groups)
                except (TooSlowQueryError, TooLargeQueryError, FailedQueryError) as error:
                    print(f"{name}: {error}", file=sys.stderr)
                    failed.add(name)
                    continue
                if name == "journeys" and [len(one) for one in found] != [40] * len(questions):
                    raise RuntimeError(f"expected 40 queues, got {[len(one) for one in found]}")
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - worked)
    return statistics.median(wall[1:]), statistics.median(cpu[1:]), failed


if __name__ == "__main__":
    for figure in measure():
        print(figure)
