"""Formulas of windowed KPIs in a store's numbers, compiled once: hundreds of queues are computed again and again.

A formula reads additive ``Terms`` off a window's sums, and a value off terms. So a group of queues, each under its own targets,
has the value of the sum of their terms: a group and its parts can't contradict each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import accumulate
from math import ceil
from typing import Final

from msgspec import Struct

from stream_app.model.currencies import CURRENCIES, PARTS, written
from stream_app.model.fold.cells import SHIFT, Cell
from stream_app.model.kpis.counters import abandoned, abandoned_short, answered, decided, offered
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Cost, Either, Ratio, Revenue, Unit, Value, WindowCount
from stream_app.model.kpis.sums import Sum
from stream_app.model.sketch import BUCKETS, estimate
from stream_app.model.targets import QueueTargets

Terms = Mapping[str, int | Decimal]
"""Terms add up over queues: ``over`` (numerator) and ``under`` (denominator); for money the amounts by currency and, under
``#`` and the currency, the contacts that they belong to (in ``under``, if they belong to all)."""

PERCENTILES: Final[dict[str, float]] = {"p50": 0.50, "p90": 0.90, "p95": 0.95}
_NOTHING: Final[dict[str, float | None]] = dict.fromkeys(PERCENTILES)
_NO_DATA: Final = Value(None, 0)
_SECONDS: Final = [estimate(index) / Unit.SECONDS.parts for index in range(BUCKETS)]
_HOUR_MS: Final = 3_600_000

Numbers = Mapping[str, int]
_Signed = tuple[tuple[int, int], ...]  # sign, counter's number


class Formula(Struct, frozen=True):
    """A windowed KPI under one service-level policy."""

    kpi: Kpi

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:
        """Read the terms off a window's sums; ``overdue`` visits were decided because T passed."""
        raise NotImplementedError

    def value(self, terms: Terms, cell: Cell) -> Value:
        """Compute the value of terms; ``cell`` has the distribution."""
        raise NotImplementedError

    def of(self, cell: Cell, overdue: int, rule: QueueTargets) -> Value:
        """Compute the value of a window's sums."""
        return self.value(self.terms(cell, overdue, rule), cell)


def formula(kpi: Kpi, policy: str, numbers: Numbers) -> Formula | None:
    """Return the formula of a KPI; ``None`` if it is not a function of a window's sums."""
    match kpi.measure:
        case Ratio() | Choice():
            ratio = kpi.ratio(policy)
            return None if ratio is None else _ratio(kpi, ratio, numbers)
        case Either(first=first, other=other):
            names = str(Sum.of(first.denominator)), str(Sum.of(other.denominator))
            return _EitherFormula(kpi, _ratio(kpi, first, numbers), _ratio(kpi, other, numbers), names)
        case WindowCount(of=counter):
            return _Volume(kpi, numbers.get(counter.name, 0))
        case Revenue(amounts=amounts, contacts=contacts):
            return _Revenue(kpi, numbers.get(amounts.name, 0) << SHIFT, numbers.get(contacts.name, 0))
        case Cost(time=time, contacts=contacts):
            return _Cost(kpi, _signed(time, numbers), numbers.get(contacts.name, 0))
    return None


def added(terms: Iterable[Terms]) -> Terms:
    """Return the sum of several queues' terms."""
    out: dict[str, int | Decimal] = {}
    for each in terms:
        for name, n in each.items():
            out[name] = out.get(name, 0) + n
    return out


def _signed(of: Sum, numbers: Numbers) -> _Signed:
    # A counter without a number was never counted.
    return tuple((sign, numbers[c.name]) for sign, c in of.terms if c.name in numbers)


class _RatioFormula(Formula, frozen=True):
    parts: int
    times: int
    over: _Signed
    under: _Signed
    decided: tuple[int, int]  # how often the counter occurs in the numerator and in the denominator
    spread: int | None

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:  # noqa: ARG002 - see the base
        return {
            "over": self._sum(self.over, cell, overdue, 0),
            "under": self._sum(self.under, cell, overdue, 1),
        }

    def value(self, terms: Terms, cell: Cell) -> Value:
        return self._value(int(terms.get("over", 0)), int(terms.get("under", 0)), cell)

    def of(self, cell: Cell, overdue: int, rule: QueueTargets) -> Value:  # noqa: ARG002 - see the base
        under = self._sum(self.under, cell, overdue, 1)
        if under <= 0 and self.kpi.spread is None:
            return _NO_DATA
        return self._value(self._sum(self.over, cell, overdue, 0), under, cell)

    def _sum(self, terms: _Signed, cell: Cell, overdue: int, line: int) -> int:
        get = cell.get
        total = overdue * self.decided[line]
        for sign, number in terms:
            total += sign * get(number, 0)
        return total

    def _value(self, over: int, under: int, cell: Cell) -> Value:
        value = self.times * over / (under * self.parts) if under > 0 else None
        if self.kpi.spread is None:
            return Value(value, max(0, under))
        return Value(value, max(0, under), percentiles(cell, self.spread))


