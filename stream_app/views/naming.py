"""Every metric and label name, derived in one place, so that exports, dashboards and alerts can't drift apart.

Names follow Prometheus's rules: base units, the unit as a suffix, ``_total`` for counters. A metric name is
a promise to everyone who graphs it: change one only with a changelog line.
"""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.from_ledger import FromLedger, LedgerCost, LedgerCount, LedgerRevenue, LedgerShare
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Cost, Ratio, Revenue, Unit
from stream_app.model.kpis.sums import Sum
from stream_app.model.live.formulas import PERCENTILES

QUEUE, CHANNEL, WINDOW, CURRENCY = "queue", "channel", "window", "currency"
"""The labels of a contact centre's numbers."""
SHARE: Final = "p90"
"""The percentile of every queue and channel; the others are exported over all queues and by the API."""

WINDOWS: Final = tuple(dict.fromkeys(window for kpi in KPIS for window in kpi.windows))
"""Every window that some KPI is exported in."""
QUEUE_INFO: Final = "cc_queue_info"
"""1 for each queue and channel; its other labels are where it is handled and the business unit it belongs to."""
SITE, PARTNER, UNIT = "site", "partner", "unit"
OPEN: Final = "cc_open"
"""1 while a queue is within its business hours, else 0."""
WAITED: Final = "cc_wait_seconds"
"""Today's contacts by wait and outcome: a histogram that has buckets only."""
FORECAST: Final = "cc_forecast_contacts"
REQUIRED: Final = "cc_required_agents"
REQUIRED_AT_WORK: Final = "cc_required_at_work_agents"
STAFFED: Final = "cc_staffed_agents"
"""The plan for the current 15-minute interval: all its contacts, agents required on the schedule and of these at work, and
agents scheduled."""
PLANNED: Final = (FORECAST, REQUIRED, REQUIRED_AT_WORK, STAFFED)
AGENTS: Final = "cc_agents"
"""Agents of a queue by what they do; only of queues whose agents' states are told. Never an agent's id."""
AGENTS_LONGEST: Final = "cc_agents_longest_seconds"
AGENTS_OVER_LIMIT: Final = "cc_agents_over_limit"
"""Agents of a queue who do something for longer than its limit."""
AGENT_SLOTS: Final = "cc_agent_slots"
AGENT_SLOTS_USED: Final = "cc_agent_slots_used"
"""Contacts that the agents who are available may have at once, and how many of these they have."""
NEXT_WAIT: Final = "cc_next_wait_seconds"
"""How long the next contact will wait: the mean of such waits, and the bounds between which four of five are."""
DOING, BOUND = "doing", "bound"
OF_AGENTS: Final[dict[str, tuple[str, ...]]] = {
    AGENTS: (QUEUE, DOING),
    AGENTS_LONGEST: (QUEUE, DOING),
    AGENTS_OVER_LIMIT: (QUEUE,),
    AGENT_SLOTS: (QUEUE, CHANNEL),
    AGENT_SLOTS_USED: (QUEUE, CHANNEL),
    NEXT_WAIT: (QUEUE, CHANNEL, BOUND),
}
OUTCOME, LE = "outcome", "le"
DATA_AGE: Final = "cc_data_age_seconds"
MAX_AGE: Final = "cc_data_age_limit_seconds"
"""The age beyond which ``serve`` reports the numbers as stale."""
READY: Final = "cc_ready"
TARGETS_VERSION: Final = "cc_targets_version"
"""The version of the targets in force: where it changes, numbers are judged by others from then on."""
SKEW: Final = "cc_clock_skew_seconds"
"""How far a clock is ahead of Redis's; ``OF`` is its owner: ``serve``, or the partition of a worker."""
OF: Final = "of"
WORKER_SKEW: Final = "stream_app_clock_skew_seconds"
PARTITIONS: Final = "cc_partitions"
UNREAD: Final = "cc_unread_records"
RECORDS: Final = "cc_records_total"
STORE_ROLLBACKS: Final = "cc_rollbacks_total"
STORE_BYTES: Final = "cc_store_memory_bytes"
STORE_LIMIT: Final = "cc_store_memory_limit_bytes"
EVENTS: Final = "stream_app_events_total"
LAG: Final = "stream_app_lag_events"
APPLY: Final = "stream_app_apply_seconds"
FENCED: Final = "stream_app_fenced_total"
DEAD_LETTERS: Final = "stream_app_dead_letters_total"
LATE: Final = "stream_app_late_events_total"
IDS_DROPPED: Final = "stream_app_ids_dropped_early_total"
GAPS: Final = "stream_app_gaps_total"
ROLLBACKS: Final = "stream_app_rollbacks_total"
HELD: Final = "stream_app_partitions_held"
NAMES_FULL: Final = "stream_app_names_full"
STARTED: Final = "stream_app_started_timestamp_seconds"
"""When a worker started: one series for each worker that Prometheus reaches."""
ROWS_UNSENT: Final = "stream_app_interval_topic_failing"
PUBLISHED_ROWS: Final = "stream_app_interval_rows_published_total"
PUBLISHED_AT: Final = "stream_app_interval_rows_published_timestamp_seconds"
"""0 in all workers except the one that publishes."""
LEDGER_LAG: Final = "stream_app_ledger_lag_seconds"
LEDGER_HOLES: Final = "stream_app_ledger_holes"
LEDGER_AGE: Final = "cc_ledger_age_seconds"
"""How far behind real time KPIs of the ledger are."""
LEDGER_UNKNOWN: Final = "cc_ledger_unknown_seconds"
"""How much of a window contacts are missing of."""
POLICY, PART, SEGMENT, TEAM = "policy", "part", "segment", "team"
"""Labels of KPIs of the ledger: by which formula, of what part, of which customers or agents."""

