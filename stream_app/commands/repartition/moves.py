"""Which contacts move where when a topic's number of partitions changes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.kafka.partitioners import PARTITIONERS, Hash

OpenContacts = Mapping[int, Collection[str]]
"""Partition → contacts that are open in it."""


class Moves(Struct, frozen=True):
    """Where open contacts go.

    Attributes:
        targets: partition → contact → the partition in which its next event will be.
        strangers: partition → how many of its contacts are not where the partitioner puts them; they stay if possible.
        several: (contact, target) → the partitions in which it is open, if it is open in several.
    """

    targets: dict[int, dict[str, int]]
    strangers: dict[int, int]
    several: dict[tuple[str, int], list[int]]

    def moving(self, partition: int) -> int:
        """Return how many contacts leave a partition that keeps its number."""
        return sum(target != partition for target in self.targets[partition].values())

    def arriving(self) -> dict[int, int]:
        """Return how many contacts each partition has afterwards."""
        out: dict[int, set[str]] = defaultdict(set)
        for contacts in self.targets.values():
            for contact, target in contacts.items():
                out[target].add(contact)
        return {target: len(contacts) for target, contacts in out.items()}


def plan(contacts: OpenContacts, chosen: str, keyed: int, partitions: int, *, elsewhere: bool) -> Moves:
    """Plan the moves.

    Args:
        contacts: the open contacts.
        chosen: the partitioner.
        keyed: number of partitions by which they were distributed.
        partitions: number of partitions by which they are distributed from now on.
        elsewhere: whether they go to another topic, so that none can stay.
    """
    hash_of = PARTITIONERS[chosen]
    targets: dict[int, dict[str, int]] = {}
    strangers: dict[int, int] = {}
    where: dict[tuple[str, int], list[int]] = defaultdict(list)
    for partition, names in contacts.items():
        mine = targets[partition] = {}
        strangers[partition] = 0
        for contact in names:
            number = hash_of(contact.encode())
            stranger = number % keyed != partition
            strangers[partition] += stranger
            mine[contact] = target = partition if stranger and not elsewhere else number % partitions
            where[contact, target].append(partition)
    return Moves(targets, strangers, {key: found for key, found in where.items() if len(found) > 1})


def infer(contacts: OpenContacts, keyed: int, partitions: int) -> str:
    """Return the producers' partitioner: the one that puts every open contact into the partition in which it is.

    Raises:
        StreamAppError: none does, or several do and differ.
    """
    total = sum(map(len, contacts.values()))
    fits = {name: _fitting(contacts, keyed, hash_of) for name, hash_of in PARTITIONERS.items()}
    right = [name for name, n in fits.items() if n == total]
    if not right:
        found = ", ".join(f"{name} {n:,}" for name, n in fits.items())
        raise StreamAppError(
            f"no known partitioner puts all {total:,} open contacts where they are (of {keyed} partitions): {found}. "
            "Keys other than the contacts' ids can't be followed; if only a few contacts differ, set --partitioner"
        )
    first, *others = ([_target(c, name, partitions) for p in contacts.values() for c in p] for name in right)
    if any(other != first for other in others):
        raise StreamAppError(
            f"{total:,} open contacts are too few to tell {' from '.join(right)}; set --partitioner to that of the producers"
        )
    return right[0]


def _fitting(contacts: OpenContacts, keyed: int, hash_of: Hash) -> int:
    return sum(
        hash_of(contact.encode()) % keyed == partition
        for partition, names in contacts.items()
        for contact in names
    )


def _target(contact: str, partitioner: str, partitions: int) -> int:
    return PARTITIONERS[partitioner](contact.encode()) % partitions
