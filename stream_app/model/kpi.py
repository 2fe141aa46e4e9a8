"""What a KPI is: the record that ``kpis`` fills in, and what is wrong with a bad one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from .measures import Choice, Measure, Ratio, Sketch, Unit, Volume
from .windows import WINDOWS


class Alert(Struct, frozen=True, kw_only=True):
    """When a person is told that a KPI misses its target.

    Attributes:
        tolerance: how far past the target, in the KPI's unit; for ``relative`` alerts as a share of the target.
        window: which of the KPI's windows is watched; ``None`` for levels, which have no window.
        hold: for how long it must last (Prometheus duration).
        min_samples: the least volume; one lost call at 3 a.m. is no incident. ``None`` for levels.
        severity: ``page`` wakes someone, ``ticket`` waits for office hours.
    """

    tolerance: float
    relative: bool = False
    window: str | None = "30m"
    hold: str = "5m"
    min_samples: int | None = 20
    severity: Literal["page", "ticket"] = "page"


class Kpi(Struct, frozen=True, kw_only=True):
    """One KPI: everything that is shown, exported, alerted on or documented derives from this entry.

    Attributes:
        name: unique, snake case; the stem of metric and API names.
        measure: the formula.
        target: default target in the KPI's unit, one for all channels or by channel (``""`` is the rest).
        target_why: where the default comes from, or why there is none.
        spread: the distribution whose percentiles are shown beside the mean.
        headline: one of the few that people look at first.
        adds: of a level, whether several queues have the sum of theirs; otherwise the largest.
        pairs: KPIs to read beside it, because this one can be met by ruining them.
        misleads: what it is easily misread as.
    """

    name: str
    title: str
    doc: str
    source: str
    unit: Unit
    better: Literal["higher", "lower"]
    measure: Measure
    tier: Literal["operational", "quality", "business"] = "operational"
    leading: bool = False
    headline: bool = False
    adds: bool = False
    target: float | Mapping[str, float] | None = None
    target_why: str = ""
    misleads: str = ""
    windows: tuple[str, ...] = ("5m", "30m", "today")
    spread: Sketch | None = None
    pairs: tuple[str, ...] = ()
    alert: Alert | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be shown or alerted on."""
        for window in self.windows:
            if window not in WINDOWS:
                raise ValueError(f"{self.name}: no window is called {window!r}")
        if self.unit.is_ratio:
            for value in self.targets.values():
                if not 0 <= value <= 1:
                    raise ValueError(f"{self.name}: the target of a ratio lies in 0…1, not {value}")
        if not self.target_why or not self.misleads or not self.pairs:
            raise ValueError(
                f"{self.name}: say why its target is that, what it is misread as, and what to read beside it"
            )
        if self.alert:
            self._check_alert(self.alert)

    def _check_alert(self, alert: Alert) -> None:
        level = not self.windows
        if self.target is None:
            raise ValueError(f"{self.name}: an alert needs a target to miss")
        if not level and alert.window not in self.windows:
            raise ValueError(f"{self.name}: alert window {alert.window!r} is not kept")
        if not level and not alert.min_samples:
            raise ValueError(f"{self.name}: an alert on a ratio needs a minimum volume")
        if level and (alert.window or alert.min_samples):
            raise ValueError(f"{self.name}: a level has neither window nor samples")

    @property
    def is_level(self) -> bool:
        """A value now, without window and samples."""
        return not self.windows

    @property
    def has_samples(self) -> bool:
        """Whether a denominator tells how much its value rests on; a volume is its own."""
        return not self.is_level and not isinstance(self.measure, Volume)

    @property
    def targets(self) -> Mapping[str, float]:
        """Default target by channel; the key ``""`` stands for every other channel."""
        if self.target is None:
            return {}
        return self.target if isinstance(self.target, Mapping) else {"": self.target}

    def default_target(self, channel: str) -> float | None:
        """The default target of a channel, if there is one."""
        return self.targets.get(channel, self.targets.get(""))

    @property
    def metric(self) -> str:
        """The Prometheus name of its value."""
        return f"cc_{self.name}_{self.unit.suffix}"

    def ratio(self, policy: str) -> Ratio | None:
        """Its formula under a service-level policy; ``None`` if it is no ratio of sums."""
        if isinstance(self.measure, Choice):
            return self.measure.options[policy]
        return self.measure if isinstance(self.measure, Ratio) else None