LABELS: Final[dict[str, tuple[str, ...]]] = {
    DATA_AGE: (),
    MAX_AGE: (),
    READY: (),
    TARGETS_VERSION: (),
    SKEW: (OF,),
    PARTITIONS: (),
    UNREAD: (),
    RECORDS: ("result",),
    STORE_ROLLBACKS: (),
    STORE_BYTES: (),
    STORE_LIMIT: (),
    EVENTS: ("result",),
    LAG: ("partition",),
    WORKER_SKEW: (),
    APPLY: (),
    FENCED: (),
    DEAD_LETTERS: ("reason",),
    LATE: (),
    IDS_DROPPED: (),
    GAPS: ("kind",),
    ROLLBACKS: (),
    HELD: (),
    NAMES_FULL: ("kind",),
    STARTED: (),
    ROWS_UNSENT: (),
    PUBLISHED_ROWS: (),
    PUBLISHED_AT: (),
    LEDGER_LAG: ("partition",),
    LEDGER_HOLES: ("partition",),
    LEDGER_AGE: (),
    LEDGER_UNKNOWN: (WINDOW,),
}
"""The pipeline's own metrics and their labels; ``APPLY`` is a histogram."""


def value(kpi: Kpi) -> str:
    """Return the metric of the KPI itself: ``cc_<kpi>_<unit>``, labels ``labels(kpi)``."""
    return kpi.metric


def labels(kpi: Kpi) -> tuple[str, ...]:
    """Return the labels of ``value``: a level has no window, money has a currency."""
    place = (QUEUE, CHANNEL) if kpi.is_level else (QUEUE, CHANNEL, WINDOW)
    return (*place, CURRENCY) if kpi.unit is Unit.AMOUNT else place


def samples(kpi: Kpi) -> str:
    """Return the metric of the denominator, for KPIs that have samples.

    KPIs over the same denominator share its series, named after the first of them.
    """
    return f"cc_{_samples_of(kpi).name}_samples"


def owns_samples(kpi: Kpi) -> bool:
    """Return whether the series of its samples has its name."""
    return kpi.has_samples and _samples_of(kpi) is kpi


def _samples_of(kpi: Kpi) -> Kpi:
    mine = _denominator(kpi)
    return next(other for other in KPIS if _denominator(other) == mine)


def _denominator(kpi: Kpi) -> str:
    match kpi.measure:
        case Ratio(denominator=under):
            return str(Sum.of(under))
        case Revenue(contacts=contacts) | Cost(contacts=contacts):
            return contacts.name
    return f"of {kpi.name}"


def shows_target(kpi: Kpi | FromLedger) -> bool:
    """Return whether its target is a series. Volumes and amounts of money have one only where an alert watches it."""
    return kpi.may_have_target


def target(kpi: Kpi) -> str:
    """Return the metric of the target in force; labels queue and channel. Exported where there is a target."""
    return f"cc_{kpi.name}_target"


def percentile(kpi: Kpi, quantile: str = SHARE) -> str:
    """Return the metric of a queue and channel's percentile; only for KPIs with a ``spread``."""
    return f"cc_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def percentile_of_all(kpi: Kpi, quantile: str) -> str:
    """Return the metric of a percentile over all queues (percentiles don't average); label window; for a ``spread`` only."""
    return f"cc_all_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def total(name: str) -> str:
    """Return the metric of a total that never decreases; labels queue and channel."""
    return f"cc_contacts_{name}_total"


def names_of(kpi: Kpi) -> Iterator[str]:
    """Yield every metric that one KPI is exported as."""
    yield value(kpi)
    if kpi.has_samples:
        yield samples(kpi)
    if kpi.target is not None:
        yield target(kpi)
    if kpi.spread:
        yield percentile(kpi)
        yield from (percentile_of_all(kpi, quantile) for quantile in PERCENTILES)


