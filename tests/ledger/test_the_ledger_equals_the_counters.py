"""Real commits, a Redis that goes back, SQL made of the counters' declarations: the files say what Redis has counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import redis

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.ledger.columns import IN_HAPPENINGS, IN_VISITS, fact_column
from stream_app.ledger.local_files import LocalFiles
from stream_app.model.fold.cells import is_sketch, unpack_cell
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.tally import Tally
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.kpis import COUNTERS
from stream_app.model.kpis.sums import Counter
from stream_app.store import keys
from stream_app.store.codec import unpack_visits
from stream_app.store.outbox import Outboxes
from stream_app.store.redis import RedisStore
from tests.e2e.verifier import KINDS, numbered, place_of
from tests.model.kept import Line
from tests.services.redis import RedisServer

from .desk import MINUTE, P0, T0, Clock, identities, newest, writer

TABLE = {kind: table for table, kinds in {"visits": IN_VISITS, **IN_HAPPENINGS}.items() for kind in kinds}


def records() -> list[Line]:
    """Contacts of every kind, all of them over in the end."""
    told: list[dict[str, Any]] = []
    for n in range(40):
        at, contact = T0 + n * 31_000, f"c{n}"
        call: dict[str, Any] = {"contact_id": contact, "queue": ("sales", "help")[n % 2]}
        chat = call | {"channel": "email"}
        steps: list[tuple[str, int, dict[str, Any]]] = [
            [
                ("contact.queued", 0, call),
                ("contact.answered", 4 + n, call | {"agent": "ann"}),
                ("contact.ended", 90, call),
                ("contact.wrapped", 99, call),
                ("survey.answered", 120, {"contact_id": contact, "kind": "csat", "score": n % 5 + 1}),
            ],
            [
                ("contact.queued", 0, call),
                ("contact.abandoned", 3 + n, call),
                ("contact.queued", 50, call | {"resumes": True}),
                ("contact.left_queue", 80, call | {"reason": "transfer"}),
            ],
            [
                ("contact.queued", 0, chat),
                ("message.sent", 60, chat | {"agent": "bert"}),
                ("message.received", 80, chat),
                ("message.sent", 200 + n, chat | {"agent": "bert"}),
                ("contact.ended", 300, chat),
                ("contact.wrapped", 310, chat),
            ],
            [("contact.refused", 0, call | {"reason": "full"})],
        ][n % 4]
        told += [{"type": kind, "at": at + 1_000 * after, **more} for kind, after, more in steps]
    told.sort(key=lambda event: int(event["at"]))
    # A day later, whatever had no end has timed out.
    told.append(
        {"type": "contact.refused", "at": T0 + 3 * 86_400_000, "contact_id": "last", "queue": "sales"}
    )
    return [
        Line(n, json.dumps({"id": f"i{n}", **event}).encode(), int(event["at"]))
        for n, event in enumerate(told)
    ]


def counted(client: redis.Redis) -> dict[tuple[str, str], dict[str, int]]:
    """Queue and channel → counter → total, as it is in Redis."""
    found: Any = [client.hgetall(f"kpi:names:{kind}") for kind in KINDS]
    names = numbered(dict(zip(KINDS, found, strict=True)))
    cells: Any = client.hgetall(keys.cells(P0, 0, 0))
    return {
        place_of(place, names): {
            names["counter"][number]: n
            for number, n in unpack_cell(packed).items()
            if n and not is_sketch(number)
        }
        for place, packed in cells.items()
    }


def query(counter: Counter, files: list[str]) -> str:
    """The SQL of a counter, made of its declaration."""
    added = " + ".join(fact_column(counter.fact, field) for field in counter.fields) or "1"
    sign = "" if TABLE[counter.fact] == "visits" else "sign * "
    holds = f"{fact_column(counter.fact, 'at')} IS NOT NULL"
    if counter.where is not None:
        field, value = counter.where
        holds += f" AND {fact_column(counter.fact, field)} = '{value}'"
    read = f"read_parquet({files}, hive_partitioning = false)"
    return f"SELECT queue, channel, sum({sign}({added})) FROM {read} WHERE {holds} GROUP BY ALL"


async def in_the_ledger(storage: LocalFiles, folder: Path) -> dict[tuple[str, str], dict[str, int]]:
    held = await newest(storage)
    tables: dict[str, list[str]] = {}
    for file in held.files:
        tables.setdefault(file.table, []).append(str(folder / file.name))
    found: dict[tuple[str, str], dict[str, int]] = {}
    with duckdb.connect() as database:
        for counter in COUNTERS:
            if files := tables.get(TABLE[counter.fact]):
                for queue, channel, n in database.execute(query(counter, files)).fetchall():
                    if n:
                        found.setdefault((queue, channel), {})[counter.name] = int(n)
    return found


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


async def test_through_rollbacks_the_files_say_what_redis_has_counted(
    server: RedisServer, tmp_path: Path
) -> None:
    lines, storage, clock = records(), LocalFiles(tmp_path), Clock()

    async def count(upto: int, token: str, size: int = 7) -> None:
        """Go on from where Redis is, as a worker does."""
        store = RedisStore(server.url)
        claim = await store.claim(P0, token, topic_id="t1")
        fold = Fold(claim.targets, Tally(claim.numbers), claim.memory, noted=Noted(on=True))
        while (at := claim.position or 0) < upto:
            batch = lines[at : min(at + size, upto)]
            await claim.apply(fold_records(fold, batch, claim.position, decode))
        await store.close()

    async def write() -> None:
        outboxes = Outboxes(server.url)
        clock.now += MINUTE
        await writer(outboxes, storage, clock).round()
        await outboxes.close()

    await count(60, "a")
    await write()
    await count(100, "b")
    await write()
    for n, lost in enumerate((3, 9)):
        await asyncio.to_thread(server.stop)
        server.cut_aof(lost)
        await asyncio.to_thread(server.start)
        await count(110 + n, f"c{n}", size=5)
        await write()
    await count(len(lines), "d")
    await write()
    with server.client() as client:
        expected = counted(client)
        packed: Any = client.hvals(keys.visits(P0))
        assert {visit.state for one in packed for visit in unpack_visits(one)} <= {*range(REMEMBERED, 99)}, (
            "all are over"
        )
        assert not client.xlen(keys.outbox(P0))
    found = await in_the_ledger(storage, tmp_path)
    assert found == expected
    assert {name for place in expected.values() for name in place} > {
        "answered",
        "replies",
        "csat_satisfied",
        "refused",
        "left",
    }
    held = await newest(storage)
    assert held.cuts
    assert held.holes == ()
    rows = await identities(storage, tmp_path)
    assert len({key for key, _ in rows}) == len(rows)
