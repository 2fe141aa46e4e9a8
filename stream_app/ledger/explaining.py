"""Why a KPI is what it is: its formula, taken apart into the contacts that it was made of.

Every part of a formula is a counter, and every counter has its query, so that a new KPI explains itself. The number itself is
made by the formulas that make it everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from stream_app.model.currencies import CURRENCIES, PARTS, written
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import (
    Cost,
    Derived,
    IntervalsMet,
    Level,
    Revenue,
    Unit,
    Value,
    WindowCount,
)
from stream_app.model.kpis.sums import Sum
from stream_app.model.kpis.words import CORRECTIONS
from stream_app.model.live.formulas import Formula, Terms, added
from stream_app.model.targets import Targets
from stream_app.model.why import Role, Which, Why, WhyContact, WhyQuery, WhyTerm

from .explaining_intervals import explain_intervals, place_formula
from .explaining_levels import explain_derived, explain_level
from .spans import MOST, CountedSpan, OpenVisit, Queries, count_span, insert, span_for_all

__all__ = ["explain", "span_of"]

_NO_DATA: Final = Value(None, 0)
_WHICH: Final[dict[Which, str]] = {
    "all": "TRUE",
    "met": "up <> 0",
    "missed": "up = 0 AND down <> 0",
    "left_out": "left_out = 1",
}


async def explain(queries: Queries, open_: Sequence[OpenVisit], query: WhyQuery, targets: Targets) -> Why:
    """Explain a number.

    Args:
        queries: ask the ledger.
        open_: the visits that are not over.
        query: which number.
        targets: in force.

    Raises:
        NotExplainedError: the question does not fit together.
    """
    query.check()
    match query.kpi.measure:
        case Level():
            return explain_level(open_, query, targets)
        case Derived():
            return await explain_derived(queries, open_, query, targets)
        case IntervalsMet(kpi=name):
            return await explain_intervals(queries, open_, query, targets, BY_NAME[name])
    span = await count_span(queries, open_, query, targets, kpi=query.kpi, window=query.window)
    return await _Explained(queries, query, span).why()


def span_of(query: WhyQuery, targets: Targets) -> tuple[int, int]:
    """Return the time of which contacts are needed, ms; of a level none but those that are open."""
    measure = query.kpi.measure
    if isinstance(measure, Derived):
        spans = [span_for_all(query, window, targets) for _, window in measure.of if window is not None]
        return min(start for start, _ in spans), max(end for _, end in spans)
    if isinstance(measure, Level):
        return query.now, query.now + 1
    return span_for_all(query, query.window, targets)


class _Explained:
    """A number over what was counted in a time."""

    def __init__(self, queries: Queries, query: WhyQuery, span: CountedSpan) -> None:
        self._queries, self._query, self._span = queries, query, span
        self._parts = {
            place: place_formula(query.kpi, cell, span.rules[place], span.numbers, query.policy)
            for place, cell in span.cells.items()
        }

    async def why(self) -> Why:
        """Ask, and put it together."""
        span, query = self._span, self._query
        await self.weigh()
        terms = await self._terms()
        money = query.kpi.unit is Unit.AMOUNT
        sums = {
            role: sum(term.sign * term.n for term in terms if term.role == role)
            for role in ("numerator", "denominator")
        }
        counts = isinstance(query.kpi.measure, WindowCount)
        contacts, total = await self._contacts()
        return Why(
            value=self._value(),
            start=span.start,
            end=span.end,
            formulas=self._formulas(),
            terms=terms,
            numerator=None if money else sums["numerator"],
            denominator=None if counts else sums["denominator"],
            versions=tuple(sorted({version for term in terms for version in term.versions})),
            contacts=contacts,
            total=total,
        )

    def _formulas(self) -> dict[str, str]:
        if self._parts:
            return {parts.policy: parts.text for parts in self._parts.values()}
        return {self._query.policy or "": str(self._query.kpi.measure)}

    def _value(self) -> Value:
        made: Formula | None = None
        terms: list[Terms] = []
        for place, parts in self._parts.items():
            made = parts.formula
            terms.append(made.terms(self._span.cells[place], 0, self._span.rules[place]))
        if made is not None:
            return replace(made.value(added(terms), {}), percentiles=None)
        match self._query.kpi.measure:
            case WindowCount():
                return Value(0.0, 0)
            case Revenue() | Cost():
                return Value(None, 0, amounts={})
        return _NO_DATA

    async def weigh(self) -> None:
        """Say of each place how often each counter counts in its formula."""
        rows = []
        for place, parts in self._parts.items():
            up, down = _weights(parts.numerator), _weights(parts.denominator)
            names = {**up, **down}
            for name in names:
                out = down.get(name, 0) < 0 and name not in CORRECTIONS
                rows.append((*place, name, up.get(name, 0), down.get(name, 0), int(out)))
            if isinstance(self._query.kpi.measure, Revenue):
                rows += [(*place, f"revenue.{n}", 1, 0, 0) for n in range(len(CURRENCIES))]
        table = self._span.table
        await self._queries.rows(
            "CREATE TEMPORARY TABLE weights (queue VARCHAR, channel VARCHAR, counter VARCHAR, up BIGINT, down BIGINT, "
            "left_out BIGINT)",
            most=1,
        )
        await insert(self._queries, "weights", rows)
        await self._queries.rows(
            "CREATE TEMPORARY TABLE weighed AS SELECT c.contact, c.contact_id, c.queue, c.channel, c.agent, c.moment, "
            "c.version, c.is_open, c.counter, c.n, c.n * w.up AS up, c.n * w.down AS down, w.left_out "
            f"FROM {table} AS c JOIN weights AS w "
            "ON c.queue = w.queue AND c.channel = w.channel AND c.counter = w.counter",
            most=1,
        )

    async def _terms(self) -> list[WhyTerm]:
        counted = {
            counter: (n, contacts)
            for counter, n, contacts in await self._queries.rows(
                "SELECT counter, CAST(sum(n) AS BIGINT), count(DISTINCT contact) FROM weighed GROUP BY counter",
                most=MOST,
            )
        }
        versions: dict[str, list[int]] = {}
        for counter, version in await self._queries.rows(
            "SELECT DISTINCT counter, version FROM weighed WHERE version IS NOT NULL ORDER BY counter, version",
            most=MOST,
        ):
            versions.setdefault(counter, []).append(version)
        return [
            WhyTerm(
                counter,
                role,
                sign,
                *counted.get(f"{counter}.{member}" if member else counter, (0, 0)),
                currency=CURRENCIES[int(member)] if member else None,
                left_out=role == "denominator" and sign < 0 and counter not in CORRECTIONS,
                versions=tuple(versions.get(f"{counter}.{member}" if member else counter, ())),
                policies=tuple(sorted(policies - {""})),
            )
            for (role, sign, counter, member), policies in self._places_of_terms(counted).items()
        ]

    def _places_of_terms(self, counted: Iterable[str]) -> dict[tuple[Role, int, str, str], set[str]]:
        """Return the terms of all formulas, in their order, with the policies that have them."""
        found: dict[tuple[Role, int, str, str], set[str]] = {}
        for name in sorted(counted):
            counter, _, member = name.partition(".")
            if member:
                found["numerator", 1, counter, member] = set()
        for parts in self._parts.values():
            roles: list[tuple[Role, Sum | None]] = [
                ("numerator", parts.numerator),
                ("denominator", parts.denominator),
            ]
            for role, sum_ in roles:
                for sign, one in sum_.terms if sum_ else ():
                    found.setdefault((role, sign, one.name, ""), set()).add(parts.policy)
        return found

    async def _contacts(self) -> tuple[list[WhyContact], int]:
        query = self._query
        grouped = (
            "SELECT contact, max(contact_id) AS contact_id, queue, channel, max(agent) AS agent, min(moment) AS moment, "
            "max(CASE WHEN is_open THEN 1 ELSE 0 END) AS is_open, CAST(sum(up) AS BIGINT) AS up, "
            "CAST(sum(down) AS BIGINT) AS down, max(left_out) AS left_out FROM weighed GROUP BY contact, queue, channel"
        )
        where = _WHICH[query.which]
        page = (
            f"SELECT * FROM ({grouped}) AS every_one WHERE {where} "
            "ORDER BY moment DESC, contact, queue, channel LIMIT ? OFFSET ?"
        )
        rows = await self._queries.rows(
            "SELECT p.contact, p.contact_id, p.queue, p.channel, p.agent, p.moment, p.is_open, p.up, p.down, w.counter, "
            f"CAST(sum(w.n) AS BIGINT) AS n FROM ({page}) AS p JOIN weighed AS w "
            "ON p.contact = w.contact AND p.queue = w.queue AND p.channel = w.channel "
            "GROUP BY p.contact, p.contact_id, p.queue, p.channel, p.agent, p.moment, p.is_open, p.up, p.down, w.counter "
            "ORDER BY p.moment DESC, p.contact, p.queue, p.channel, w.counter",
            [query.limit, query.skip],
            most=query.limit * (len(self._span.numbers) + len(CURRENCIES)),
        )
        ((total,),) = await self._queries.rows(
            f"SELECT count(*) FROM ({grouped}) AS every_one WHERE {where}", most=1
        )
        found: dict[tuple[Any, ...], dict[str, int]] = {}
        for *who, counter, n in rows:
            if n:
                found.setdefault(tuple(who), {})[counter] = n
            else:
                found.setdefault(tuple(who), {})
        return [self._contact(who, counted) for who, counted in found.items()], total

    def _contact(self, who: tuple[Any, ...], counted: Mapping[str, int]) -> WhyContact:
        _, contact_id, queue, channel, agent, at, is_open, up, down = who
        amounts: dict[str, str] | None = None
        if self._query.kpi.unit is Unit.AMOUNT:
            rule = self._span.rules[queue, channel]
            terms = self._parts[queue, channel].formula.terms(self._span.cell(counted.items()), 0, rule)
            amounts = money_of(terms)
        shown = {_shown(name): n for name, n in counted.items()}
        return WhyContact(contact_id, queue, channel, agent, at, bool(is_open), up, down, shown, amounts)


def money_of(terms: Terms) -> dict[str, str]:
    """Return amounts by currency."""
    return {
        name: written(Decimal(n) / PARTS)
        for name, n in sorted(terms.items())
        if name != "under" and not name.startswith("#")
    }


def _shown(counter: str) -> str:
    name, _, member = counter.partition(".")
    return f"{name}[{CURRENCIES[int(member)]}]" if member else name


def _weights(sum_: Sum | None) -> dict[str, int]:
    weights: dict[str, int] = {}
    for sign, counter in sum_.terms if sum_ else ():
        weights[counter.name] = weights.get(counter.name, 0) + sign
    return weights
