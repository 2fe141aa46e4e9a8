"""Every metric and label name, derived in one place: what is exported, drawn and alerted on can't drift.

Prometheus's rules for names hold: base units, the unit as a suffix, ``_total`` for counters. A metric name is
a promise to whoever graphs it: change one only with a changelog line.
"""

from collections.abc import Iterator
from typing import Final

from stream_app.model.formulas import PERCENTILES
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.measures import Cost, Ratio, Revenue, Sum, Unit

QUEUE, CHANNEL, WINDOW, CURRENCY = "queue", "channel", "window", "currency"
"""The labels of what a contact centre does."""
SHARE: Final = "p90"
"""The percentile that every queue and channel has; the others are exported over all queues and by the API."""

WINDOWS: Final = tuple(dict.fromkeys(window for kpi in KPIS for window in kpi.windows))
"""Every window that some KPI is exported in."""
QUEUE_INFO: Final = "cc_queue_info"
"""1 for each queue and channel; its other labels say where it is worked and to which business unit it belongs."""
SITE, PARTNER, UNIT = "site", "partner", "unit"
OPEN: Final = "cc_open"
"""1 while a queue is within its business hours, else 0."""
WAITED: Final = "cc_wait_seconds"
"""Today's contacts by how long they waited and what became of them: a histogram, of which there are the buckets only."""
FORECAST: Final = "cc_forecast_contacts"
REQUIRED: Final = "cc_required_agents"
STAFFED: Final = "cc_staffed_agents"
"""The plan of the running quarter of an hour: all contacts of it, people to be on the roster, and who is on it."""
PLANNED: Final = (FORECAST, REQUIRED, STAFFED)
OUTCOME, LE = "outcome", "le"
DATA_AGE: Final = "cc_data_age_seconds"
MAX_AGE: Final = "cc_data_age_limit_seconds"
"""Beyond this ``serve`` calls the numbers stale."""
READY: Final = "cc_ready"
PARTITIONS: Final = "cc_partitions"
UNREAD: Final = "cc_unread_records"
RECORDS: Final = "cc_records_total"
STORE_ROLLBACKS: Final = "cc_rollbacks_total"
EVENTS: Final = "stream_app_events_total"
LAG: Final = "stream_app_lag_events"
APPLY: Final = "stream_app_apply_seconds"
FENCED: Final = "stream_app_fenced_total"
DEAD_LETTERS: Final = "stream_app_dead_letters_total"
LATE: Final = "stream_app_late_events_total"
ROLLBACKS: Final = "stream_app_rollbacks_total"
NAMES_FULL: Final = "stream_app_names_full"
PUBLISHED_ROWS: Final = "stream_app_interval_rows_published_total"
PUBLISHED_AT: Final = "stream_app_interval_rows_published_timestamp_seconds"
"""0 in all workers but the one that publishes."""

LABELS: Final[dict[str, tuple[str, ...]]] = {
    DATA_AGE: (),
    MAX_AGE: (),
    READY: (),
    PARTITIONS: (),
    UNREAD: (),
    RECORDS: ("result",),
    STORE_ROLLBACKS: (),
    EVENTS: ("result",),
    LAG: ("partition",),
    APPLY: (),
    FENCED: (),
    DEAD_LETTERS: ("reason",),
    LATE: (),
    ROLLBACKS: (),
    NAMES_FULL: ("kind",),
    PUBLISHED_ROWS: (),
    PUBLISHED_AT: (),
}
"""The pipeline's own metrics and their labels; ``APPLY`` is a histogram."""


def value(kpi: Kpi) -> str:
    """The KPI itself: ``cc_<kpi>_<unit>``, labels ``labels(kpi)``."""
    return kpi.metric


def labels(kpi: Kpi) -> tuple[str, ...]:
    """The labels of ``value``: a level has no window, money a currency."""
    place = (QUEUE, CHANNEL) if kpi.is_level else (QUEUE, CHANNEL, WINDOW)
    return (*place, CURRENCY) if kpi.unit is Unit.AMOUNT else place


def samples(kpi: Kpi) -> str:
    """The denominator, what the value rests on: for KPIs that have samples.

    KPIs over the same denominator share its series, named after the first of them.
    """
    return f"cc_{_samples_of(kpi).name}_samples"


def owns_samples(kpi: Kpi) -> bool:
    """Whether the series of its samples bears its name."""
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


def shows_target(kpi: Kpi) -> bool:
    """Whether its target is a series. How many came, and amounts in some currency, have one only where an alert watches it."""
    return bool(kpi.targets or kpi.threshold) or kpi.unit not in {Unit.CONTACTS, Unit.AMOUNT}


def target(kpi: Kpi) -> str:
    """The target in force; labels queue and channel. Exported where a KPI or a setting has one."""
    return f"cc_{kpi.name}_target"


def percentile(kpi: Kpi, quantile: str = SHARE) -> str:
    """A percentile of a queue and channel; only for KPIs with a ``spread``."""
    return f"cc_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def percentile_of_all(kpi: Kpi, quantile: str) -> str:
    """A percentile over all queues (percentiles don't average); label window. For KPIs with a ``spread``."""
    return f"cc_all_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def total(name: str) -> str:
    """A total that never falls; labels queue and channel."""
    return f"cc_contacts_{name}_total"


def names_of(kpi: Kpi) -> Iterator[str]:
    """Every metric that one KPI is exported as."""
    yield value(kpi)
    if kpi.has_samples:
        yield samples(kpi)
    if kpi.target is not None:
        yield target(kpi)
    if kpi.spread:
        yield percentile(kpi)
        yield from (percentile_of_all(kpi, quantile) for quantile in PERCENTILES)


def every_name() -> Iterator[str]:
    """Every series name that ``serve`` and the workers export, a histogram's three included."""
    for kpi in KPIS:
        yield from dict.fromkeys((*names_of(kpi), *([target(kpi)] if shows_target(kpi) else [])))
    yield from (total(name) for name in TOTALS)
    yield from (QUEUE_INFO, OPEN, f"{WAITED}_bucket", *PLANNED)
    yield from LABELS
    yield from (f"{APPLY}_{part}" for part in ("bucket", "sum", "count"))
