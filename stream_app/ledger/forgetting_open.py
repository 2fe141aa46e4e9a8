"""Forgetting of people in what no file has yet: outboxes, and visits that are not over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Protocol

from stream_app.model.fold.visit import Visits
from stream_app.model.ports import Partition
from stream_app.store.outbox import Outboxes
from stream_app.store.people import OpenPeople, VisitChange, blanked

from .partition_writer import PartitionWriter

KnownIds = MutableMapping[str, set[str]]
"""Column → ids; those that are found to belong to them are added."""


class UnfiledContacts(Protocol):
    """What knows contacts that no file has yet."""

    async def file(self, partition: Partition) -> None:
        """File what waits in the outbox by now."""

    async def learn(self, partition: Partition, ids: Mapping[str, set[str]], known: KnownIds) -> None:
        """Add the open contacts and cases of customers, and the open contacts of cases."""

    async def blank(self, partition: Partition, known: KnownIds) -> tuple[int, bool]:
        """Blank what open visits say of people.

        Returns:
            How many contacts were blanked, and whether it has to be done again: ``known`` has more by now, which must be listed
            before, or a worker went on meanwhile.
        """


class ContactsInRedis:
    """See ``UnfiledContacts``."""

    def __init__(
        self, people: OpenPeople, outboxes: Outboxes, make: Callable[[Partition], PartitionWriter]
    ) -> None:
        """Wire it up; ``make`` makes a writer that files whatever there is."""
        self._people, self._outboxes, self._make = people, outboxes, make

    async def file(self, partition: Partition) -> None:
        """See ``UnfiledContacts``."""
        writer, last = self._make(partition), await self._outboxes.latest(partition)
        while await self._outboxes.waits(partition, last):
            await writer.round()

    async def learn(self, partition: Partition, ids: Mapping[str, set[str]], known: KnownIds) -> None:
        """See ``UnfiledContacts``."""
        async for contact, _, visits in self._people.visits(partition):
            for visit in visits:
                customer, case = (visit.notes.customer, visit.notes.case) if visit.notes else (None, None)
                if customer in ids.get("customer", ()) or case in ids.get("case", ()):
                    known["contact_id"].add(contact)
                if customer in ids.get("customer", ()) and case is not None:
                    known["case"].add(case)

    async def blank(self, partition: Partition, known: KnownIds) -> tuple[int, bool]:
        """See ``UnfiledContacts``."""
        found = [one async for one in self._people.visits(partition) if _names(one[0], one[2], known)]
        unlisted = {contact for contact, _, _ in found} - known["contact_id"]
        if unlisted:  # what comes of them later has nothing else by which to know it
            known["contact_id"] |= unlisted
            return 0, True
        changes: list[VisitChange] = [
            (contact, packed, packed_again)
            for contact, packed, _ in found
            if (packed_again := blanked(packed)) is not None
        ]
        every = [id_ for some in known.values() for id_ in some]
        if not changes and not await self._people.are_logged(partition, every):
            return 0, False
        n = await self._people.blank(partition, changes)
        return n, n < len(changes)


def _names(contact: str, visits: Visits, known: KnownIds) -> bool:
    """Return whether a contact is one of these people's."""
    return contact in known["contact_id"] or any(
        visit.notes is not None
        and (visit.notes.customer in known["customer"] or visit.notes.case in known["case"])
        for visit in visits
    )
