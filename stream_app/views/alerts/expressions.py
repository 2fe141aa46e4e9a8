"""PromQL of the catalogue's alerts: one number for each queue and channel, for Prometheus and for Grafana.

An expression is silent where it should be: it has no row without a minimum volume (a night queue), without a target, outside
business hours, and while the data is stale or its age is unknown, which is one incident of its own and not one for each
queue. Replicas of ``serve`` report the same, so labels are reduced to queue and channel, and an alert outlives a replica;
values come from replicas whose data is fresh.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.alerts import (
    DEFERRED,
    Breached,
    Burn,
    Stopped,
    Surged,
    Threshold,
    TooMany,
    Traded,
)
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.targets.conversations import SPOKEN
from stream_app.views import naming

STALE_AFTER_S: Final = 60
_MISSES: Final = 3
"""The least number of misses before a budget burns: at 99 % a single miss would burn it five times too fast."""
BY: Final = (naming.QUEUE, naming.CHANNEL)
_BY: Final = ", ".join(BY)
FRESH: Final = f"min({naming.DATA_AGE}) <= {STALE_AFTER_S}"
"""It has a row while the numbers are fresh: what fires on them is held as long as they are not."""
_EDGE: Final = "0.0001"
"""Values are rounded to this, so that one at the edge of the tolerance is inside, as people expect."""


def threshold(kpi: Kpi, alert: Threshold) -> str:
    """Write how far a KPI is past its target: in its unit, or as a share of the target."""
    value, target = _fresh(naming.value(kpi), alert.window), _each(naming.target(kpi))
    if alert.written:
        value = _fresh(f"{naming.value(kpi)}{_not(sorted(SPOKEN))}")
    past = f"{target}\n  - {value}" if kpi.better == "higher" else f"{value}\n  - {target}"
    if alert.relative:
        past = f"({past})\n  / ({target} > 0)"
    guards = [] if alert.min_samples is None else [_enough(kpi, alert.window, alert.min_samples)]
    return _guarded(f"round(\n  {past},\n  {_EDGE}\n)", *guards, always=alert.always)


def burn(kpi: Kpi, alert: Burn) -> str:
    """Write how many times too fast the budget burns, in the slower of the two windows."""
    long, short = (_burn(kpi, window) for window in (alert.long, alert.short))
    # The smaller of two in PromQL: the left one where it is smaller, otherwise the right one.
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
    """Write the share of the usual contacts that did not arrive: 0 as usual, 1 none at all."""
    now, usual = _volume(kpi), _median(partial(_volume, kpi), alert.weeks)
    return _guarded(f"round(1 - {now} / {usual}, {_EDGE})", f"and on ({_BY}) {usual} >= {alert.usual}")


def surged(kpi: Kpi, alert: Surged) -> str:
    """Write how many times the usual contacts arrive."""
    now, usual = _volume(kpi), _median(partial(_volume, kpi), alert.weeks)
    return _guarded(f"round({now} / {usual}, {_EDGE})", f"and on ({_BY}) {usual} >= {alert.usual}")


def _volume(kpi: Kpi, offset: str = "") -> str:
    """Write the contacts of half an hour, by when they arrived: whatever is counted later of the past moves no other moment.

    Of the past, only moments at which the numbers were fresh count: a window that decays while nobody counts is no volume.
    """
    then = f" and on () min({naming.DATA_AGE}{offset}) <= {STALE_AFTER_S}" if offset else ""
    return f"({_each(naming.value(kpi), '30m', offset)}{then})"


def too_many(kpi: Kpi, alert: TooMany) -> str:
    """Write how many contacts are in the state: while the queue is open, or while it is closed and somebody holds the line."""
    value = _fresh(naming.value(kpi))
    if not alert.closed:
        return _guarded(value)
    value = _fresh(f"{naming.value(kpi)}{_not(DEFERRED)}")
    return _guarded(value, f"and on ({_BY}) {_each(naming.OPEN)} == 0", always=True)


def breached(kpi: Kpi, alert: Breached) -> str:
    """Write how many contacts missed what none may miss."""
    value, samples = (_each(name, alert.window) for name in (naming.value(kpi), naming.samples(kpi)))
    return _guarded(f"round((1 - {value}) * {samples})", always=True)


def past_target(kpi: Kpi) -> str:
    """Write a row for each queue in which a level is past its target, or was within a quarter of an hour."""
    past = f"{_each(naming.value(kpi))} > {_each(naming.target(kpi))}"
    return f"max_over_time(({past})[15m:1m])"


def traded(kpi: Kpi, alert: Traded) -> str:
    """Write how much better a KPI is than usual, as a share, where the other one is worse by more than is tolerated."""
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
    """Write the median of the same moment in each of the last weeks; weeks without data are left out."""
    each = (
        f'label_replace({of(f" offset {week}w")}, "week", "{week}", "", "")' for week in range(1, weeks + 1)
    )
    return f"quantile by ({_BY}) (0.5, {' or '.join(each)})"


def _not(channels: Iterable[str]) -> str:
    """Write the selector of all other channels."""
    return f'{{{naming.CHANNEL}!~"{"|".join(channels)}"}}'


def _fresh(metric: str, window: str | None = None) -> str:
    """Write a metric by queue and channel, from the replicas whose data is fresh."""
    return _each(metric, window, f" and on (job, instance) {naming.DATA_AGE} <= {STALE_AFTER_S}")


def _each(metric: str, window: str | None = None, rest: str = "") -> str:
    """Write a metric by queue and channel, from any replica; ``rest`` is an offset or a condition."""
    chosen = f'{{{naming.WINDOW}="{window}"}}' if window else ""
    return f"max by ({_BY}) ({metric}{chosen}{rest})"


def _enough(kpi: Kpi, window: str | None, least: int) -> str:
    return f"and on ({_BY}) {_each(naming.samples(kpi), window)} >= {least}"


def _guarded(value: str, *guards: str, always: bool = False) -> str:
    lines = [value, *guards]
    if not always:
        lines.append(f"and on ({_BY}) {_each(naming.OPEN)} == 1")
    lines.append(f"and on () {FRESH}")
    return "\n".join(lines)
