"""The entries of the ledger's KPIs of customers and money. ``docs/semantics.md``, "From the ledger", defines them."""

from __future__ import annotations

from typing import Final

from .from_ledger import FromLedger, LedgerCost, LedgerCount, LedgerRevenue, LedgerShare, only
from .measures import Unit

CUSTOMER_ENTRIES: Final[tuple[FromLedger, ...]] = (
    FromLedger(
        name="retention",
        title="Customer retention",
        doc="Share of the customers at the start of the window who are still customers at its end.",
        unit=Unit.RATIO,
        better="higher",
        measures=only(LedgerShare("customers", "kept", "at_start")),
        tier="business",
        target_why="none: it depends on the business, and on how long the window is",
        misleads="It lags: customers who leave now decided weeks ago.",
        pairs=("churn", "first_contact_resolution"),
        customers=True,
    ),
    FromLedger(
        name="churn",
        title="Churn",
        doc="Share of the customers at the start of the window who had left by its end.",
        unit=Unit.RATIO,
        better="lower",
        measures=only(LedgerShare("customers", "lost", "at_start")),
        tier="business",
        target_why="none: it depends on the business, and on how long the window is",
        misleads="It leaves out customers who just stop buying, unless somebody reports that they left.",
        pairs=("retention", "nps", "first_contact_resolution"),
        customers=True,
    ),
    FromLedger(
        name="churn_by_resolution",
        title="Churn, by resolution at first contact",
        doc="Share of the customers at the start who left: of those whose contacts in the time before were all resolved at "
        "first contact, of those of whom one was not, and of those who had none.",
        unit=Unit.RATIO,
        better="lower",
        measures={
            "resolved": LedgerShare("churn_by_resolution", "resolved_lost", "resolved"),
            "unresolved": LedgerShare("churn_by_resolution", "unresolved_lost", "unresolved"),
            "without_contact": LedgerShare("churn_by_resolution", "silent_lost", "silent"),
        },
        tier="business",
        target_why="none: what counts is how far apart they are",
        misleads="Customers with hard problems may leave more often whatever service does: it shows a connection, not a cause.",
        pairs=("churn", "first_contact_resolution"),
        customers=True,
    ),
    FromLedger(
        name="lifetime_value",
        title="Customer lifetime value",
        doc="Mean purchase value × purchases a year × years, of the customers of whom it is known.",  # noqa: RUF001
        unit=Unit.AMOUNT,
        better="higher",
        measures=only(LedgerShare("customers", "value", "valued")),
        tier="business",
        target_why="none: it depends on what is sold",
        misleads="It is an estimate by whoever reports it, in whatever currency that is.",
        pairs=("retention", "cost_per_contact"),
        customers=True,
    ),
)
_COST: Final = FromLedger(
    name="cost_per_contact_with_overhead",
    title="Cost per contact, with overhead",
    doc="Agent time on contacts at its rate with overhead, plus other costs, per contact handled.",
    unit=Unit.AMOUNT,
    better="lower",
    measures=only(LedgerCost()),
    tier="business",
    target_why="none: set your own",
    misleads="It leaves out paid time between contacts.",
    pairs=("cost_per_contact", "first_contact_resolution"),
)
_KINDS_OF_SALE: Final = ("new", "upsell", "saved", "upgrade", "other", "unstated")
MONEY_ENTRIES: Final[tuple[FromLedger, ...]] = (
    _COST,
    FromLedger(
        name="sales_by_kind",
        title="Sales, by kind",
        doc="Sales: new, upsells, saves, upgrades, others, and those with no kind reported.",
        unit=Unit.CONTACTS,
        better="higher",
        measures=only(LedgerCount("sales", "sales", tuple(f"sales_{kind}" for kind in _KINDS_OF_SALE))),
        tier="business",
        target_why="none: it depends on what is sold",
        misleads="A count says nothing about value: a small upsell counts as much as a saved customer.",
        pairs=("conversion_by_kind", "revenue_by_kind"),
        also_by=("sale_kind",),
    ),
    FromLedger(
        name="conversion_by_kind",
        title="Conversion, by kind of sale",
        doc="Sales of a kind per contact handled.",
        unit=Unit.RATIO,
        better="higher",
        measures={kind: LedgerShare("sales", f"sales_{kind}", "handled") for kind in _KINDS_OF_SALE},
        tier="business",
        target_why="none: it depends on what is sold, and to whom",
        misleads="Most contacts are not sales opportunities: compare a queue only with itself.",
        pairs=("revenue_by_kind", "csat"),
    ),
    FromLedger(
        name="revenue_by_kind",
        title="Revenue per contact, by kind of sale",
        doc="Revenue of the sales of a kind per contact handled, by currency.",
        unit=Unit.AMOUNT,
        better="higher",
        measures={kind: LedgerRevenue("sales", f"amount_{kind}", "handled") for kind in _KINDS_OF_SALE},
        tier="business",
        target_why="none: it depends on what is sold",
        misleads="Amounts in different currencies are never added.",
        pairs=("conversion_by_kind", "cost_per_contact"),
    ),
)
