"""What the HTTP interface says, as types: the bytes and their schema both come from here.

Units are the KPIs' own (ratios 0…1, seconds, contacts), times carry an offset, ``null`` is "no data".
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model import kpis
from stream_app.model.kpi import Kpi
from stream_app.model.measures import Choice, Value
from stream_app.model.rows import Group, Row, Values

from . import dictionary
from .status import Status

Time = Annotated[str, Meta(description="RFC 3339, with offset", extra_json_schema={"format": "date-time"})]
Percentile = Annotated[float | None, Meta(description="Seconds, within 2.2 %")]

T = TypeVar("T")
encode: Final = msgspec.json.Encoder().encode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Figure(Struct, frozen=True):
    """A KPI in a window. The percentiles are there for KPIs with a distribution."""

    value: Annotated[float | None, Meta(description="In the KPI's unit; null without data")]
    samples: Annotated[int, Meta(description="The denominator: what the value rests on")]
    p50: Percentile | UnsetType = UNSET
    p90: Percentile | UnsetType = UNSET
    p95: Percentile | UnsetType = UNSET
    amounts: Annotated[dict[str, str], Meta(description="Money: currency → decimal number")] | UnsetType = (
        UNSET
    )


Figures = dict[str, Figure]


class LiveRow(Struct, frozen=True):
    """One queue and channel."""

    queue: str
    channel: str
    policy: Annotated[str, Meta(description="The named formula of the service level")]
    targets: Annotated[dict[str, float], Meta(description="KPI → the target in force")]
    levels: Annotated[dict[str, float | None], Meta(description="KPI → value now, for KPIs without a window")]
    windows: Annotated[dict[str, Figures], Meta(description="Window → KPI → figure")]
    totals: Annotated[dict[str, int], Meta(description="Contacts since the beginning; never fall")]
    site: Annotated[str | None, Meta(description="Where it is worked")] = None
    partner: Annotated[bool, Meta(description="By somebody else")] = False
    unit: Annotated[str | None, Meta(description="The business unit that it belongs to")] = None
    open: Annotated[bool, Meta(description="Within its business hours")] = True
    too_good: Annotated[
        Mapping[str, float],
        Meta(description="KPI → beyond this, on the good side of its target, a value is suspicious"),
    ] = {}


class LiveGroup(Struct, frozen=True):
    """Several queues and channels together: each figure is that of the sums, not a mean of means."""

    name: Annotated[str | None, Meta(description="null: those of which nobody said")]
    queues: Annotated[int, Meta(description="How many rows are in it")]
    levels: dict[str, float | None]
    windows: dict[str, Figures]


class Now(Struct, frozen=True):
    """The live values."""

    at: Time
    age_s: Annotated[float | None, Meta(description="How far behind the truth; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    rows: list[LiveRow]
    everyone: Annotated[
        dict[str, Figures], Meta(description="Window → KPI → figure over all queues, whatever was asked for")
    ]
    groups: (
        Annotated[list[LiveGroup], Meta(description="The rows rolled up, if `group` was asked for")]
        | UnsetType
    ) = UNSET


class Beat(Struct, frozen=True):
    """How fresh the live values are; sent every second."""

    at: Time
    age_s: float | None
    stale: bool
    reasons: Annotated[list[str], Meta(description="What stands against the numbers")]
    max_age_s: Annotated[float, Meta(description="Older than this is stale")]


class KpiEntry(Struct, frozen=True, kw_only=True):
    """One KPI of the dictionary."""

    name: str
    title: str
    doc: str
    formula: str
    unit: Annotated[str, Meta(description="ratio (1 is 100 %), seconds, contacts, points, score or amount")]
    better: Annotated[str, Meta(description="higher or lower")]
    target: Annotated[
        float | dict[str, float] | None, Meta(description='Default; by channel, "" is the rest')
    ]
    tolerance: Annotated[float | None, Meta(description="Past the target by no more than this is near it")]
    tolerance_relative: Annotated[bool, Meta(description="The tolerance is a share of the target")]
    tier: str
    leading: bool
    source: str
    pairs: Annotated[list[str], Meta(description="To be read beside it")]
    misleads: Annotated[str, Meta(description="What it is easily misread as")]
    level: Annotated[bool, Meta(description="A value now, without a window")]
    headline: Annotated[bool, Meta(description="One of the few to look at first; all that the stream tells")]
    windows: Annotated[list[str], Meta(description="Windows of the metrics; here there are all")]
    policies: Annotated[
        dict[str, str], Meta(description="Of a KPI whose formula a queue's policy names: policy → formula")
    ] = {}


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as of RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    parameter: str = ""
    allowed: list[str] = []
    reasons: list[str] = []


class Health(Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


def stamp(at: int) -> str:
    """Milliseconds since the epoch as RFC 3339."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")


