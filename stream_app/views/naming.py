"""Every metric and label name, derived in one place: what is exported, drawn and alerted on can't drift.

Prometheus's rules for names hold: base units, the unit as a suffix, ``_total`` for counters. A metric name is
a promise to whoever graphs it: change one only with a changelog line.
"""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpi import Kpi
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.measures import Counter, Level, Unit
from stream_app.model.snapshot import PERCENTILES

QUEUE, CHANNEL, WINDOW = "queue", "channel", "window"
"""The labels of what a contact centre does."""
SHARE: Final = "p90"
"""The percentile that every queue and channel has; the others are exported over all queues and by the API."""

DATA_AGE: Final = "cc_data_age_seconds"
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

LABELS: Final[dict[str, tuple[str, ...]]] = {
    DATA_AGE: (),
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
}
"""The pipeline's own metrics and their labels; ``APPLY`` is a histogram."""


def value(kpi: Kpi) -> str:
    """The KPI itself: ``cc_<kpi>_<unit>``, labels ``labels(kpi)``."""
    return kpi.metric


def labels(kpi: Kpi) -> tuple[str, ...]:
    """The labels of ``value`` and ``samples``: a level has no window."""
    return (QUEUE, CHANNEL) if is_level(kpi) else (QUEUE, CHANNEL, WINDOW)


def is_level(kpi: Kpi) -> bool:
    """Whether it is read off those who wait now, so that it has neither window nor samples."""
    return isinstance(kpi.measure, Level)


def samples(kpi: Kpi) -> str:
    """The denominator, what the value rests on; not for levels."""
    return f"cc_{kpi.name}_samples"


def target(kpi: Kpi) -> str:
    """The target in force; labels queue and channel. Exported where a KPI or a setting has one."""
    return f"cc_{kpi.name}_target"


def percentile(kpi: Kpi, quantile: str = SHARE) -> str:
    """A percentile of a queue and channel; only for KPIs with a ``spread``."""
    return f"cc_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def percentile_of_all(kpi: Kpi, quantile: str) -> str:
    """A percentile over all queues (percentiles don't average); label window. For KPIs with a ``spread``."""
    return f"cc_all_{kpi.name}_{quantile}_{Unit.SECONDS.suffix}"


def total(counter: Counter) -> str:
    """A total that never falls; labels queue and channel."""
    return f"cc_contacts_{counter.name}_total"


def names_of(kpi: Kpi) -> Iterator[str]:
    """Every metric that one KPI is exported as."""
    yield value(kpi)
    if not is_level(kpi):
        yield samples(kpi)
    if kpi.target is not None:
        yield target(kpi)
    if kpi.spread:
        yield percentile(kpi)
        yield from (percentile_of_all(kpi, quantile) for quantile in PERCENTILES)


def every_name() -> Iterator[str]:
    """Every series name that ``serve`` and the workers export, a histogram's three included."""
    for kpi in KPIS:
        yield from names_of(kpi)
    yield from (total(counter) for counter in TOTALS)
    yield from LABELS
    yield from (f"{APPLY}_{part}" for part in ("bucket", "sum", "count"))
