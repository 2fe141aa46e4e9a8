"""KPIs of money."""

from typing import Final

from .counters import handled, hold_ms, revenue, sales, talk_ms, wrap_ms
from .kpi import Kpi
from .measures import Cost, Ratio, Revenue, Unit

BUSINESS: Final[tuple[Kpi, ...]] = (
    Kpi(
        name="conversion",
        title="Conversion",
        doc="Sales per contact handled.",
        source="docs/semantics.md",
        unit=Unit.RATIO,
        better="higher",
        tier="business",
        measure=Ratio(sales, handled),
        windows=("today",),
        target_why="none: it depends on what is sold, and to whom",
        misleads="A contact may lead to two sales, and a sale may follow days later.",
        pairs=("revenue_per_contact", "csat"),
    ),
    Kpi(
        name="revenue_per_contact",
        title="Revenue per contact",
        doc="Sales revenue per contact handled, by currency.",
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
        doc="Agent time on contacts at its hourly rate plus other costs, per contact handled, in the queue's currency.",
        source="docs/semantics.md",
        unit=Unit.AMOUNT,
        better="lower",
        tier="business",
        measure=Cost(talk_ms + hold_ms + wrap_ms, handled),
        windows=("today",),
        target_why="none: set your own; a cheap contact that has to be repeated is expensive",
        misleads="It leaves out idle time: agents who wait for contacts cost money too.",
        pairs=("handle_time", "csat"),
    ),
)
