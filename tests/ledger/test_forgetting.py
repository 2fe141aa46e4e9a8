"""Nobody finds who was forgotten, whatever is written meanwhile or later; counts stay as they were."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from stream_app.ledger.columns import TABLES
from stream_app.ledger.forgetting import Forgetter
from stream_app.ledger.forgotten import add_forgotten, load_forgotten
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.tables import PERSONAL
from stream_app.model.ledger import Happening, VisitRow
from stream_app.store.outbox import Outboxes
from tests.services.command import run_command

from .desk import (
    MINUTE,
    P0,
    Clock,
    Commits,
    KillAt,
    identities,
    newest,
    reply_row,
    rows_of,
    visit_row,
    writer,
)


def of(offset: int, contact: str, customer: str | None = None, case: str | None = None) -> VisitRow:
    return visit_row(offset, contact=contact, customer=customer, case=case)


def reply_of(offset: int, contact: str) -> Happening:
    return msgspec.structs.replace(reply_row(offset, 1), contact=contact)


async def ids(storage: LocalFiles, folder: Path) -> dict[int, tuple[object, ...]]:
    rows = [row for table in TABLES for row in await rows_of(storage, folder, table)]
    return {row["offset"] * 10 + row["n"]: tuple(row.get(column) for column in PERSONAL) for row in rows}


async def test_with_a_customer_go_their_contacts_and_cases(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), Clock()
    await commits.commit(
        [
            of(0, "contact-zero", "anna-1002", "case-one"),
            of(1, "c1", "bert"),
            reply_of(2, "contact-zero"),
            of(3, "c3", None, "case-one"),
            of(4, "c4", "anna-1002"),
        ]
    )
    await writer(outboxes, storage, clock).round()
    before = await newest(storage)
    done = await Forgetter(storage, TABLES, clock).forget({"customer": {"anna-1002"}})
    assert (done.rows, done.files) == (4, 2)
    nobody = (None, None, None)
    assert await ids(storage, tmp_path) == {
        0: nobody,
        10: ("c1", "bert", None),
        21: nobody,
        30: nobody,
        40: nobody,
    }
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    assert not {file.name for file in await storage.files("visits")} & {file.name for file in before.files}
    everything = b"".join(path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    for told in (b"anna-1002", b"contact-zero", b"case-one"):
        assert told not in everything

    await commits.commit([of(10, "contact-zero"), of(11, "c11", "anna-1002"), of(12, "c12")])
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    found = await ids(storage, tmp_path)
    assert (found[100], found[110], found[120]) == (nobody, nobody, ("c12", None, None))
    again = await Forgetter(storage, TABLES, clock).forget({"customer": {"anna-1002"}})
    assert (again.rows, again.files) == (0, 0)
    assert (await newest(storage)).forgotten == 1


@pytest.mark.parametrize("place", ["before_files", "before_manifest", "before_removal"])
async def test_a_writer_under_way_blanks_them_too(
    place: str, redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    """Also one that has the former list, and whose partition has nothing yet."""
    commits, clock = Commits(redis_client), Clock()
    stopped, go_on = asyncio.Event(), asyncio.Event()

    class Stop(KillAt):
        async def hit(self, name: str) -> None:
            if name == place:
                stopped.set()
                await go_on.wait()

    await commits.commit([of(0, "contact-zero", "anna-1002"), of(1, "c1")])
    one = writer(outboxes, storage, clock, Stop())
    under_way = asyncio.create_task(one.round())
    await stopped.wait()
    await Forgetter(storage, TABLES, clock).forget({"customer": {"anna-1002"}}, [P0])
    go_on.set()
    await under_way
    clock.now += MINUTE
    await one.round()
    assert await ids(storage, tmp_path) == {0: (None, None, None), 10: ("c1", None, None)}


async def test_lists_of_two_at_once_are_one_list(storage: LocalFiles) -> None:
    await asyncio.gather(*(add_forgotten(storage, {"customer": [f"{n}"]}) for n in range(8)))
    known = await load_forgotten(storage)
    assert known.number == 8
    assert all(known.has({"customer": f"{n}"}) for n in range(8))
    assert not known.has({"customer": "8", "contact_id": "1", "case": None})
    assert await add_forgotten(storage, {"customer": ["1"]}) == known


async def test_the_command(redis_client: Redis, outboxes: Outboxes, redis_url: str, tmp_path: Path) -> None:
    commits, storage = Commits(redis_client), LocalFiles(tmp_path / "ledger")
    await commits.commit([of(0, "contact-zero", "anna-1002"), of(1, "c1")])
    await writer(outboxes, storage, Clock()).round()

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "REDIS_URL": redis_url,
            "STREAM_APP_LEDGER": str(tmp_path / "ledger"),
        }
        return run_command("forget", *options, env=env)

    assert "use --customer, --contact or --case" in run().stderr
    done = run("--contact", "c1", "--customer", "anna-1002")
    assert (done.returncode, done.stdout) == (
        0,
        "2 rows blanked, 1 files written again, 0 contacts blanked that are not over\n",
    )
    assert {*(await ids(storage, tmp_path)).values()} == {(None, None, None)}
