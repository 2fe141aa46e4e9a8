"""What the HTTP interface says, as types: the bytes and their schema both come from here.

Units are the KPIs' own (ratios 0…1, seconds, contacts), times carry an offset, ``null`` is "no data".
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model.kpi import Kpi
from stream_app.model.kpis import KPIS
from stream_app.model.snapshot import Row, Value, Values

from . import dictionary, naming
from .status import Status

Time = Annotated[str, Meta(description="RFC 3339, with offset", extra_json_schema={"format": "date-time"})]
Percentile = Annotated[float | None, Meta(description="Seconds, within 2.2 %")]

encode: Final = msgspec.json.Encoder().encode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Figure(Struct, frozen=True):
    """A KPI in a window. The percentiles are there for KPIs with a distribution."""

    value: Annotated[float | None, Meta(description="In the KPI's unit; null without data")]
    samples: Annotated[int, Meta(description="The denominator: what the value rests on")]
    p50: Percentile | UnsetType = UNSET
    p90: Percentile | UnsetType = UNSET
    p95: Percentile | UnsetType = UNSET


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


class Now(Struct, frozen=True):
    """The live values."""

    at: Time
    age_s: Annotated[float | None, Meta(description="How far behind the truth; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    rows: list[LiveRow]
    everyone: Annotated[
        dict[str, Figures], Meta(description="Window → KPI → figure over all queues, whatever was asked for")
    ]


class Beat(Struct, frozen=True):
    """How fresh the live values are; sent every second."""

    at: Time
    age_s: float | None
    stale: bool
    reasons: Annotated[list[str], Meta(description="What stands against the numbers")]


class KpiEntry(Struct, frozen=True, kw_only=True):
    """One KPI of the dictionary."""

    name: str
    title: str
    doc: str
    formula: str
    unit: Annotated[str, Meta(description="ratio (0…1), seconds or contacts")]
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
    if value.percentiles is None:
        return Figure(value.value, value.samples)
    return Figure(value.value, value.samples, **value.percentiles)


def figures(values: Values) -> Figures:
    """The KPIs of a window."""
    return {name: figure(value) for name, value in values.items()}


def live_row(row: Row, windows: frozenset[str] | None = None) -> LiveRow:
    """A row, with all windows or some."""
    return LiveRow(
        row.queue,
        row.channel,
        row.policy,
        row.targets,
        row.levels,
        {name: figures(values) for name, values in row.windows.items() if windows is None or name in windows},
        row.totals,
    )


def beat(at: int, status: Status) -> Beat:
    """A heartbeat."""
    return Beat(stamp(at), _tenths(status.age_s), status.stale, status.problems)


def now(
    at: int,
    status: Status,
    rows: list[LiveRow],
    everyone: dict[str, Values],
    windows: frozenset[str] | None = None,
) -> Now:
    """The whole answer."""
    of_all = {name: figures(v) for name, v in everyone.items() if windows is None or name in windows}
    return Now(stamp(at), _tenths(status.age_s), status.stale, rows, of_all)


def kpi_entries() -> list[KpiEntry]:
    """The dictionary."""
    return [_kpi_entry(kpi) for kpi in KPIS]


def _kpi_entry(kpi: Kpi) -> KpiEntry:
    known: dict[str, Any] = dictionary.entry(kpi)
    return KpiEntry(
        **known,
        doc=kpi.doc,
        misleads=kpi.misleads,
        tolerance=kpi.alert.tolerance if kpi.alert else None,
        tolerance_relative=bool(kpi.alert and kpi.alert.relative),
        level=naming.is_level(kpi),
    )


def _tenths(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