def _ratio(kpi: Kpi, ratio: Ratio, numbers: Numbers) -> Formula:
    over, under = Sum.of(ratio.numerator), Sum.of(ratio.denominator)
    above, below = (sum(sign for sign, c in part.terms if c is decided) for part in (over, under))
    spread = numbers.get(kpi.spread.name) if kpi.spread else None
    signed = _signed(over, numbers), _signed(under, numbers)
    return _RatioFormula(kpi, kpi.unit.parts, ratio.times, *signed, (above, below), spread)


class _EitherFormula(Formula, frozen=True):
    """Each queue by the ratio that it has samples of; ``first`` is how many of the samples are of the first."""

    first: Formula
    other: Formula
    names: tuple[str, str]

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:
        terms = self.first.terms(cell, overdue, rule)
        if terms["under"]:
            return {**terms, "first": terms["under"]}
        return self.other.terms(cell, overdue, rule)

    def value(self, terms: Terms, cell: Cell) -> Value:
        value, first = self.first.value(terms, cell), terms.get("first", 0)
        if not value.samples:
            return value
        if not first:
            basis = self.names[1]
        elif first == value.samples:
            basis = self.names[0]
        else:
            basis = " + ".join(self.names)
        return Value(value.value, value.samples, basis=basis)


class _Volume(Formula, frozen=True):
    number: int

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:  # noqa: ARG002 - see the base
        return {"over": cell.get(self.number, 0)}

    def value(self, terms: Terms, cell: Cell) -> Value:  # noqa: ARG002 - see the base
        n = int(terms.get("over", 0))
        return Value(float(n), n)


class _Money(Formula, frozen=True):
    """Amounts by currency."""

    def value(self, terms: Terms, cell: Cell) -> Value:  # noqa: ARG002 - see the base
        """Return amounts per contact. The samples are the contacts of all currencies."""
        everyone = int(terms.get("under", 0))
        amounts: dict[str, str] = {}
        samples = everyone
        for currency, amount in sorted(terms.items()):
            if currency == "under" or currency.startswith("#"):
                continue
            contacts = int(terms.get(f"#{currency}", 0))
            samples += contacts
            if contacts or everyone:
                amounts[currency] = written(Decimal(amount) / PARTS / (contacts or everyone))
        return Value(None, samples, amounts=amounts)


class _Revenue(_Money, frozen=True):
    base: int
    contacts: int

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:  # noqa: ARG002 - see the base
        base, end = self.base, self.base + len(CURRENCIES)
        amounts = {CURRENCIES[key - base]: n for key, n in cell.items() if base <= key < end} if base else {}
        return {**amounts, "under": cell.get(self.contacts, 0)}


class _Cost(_Money, frozen=True):
    time: _Signed
    contacts: int

    def terms(self, cell: Cell, overdue: int, rule: QueueTargets) -> Terms:  # noqa: ARG002 - see the base
        contacts, currency = cell.get(self.contacts, 0), rule.currency
        if currency is None or not contacts or (rule.cost_per_hour is None and rule.cost_per_contact is None):
            return {}
        time = sum(sign * cell.get(number, 0) for sign, number in self.time)
        cost = Decimal(str(rule.cost_per_hour or 0)) * time * PARTS / _HOUR_MS / Decimal(str(rule.at_once))
        cost += Decimal(str(rule.cost_per_contact or 0)) * contacts * PARTS
        return {currency: cost, f"#{currency}": contacts}


def counts(cell: Cell, numbers: Numbers) -> dict[str, int]:
    """Return how many contacts of a window's sums were offered, answered and abandoned, and how many of these were short."""
    wanted = (offered, answered, abandoned, abandoned_short)
    return {c.name: max(0, cell.get(numbers.get(c.name, 0), 0)) for c in wanted}


def percentiles(cell: Mapping[int, int], number: int | None) -> dict[str, float | None]:
    """Return the percentiles of one sketch in a cell, in seconds; one pass for all of them."""
    if number is None:  # the store has no number for this sketch yet
        return _NOTHING
    first = number << SHIFT
    end = first + BUCKETS
    keys = sorted([key for key in cell if first <= key < end])
    if not keys:
        return _NOTHING
    seen = list(accumulate([cell[key] for key in keys]))
    n = seen[-1]
    return {name: _SECONDS[keys[bisect_left(seen, ceil(q * n))] - first] for name, q in PERCENTILES.items()}