def figure(value: Value) -> Figure:
    """A value with its percentiles beside it."""
    if value.amounts is not None:
        return Figure(value.value, value.samples, amounts=value.amounts)
    if value.percentiles is None:
        return Figure(value.value, value.samples)
    found = value.percentiles
    return Figure(value.value, value.samples, found["p50"], found["p90"], found["p95"])


def figures(values: Values) -> Figures:
    """The KPIs of a window."""
    return {name: figure(value) for name, value in values.items()}


Some = frozenset[str] | None
"""Names that are wanted; ``None`` is all."""
HEADLINES: Final = frozenset(kpi.name for kpi in kpis.HEADLINES)


def live_row(row: Row, only: Some = None) -> LiveRow:
    """A row, with all KPIs or some."""
    return LiveRow(
        row.queue,
        row.channel,
        row.policy,
        _chosen(row.targets, only),
        _chosen(row.levels, only),
        _figures(row.windows, only),
        row.totals,
        row.site,
        row.partner,
        row.unit,
        row.open,
        _chosen(row.too_good, only),
    )


def live_group(group: Group, only: Some = None) -> LiveGroup:
    """A group, likewise."""
    return LiveGroup(group.name, group.queues, _chosen(group.levels, only), _figures(group.windows, only))


def _figures(values: dict[str, Values], only: Some) -> dict[str, Figures]:
    return {window: figures(_chosen(found, only)) for window, found in values.items()}


def _chosen(of: Mapping[str, T], names: Some) -> dict[str, T]:
    return dict(of) if names is None else {name: value for name, value in of.items() if name in names}


def beat(at: int, status: Status) -> Beat:
    """A heartbeat."""
    return Beat(stamp(at), tenths(status.age_s), status.stale, status.problems, status.max_age_s)


def now(
    at: int,
    status: Status,
    rows: list[LiveRow],
    everyone: dict[str, Figures],
    groups: list[LiveGroup] | UnsetType = UNSET,
) -> Now:
    """The whole answer."""
    return Now(stamp(at), tenths(status.age_s), status.stale, rows, everyone, groups)


def of_everyone(everyone: dict[str, Values], only: Some = None) -> dict[str, Figures]:
    """What holds over all queues."""
    return _figures(everyone, only)


def kpi_entries() -> list[KpiEntry]:
    """The dictionary."""
    return [_kpi_entry(kpi) for kpi in kpis.KPIS]


def _kpi_entry(kpi: Kpi) -> KpiEntry:
    known: dict[str, Any] = dictionary.entry(kpi)
    return KpiEntry(
        **known,
        doc=kpi.doc,
        misleads=kpi.misleads,
        tolerance=kpi.threshold.tolerance if kpi.threshold else None,
        tolerance_relative=bool(kpi.threshold and kpi.threshold.relative),
        level=kpi.is_level,
        headline=kpi.headline,
        windows=list(kpi.windows),
        policies=_policies(kpi),
    )


def _policies(kpi: Kpi) -> dict[str, str]:
    if not isinstance(kpi.measure, Choice):
        return {}
    return {name: dictionary.formula(ratio) for name, ratio in kpi.measure.options.items()}


def tenths(seconds: float | None) -> float | None:
    """An age as it is said."""
    return None if seconds is None else round(seconds, 1)
