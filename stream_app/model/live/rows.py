"""What a snapshot is made of: plain data for every reader. Values are in base units; ``None`` is "no data"."""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from .measures import Value

Values = dict[str, Value]
"""KPI → value."""
By = Literal["site", "unit", "channel", "queue"]


class Place(Struct, frozen=True):
    """Where a row belongs: by this rows are chosen before they are made."""

    queue: str
    channel: str
    site: str | None
    partner: bool
    unit: str | None


Chosen = Callable[[Place], bool]


def everywhere(_: Place) -> bool:
    """Every row."""
    return True


class Row(Struct, frozen=True):
    """One queue and channel.

    Attributes:
        policy: the name of the service level's formula.
        targets: KPI → target.
        too_good: KPI → beyond this, on the good side of its target, a value is suspicious.
        levels: KPI → value now.
        windows: window → KPI → value.
        totals: ``offered``, ``answered``, ``abandoned``, … since the beginning.
        site: where it is worked; ``partner``: by somebody else.
        unit: the business unit that it belongs to.
        open: whether it is within its business hours.
    """

    queue: str
    channel: str
    policy: str
    targets: dict[str, float]
    levels: dict[str, float | None]
    windows: dict[str, Values]
    totals: dict[str, int]
    site: str | None = None
    partner: bool = False
    unit: str | None = None
    open: bool = True
    too_good: Mapping[str, float] = {}


class Group(Struct, frozen=True):
    """Several queues and channels together: the sums of what their rows are made of.

    Attributes:
        name: the site, unit, channel or queue; ``None`` for those of which nobody said.
        queues: how many rows are in it.
        levels: the sum of the rows', or the largest, as the KPI has it; ``None`` where one of them is not known.
        windows: as in a row.
    """

    name: str | None
    queues: int
    levels: dict[str, float | None]
    windows: dict[str, Values]


class Snapshot(Struct, frozen=True):
    """Everything that a view shows.

    Attributes:
        at: milliseconds since the epoch.
        rows: sorted by queue and channel.
        everyone: window → KPI → mean and percentiles over all queues; ``today`` is that of the default zone.
    """

    at: int
    rows: list[Row]
    everyone: dict[str, Values]
