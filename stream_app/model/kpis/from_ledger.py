"""KPIs that need more than one contact, or more than today: they are found in the ledger, and not among the counters.

Their entries are here and not beside their SQL (``ledger/kpis``), because the dictionary and the views are made of them, and
these know nothing of the ledger's engine: a family and its sums are names to them, as counters are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from .ledger_words import ledger_words
from .measures import Unit


class LedgerShare(Struct, frozen=True):
    """A sum over a sum, of one family.

    Attributes:
        family: where the sums are from, as ``ledger/kpis`` calls it.
        of: the sum above.
        samples: the sum below: how much the value rests on.
        settled: whether there are both of those that nothing told in time can change, as ``settled_…``.
    """

    family: str
    of: str
    samples: str
    settled: bool = False

    def value(self, sums: Mapping[str, int]) -> float | None:
        """Return the ratio in stored units; ``None`` without samples."""
        return sums[self.of] / sums[self.samples] if sums[self.samples] > 0 else None

    def value_settled(self, sums: Mapping[str, int]) -> float | None:
        """Return the ratio of the settled ones; ``None`` without samples."""
        n = sums[f"settled_{self.samples}"]
        return sums[f"settled_{self.of}"] / n if n > 0 else None

    def __str__(self) -> str:
        return f"{ledger_words(self.family, self.of)} / {ledger_words(self.family, self.samples)}"


class LedgerCount(Struct, frozen=True):
    """A sum, with the parts into which it is split.

    Attributes:
        family: where the sum is from.
        of: its name.
        parts: the names of its summands, if there are any.
        level: whether it is about the window's end, whenever that began; if not, about what happened in the window.
    """

    family: str
    of: str
    parts: tuple[str, ...] = ()
    level: bool = False

    def value(self, sums: Mapping[str, int]) -> float:
        """Return the sum."""
        return sums[self.of]

    def __str__(self) -> str:
        return " + ".join(ledger_words(self.family, name) for name in self.parts or (self.of,))


class LedgerCost(Struct, frozen=True):
    """Money for work: of each queue and channel at its own rates, by currency."""

    family: str = "work"

    @staticmethod
    def value(
        rows: Mapping[tuple[str, str], Mapping[str, int]], rates: Mapping[tuple[str, str], Rates]
    ) -> dict[str, float]:
        """Return the cost of a contact, by currency; empty without contacts of which it is known.

        Args:
            rows: queue and channel → the sums ``handled`` and ``work_ms``.
            rates: of the same; what contacts cost where there are none is unknown, and these are left out.
        """
        costs, handled = defaultdict[str, float](float), Counter[str]()
        for place, row in rows.items():
            if rate := rates.get(place):
                costs[rate.currency] += rate.cost(row)
                handled[rate.currency] += row["handled"]
        return {currency: costs[currency] / n for currency, n in handled.items() if n}

    def __str__(self) -> str:
        return "(work_ms * (cost per hour + overhead per hour) + handled * cost per contact) / handled"


class LedgerRevenue(Struct, frozen=True):
    """Money that was taken, for each sample, by currency."""

    family: str
    of: str
    samples: str

    def value(self, rows: Mapping[str | None, Mapping[str, int]]) -> dict[str, float]:
        """Return the amount for each sample in stored units, by currency; empty without samples.

        Args:
            rows: currency → the sums; those of no currency have samples only.
        """
        n = sum(row[self.samples] for row in rows.values())
        return {code: row[self.of] / n for code, row in rows.items() if code and row[self.of]} if n else {}

    def __str__(self) -> str:
        return f"{ledger_words(self.family, self.of)} / {ledger_words(self.family, self.samples)}"


class Rates(Struct, frozen=True):
    """What work costs in a queue and channel: an hour, its overhead, each contact; and how many have one agent at once."""

    currency: str
    per_hour: float = 0.0
    overhead_per_hour: float = 0.0
    per_contact: float = 0.0
    at_once: float = 1.0

    def cost(self, sums: Mapping[str, int]) -> float:
        """Return what these contacts cost."""
        hours = sums["work_ms"] / 3_600_000 / self.at_once
        return hours * (self.per_hour + self.overhead_per_hour) + sums["handled"] * self.per_contact


LedgerMeasure = LedgerShare | LedgerCount | LedgerCost | LedgerRevenue


class FromLedger(Struct, frozen=True, kw_only=True):
    """One KPI of the ledger; fields as in ``Kpi``.

    Attributes:
        measures: policy → formula; ``""`` where there is only one.
        customers: whether it is about customers, who belong to no queue.
        agents: whether it is about agents, who belong to no queue, either.
        also_by: what it can be split by besides what all others of its kind can.
    """

    name: str
    title: str
    doc: str
    source: str = "docs/semantics.md"
    unit: Unit
    better: Literal["higher", "lower"]
    measures: Mapping[str, LedgerMeasure]
    tier: Literal["operational", "quality", "business"]
    leading: bool = False
    target: float | None = None
    target_why: str
    misleads: str
    pairs: tuple[str, ...]
    customers: bool = False
    agents: bool = False
    also_by: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[str, ...]:
        """The names of its formulas, if somebody has to choose between them."""
        return () if "" in self.measures else (*self.measures,)

    @property
    def parts(self) -> tuple[str, ...]:
        """The formulas of its parts, beside the one of the whole."""
        return tuple(name for name in self.measures if name) if "" in self.measures else ()

    @property
    def is_level(self) -> bool:
        """Whether it is a value of the window's end, whenever that began."""
        return all(isinstance(one, LedgerCount) and one.level for one in self.measures.values())

    @property
    def counts(self) -> bool:
        """Whether it is a number of what it is about: values add up, and without any the value is 0."""
        return all(isinstance(one, LedgerCount) for one in self.measures.values())

    @property
    def may_have_target(self) -> bool:
        """Whether its target is a series: of volumes and amounts of money only where there is one."""
        return self.target is not None or self.unit not in {Unit.CONTACTS, Unit.AMOUNT}

    @property
    def placed(self) -> bool:
        """Whether it is about contacts, which belong to a queue and channel."""
        return not (self.customers or self.agents)

    @property
    def families(self) -> frozenset[str]:
        """The families that its sums are from."""
        return frozenset(measure.family for measure in self.measures.values())

    @property
    def settles(self) -> bool:
        """Whether it has a settled value beside the provisional one."""
        return any(isinstance(one, LedgerShare) and one.settled for one in self.measures.values())

    def __post_init__(self) -> None:
        """Reject an entry that nobody could read."""
        if not self.target_why or not self.misleads or not self.pairs:
            raise ValueError(f"{self.name}: target_why, misleads and pairs must not be empty")
        if self.unit.is_ratio and self.target is not None and not 0 <= self.target <= 1:
            raise ValueError(f"{self.name}: expected a target of 0…1 for a ratio, got {self.target}")


def only(measure: LedgerMeasure) -> Mapping[str, LedgerMeasure]:
    """Return a measure without a choice."""
    return {"": measure}


LEDGER_FAMILIES: Final = (
    "journeys",
    "touches",
    "resolved_cases",
    "begun_cases",
    "unresolved_cases",
    "customers",
    "churn_by_resolution",
    "bots",
    "work",
    "opinions",
    "sales",
    "criteria",
    "trainings",
    "agent_time",
    "shared_work",
)
"""The families that entries may name."""
