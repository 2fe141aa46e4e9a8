"""How many series Prometheus is given: by KPI, by queue and channel, and in one scrape.

What a scrape costs is a promise. Each KPI has a budget of its own, so that one more KPI never spends what others were given;
the limit at which Prometheus refuses a scrape derives from all of them.
"""

import re
from typing import Final

from stream_app.errors import StreamAppError
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, LedgerWindow
from stream_app.model.live.agent_now import DOING
from stream_app.model.live.wait_histograms import SKETCHES, STEPS

from . import naming

MOST_OF_A_KPI: Final = 12
"""Series that a KPI may have for a queue and channel; of one with several formulas, each of these."""

MAX_CURRENCIES: Final = 3
"""Of a KPI in money, queue and channel; the API has all of them."""

QUEUES: Final = 600
"""Queues and channels for which a scrape has room."""

SETTLED_WINDOWS: Final[tuple[LedgerWindow, ...]] = ("7d", "28d")
"""Windows in which KPIs of the ledger have a settled value: what happened today may still change."""
PARTS_WINDOW: Final[LedgerWindow] = "28d"
"""The window in which KPIs of the ledger are split into their parts; the API has all of them."""
SEGMENTS: Final = 20
"""Segments of customers, and teams of agents; those with the fewest are one."""
OTHERS: Final = "other"
"""The label of what has none of its own."""

REST: Final = 5_000
"""Series of one scrape that are not a queue's: percentiles over all, segments, partitions, the process."""

OF_AGENTS: Final = 2 * len(DOING) + 1 + 2 + 3
"""How many do what and for how long, who is over the limit, slots and those that are used, and the bounds of the next wait."""

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


def of_ledger_kpi(kpi: FromLedger) -> int:
    """Series of a KPI of the ledger for one queue and channel, at most; of another one for a segment or team."""
    formulas = max(1, len(kpi.policies))
    windows = 1 if kpi.is_level else len(LEDGER_WINDOWS)
    values = windows * (MAX_CURRENCIES if naming.has_currency(kpi) else 1)
    samples = windows if naming.owns_ledger_samples(kpi) else 0
    settled = len(SETTLED_WINDOWS) if kpi.settles else 0
    settled += settled if naming.owns_ledger_samples(kpi) else 0
    beside = len(naming.parts_of(kpi)) + naming.shows_target(kpi)
    return formulas * (values + samples + settled) + beside


def of_queue() -> int:
    """Series of one queue and channel, at most."""
    waits = len(SKETCHES) * (len(STEPS) + 1)
    of_ledger = sum(of_ledger_kpi(kpi) for kpi in FROM_LEDGER if kpi.placed)
    others = len(TOTALS) + len(INFORMATION) + waits + len(naming.PLANNED) + OF_AGENTS
    return sum(map(of_kpi, KPIS)) + of_ledger + others


def of_scrape() -> int:
    """Series at which Prometheus refuses a scrape, so that a flood of names can't take it down; whole thousands."""
    return -(-(QUEUES * of_queue() + REST) // 1_000) * 1_000


def beyond(kpi: Kpi | FromLedger) -> str:
    """Return what is wrong with the budget of a KPI, and what to do; empty if nothing is."""
    if isinstance(kpi, FromLedger):
        found, most = of_ledger_kpi(kpi), MOST_OF_A_KPI * max(1, len(kpi.policies))
        what = f"{kpi.name}: expected at most {most} series for a queue and channel, found {found}; give it fewer parts"
        return what if found > most else ""
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
