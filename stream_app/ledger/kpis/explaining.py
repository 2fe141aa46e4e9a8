"""Why a KPI of the ledger is what it is: the rows of ``samples`` that its sums add up, each with what it adds.

The number and its rows stand on the same step of a family's SQL, so that a new KPI explains itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from stream_app.ledger.reading import OpenedLedger, ReadRange
from stream_app.ledger.spans import LONGEST_DAY, MOST
from stream_app.model.currencies import PARTS, written
from stream_app.model.events import QueueChannel
from stream_app.model.kpis.from_ledger import (
    FromLedger,
    LedgerCost,
    LedgerRevenue,
    Rates,
)
from stream_app.model.kpis.ledger_words import UNPRICED
from stream_app.model.kpis.measures import Value
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, SumsKey, TimeRange
from stream_app.model.ledger_values import values
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.model.why import LedgerWhyQuery, Why, WhyContact, WhyRule, WhyTerm
from stream_app.model.windows import midnight

from . import FAMILIES
from .asking import range_of, samples_of
from .listing import SHOWN, ListedFormula
from .query import LedgerQuestion
from .windows import AskedNumbers

_DIGITS: Final = Decimal("0.0001")


def policy_of(kpi: FromLedger, asked: str | None, rules: LedgerRules) -> str:
    """Return by which formula a KPI is explained: as everywhere, by that of the targets, or else its first one."""
    if asked is not None:
        return asked
    return next((name for name in (rules.fcr_policy, "") if name in kpi.measures), next(iter(kpi.measures)))


def spans_of(query: LedgerWhyQuery, zones: Iterable[str]) -> dict[str, TimeRange]:
    """Return the time that is asked about; of a day, that of each zone, and under ``""`` what is no day."""
    if query.start is not None and query.end is not None:
        return {"": (query.start, query.end)}
    for name, length in LEDGER_WINDOWS.items():
        if name == query.window and length is not None:
            return {"": (query.now - length, query.now)}
    return {zone: (midnight(query.now, zone), query.now) for zone in zones}


def range_of_why(query: LedgerWhyQuery, targets: Targets) -> ReadRange:
    """Return what has to be opened for a question."""
    policy = policy_of(query.kpi, query.policy, LedgerRules.of(targets))
    longest = query.now - LONGEST_DAY, query.now
    start, end = spans_of(query, ()).get("", longest)
    question = LedgerQuestion(start=start, end=end, known=max(end, query.now))
    return range_of([question], [FAMILIES[query.kpi.measures[policy].family]])


async def explain_ledger(
    ledger: OpenedLedger, query: LedgerWhyQuery, targets: Targets, known: int | None = None
) -> Why:
    """Explain a KPI of the ledger.

    Args:
        ledger: opened for ``range_of`` its family.
        query: which number.
        targets: in force.
        known: see ``AskedNumbers``.
    """
    rules = LedgerRules.of(targets)
    policy = policy_of(query.kpi, query.policy, rules)
    formula = ListedFormula.of(query.kpi.measures[policy], settled=query.settled)
    numbers = AskedNumbers(ledger, targets, query.now, known, families=[formula.family.name])
    await numbers.begin()
    return await _Explained(ledger, query, rules, numbers, formula).why(policy)


class _Explained:
    """A number, and what it is made of."""

    def __init__(
        self,
        ledger: OpenedLedger,
        query: LedgerWhyQuery,
        rules: LedgerRules,
        numbers: AskedNumbers,
        formula: ListedFormula,
    ) -> None:
        self._queries, self._query, self._rules = ledger.queries, query, rules
        self._numbers, self._formula = numbers, formula
        self._sums: dict[SumsKey, Counter[str]] = {}
        self._counts: Counter[str] = Counter()
        self._rates: dict[QueueChannel, Rates | None] = {}
        self._has_rows = False

    async def why(self, policy: str) -> Why:
        """Ask, and put it together."""
        query, formula = self._query, self._formula
        spans = spans_of(query, self._zones())
        for zone, span in spans.items():
            async for samples in self._samples(span):
                places = await self._add(samples, zone if len(spans) > 1 else "")
                await self._list(samples, places, is_part=len(spans) > 1)
        sums = Counter[str]()
        for counted in self._sums.values():
            sums.update(counted)
        money = isinstance(formula.measure, LedgerCost | LedgerRevenue)
        return Why(
            value=self._value(policy),
            start=min(start for start, _ in spans.values()),
            end=max(end for _, end in spans.values()),
            formulas={policy: str(formula.measure)},
            terms=[
                WhyTerm(name, role, 1, sums[name], self._counts[name], words=formula.words(name))
                for name, role in formula.terms
            ],
            rules=self._left_out(),
            numerator=None if money else sums[formula.up],
            denominator=sums[formula.down] if formula.down else None,
            contacts=await self._contacts(),
            total=self._counts[f"which {query.which}"],
        )

    def _zones(self) -> list[str]:
        query, numbers = self._query, self._numbers
        if not query.kpi.placed or (query.queue is not None and query.channel is not None):
            return [numbers.zone_of(SumsKey(query.queue, query.channel, None, None))]
        return numbers.zones_in_use()

    def _samples(self, span: TimeRange) -> AsyncIterator[str]:
        return samples_of(self._queries, self._formula.family, self._numbers.question(span))

    def _where(self) -> tuple[str, list[Any]]:
        """Return what is asked of a row's place, and its parameters."""
        asked = {"queue": self._query.queue, "channel": self._query.channel}
        chosen = {name: value for name, value in asked.items() if value is not None}
        return " and ".join(["true", *(f"{name} = ?" for name in chosen)]), [*chosen.values()]

    async def _add(self, samples: str, zone: str) -> list[SumsKey]:
        """Add what these rows come to; return the places where they are, of a zone only its own."""
        formula, query = self._formula, self._query
        where, parameters = self._where()
        conditions = {f"rule {name}": formula.falls_under(name) for name in formula.rules}
        conditions |= {f"which {which}": formula.having(which) for which in ("all", query.which)}
        columns = [f'sum("{name}")' for name in formula.sums]
        columns += [f'count(*) filter ("{name}" <> 0)' for name in formula.sums]
        columns += [f"count(*) filter ({condition})" for condition in conditions.values()]
        rows = await self._queries.rows(
            f"select queue, channel, currency, {', '.join(columns)} from ({formula.rows(samples, where)}) as rows_of "
            "group by queue, channel, currency",
            parameters,
            most=MOST,
        )
        found: list[SumsKey] = []
        for queue, channel, currency, *counted in rows:
            key = SumsKey(queue, channel, None, currency)
            if zone and self._numbers.zone_of(key) != zone:
                continue
            found.append(key)
            n = len(formula.sums)
            sums = dict(zip(formula.sums, map(int, counted[:n]), strict=True))
            counts = dict(zip(formula.sums, counted[n : 2 * n], strict=True))
            counts |= dict(zip(conditions, counted[2 * n :], strict=True))
            if self._is_unpriced(key):
                every = counts["which all"]
                self._counts["unpriced"] += every
                self._counts[f"which {query.which}"] += every if query.which in {"all", "left_out"} else 0
                continue
            self._sums.setdefault(key, Counter()).update(sums)
            self._counts.update(counts)
        return found

    def _is_unpriced(self, key: SumsKey) -> bool:
        """Return whether nobody says what work costs there."""
        return isinstance(self._formula.measure, LedgerCost) and self._rate(key.queue, key.channel) is None

    def _rate(self, queue: str | None, channel: str | None) -> Rates | None:
        place = queue or "", channel or ""
        if place not in self._rates:
            self._rates[place] = self._rules.rates(place)
        return self._rates[place]

    def _value(self, policy: str) -> Value:
        kpi, measure = self._query.kpi, self._formula.measure
        rows = [(key, dict(counted)) for key, counted in self._sums.items()]
        alone = replace(kpi, measures={policy: measure})
        found = values(alone, {measure.family: rows}, self._rules)[policy]
        if self._query.settled:
            return Value(found.settled_value, found.settled_samples or 0)
        return Value(found.value, found.samples, amounts=found.amounts)

    def _left_out(self) -> list[WhyRule]:
        rules = [
            WhyRule(name, words, self._counts[f"rule {name}"])
            for name, (_, words) in self._formula.rules.items()
        ]
        if isinstance(self._formula.measure, LedgerCost):
            rules.append(WhyRule(self._formula.down, UNPRICED, self._counts["unpriced"]))
        return rules

    async def _list(self, samples: str, places: Sequence[SumsKey], *, is_part: bool) -> None:
        """Note the rows that may be on the page: of each slice of people, and of each zone, so many as come first."""
        formula, query = self._formula, self._query
        where, parameters = self._where()
        conditions = [_in(places, parameters)] if is_part else []
        if isinstance(formula.measure, LedgerCost) and query.which != "all":
            unpriced = _in([key for key in places if self._is_unpriced(key)], parameters)
            conditions.append(f"({unpriced}) = {query.which == 'left_out'}")
        if query.which != "left_out" or not isinstance(formula.measure, LedgerCost):
            conditions.append(f"({formula.having(query.which)})")
        sums = ", ".join(f'"{name}"' for name in formula.sums)
        found = (
            f"select {', '.join(SHOWN)}, since, {formula.is_open} as is_open, up, down, {sums} "
            f"from ({formula.rows(samples, where)}) as rows_of where {' and '.join(conditions)} {self._order()} limit ?"
        )
        into = "insert into explained" if self._has_rows else "create or replace temporary table explained as"
        await self._queries.rows(f"{into} {found}", [*parameters, query.skip + query.limit], most=1)
        self._has_rows = True

    def _order(self) -> str:
        """Return the order of a page: the latest first; of what is at the same time, any that is the same for all pages."""
        sums = (f'"{name}"' for name in self._formula.sums)
        return f"order by since desc, {', '.join((*SHOWN, *sums))}"

    async def _contacts(self) -> list[WhyContact]:
        query = self._query
        rows = await self._queries.rows(
            f"select * from explained {self._order()} limit ? offset ?",
            [query.limit, query.skip],
            most=query.limit,
        )
        return [self._contact(row) for row in rows]

    def _contact(self, row: Sequence[Any]) -> WhyContact:
        formula, n = self._formula, len(SHOWN)
        shown = dict(zip(SHOWN, row[:n], strict=True))
        since, is_open, up, down, *counted = row[n:]
        sums = dict(zip(formula.sums, map(int, counted), strict=True))
        place, currency = (shown["queue"], shown["channel"]), shown["currency"]
        amounts: dict[str, str] | None = None
        if isinstance(formula.measure, LedgerCost):
            rate = self._rate(*place)
            amounts = (
                {rate.currency: written(Decimal(str(rate.cost(sums))).quantize(_DIGITS))} if rate else {}
            )
            up, down = (up, down) if rate else (0, 0)
        elif isinstance(formula.measure, LedgerRevenue):
            amounts = {currency: written(Decimal(int(up)) / PARTS)} if currency and up else {}
        return WhyContact(
            shown["contact_id"],
            *place,
            shown["agent"],
            since,
            is_open,
            int(up),
            int(down),
            {name: sums[name] for name, _ in formula.terms if sums[name]},
            amounts,
            shown["case_id"],
            shown["customer"],
            shown["criterion"] or shown["course"],
        )


def _in(places: Sequence[SumsKey], parameters: list[Any]) -> str:
    """Return SQL: whether a row is in one of these places, whose names become parameters."""
    names = [(key.queue or "", key.channel or "") for key in places]
    parameters += [name for place in names for name in place]
    listed = ", ".join(["(?, ?)"] * len(names))
    return f"(coalesce(queue, ''), coalesce(channel, '')) in ({listed})" if names else "false"
