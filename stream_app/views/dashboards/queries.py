"""PromQL of the dashboards.

Roll-ups over queues are ``sum(value * samples) / sum(samples)``: a mean of ratios would let a queue with two
contacts weigh as much as one with two hundred. Channels are kept apart, because their targets are.
Percentiles don't add up, so those over all queues are exported ready.
"""

from typing import Final

from stream_app.model.kpi import Kpi
from stream_app.model.measures import Unit, Volume
from stream_app.views import naming

CHOSEN: Final = f'{naming.QUEUE}=~"$queue",{naming.CHANNEL}=~"$channel"'
"""What the variables of the dashboard choose."""
QUEUES: Final = f"{naming.QUEUE}, {naming.CHANNEL}"


def each(metric: str, selector: str = "") -> str:
    """A metric of the chosen queues and sites."""
    return at_site(_of_queues(metric, selector))


def _of_queues(metric: str, selector: str) -> str:
    """A metric of the chosen queues, whichever replica of ``serve`` says it."""
    return f"max by ({QUEUES}) ({metric}{{{','.join(filter(None, [CHOSEN, selector]))}}})"


def at_site(expression: str) -> str:
    """Only queues that are worked at the chosen sites; a queue without one is at the site ``""``."""
    return f'({expression} and on ({QUEUES}) {naming.QUEUE_INFO}{{{naming.SITE}=~"$site"}})'


def in_window(kpi: Kpi) -> str:
    """The chosen window; where a KPI does not have every window, its longest."""
    return "" if kpi.is_level else f'{naming.WINDOW}="{fixed_window(kpi) or "$window"}"'


def fixed_window(kpi: Kpi) -> str | None:
    """The window that a KPI is drawn in whatever is chosen, because it does not have every one."""
    return None if kpi.is_level or set(naming.WINDOWS) <= set(kpi.windows) else kpi.windows[-1]


def by_queue(kpi: Kpi) -> str:
    """The KPI queue by queue; of money by currency as well."""
    if kpi.unit is not Unit.AMOUNT:
        return each(naming.value(kpi), in_window(kpi))
    chosen = f"{{{CHOSEN},{in_window(kpi)}}}"
    return at_site(f"max by ({QUEUES}, {naming.CURRENCY}) ({naming.value(kpi)}{chosen})")


def rolled_up(kpi: Kpi, by: str = naming.CHANNEL) -> str:
    """The KPI over the chosen queues, by channel; or by site or business unit."""
    value = _of_queues(naming.value(kpi), in_window(kpi))
    if kpi.is_level or isinstance(kpi.measure, Volume):
        return (
            f"{'max' if kpi.is_level and not kpi.adds else 'sum'} by ({by}) ({_placed(at_site(value), by)})"
        )
    samples = _of_queues(naming.samples(kpi), in_window(kpi))
    weighed = at_site(f"{value} * {samples}")
    # Of those that have a value: what has no data has no weight.
    return f"sum by ({by}) ({_placed(weighed, by)}) / (sum by ({by}) ({_placed(at_site(samples), by)}) > 0)"


def _placed(expression: str, by: str) -> str:
    """With the labels that only the queue's entry has."""
    if by == naming.CHANNEL:
        return expression
    info = f"topk by ({QUEUES}) (1, max by ({QUEUES}, {by}) ({naming.QUEUE_INFO}))"  # while settings change, there may be two
    return f"{expression} * on ({QUEUES}) group_left ({by}) {info}"


def strictest_target(kpi: Kpi) -> str:
    """Of the chosen queues' targets in force, each channel's hardest to meet."""
    how = "max" if kpi.better == "higher" else "min"
    return f"{how} by ({naming.CHANNEL}) ({each(naming.target(kpi))})"


def margin(kpi: Kpi) -> str:
    """How far each queue is on the right side of its own target, in the KPI's unit; negative is a miss."""
    value, target = each(naming.value(kpi), in_window(kpi)), each(naming.target(kpi))
    return f"{value} - {target}" if kpi.better == "higher" else f"{target} - {value}"


def an_hour(total: str) -> str:
    """Contacts an hour, at the rate of the last five minutes, over the chosen queues."""
    rate = f"max by ({QUEUES}) (rate({naming.total(total)}{{{CHOSEN}}}[5m]))"
    return f"sum({at_site(rate)}) * 3600"
