"""The HTTP interface's answers as types: the bytes and their schema both come from here.

Units are the KPIs' own (ratios 0…1, seconds, contacts), times carry an offset, ``null`` is "no data".
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model import kpis
from stream_app.model.kpis.measures import Unit, Value
from stream_app.model.live import judging
from stream_app.model.live.rows import KpiValues, QueueGroup, QueueRow
from stream_app.model.targets.conversations import Clock

from .stamping import Time, stamp
from .status import Status
from .wire_agents import NextWait, QueueAgents, next_wait, queue_agents

Percentile = Annotated[float | None, Meta(description="Seconds, within 2.2 %")]

T = TypeVar("T")
encode: Final = msgspec.json.Encoder().encode


class Figure(Struct, frozen=True, gc=False):
    """A KPI in a window. KPIs with a distribution have percentiles."""

    value: Annotated[float | None, Meta(description="In the KPI's unit; null without data")]
    samples: Annotated[int, Meta(description="The denominator: how much the value rests on")]
    p50: Percentile | UnsetType = UNSET
    p90: Percentile | UnsetType = UNSET
    p95: Percentile | UnsetType = UNSET
    amounts: Annotated[dict[str, str], Meta(description="Money: currency → decimal number")] | UnsetType = (
        UNSET
    )
    basis: (
        Annotated[str, Meta(description="What the samples are, where that depends on what is reported")]
        | UnsetType
    ) = UNSET


Figures = dict[str, Figure]


class Judged(Struct, frozen=True, gc=False):
    """How a queue does in a window, by the one rule that the wallboard is coloured and sorted by."""

    state: Annotated[
        judging.State,
        Meta(
            description="`off` target, `near` it, `recovering`, `closed_waiting` (closed, with customers in it), `too_good`, "
            "`met`, `few` contacts, `none` (no data or no target), `closed`"
        ),
    ]
    reasons: Annotated[tuple[str, ...], Meta(description="The KPIs that make it so, first the one to name")]
    kpis: Annotated[
        dict[str, judging.State], Meta(description="KPI → its state, where that is neither `met` nor `none`")
    ]
    urgency: Annotated[
        int, Meta(description="Sort by it, largest first, then by name. Nothing but its order has a meaning")
    ]
    since: Annotated[Time | None, Meta(description="When the state began; null: before serve started")] = None


class LiveRow(Struct, frozen=True, gc=False):
    """One queue and channel."""

    queue: str
    channel: str
    policy: Annotated[str, Meta(description="The named formula of the service level")]
    targets: Annotated[dict[str, float], Meta(description="KPI → the target in force")]
    levels: Annotated[dict[str, float | None], Meta(description="KPI → value now, for KPIs without a window")]
    windows: Annotated[dict[str, Figures], Meta(description="Window → KPI → figure")]
    totals: Annotated[dict[str, int], Meta(description="Contacts since counting began; never decrease")]
    site: Annotated[str | None, Meta(description="Where it is handled")] = None
    partner: Annotated[bool, Meta(description="Handled by an outsourcing partner")] = False
    unit: Annotated[str | None, Meta(description="The business unit that it belongs to")] = None
    open: Annotated[bool, Meta(description="Within its business hours")] = True
    clock: Annotated[
        Clock,
        Meta(description="By which its waits were promised: the clock on the `wall`, or `business` hours"),
    ] = "wall"
    too_good: Annotated[
        Mapping[str, float],
        Meta(description="KPI → limit on the good side of its target beyond which a value is suspicious"),
    ] = {}
    late: Annotated[
        int, Meta(description="Contacts that wait now, and have waited longer than their answer target")
    ] = 0
    counts: Annotated[
        dict[str, dict[str, int]],
        Meta(
            description="Window → offered, answered, abandoned (short ones too), abandoned_short → contacts"
        ),
    ] = {}
    judged: Annotated[dict[str, Judged], Meta(description="Window → how it does")] = {}
    agents: Annotated[
        QueueAgents | None, Meta(description="What its agents do; null: nobody tells who serves the queue")
    ] = None
    next_wait: Annotated[
        NextWait | None,
        Meta(description="How long the next contact will wait; null: it is not known, or nobody is there"),
    ] = None


class LiveGroup(Struct, frozen=True):
    """Several queues and channels together: each figure is computed from sums, not a mean of means."""

    name: Annotated[str | None, Meta(description="null: queues without one")]
    queues: Annotated[int, Meta(description="Number of rows in it")]
    levels: dict[str, float | None]
    windows: dict[str, Figures]


class Now(Struct, frozen=True):
    """The live values."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    rows: list[LiveRow]
    everyone: Annotated[
        dict[str, Figures], Meta(description="Window → KPI → figure over all queues, regardless of filters")
    ]
    groups: (
        Annotated[list[LiveGroup], Meta(description="The rows rolled up, if `group` was asked for")]
        | UnsetType
    ) = UNSET


