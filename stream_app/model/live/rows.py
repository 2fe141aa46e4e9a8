"""The parts of a snapshot: plain data for every reader. Values are in base units; ``None`` is "no data"."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Level, Value
from stream_app.model.targets.conversations import Clock, is_written

from .agent_now import AgentCounts
from .expected_wait import ExpectedWait

KpiValues = dict[str, Value]
"""KPI → value."""
By = Literal["site", "unit", "channel", "queue"]


class RowPlace(Struct, frozen=True, gc=False):
    """The place of a row in the organisation: rows are chosen by it before they are made."""

    queue: str
    channel: str
    site: str | None
    partner: bool
    unit: str | None


Chosen = Callable[[RowPlace], bool]


def everywhere(_: RowPlace) -> bool:
    """Choose every row."""
    return True


class QueueRow(Struct, frozen=True, gc=False):
    """The values of one queue and channel.

    Attributes:
        policy: the name of the service level's formula.
        targets: KPI → target.
        too_good: KPI → beyond this, on the good side of its target, a value is suspicious.
        levels: KPI → value now.
        windows: window → KPI → value.
        totals: ``offered``, ``answered``, ``abandoned``, … since the beginning.
        live: the same of contacts counted as they happened, since this process began: what rates are taken of.
        site: the site that works it; ``partner``: whether it is a partner's.
        unit: the business unit that it belongs to.
        open: whether it is within its business hours.
        clock: the clock by which targets of its waits run.
        late: how many of those who wait have waited longer than their answer target.
        counts: window → ``offered``, ``answered``, ``abandoned``, ``abandoned_short`` → contacts.
        recent: KPI → value of the last five minutes, whichever windows were asked for.
        agents: what the queue's agents do, in whichever of its channels; ``None``: nobody tells.
        next_wait: how long the next contact will wait, in seconds; ``None``: not known.
    """

    queue: str
    channel: str
    policy: str
    targets: dict[str, float]
    levels: dict[str, float | None]
    windows: dict[str, KpiValues]
    totals: dict[str, int]
    site: str | None = None
    partner: bool = False
    unit: str | None = None
    open: bool = True
    clock: Clock = "wall"
    too_good: Mapping[str, float] = {}
    late: int = 0
    counts: dict[str, dict[str, int]] = {}
    recent: KpiValues = {}
    live: Mapping[str, int] = {}
    agents: AgentCounts | None = None
    next_wait: ExpectedWait | None = None


def together(kpi: Kpi, rows: Sequence[QueueRow]) -> float | None:
    """Return a level of several rows: their sum, or the largest, depending on the KPI; ``None`` where one is not known."""
    if isinstance(kpi.measure, Level) and kpi.measure.is_written:
        rows = [row for row in rows if is_written(row.channel)]
    levels = [row.levels[kpi.name] for row in rows]
    known = [level for level in levels if level is not None]
    if not known or len(known) < len(levels):
        return None
    return sum(known) if kpi.adds else max(known)


class QueueGroup(Struct, frozen=True):
    """Several queues and channels together: the sums of their rows' terms.

    Attributes:
        name: the site, unit, channel or queue; ``None`` for queues without one.
        queues: the number of its rows.
        levels: the sum of the rows', or the largest, depending on the KPI; ``None`` where one of them is not known.
        windows: as in a row.
    """

    name: str | None
    queues: int
    levels: dict[str, float | None]
    windows: dict[str, KpiValues]


class Snapshot(Struct, frozen=True):
    """The content of every view.

    Attributes:
        at: milliseconds since the epoch.
        rows: sorted by queue and channel.
        everyone: window → KPI → mean and percentiles over all queues; ``today`` is that of the default zone.
        over_limit: queue → agents who do something for longer than its limit; queues without any are left out.
    """

    at: int
    rows: list[QueueRow]
    everyone: dict[str, KpiValues]
    over_limit: Mapping[str, int] = {}
