"""Which contacts and agents move where when a topic's number of partitions changes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.kafka.partitioners import PARTITIONERS, Hash
from stream_app.model.ports import Partition
from stream_app.model.presence import Presence
from stream_app.store.topics import Keyed

OpenContacts = Mapping[int, Collection[str]]
"""Partition → contacts that are open in it."""


class Reassignment(Struct, frozen=True):
    """A change of topic or of its number of partitions.

    Attributes:
        former: the topic in which contacts are counted.
        topic: the topic in which they will be; the same one if it only got more partitions.
        keyed: number of partitions of ``former`` by which they are counted.
        partitions: number of partitions of ``topic``.
        known: what the store knows of ``former``.
    """

    former: str
    topic: str
    keyed: int
    partitions: int
    known: Keyed

    @property
    def elsewhere(self) -> bool:
        """Whether contacts go to another topic."""
        return self.topic != self.former

    @property
    def old(self) -> list[Partition]:
        """The partitions in which contacts are open."""
        return [Partition(self.former, n) for n in range(self.keyed)]

    @property
    def all(self) -> list[Partition]:
        """The partitions in which contacts and agents will be, in order."""
        return [Partition(self.topic, n) for n in range(self.partitions)]

    @property
    def new(self) -> list[Partition]:
        """The partitions that were never read."""
        return [Partition(self.topic, n) for n in range(0 if self.elsewhere else self.keyed, self.partitions)]


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


def place_agents(
    known: Mapping[Partition, Mapping[str, Presence]], chosen: str, new: Sequence[Partition]
) -> dict[Partition, dict[str, Presence]]:
    """Return each partition's agents as they will be.

    Of an agent who is in several partitions, the presence stays whose spell began last. An agent of whom nothing is in the
    partition of the agent's key stays where the presence is, unless that partition is left.

    Args:
        known: the partitions by whose number agents were distributed, all of them → agent → what was told.
        chosen: the partitioner.
        new: the partitions by whose number they are distributed from now on, in order.
    """
    hash_of, old = PARTITIONERS[chosen], sorted(known, key=lambda partition: partition.number)
    where: dict[str, list[Partition]] = defaultdict(list)
    for partition in old:
        for agent in known[partition]:
            where[agent].append(partition)
    out: dict[Partition, dict[str, Presence]] = defaultdict(dict)
    for agent, found in where.items():
        number = hash_of(agent.encode())
        holds = max(found, key=lambda one: (known[one][agent].current().began, str(one)))
        stays = old[number % len(old)] not in found and holds in new
        out[holds if stays else new[number % len(new)]][agent] = known[holds][agent]
    return out


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
