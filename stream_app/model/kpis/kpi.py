"""The record of a KPI, which the catalogue fills in, and the checks on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from stream_app.model.windows import WINDOWS

from .alerts import Alert, Breached, Burn, Stopped, Surged, Threshold, TooMany, Traded, problem
from .measures import Choice, Measure, Ratio, Unit, WindowCount
from .sums import Sketch


class Kpi(Struct, frozen=True, kw_only=True):
    """One KPI: everything that is shown, exported, alerted on or documented is derived from this entry.

    Attributes:
        name: unique, snake case; the stem of metric and API names.
        measure: the formula.
        target: default target in the KPI's unit, one for all channels or by channel (``""`` is the rest).
        target_why: where the default comes from, or why there is none.
        spread: the distribution whose percentiles are shown beside the mean.
        headline: whether it is one of the few to look at first; ``headline_written``: in channels in which people write.
        twin: the same by business hours, whose target it is in queues that promised that clock.
        adds: whether a level is summed over queues; otherwise the largest is taken.
        pairs: KPIs to read with it, because this one can be met by ruining them.
        misleads: how it is easily misread.
        alerts: when to notify a person; at most one of each kind and severity.
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
    headline_written: bool = False
    twin: str | None = None
    adds: bool = False
    target: float | Mapping[str, float] | None = None
    target_why: str = ""
    misleads: str = ""
    windows: tuple[str, ...] = ("5m", "30m", "today")
    spread: Sketch | None = None
    pairs: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def __post_init__(self) -> None:
        """Reject an entry that could not be shown or alerted on."""
        for window in self.windows:
            if window not in WINDOWS:
                raise ValueError(f"{self.name}: unknown window {window!r}")
        if self.unit.is_ratio:
            for value in self.targets.values():
                if not 0 <= value <= 1:
                    raise ValueError(f"{self.name}: expected a target of 0…1 for a ratio, got {value}")
        if not self.target_why or not self.misleads or not self.pairs:
            raise ValueError(f"{self.name}: target_why, misleads and pairs must not be empty")
        if len({(type(alert), alert.severity) for alert in self.alerts}) < len(self.alerts):
            raise ValueError(f"{self.name}: two alerts of one kind and severity")
        for alert in self.alerts:
            if wrong := problem(alert) or self._misfit(alert):
                raise ValueError(f"{self.name}: {type(alert).__name__.lower()} alert: {wrong}")

    def _misfit(self, alert: Alert) -> str | None:
        """Return why this KPI can't have such an alert; ``None`` if it can."""
        wrong: str | None
        match alert:
            case Threshold():
                return self._misfit_threshold(alert)
            case Burn():
                return self._misfit_burn(alert)
            case Stopped() | Surged():
                return self._misfit_volume()
            case TooMany():
                counted = self.is_level and self.unit is Unit.CONTACTS
                wrong = None if counted else "only contacts in a state can be too many"
            case Breached() if not self.unit.is_ratio or self.better != "higher":
                wrong = "a breach needs a ratio of contacts that kept the rules"
            case Breached(window=window) | Traded(window=window):
                kept = not self.is_level and window in self.windows
                wrong = None if kept else f"the window {window!r} is not kept"
        return wrong

    def _misfit_volume(self) -> str | None:
        if not isinstance(self.measure, WindowCount):
            return "only a volume of contacts can stop or surge"
        return None if "30m" in self.windows else "the window '30m' is not kept"

    def _misfit_threshold(self, alert: Threshold) -> str | None:
        if self.is_level:
            # Without a default target the alert is for queues that are given one.
            return "a level has no window and no samples" if alert.window or alert.min_samples else None
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
        """Return the share of contacts that may miss a ratio's target."""
        return 1 - target if self.better == "higher" else target

    @property
    def threshold(self) -> Threshold | None:
        """Its alert on a missed target."""
        return next((alert for alert in self.alerts if isinstance(alert, Threshold)), None)

    @property
    def may_have_target(self) -> bool:
        """Whether its target is a series: of volumes and amounts of money only where there is one, or an alert watches it."""
        return bool(self.targets or self.threshold) or self.unit not in {Unit.CONTACTS, Unit.AMOUNT}

    @property
    def is_level(self) -> bool:
        """Whether it is a current value, without window and samples."""
        return not self.windows

    @property
    def has_samples(self) -> bool:
        """Whether a denominator shows how much its value rests on; a volume is its own."""
        return not self.is_level and not isinstance(self.measure, WindowCount)

    @property
    def targets(self) -> Mapping[str, float]:
        """Default target by channel; the key ``""`` stands for every other channel."""
        if self.target is None:
            return {}
        return self.target if isinstance(self.target, Mapping) else {"": self.target}

    def default_target(self, channel: str) -> float | None:
        """Return the default target of a channel, if there is one."""
        return self.targets.get(channel, self.targets.get(""))

    @property
    def metric(self) -> str:
        """The Prometheus name of its value."""
        return f"cc_{self.name}_{self.unit.suffix}"

    def ratio(self, policy: str) -> Ratio | None:
        """Return its formula under a service-level policy; ``None`` if it is not a ratio of sums."""
        if isinstance(self.measure, Choice):
            return self.measure.options[policy]
        return self.measure if isinstance(self.measure, Ratio) else None