class Freshness(Struct, frozen=True):
    """How fresh the live values are; sent every second."""

    at: Time
    age_s: float | None
    stale: bool
    reasons: Annotated[list[str], Meta(description="Why the numbers can't be trusted")]
    max_age_s: Annotated[float, Meta(description="The age beyond which they are stale")]


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as in RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    parameter: str = ""
    allowed: list[str] = []
    reasons: list[str] = []
    warnings: list[str] = []


class Ready(Struct, frozen=True):
    """The numbers may be trusted."""

    clocks: Annotated[
        dict[str, float],
        Meta(description="`serve` and each worker → seconds that its clock is ahead of Redis's"),
    ]
    warnings: Annotated[list[str], Meta(description="Things to fix although the numbers are right")]
    status: str = "ok"


class Health(Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


_DECIMALS: Final = {kpi.name: 3 if kpi.unit is Unit.SECONDS else 6 for kpi in kpis.KPIS}
"""Of a KPI's values: milliseconds, or more than anybody reads. Interval rows and metrics have what is exact."""


def rounded(name: str, value: float | None) -> float | None:
    """Round a KPI's value for the answer."""
    return value if value is None else round(value, _DECIMALS[name])


def figure(name: str, value: Value) -> Figure:
    """Return a KPI's value with its percentiles, which are within 2.2 %: hundredths of a second say all."""
    mean = rounded(name, value.value)
    if value.amounts is not None:
        return Figure(mean, value.samples, amounts=value.amounts)
    if value.percentiles is None:
        return Figure(mean, value.samples, basis=UNSET if value.basis is None else value.basis)
    p50, p90, p95 = (
        None if (at := value.percentiles[p]) is None else round(at, 2) for p in ("p50", "p90", "p95")
    )
    return Figure(mean, value.samples, p50, p90, p95)


def figures(values: KpiValues) -> Figures:
    """Return the KPIs of a window."""
    return {name: figure(name, value) for name, value in values.items()}


Some = frozenset[str] | None
"""The wanted names; ``None`` for all."""
CARRIED: Final = frozenset(kpi.name for kpi in kpis.CARRIED)


Began = Mapping[str, tuple[judging.State, int | None]]
"""Window → state of a row, and since when it has it; ``None`` where that is not known."""


def live_row(
    row: QueueRow,
    only: Some = None,
    began: Began = {},  # noqa: B006 - it is only read
    judgements: Mapping[str, judging.Judgement] | None = None,
) -> LiveRow:
    """Return a row with all KPIs or some.

    Args:
        row: the row.
        only: the KPIs that are wanted.
        began: since when its states are what they are.
        judgements: those of its windows, where they are known already.
    """
    if judgements is None:
        judgements = judging.judged_in(row, row.windows)
    return LiveRow(
        row.queue,
        row.channel,
        row.policy,
        _chosen(row.targets, only),
        _levels(row.levels, only),
        _figures(row.windows, only),
        row.totals,
        row.site,
        row.partner,
        row.unit,
        row.open,
        row.clock,
        _chosen(row.too_good, only),
        row.late,
        row.counts,
        {name: _judged(found, began.get(name)) for name, found in judgements.items()},
        None if row.agents is None else queue_agents(row.agents),
        None if row.next_wait is None else next_wait(row.next_wait),
    )


def _judged(found: judging.Judgement, began: tuple[judging.State, int | None] | None) -> Judged:
    since = None
    if began and began[0] == found.state and began[1] is not None:
        since = stamp(began[1])
    return Judged(found.state, found.reasons, found.kpis, found.urgency, since)


def live_group(group: QueueGroup, only: Some = None) -> LiveGroup:
    """Return a group with all KPIs or some."""
    return LiveGroup(group.name, group.queues, _levels(group.levels, only), _figures(group.windows, only))


def _figures(values: dict[str, KpiValues], only: Some) -> dict[str, Figures]:
    return {window: figures(_chosen(found, only)) for window, found in values.items()}


def _levels(values: Mapping[str, float | None], only: Some) -> dict[str, float | None]:
    return {name: rounded(name, value) for name, value in _chosen(values, only).items()}


def _chosen(of: Mapping[str, T], names: Some) -> dict[str, T]:
    return dict(of) if names is None else {name: value for name, value in of.items() if name in names}


def beat(at: int, status: Status) -> Freshness:
    """Make a heartbeat."""
    return Freshness(stamp(at), tenths(status.age_s), status.stale, status.problems, status.max_age_s)


def ready(status: Status) -> Ready:
    """Report that the numbers can be trusted, and which clocks are wrong."""
    return Ready({name: round(ahead, 3) for name, ahead in status.clocks.items()}, status.warnings)


def now(
    at: int,
    status: Status,
    rows: list[LiveRow],
    everyone: dict[str, Figures],
    groups: list[LiveGroup] | UnsetType = UNSET,
) -> Now:
    """Make the whole answer."""
    return Now(stamp(at), tenths(status.age_s), status.stale, rows, everyone, groups)


def of_everyone(everyone: dict[str, KpiValues], only: Some = None) -> dict[str, Figures]:
    """Return the figures over all queues."""
    return _figures(everyone, only)


def tenths(seconds: float | None) -> float | None:
    """Round an age for the answer."""
    return None if seconds is None else round(seconds, 1)
