"""Every Redis key, written once.

Keys of one partition share a hash tag, ``{topic.partition}``, so that a partition is one Redis Cluster slot. What they hold:

| key | type | holds |
|---|---|---|
| ``kpi:{t.p}:meta`` | hash | ``epoch token position batch seq time clock settings rollbacks topic edition begun``, and of |
| | | the outbox ``noted out out_bytes out_lost`` |
| ``kpi:{t.p}:visits`` | hash | contact id → its open visits, packed |
| ``kpi:{t.p}:agents`` | hash | agent → what was told of the agent, packed |
| ``kpi:{t.p}:c:RES:START`` | hash | queue and channel numbers → cell, packed |
| ``kpi:{t.p}:i:RES`` | sorted set | the bucket starts that exist at a resolution |
| ``kpi:{t.p}:d:DAY:Q.C`` | hash | 15-minute interval of a UTC day, 0 to 95 → interval row, packed; Q, C: numbers |
| ``kpi:{t.p}:d`` | sorted set | the ``DAY:Q.C`` that exist, by day |
| ``kpi:{t.p}:changed`` | sorted set | ``START:Q.C`` of interval rows not yet published, by commit |
| ``kpi:{t.p}:r:HOUR`` | string | 8-byte hashes of event ids, one after the other |
| ``kpi:{t.p}:r`` | sorted set | the hours that exist, and what keeps former versions away (``store.editions``) |
| ``kpi:{t.p}:log`` | stream | what the latest commits wrote: readers follow it |
| ``kpi:{t.p}:dead`` | stream | dead letters |
| ``kpi:{t.p}:outbox`` | stream | what commits found, until the ledger holds it (``store.outbox``) |
| ``kpi:{t.p}:writer`` | hash | who writes the partition's ledger: ``epoch token until marks`` |
| ``kpi:{t.p}:results`` | hash | result → records |
| ``kpi:{t.p}:beat`` | hash | the owner's heartbeat |
| ``kpi:{rows}:meta`` | hash | of published interval rows: ``token epoch until marks revision final state announced`` |
| ``kpi:{rows}:day:DAY`` | hash | ``Q.C`` → the day's rows, packed |
| ``kpi:{rows}:days`` | sorted set | the days that exist |
| ``kpi:{rows}:log`` | stream | which rows got revisions; an entry's id is the last of them |
| ``kpi:{rows}:seen`` | hash | ``Q.C`` → the first and the last interval in which anything was counted |
| ``kpi:{rows}:spans`` | hash | ``topic.partition`` → from when to when it was read |
| ``kpi:{rows}:over`` | hash | ``partition number:Q.C`` → the last interval in which a recording has a queue |
| ``kpi:partitions`` | set | ``topic.partition`` |
| ``kpi:topic:TOPIC`` | hash | ``keyed found since moved``: partitions by which contacts are counted (``store.topics``) |
| ``kpi:{t.p}:next`` | hash | prepared by ``repartition``: the open visits that a partition will have |
| ``kpi:{t.p}:next:agents`` | hash | likewise: the agents |
| ``kpi:identity`` | string | a random text: which store this is |
| ``kpi:names:KIND`` | hash | name → number; add-only |
| ``kpi:names:KIND:retired`` | set | those of these names that take up no place |
| ``kpi:settings``, ``kpi:settings:N`` | string | the current version, its document |
| ``kpi:settings:history``, ``kpi:schedules:history`` | hash | version → when it was applied, by whom, what it restores: JSON |
| ``kpi:callbacks`` | hash | moment and id of an abandoned contact → who calls it back, JSON; written by ``serve``, expires |
| ``kpi:schedules``, ``kpi:schedules:N`` | string | the current schedule's version, its document: a JSON list of stretches |
"""

from stream_app.model.ports import Partition

PARTITIONS = "kpi:partitions"
IDENTITY = "kpi:identity"
"""A random text, written once: a store with another one is another store, or was wiped."""
SETTINGS = "kpi:settings"
SCHEDULES = "kpi:schedules"
CALLBACKS = "kpi:callbacks"
PUBLISHED = "kpi:{rows}"
"""The prefix of the keys of published interval rows: one slot, because they have one sequence of revisions."""


def topic(name: str) -> str:
    """Return the key of the number of partitions by which a topic's contacts are counted."""
    return f"kpi:topic:{name}"


def prefix(partition: Partition) -> str:
    """Return the prefix of a partition's keys."""
    return f"kpi:{{{partition}}}"


def meta(partition: Partition) -> str:
    """Return the key of position, epoch and partition time."""
    return f"{prefix(partition)}:meta"


def visits(partition: Partition) -> str:
    """Return the key of the open visits."""
    return f"{prefix(partition)}:visits"


def agents(partition: Partition) -> str:
    """Return the key of the agents."""
    return f"{prefix(partition)}:agents"


def coming(partition: Partition) -> str:
    """Return the key of the open visits that a partition will have once contacts are moved."""
    return f"{prefix(partition)}:next"


def coming_agents(partition: Partition) -> str:
    """Return the key of the agents that a partition will have once they are moved."""
    return f"{prefix(partition)}:next:agents"


def cells(partition: Partition, resolution: int, start: int) -> str:
    """Return the key of a bucket's cells."""
    return f"{prefix(partition)}:c:{resolution}:{start}"


def index(partition: Partition, resolution: int) -> str:
    """Return the key of the buckets of a resolution."""
    return f"{prefix(partition)}:i:{resolution}"


def rows(partition: Partition, day: int, place: bytes) -> str:
    """Return the key of the interval rows of a UTC day (days since the epoch), a queue and a channel."""
    return f"{prefix(partition)}:d:{day}:{place.decode()}"


def row_days(partition: Partition) -> str:
    """Return the key of the days, queues and channels that have interval rows."""
    return f"{prefix(partition)}:d"


def changed(partition: Partition) -> str:
    """Return the key of the interval rows that were not published since they changed."""
    return f"{prefix(partition)}:changed"


def recent(partition: Partition, minute: int | str | None = None) -> str:
    """Return the key of the event ids seen in the hour that begins with a minute; without one, of the index of hours."""
    return f"{prefix(partition)}:r" if minute is None else f"{prefix(partition)}:r:{minute}"


def log(partition: Partition) -> str:
    """Return the key of the latest commits."""
    return f"{prefix(partition)}:log"


def dead(partition: Partition) -> str:
    """Return the key of the dead letters."""
    return f"{prefix(partition)}:dead"


def outbox(partition: Partition) -> str:
    """Return the key of what the ledger does not hold yet."""
    return f"{prefix(partition)}:outbox"


def writer(partition: Partition) -> str:
    """Return the key of who writes the partition's ledger."""
    return f"{prefix(partition)}:writer"


def results(partition: Partition) -> str:
    """Return the key of the records by result."""
    return f"{prefix(partition)}:results"


def beat(partition: Partition) -> str:
    """Return the key of the owner's heartbeat."""
    return f"{prefix(partition)}:beat"


def names(kind: str) -> str:
    """Return the key of a registry of names."""
    return f"kpi:names:{kind}"


def retired(kind: str) -> str:
    """Return the key of a registry's retired names, which take up no place."""
    return f"{names(kind)}:retired"


def published(name: str) -> str:
    """Return a key of the published rows."""
    return f"{PUBLISHED}:{name}"


def settings(version: int) -> str:
    """Return the key of a version of the targets."""
    return f"{SETTINGS}:{version}"
