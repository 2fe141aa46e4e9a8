"""How many series Prometheus is given: by KPI, by queue and channel, and in one scrape.

What a scrape costs is a promise. Each KPI has a budget of its own, so that one more KPI never spends what others were given;
the limit at which Prometheus refuses a scrape derives from all of them.
"""

import re
from typing import Final

from stream_app.errors import StreamAppError
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.model.live.wait_histograms import SKETCHES, STEPS

from . import naming

MOST_OF_A_KPI: Final = 12
"""Series that a KPI may have for a queue and channel."""

MAX_CURRENCIES: Final = 3
"""Of a KPI in money, queue and channel; the API has all of them."""

QUEUES: Final = 600
"""Queues and channels for which a scrape has room."""

REST: Final = 5_000
"""Series of one scrape that are not a queue's: percentiles over all, partitions, the process."""

INFORMATION: Final = (naming.QUEUE_INFO, naming.OPEN)
"""Where a queue is worked, and whether it is open."""

_LIMIT: Final = re.compile(r"(job_name: contact-centre\n(?:.*\n)*? +sample_limit: )\d+")


def of_kpi(kpi: Kpi) -> int:
    """Series of a KPI for one queue and channel, at most."""
    windows = len(kpi.windows)
    values = 1 if kpi.is_level else windows * (MAX_CURRENCIES if kpi.unit is Unit.AMOUNT else 1)
    samples = windows if naming.owns_samples(kpi) else 0
    share = windows if kpi.spread else 0
    return values + samples + share + naming.shows_target(kpi)


def of_queue() -> int:
    """Series of one queue and channel, at most."""
    waits = len(SKETCHES) * (len(STEPS) + 1)
    return sum(map(of_kpi, KPIS)) + len(TOTALS) + len(INFORMATION) + waits + len(naming.PLANNED)


def of_scrape() -> int:
    """Series at which Prometheus refuses a scrape, so that a flood of names can't take it down; whole thousands."""
    return -(-(QUEUES * of_queue() + REST) // 1_000) * 1_000


def beyond(kpi: Kpi) -> str:
    """Return what is wrong with the budget of a KPI, and what to do; empty if nothing is."""
    if (found := of_kpi(kpi)) <= MOST_OF_A_KPI:
        return ""
    return (
        f"{kpi.name}: expected at most {MOST_OF_A_KPI} series for a queue and channel, found {found}; give it fewer windows "
        f"(it has {', '.join(kpi.windows) or 'none'}), or no spread"
    )


def scrape_configuration(text: str) -> str:
    """Return Prometheus's configuration with the limit that follows from the catalogue; all else stays as it is.

    Raises:
        StreamAppError: there is no limit to be found in it.
    """
    changed, found = _LIMIT.subn(rf"\g<1>{of_scrape()}", text)
    if found != 1:
        raise StreamAppError(
            f"prometheus/prometheus.yml: expected one sample_limit below the job contact-centre, found {found}"
        )
    return changed
