"""What a KPI is: the record that ``kpis`` fills in, and what is wrong with a bad one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from .alerts import Alert, Burn, Stopped, Threshold, Traded, problem
from .measures import Choice, Measure, Ratio, Sketch, Unit, Volume
from .windows import WINDOWS


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
        alerts: when a person is told; of each kind at most one of a severity.
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
    alerts: tuple[Alert, ...] = ()

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
        if len({(type(alert), alert.severity) for alert in self.alerts}) < len(self.alerts):
            raise ValueError(f"{self.name}: two alerts of one kind and severity")
        for alert in self.alerts:
            if wrong := problem(alert) or self._misfit(alert):
                raise ValueError(f"{self.name}: {type(alert).__name__.lower()} alert: {wrong}")

    def _misfit(self, alert: Alert) -> str | None:
        """Why this KPI can't have such an alert."""
        match alert:
            case Threshold():
                return self._misfit_threshold(alert)
            case Burn():
                return self._misfit_burn(alert)
            case Stopped():
                return None if isinstance(self.measure, Volume) else "only contacts can stop"
            case Traded(window=window):
                if self.is_level or window not in self.windows:
                    return f"the window {window!r} is not kept"
        return None

    def _misfit_threshold(self, alert: Threshold) -> str | None:
        if self.is_level:
            # Without a default target it is there for queues whose settings have one.
            return "a level has neither window nor samples" if alert.window or alert.min_samples else None
        if self.target is None:
            return "it needs a target to miss"
        if alert.window not in self.windows:
            return f"the window {alert.window!r} is not kept"
        return None if alert.min_samples else "it needs a minimum volume"

    def _misfit_burn(self, alert: Burn) -> str | None:
        if not self.unit.is_ratio or not self.targets:
            return "a budget needs a ratio with a target"
        if missing := {alert.long, alert.short} - set(self.windows):
            return f"the window {min(missing)!r} is not kept"
        if alert.factor > self.most_burn:
            return f"a budget can't burn more than {self.most_burn:g} times too fast, so not {alert.factor:g}"
        return None

    @property
    def most_burn(self) -> float:
        """How many times too fast the budget of each default target can burn, at least: when every contact misses it."""
        budgets = [self.budget(target) for target in self.targets.values()]
        return 1 / max(budgets) if all(budgets) else float("inf")

    def budget(self, target: float) -> float:
        """Of a ratio: the share of contacts that may miss the target."""
        return 1 - target if self.better == "higher" else target

    @property
    def threshold(self) -> Threshold | None:
        """Its alert on a missed target."""
        return next((alert for alert in self.alerts if isinstance(alert, Threshold)), None)

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
