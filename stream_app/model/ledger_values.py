"""From the sums of the ledger's families to the values of KPIs, of any rows together: sums add up, values don't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from .currencies import written
from .events import QueueChannel
from .kpis.from_ledger import FromLedger, LedgerCost, LedgerCount, LedgerRevenue, LedgerShare
from .kpis.measures import Unit
from .ledger_numbers import SumsKey
from .targets.ledger_rules import LedgerRules

PlacedSums = Iterable[tuple[SumsKey, Mapping[str, int]]]
_DIGITS = Decimal("0.0001")


class LedgerValue(Struct, frozen=True):
    """A KPI of the ledger by one of its formulas, in its unit.

    Attributes:
        value: ``None`` without data, and for money by currency.
        samples: how much the value rests on.
        settled_value: of those that nothing told in time can change; ``None``: there are none, or it does not tell them apart.
        settled_samples: how many these are; ``None``: it does not tell them apart.
        parts: into which a count is split.
        amounts: currency → amount for each contact.
    """

    value: float | None
    samples: int
    settled_value: float | None = None
    settled_samples: int | None = None
    parts: dict[str, float] = {}
    amounts: dict[str, str] | None = None


def values(kpi: FromLedger, rows: Mapping[str, PlacedSums], rules: LedgerRules) -> dict[str, LedgerValue]:
    """Return policy → value of these rows together; ``""`` where there is only one formula.

    Args:
        kpi: what is asked.
        rows: family → its sums; formulas whose family is not there are left out.
        rules: what work costs where.
    """
    found: dict[str, LedgerValue] = {}
    for policy, measure in kpi.measures.items():
        if (mine := rows.get(measure.family)) is None:
            continue
        match measure:
            case LedgerShare():
                found[policy] = _share(measure, added(mine), kpi.unit)
            case LedgerCount():
                found[policy] = _count(measure, added(mine), kpi.unit)
            case LedgerCost():
                found[policy] = _cost(measure, mine, rules)
            case LedgerRevenue():
                found[policy] = _revenue(measure, mine, kpi.unit)
    return found


def added(rows: PlacedSums) -> dict[str, int]:
    """Return the sums of rows together."""
    found: dict[str, int] = {}
    for _, sums in rows:
        for name, n in sums.items():
            found[name] = found.get(name, 0) + n
    return found


def _share(measure: LedgerShare, sums: dict[str, int], unit: Unit) -> LedgerValue:
    if not sums:
        return LedgerValue(None, 0, None, 0 if measure.settled else None)
    value, samples = measure.value(sums), sums[measure.samples]
    if not measure.settled:
        return LedgerValue(_in(unit, value), max(0, samples))
    settled = measure.value_settled(sums)
    n = sums[f"settled_{measure.samples}"]
    return LedgerValue(_in(unit, value), max(0, samples), _in(unit, settled), max(0, n))


def _in(unit: Unit, value: float | None) -> float | None:
    return None if value is None else value / unit.parts


def _count(measure: LedgerCount, sums: dict[str, int], unit: Unit) -> LedgerValue:
    """Return how many; of nothing it is none, but time of which nobody told is not known."""
    if not sums and unit is Unit.SECONDS:
        return LedgerValue(None, 0)
    n = measure.value(sums) if sums else 0
    parts = {part: sums.get(part, 0) / unit.parts for part in measure.parts}
    return LedgerValue(n / unit.parts, int(n), parts=parts)


def _cost(measure: LedgerCost, rows: PlacedSums, rules: LedgerRules) -> LedgerValue:
    """Return what contacts cost, by currency; where nobody says what work costs, it is not known."""
    places: dict[QueueChannel, dict[str, int]] = {}
    for key, sums in rows:
        mine = places.setdefault((key.queue or "", key.channel or ""), {})
        for name, n in sums.items():
            mine[name] = mine.get(name, 0) + n
    rates = {place: rate for place in places if (rate := rules.rates(place)) is not None}
    amounts = {
        currency: written(Decimal(str(value)).quantize(_DIGITS))
        for currency, value in sorted(measure.value(places, rates).items())
    }
    return LedgerValue(None, sum(places[place]["handled"] for place in rates), amounts=amounts)


def _revenue(measure: LedgerRevenue, rows: PlacedSums, unit: Unit) -> LedgerValue:
    """Return what is taken for each sample, by currency."""
    by_currency: dict[str | None, dict[str, int]] = {}
    for key, sums in rows:
        mine = by_currency.setdefault(key.currency, {})
        for name, n in sums.items():
            mine[name] = mine.get(name, 0) + n
    amounts = {
        currency: written((Decimal(str(value)) / unit.parts).quantize(_DIGITS))
        for currency, value in sorted(measure.value(by_currency).items())
    }
    samples = sum(sums[measure.samples] for sums in by_currency.values())
    return LedgerValue(None, samples, amounts=amounts)
