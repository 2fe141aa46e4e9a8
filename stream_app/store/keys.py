"""Every Redis key, written once.

Keys of one partition share a hash tag, ``{topic.partition}``, so that a partition is one Redis Cluster slot. What they hold:

| key | type | holds |
|---|---|---|
| ``kpi:{t.p}:meta`` | hash | ``epoch token position batch seq time settings rollbacks`` |
| ``kpi:{t.p}:visits`` | hash | contact id → its open visits, packed |
| ``kpi:{t.p}:c:RES:START`` | hash | queue and channel numbers → cell, packed |
| ``kpi:{t.p}:i:RES`` | sorted set | the bucket starts that exist at a resolution |
| ``kpi:{t.p}:d:DAY:Q.C`` | hash | quarter of a UTC day, 0 to 95 → interval row, packed; Q, C: numbers |
| ``kpi:{t.p}:d`` | sorted set | the ``DAY:Q.C`` that exist, by day |
| ``kpi:{t.p}:changed`` | sorted set | ``START:Q.C`` of interval rows not published yet, by commit |
| ``kpi:{t.p}:r:MINUTE`` | string | 8-byte hashes of event ids, one after the other |
| ``kpi:{t.p}:r`` | sorted set | the minutes that exist |
| ``kpi:{t.p}:log`` | stream | what the latest commits wrote: readers follow it |
| ``kpi:{t.p}:dead`` | stream | dead letters |
| ``kpi:{t.p}:results`` | hash | result → records |
| ``kpi:{t.p}:beat`` | hash | the owner's heartbeat |
| ``kpi:{rows}:meta`` | hash | of published interval rows: ``token epoch until revision final state announced`` |
| ``kpi:{rows}:day:DAY`` | hash | ``Q.C`` → the day's rows, packed |
| ``kpi:{rows}:days`` | sorted set | the days that exist |
| ``kpi:{rows}:log`` | stream | which rows got revisions; an entry's id is the last of them |
| ``kpi:{rows}:seen`` | hash | ``Q.C`` → the first and the last quarter in which anything was counted |
| ``kpi:{rows}:spans`` | hash | ``topic.partition`` → from when to when it was read |
| ``kpi:{rows}:over`` | hash | ``partition number:Q.C`` → the last quarter in which a recording tells of a queue |
| ``kpi:partitions`` | set | ``topic.partition`` |
| ``kpi:identity`` | string | a random text: which store this is |
| ``kpi:names:KIND`` | hash | name → number; add-only |
| ``kpi:settings``, ``kpi:settings:N`` | string | the current version, its document |
| ``kpi:schedules``, ``kpi:schedules:N`` | string | the current roster's version, its document: a JSON list of stretches |
"""

from stream_app.model.ports import Partition

PARTITIONS = "kpi:partitions"
IDENTITY = "kpi:identity"
"""A random text, written once: a store with another one is another store, or was wiped."""
SETTINGS = "kpi:settings"
SCHEDULES = "kpi:schedules"
PUBLISHED = "kpi:{rows}"
"""What the keys of published interval rows begin with: one slot, for they have one sequence of revisions."""


def prefix(partition: Partition) -> str:
    """What the keys of a partition begin with."""
    return f"kpi:{{{partition}}}"


def meta(partition: Partition) -> str:
    """Position, epoch, partition time."""
    return f"{prefix(partition)}:meta"


def visits(partition: Partition) -> str:
    """Open visits."""
    return f"{prefix(partition)}:visits"


def cells(partition: Partition, resolution: int, start: int) -> str:
    """The cells of a bucket."""
    return f"{prefix(partition)}:c:{resolution}:{start}"


def index(partition: Partition, resolution: int) -> str:
    """The buckets of a resolution."""
    return f"{prefix(partition)}:i:{resolution}"


def rows(partition: Partition, day: int, place: bytes) -> str:
    """The interval rows of a day of UTC (days since the epoch), a queue and a channel."""
    return f"{prefix(partition)}:d:{day}:{place.decode()}"


def row_days(partition: Partition) -> str:
    """The days, queues and channels that have interval rows."""
    return f"{prefix(partition)}:d"


def changed(partition: Partition) -> str:
    """Interval rows that were not published since they changed."""
    return f"{prefix(partition)}:changed"


def recent(partition: Partition, minute: int | None = None) -> str:
    """Event ids seen in a minute; without one, the index of minutes."""
    return f"{prefix(partition)}:r" if minute is None else f"{prefix(partition)}:r:{minute}"


def log(partition: Partition) -> str:
    """The latest commits."""
    return f"{prefix(partition)}:log"


def dead(partition: Partition) -> str:
    """Dead letters."""
    return f"{prefix(partition)}:dead"


def results(partition: Partition) -> str:
    """What became of the records."""
    return f"{prefix(partition)}:results"


def beat(partition: Partition) -> str:
    """The owner's heartbeat."""
    return f"{prefix(partition)}:beat"


def names(kind: str) -> str:
    """A registry of names."""
    return f"kpi:names:{kind}"


def published(name: str) -> str:
    """A key of the published rows."""
    return f"{PUBLISHED}:{name}"


def settings(version: int) -> str:
    """A version of the settings document."""
    return f"{SETTINGS}:{version}"