# --- KPIs of the ledger ---


def of_ledger(kpi: FromLedger) -> str:
    """Return the metric of a KPI of the ledger: ``cc_<kpi>_<unit>``, labels ``ledger_labels(kpi)``."""
    return f"cc_{kpi.name}_{kpi.unit.suffix}"


def ledger_labels(kpi: FromLedger) -> tuple[str, ...]:
    """Return its labels: customers have a segment instead of a queue, a value of now has no window."""
    place = owners(kpi)
    more = (*([] if kpi.is_level else [WINDOW]), *([POLICY] if kpi.policies else []))
    return (*place, *more, *([CURRENCY] if has_currency(kpi) else []))


def owners(kpi: FromLedger) -> tuple[str, ...]:
    """Return the labels of what it belongs to: customers have a segment and agents a team instead of a queue."""
    if kpi.placed:
        return QUEUE, CHANNEL
    return (SEGMENT,) if kpi.customers else (TEAM,)


def has_currency(kpi: FromLedger) -> bool:
    """Return whether it is money by currency."""
    return any(isinstance(measure, LedgerCost | LedgerRevenue) for measure in kpi.measures.values())


def settled(kpi: FromLedger) -> str:
    """Return the metric of its settled value, labels as of the value; only for those that settle."""
    return f"cc_{kpi.name}_settled_{kpi.unit.suffix}"


def ledger_samples(kpi: FromLedger) -> str:
    """Return the metric of the denominator, labels as of the value but for the currency.

    KPIs over the same denominator share its series, named after the first of them.
    """
    return f"cc_{_ledger_samples_of(kpi).name}_samples"


def settled_samples(kpi: FromLedger) -> str:
    """Return the metric of the settled denominator; shared likewise."""
    return f"cc_{_ledger_samples_of(kpi).name}_settled_samples"


def owns_ledger_samples(kpi: FromLedger) -> bool:
    """Return whether the series of its samples has its name; a count is its own samples."""
    return not kpi.counts and _ledger_samples_of(kpi) is kpi


def _ledger_samples_of(kpi: FromLedger) -> FromLedger:
    mine = _ledger_denominators(kpi)
    return next(other for other in FROM_LEDGER if _ledger_denominators(other) == mine)


def _ledger_denominators(kpi: FromLedger) -> tuple[object, ...]:
    return tuple(
        (policy, measure.family, measure.samples, kpi.settles)
        if isinstance(measure, LedgerShare | LedgerRevenue)
        else (policy, kpi.name)
        for policy, measure in kpi.measures.items()
        if policy not in kpi.parts
    )


def part(kpi: FromLedger) -> str:
    """Return the metric of its parts, label ``part`` besides those of the value; only for those that have parts."""
    return f"cc_{kpi.name}_part_{kpi.unit.suffix}"


def ledger_target(kpi: FromLedger) -> str:
    """Return the metric of the target, labels ``owners(kpi)``. Exported where there is a target."""
    return f"cc_{kpi.name}_target"


def parts_of(kpi: FromLedger) -> tuple[str, ...]:
    """Return the names of its parts, whether they are formulas of their own or summands."""
    summands = (name for one in kpi.measures.values() if isinstance(one, LedgerCount) for name in one.parts)
    return (*kpi.parts, *summands)


def ledger_names_of(kpi: FromLedger) -> dict[str, tuple[str, ...]]:
    """Return every metric that one KPI of the ledger is exported as, with its labels."""
    labels = ledger_labels(kpi)
    found = {of_ledger(kpi): labels}
    counted = tuple(label for label in labels if label != CURRENCY)
    if not kpi.counts:
        found[ledger_samples(kpi)] = counted
    if kpi.settles:
        found |= {settled(kpi): labels, settled_samples(kpi): counted}
    if parts_of(kpi):
        found[part(kpi)] = (*labels, PART)
    if shows_target(kpi):
        found[ledger_target(kpi)] = owners(kpi)
    return found


def every_name() -> Iterator[str]:
    """Yield every series name that ``serve`` and the workers export, including a histogram's three."""
    for kpi in KPIS:
        yield from dict.fromkeys((*names_of(kpi), *([target(kpi)] if shows_target(kpi) else [])))
    yield from dict.fromkeys(name for kpi in FROM_LEDGER for name in ledger_names_of(kpi))
    yield from (total(name) for name in TOTALS)
    yield from (QUEUE_INFO, OPEN, f"{WAITED}_bucket", *PLANNED, *OF_AGENTS)
    yield from LABELS
    yield from (f"{APPLY}_{part}" for part in ("bucket", "sum", "count"))
