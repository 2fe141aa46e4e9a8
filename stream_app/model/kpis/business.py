"""KPIs of money."""

from typing import Final

from stream_app.model.kpi import Kpi
from stream_app.model.measures import Cost, Ratio, Revenue, Unit

from .counters import handled, hold_ms, revenue, sales, talk_ms, wrap_ms

BUSINESS: Final[tuple[Kpi, ...]] = (
    Kpi(
        name="conversion",
        title="Conversion",
        doc="Sales for each contact handled.",
        source="docs/semantics.md",
        unit=Unit.RATIO,
        better="higher",
        tier="business",
        measure=Ratio(sales, handled),
        windows=("today",),
        target_why="none: it depends on what is sold, and to whom",
        misleads="A contact may bring two sales, and a sale may come days later.",
        pairs=("revenue_per_contact", "csat"),
    ),
    Kpi(
        name="revenue_per_contact",
        title="Revenue per contact",
        doc="Money from sales for each contact handled, by currency.",
        source="docs/semantics.md",
        unit=Unit.AMOUNT,
        better="higher",
        tier="business",
        measure=Revenue(revenue, handled),
        windows=("today",),
        target_why="none: it depends on what is sold",
        misleads="Amounts in different currencies are never added.",
        pairs=("conversion", "cost_per_contact"),
    ),
    Kpi(
        name="cost_per_contact",
        title="Cost per contact",
        doc="Agents' time on contacts at their rate, and what each contact costs besides, in the queue's currency.",
        source="docs/semantics.md",
        unit=Unit.AMOUNT,
        better="lower",
        tier="business",
        measure=Cost(talk_ms + hold_ms + wrap_ms, handled),
        windows=("today",),
        target_why="none: set your own; a cheap contact that has to be repeated is dear",
        misleads="Time without a contact is not in it: agents who wait cost, too.",
        pairs=("handle_time", "csat"),
    ),
)
