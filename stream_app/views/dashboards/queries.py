"""PromQL of the dashboards.

Roll-ups over queues are ``sum(value * samples) / sum(samples)``: a mean of ratios would let a queue with two
contacts weigh as much as one with two hundred. Channels are kept apart, because their targets differ.
Percentiles don't add up, so those over all queues are exported ready-made.

Live numbers are taken only from replicas of ``serve`` that report them as trusted: while none does, there is no number,
so tiles show a dash and lines have a gap. Targets, opening hours and plans don't go stale.
"""

from collections.abc import Callable
from typing import Final, Literal

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit, WindowCount
from stream_app.views import naming

CHOSEN: Final = f'{naming.QUEUE}=~"$queue",{naming.CHANNEL}=~"$channel"'
"""The selection by the dashboard's variables."""
QUEUES: Final = f"{naming.QUEUE}, {naming.CHANNEL}"
TRUSTED: Final = f"max({naming.READY}) == 1"
ENOUGH: Final = 10
"""The least number of contacts by which a queue's service level is judged: one missed call of two means nothing."""
Verdict = Literal["missed", "met", "no target"]
_EDGE: Final = "0.000001"
"""Values are compared to this, so that one that is just on target meets it, as people expect."""
_FRESH: Final = f"and on (job, instance) {naming.READY} == 1"


def fresh(series: str) -> str:
    """Keep only what comes from replicas of ``serve`` whose numbers can be trusted now."""
    return f"{series} {_FRESH}"


def each(metric: str, selector: str = "") -> str:
    """Write a live number of the chosen queues and sites."""
    return at_site(_of_queues(metric, selector))


def known(metric: str) -> str:
    """Write what does not go stale (a target, a plan, opening hours) of the chosen queues and sites."""
    return at_site(f"max by ({QUEUES}) ({metric}{{{CHOSEN}}})")


def _of_queues(metric: str, selector: str) -> str:
    """Write a live number of the chosen queues, from any replica of ``serve``."""
    chosen = ",".join(filter(None, [CHOSEN, selector]))
    return f"max by ({QUEUES}) ({fresh(f'{metric}{{{chosen}}}')})"


def at_site(expression: str) -> str:
    """Keep only queues handled at the chosen sites; a queue without one is at the site ``""``."""
    return f'({expression} and on ({QUEUES}) {naming.QUEUE_INFO}{{{naming.SITE}=~"$site"}})'


def in_window(kpi: Kpi) -> str:
    """Write the selector of the chosen window; of its longest where a KPI does not have every window."""
    return "" if kpi.is_level else f'{naming.WINDOW}="{fixed_window(kpi) or "$window"}"'


def fixed_window(kpi: Kpi) -> str | None:
    """Return the window in which a KPI is always drawn because it does not have every one; ``None`` if it has."""
    return None if kpi.is_level or set(naming.WINDOWS) <= set(kpi.windows) else kpi.windows[-1]


def by_queue(kpi: Kpi) -> str:
    """Write the KPI by queue, and money also by currency."""
    if kpi.unit is not Unit.AMOUNT:
        return each(naming.value(kpi), in_window(kpi))
    chosen = fresh(f"{naming.value(kpi)}{{{CHOSEN},{in_window(kpi)}}}")
    return at_site(f"max by ({QUEUES}, {naming.CURRENCY}) ({chosen})")


def promised(kpi: Kpi, write: Callable[[Kpi], str]) -> str:
    """Write something of a mean wait by queue: of its twin by business hours in queues that are held to that."""
    if kpi.twin is None:
        return write(kpi)
    twin = BY_NAME[kpi.twin]
    by_hours = f"and on ({QUEUES}) {known(naming.target(twin))}"
    return f"(({write(twin)}) {by_hours}) or ({write(kpi)})"


def rolled_up(kpi: Kpi, by: str = naming.CHANNEL, among: str = "") -> str:
    """Write the KPI over the chosen queues, by channel, or by site, partner or business unit.

    Args:
        kpi: which.
        by: the label.
        among: a selector of queues by where they are handled.
    """
    value = _of_queues(naming.value(kpi), in_window(kpi))
    if kpi.is_level or isinstance(kpi.measure, WindowCount):
        return f"{'max' if kpi.is_level and not kpi.adds else 'sum'} by ({by}) ({_placed(at_site(value), by, among)})"
    samples = _of_queues(naming.samples(kpi), in_window(kpi))
    weighed = at_site(f"{value} * {samples}")
    # Only queues with a value: a queue without data has no weight.
    over = f"sum by ({by}) ({_placed(at_site(samples), by, among)}) > 0"
    return f"sum by ({by}) ({_placed(weighed, by, among)}) / ({over})"


