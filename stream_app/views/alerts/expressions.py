"""PromQL of the catalogue's alerts: one number for each queue and channel, for Prometheus and for Grafana.

An expression is silent where it should be: it has no row without the least volume (a night queue), without a target, outside
opening hours, and while the data are stale or their age is unknown, which is one incident of its own and not one for each
queue. Replicas of ``serve`` say the same, so labels are reduced to queue and channel, and an alert outlives a replica; values
are those of replicas whose data are fresh.
"""

from collections.abc import Callable
from typing import Final

from stream_app.model.alerts import Burn, Stopped, Threshold, Traded
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME
from stream_app.views import naming

STALE_AFTER_S: Final = 60
_MISSES: Final = 3
"""So many contacts must have missed a target before its budget burns: at 99 % a single one burns it five times too fast."""
BY: Final = (naming.QUEUE, naming.CHANNEL)
_BY: Final = ", ".join(BY)
_EDGE: Final = "0.0001"
"""Values are rounded to this, so that one at the edge of the tolerance is inside, as people mean it."""


def threshold(kpi: Kpi, alert: Threshold) -> str:
    """How far past its target: in the KPI's unit, or as a share of the target."""
    value, target = _fresh(naming.value(kpi), alert.window), _each(naming.target(kpi))
    past = f"{target}\n  - {value}" if kpi.better == "higher" else f"{value}\n  - {target}"
    if alert.relative:
        past = f"({past})\n  / ({target} > 0)"
    guards = [] if alert.min_samples is None else [_enough(kpi, alert.window, alert.min_samples)]
    return _guarded(f"round(\n  {past},\n  {_EDGE}\n)", *guards, always=alert.always)


def burn(kpi: Kpi, alert: Burn) -> str:
    """How many times too fast the budget burns, in whichever of the two windows it is slower."""
    long, short = (_burn(kpi, window) for window in (alert.long, alert.short))
    # In PromQL the smaller of two: the left one where it is smaller, else the right one.
    slower = f"(\n  {long}\n  < {short}\n  or {short}\n)"
    value, samples = (_each(name, alert.long) for name in (naming.value(kpi), naming.samples(kpi)))
    share = f"(1 - {value})" if kpi.better == "higher" else value
    return _guarded(
        f"round({slower}, {_EDGE})",
        f"and on ({_BY}) {share} * {samples} > {_MISSES - 0.5}",
        _enough(kpi, alert.long, alert.min_samples),
        _enough(kpi, alert.short, alert.min_samples // 4),
    )


def _burn(kpi: Kpi, window: str) -> str:
    value, target = _fresh(naming.value(kpi), window), _each(naming.target(kpi))
    if kpi.better == "higher":
        return f"(1 - {value}) / (1 - {target})"
    return f"{value} / {target}"


def stopped(kpi: Kpi, alert: Stopped) -> str:
    """Which share of the usual contacts does not come: 0 as usual, 1 none at all."""
    total = naming.total(kpi.name)

    def come(offset: str = "") -> str:
        return f"max by ({_BY}) (increase({total}[30m]{offset}))"

    usual = _median(come, alert.weeks)
    return _guarded(f"round(1 - {come()} / {usual}, {_EDGE})", f"and on ({_BY}) {usual} >= {alert.usual}")


def traded(kpi: Kpi, alert: Traded) -> str:
    """By which share of the usual it is better, where the other KPI is worse than usual by more than is tolerated."""
    other = BY_NAME[alert.against]

    def of(which: Kpi) -> tuple[str, str]:
        def value(offset: str = "") -> str:
            return _each(naming.value(which), alert.window, offset)

        return value(), _median(value, alert.weeks)

    (mine, usual), (theirs, used_to) = of(kpi), of(other)
    better = f"{mine} / {usual} - 1" if kpi.better == "higher" else f"1 - {mine} / {usual}"
    return _guarded(
        f"round({better}, {_EDGE})",
        f"and on ({_BY}) round({used_to} - {theirs}, {_EDGE}) > {alert.loss:g}",
        _enough(kpi, alert.window, alert.min_samples[0]),
        _enough(other, alert.window, alert.min_samples[1]),
    )


def _median(of: Callable[[str], str], weeks: int) -> str:
    """The median of the same moment in each of the last weeks; those without data are left out."""
    each = (
        f'label_replace({of(f" offset {week}w")}, "week", "{week}", "", "")' for week in range(1, weeks + 1)
    )
    return f"quantile by ({_BY}) (0.5, {' or '.join(each)})"


def _fresh(metric: str, window: str | None = None) -> str:
    """A metric by queue and channel, of the replicas whose data are fresh."""
    return _each(metric, window, f" and on (job, instance) {naming.DATA_AGE} <= {STALE_AFTER_S}")


def _each(metric: str, window: str | None = None, rest: str = "") -> str:
    """A metric by queue and channel, whichever replica says it; ``rest`` is an offset or a condition."""
    chosen = f'{{{naming.WINDOW}="{window}"}}' if window else ""
    return f"max by ({_BY}) ({metric}{chosen}{rest})"


def _enough(kpi: Kpi, window: str | None, least: int) -> str:
    return f"and on ({_BY}) {_each(naming.samples(kpi), window)} >= {least}"


def _guarded(value: str, *guards: str, always: bool = False) -> str:
    lines = [value, *guards]
    if not always:
        lines.append(f"and on ({_BY}) {_each(naming.OPEN)} == 1")
    lines.append(f"and on () min({naming.DATA_AGE}) <= {STALE_AFTER_S}")
    return "\n".join(lines)
