"""What a commit notes for the ledger stands in the partition's outbox, or nowhere: with its counters, in one step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.facts import Handled, Offered
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.ledger import Happening, VisitRow, counted_by, join_rows, pack_row, unpack_rows
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.outbox import entry_of, plain_rows, stored_rows
from stream_app.store.redis import RedisClaim, RedisStore
from tests.model.kept import Line

PARTITION = Partition("calls", 0)
T0 = 1_790_000_000_000
OUTBOX = f"{keys.prefix(PARTITION)}:outbox"


def told(kind: str, offset: int, seconds: int, contact: str = "c", **more: str) -> Line:
    fields = {"type": kind, "id": f"i{offset}", "at": T0 + 1000 * seconds, "contact_id": contact, **more}
    text = ", ".join(
        f'"{name}": {value if name == "at" else chr(34) + str(value) + chr(34)}'
        for name, value in fields.items()
    )
    return Line(offset, f"{{{text}}}".encode(), T0 + 1000 * seconds)


def call(offset: int, contact: str, seconds: int = 0) -> list[Line]:
    """One call, in four records."""
    return [
        told("contact.queued", offset, seconds, contact, queue="sales", customer="u1"),
        told("contact.answered", offset + 1, seconds + 5, contact, agent="a1", team="red"),
        told("contact.ended", offset + 2, seconds + 60, contact),
        told("contact.wrapped", offset + 3, seconds + 70, contact, wrap_up_code="sold"),
    ]


class Worker:
    """A claim and its fold."""

    def __init__(self, claim: RedisClaim, *, on: bool = True) -> None:
        self.claim = claim
        self.fold = Fold(claim.targets, memory=claim.memory, noted=Noted(on=on))

    async def commit(self, lines: list[Line]) -> None:
        await self.claim.apply(fold_records(self.fold, lines, self.claim.position, decode))


async def entries(store: RedisStore) -> list[dict[str, Any]]:
    found = await store.client.xrange(OUTBOX)
    return [{k.decode(): v if k == b"rows" else v.decode() for k, v in fields.items()} for _, fields in found]


@pytest.fixture
async def store(redis_url: str) -> Any:
    store = RedisStore(redis_url)
    yield store
    await store.close()


async def test_an_entry_covers_all_since_the_one_before(store: RedisStore) -> None:
    worker = Worker(await store.claim(PARTITION, "t", topic_id="T"))
    await worker.commit(call(0, "a")[:2])
    assert await entries(store) == [], "nothing is over"
    await worker.commit(call(0, "a")[2:])
    await worker.commit(call(4, "b", 100))
    first, second = await entries(store)
    assert (first["from"], first["to"], second["from"], second["to"]) == ("0", "4", "4", "8")
    assert (first["topic"], first["version"], first["time"]) == ("T", "0", str(T0 + 70_000))
    (row,) = unpack_rows(first["rows"])
    assert isinstance(row, VisitRow)
    assert row.visit.notes is not None
    assert (row.offset, row.n, row.contact, row.visit.notes.customer) == (3, 0, "a", "u1")
    assert (row.visit.notes.team, row.visit.notes.wrap_up_code) == ("red", "sold")
    kinds = [type(fact) for fact in counted_by(row.visit)]
    assert (kinds[0], kinds[-1], len(kinds)) == (Offered, Handled, 5)


async def test_what_was_not_noted_is_not_covered(store: RedisStore) -> None:
    await Worker(await store.claim(PARTITION, "t")).commit(call(0, "a"))
    await Worker(await store.claim(PARTITION, "u"), on=False).commit(call(4, "b", 100))
    await Worker(await store.claim(PARTITION, "v")).commit(call(8, "c", 200))
    assert [(e["from"], e["to"]) for e in await entries(store)] == [("0", "4"), ("8", "12")]


async def test_the_first_entry_says_where_reading_began(store: RedisStore) -> None:
    """Kafka may not have kept what came before."""
    worker = Worker(await store.claim(PARTITION, "t"))
    await worker.commit(call(70, "a"))
    assert [(e["from"], e["to"]) for e in await entries(store)] == [("70", "74")]


async def test_a_commit_that_is_told_again_notes_nothing_again(store: RedisStore) -> None:
    worker = Worker(await store.claim(PARTITION, "t"))
    commit = fold_records(worker.fold, call(0, "a"), None, decode)
    await worker.claim.apply(commit)
    await worker.claim.apply(commit)
    assert len(await entries(store)) == 1


async def test_past_its_cap_the_oldest_go_and_it_is_known_how_far(redis_url: str) -> None:
    store = RedisStore(redis_url, outbox_bytes=700)
    worker = Worker(await store.claim(PARTITION, "t"))
    for n in range(10):
        await worker.commit(call(4 * n, f"c{n}", 100 * n))
    kept = await entries(store)
    bytes_, lost, out = await store.client.hmget(keys.meta(PARTITION), "out_bytes", "out_lost", "out")
    assert 0 < sum(len(e["rows"]) for e in kept) == int(bytes_) <= 700
    assert (lost.decode(), out.decode()) == (kept[0]["from"], "40")
    await store.close()


async def test_feedback_is_noted_when_it_comes_with_whose_it_was(store: RedisStore) -> None:
    worker = Worker(await store.claim(PARTITION, "t"))
    await worker.commit(call(0, "a")[:2])
    await worker.commit(
        [
            Line(
                2,
                b'{"type":"survey.answered","id":"s","at":%d,"contact_id":"a","kind":"nps","score":9}'
                % (T0 + 9_000),
                T0,
            )
        ]
    )
    (entry,) = await entries(store)
    (row,) = unpack_rows(entry["rows"])
    assert isinstance(row, Happening)
    assert (row.kind, row.sign, row.contact, row.queue, row.agent, row.customer) == (
        "opinion",
        1,
        "a",
        "sales",
        "a1",
        "u1",
    )
    assert row.about == {"event": "answered", "at": T0 + 9_000, "kind": "nps", "score": 9.0}
    assert row.visit_started == T0


@given(st.lists(st.binary(min_size=1, max_size=400).map(pack_row), max_size=60))
def test_rows_are_read_as_they_were_stored_compressed_or_not(rows: list[bytes]) -> None:
    stored = stored_rows(rows)
    assert plain_rows(stored) == join_rows(rows) == plain_rows(join_rows(rows))


async def test_a_commit_of_many_visits_takes_little_room(store: RedisStore) -> None:
    worker = Worker(await store.claim(PARTITION, "t"))
    await worker.commit([line for n in range(20) for line in call(4 * n, f"c{n}", n)])
    ((number, fields),) = await store.client.xrange(OUTBOX)
    rows = entry_of(number, fields).rows
    assert [row.offset for row in unpack_rows(rows)] == [4 * n + 3 for n in range(20)]
    assert len(fields[b"rows"]) < len(rows) / 2
    assert int(await store.client.hget(keys.meta(PARTITION), "out_bytes")) == len(fields[b"rows"])