def _placed(expression: str, by: str, among: str = "") -> str:
    """Add the labels that only the queue's entry has; a queue without a site or unit is called so, not ``Value``."""
    if by == naming.CHANNEL:
        return expression
    entries = f"{naming.QUEUE_INFO}{{{among}}}" if among else naming.QUEUE_INFO
    info = f"topk by ({QUEUES}) (1, max by ({QUEUES}, {by}) ({entries}))"  # while targets change, there may be two
    joined = f"{expression} * on ({QUEUES}) group_left ({by}) {info}"
    return f'label_replace({joined}, "{by}", "no {by}", "{by}", "")'


def target(kpi: Kpi) -> str:
    """Write the target in force of each chosen queue that has a value: alone, a target's line looks broken."""
    return f"{known(naming.target(kpi))} and on ({QUEUES}) {by_queue(kpi)}"


def targets_differ(kpi: Kpi) -> bool:
    """Return whether its channels have different targets by default, so that one axis can't show them all."""
    return len(set(kpi.targets.values())) > 1


def share(kpi: Kpi) -> str:
    """Write each queue's value as a share of its own target: 1 is just on target."""
    return f"{by_queue(kpi)} / ({known(naming.target(kpi))} > 0)"


def judged(kpi: Kpi) -> dict[Verdict, str]:
    """Write the KPI by channel three times, by its ``verdicts``."""
    return verdicts(
        rolled_up(kpi),
        by_queue(kpi),
        known(naming.target(kpi)),
        None if kpi.is_level else _of_queues(naming.samples(kpi), in_window(kpi)),
        better=kpi.better,
    )


def verdicts(
    value: str,
    own: str,
    goal: str,
    samples: str | None,
    *,
    better: str,
    by: str = naming.CHANNEL,
    owners: str = QUEUES,
) -> dict[Verdict, str]:
    """Write a value three times: where it misses the targets in force, where it meets them, and where it has none.

    A ratio or mean over several queues is held against the mean of their targets, weighed by the same contacts; a level is
    missed where one queue misses its own.

    Args:
        value: over all that is chosen, by ``by``.
        own: that of each owner.
        goal: the target of each owner.
        samples: what each owner's value rests on; ``None``: it is a level.
        better: higher, or lower.
        by: the label that is kept; "": none.
        owners: the labels of queues, or of whom the value belongs to.
    """
    if samples is None:
        worst = f"max by ({by}) ({own} / ({goal} > 0))"
        missed, has = f"{worst} > 1", worst
    else:
        weight = f"({samples} and on ({owners}) {own} and on ({owners}) {goal})"
        has = f"sum by ({by}) (({goal} and on ({owners}) {own}) * {weight}) / sum by ({by}) {weight}"
        past = f"{value} - {has}" if better == "higher" else f"{has} - {value}"
        missed = f"round({past}, {_EDGE}) < 0"
    on = f"on ({by})"
    return {
        "missed": f"{value} and {on} ({missed})",
        "met": f"({value} and {on} ({has})) unless {on} ({missed})",
        "no target": f"{value} unless {on} ({has})",
    }


def margin(kpi: Kpi) -> str:
    """Write how far each queue is on the right side of its own target, in the KPI's unit; negative is a miss."""
    value, goal = by_queue(kpi), known(naming.target(kpi))
    return f"{value} - {goal}" if kpi.better == "higher" else f"{goal} - {value}"


def too_late() -> str:
    """Write how many contacts more than the target allows were not answered in time: the customers that a queue lets down."""
    level = BY_NAME["service_level"]
    missing = f"{known(naming.target(level))} - {by_queue(level)}"
    return f"clamp_min(({missing}) * {each(naming.samples(level), in_window(level))}, 0)"


def off_target() -> str:
    """Write how many chosen queues miss their service level, with enough contacts, or let somebody wait too long."""
    level, oldest = BY_NAME["service_level"], BY_NAME["oldest_waiting"]
    enough = f"{each(naming.samples(level), in_window(level))} >= {ENOUGH}"
    missed = f"({margin(level)} < 0 and on ({QUEUES}) {enough}) or ({margin(oldest)} < 0)"
    return or_none(f"count({missed})")


def or_none(count: str) -> str:
    """Write a count that is 0 where nothing is counted, and absent where that is not known."""
    return f"{count} or 0 * ({TRUSTED})"


def an_hour(total: str) -> str:
    """Write contacts per hour, at the rate of the last five minutes, over the chosen queues."""
    rate = fresh(f"rate({naming.total(total)}{{{CHOSEN}}}[5m])")
    return f"sum({at_site(f'max by ({QUEUES}) ({rate})')}) * 3600"


def unread() -> str:
    """Write how many records wait to be counted; while nobody reads them, how many have come since, at the usual rate.

    A worker that has died no longer reports how far the topic has grown.
    """
    return f"max({fresh(naming.UNREAD)}) or max({naming.UNREAD}) + min({naming.DATA_AGE}) * {usual_rate()}"


def usual_rate() -> str:
    """Write how many records are read in a second: the median of an hour."""
    rate = f"sum(max by (result) (rate({naming.RECORDS}[2m])))"
    return f"quantile_over_time(0.5, ({rate})[1h:15s])"
