"""The record of a custom alert rule."""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.alerts import Severity
from stream_app.model.kpis.kpi import Kpi

from .local_hours import LocalHours

KEEP: Final = "5m"
"""How long a custom rule keeps firing after its conditions were last met."""
MINIMUM: Final = 20
"""The least contacts in the window, where a rule states no other number."""
WINDOW: Final = "30m"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Condition(Struct, frozen=True, kw_only=True):
    """One comparison of a KPI.

    Attributes:
        kpi: its name.
        side: on which side of the level the condition is met.
        level: in the KPI's unit; ``None`` is the queue's own target.
        by: with a target: how far past it the value must be, in the KPI's unit or as a share of the target.
        relative: ``by`` and ``clear`` are shares of the target.
        clear: nearer than ``level`` or ``by``: up to here an alert that fires continues. ``None``: the same level.
        window: ``None`` for levels, which have no window.
        minimum: least samples in the window; ``None`` where the KPI has none.
    """

    kpi: str
    side: Literal["above", "below"]
    level: float | None = None
    by: float = 0.0
    relative: bool = False
    clear: float | None = None
    window: str | None = None
    minimum: int | None = None

    @property
    def entry(self) -> Kpi:
        """The KPI."""
        return BY_NAME[self.kpi]


class CustomRule(Struct, frozen=True, kw_only=True):
    """A rule as a centre writes it.

    Attributes:
        name: what the person on call reads first; unique.
        join: whether all of the conditions must be met, or any of them.
        hold: how long they must be met before it fires (Prometheus duration).
        hours: only while the queue is open, always, or in hours of its own.
        queues, channels, sites, units: only these; empty means all.
        receiver: who is notified; ``None``: the receiver of the severity.
        do: one line for the person who is notified.
        runbook: the address of a page about it.
    """

    name: str
    severity: Severity
    conditions: tuple[Condition, ...]
    join: Literal["all", "any"] = "all"
    hold: str = "5m"
    keep: str = KEEP
    hours: Literal["open", "always"] | LocalHours = "open"
    queues: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    receiver: str | None = None
    do: str = ""
    runbook: str | None = None

    @property
    def slug(self) -> str:
        """The name in lower-case ASCII letters, digits and hyphens: two rules must not share it."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def has_clear(self) -> bool:
        """Whether it clears at another level than it begins at."""
        return any(one.clear is not None for one in self.conditions)

    def covers(self, queue: str, channel: str, site: str | None, unit: str | None) -> bool:
        """Return whether a queue and channel is one that the rule judges."""
        chosen = ((self.queues, queue), (self.channels, channel), (self.sites, site), (self.units, unit))
        return all(not names or name in names for names, name in chosen)


def seconds(duration: str) -> int:
    """Return the seconds of a Prometheus duration such as ``1h30m``.

    Raises:
        ValueError: it is not one.
    """
    if not re.fullmatch(r"(?:\d{1,6}[smhdw])+", duration):
        raise ValueError(f"invalid duration {duration!r}; use e.g. 90s or 5m")
    return sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)([smhdw])", duration))
