"""All that is exported: metric → labels."""

from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.live.formulas import PERCENTILES
from stream_app.views import naming


def known() -> dict[str, tuple[str, ...]]:
    """Metric → labels."""
    window: tuple[str, ...] = (naming.WINDOW,)
    place: tuple[str, ...] = (naming.QUEUE, naming.CHANNEL)
    names: dict[str, tuple[str, ...]] = {}
    for kpi in KPIS:
        names |= dict.fromkeys(naming.names_of(kpi), naming.labels(kpi))
        names[naming.target(kpi)] = place
        if kpi.spread:
            names |= {naming.percentile_of_all(kpi, quantile): window for quantile in PERCENTILES}
    for one in FROM_LEDGER:
        names |= naming.ledger_names_of(one)
    names |= {naming.total(counter): place for counter in TOTALS}
    names[naming.QUEUE_INFO] = (*place, naming.SITE, naming.PARTNER, naming.UNIT)
    names[naming.OPEN] = place
    names |= dict.fromkeys(naming.PLANNED, place)
    names |= naming.OF_AGENTS
    names[f"{naming.WAITED}_bucket"] = (*place, naming.OUTCOME, naming.LE)
    names |= naming.LABELS
    return names | {name: naming.LABELS[naming.APPLY] for name in naming.every_name() if naming.APPLY in name}
