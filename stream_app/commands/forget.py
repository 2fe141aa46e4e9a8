"""``stream-app forget``: remove ids of customers, contacts and cases from the ledger."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from stream_app.clocks import wall_ms
from stream_app.errors import BadSettingsError
from stream_app.failpoints import Failpoints
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.forgetting import ForgetResult, Forgetter
from stream_app.ledger.forgetting_open import ContactsInRedis
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.ledger.places import open_storage
from stream_app.model.ports import Partition
from stream_app.settings import Settings, days_by_table, load
from stream_app.store.outbox import Outboxes
from stream_app.store.people import OpenPeople


def run(
    customer: Annotated[
        list[str] | None, typer.Option(help="A customer's id, with the contacts and cases of that customer.")
    ] = None,
    contact: Annotated[list[str] | None, typer.Option(help="A contact's id.")] = None,
    case: Annotated[list[str] | None, typer.Option(help="A case's id, with its contacts.")] = None,
) -> None:
    """Blank ids in the ledger, for good: rows stay and are counted, and belong to nobody.

    In files, in rows that wait in Redis, in visits that are not over, and, by the writer, in the topic. Writers and workers may
    go on meanwhile. A salted hash of each id is kept, so that rows that are written later, or again by a rebuild,
    are blank, too. Options may be given several times. Do it again if it was interrupted.
    """
    ids = {"customer": set(customer or ()), "contact_id": set(contact or ()), "case": set(case or ())}
    if not any(ids.values()):
        raise BadSettingsError("nothing to forget: use --customer, --contact or --case")
    done = asyncio.run(_forget(load(), ids))
    typer.echo(
        f"{done.rows} rows blanked, {done.files} files written again, {done.open} contacts blanked that are not over"
    )


async def _forget(settings: Settings, ids: dict[str, set[str]]) -> ForgetResult:
    url, storage = settings.redis_url.get_secret_value(), open_storage(settings)
    outboxes, people = Outboxes(url), OpenPeople(url)

    def make(partition: Partition) -> PartitionWriter:
        return PartitionWriter(
            partition,
            outboxes,
            storage,
            TABLES,
            Exploder,
            clock=wall_ms,
            failpoints=Failpoints(),
            days=days_by_table(settings.ledger_days),
            every_ms=0,
        )

    try:
        contacts = ContactsInRedis(people, outboxes, make)
        return await Forgetter(storage, TABLES, wall_ms, contacts).forget(ids, await outboxes.partitions())
    finally:
        await people.close()
        await outboxes.close()
