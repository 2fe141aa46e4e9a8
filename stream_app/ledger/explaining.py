"""Why a KPI is what it is: its formula, taken apart into the contacts that it was made of.

Every part of a formula is a counter, and every counter has its query, so that a new KPI explains itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Cost, Either, Ratio, WindowCount
from stream_app.model.kpis.sums import Counter, Sum

from .sql import source_of

Role = Literal["numerator", "denominator"]
Which = Literal["all", "met", "missed", "left_out"]
COUNTERS_MAX: Final = 64


class Queries(Protocol):
    """What answers SQL over the ledger's tables."""

    async def rows(self, sql: str, parameters: Sequence[Any] = (), *, most: int) -> list[tuple[Any, ...]]:
        """Return a query's rows, at most so many."""
        ...


class NotExplainedError(StreamAppError):
    """A KPI that is not a sum over what happened to contacts in a time."""


class Asked(Struct, frozen=True):
    """Which number is to be explained.

    Attributes:
        kpi: the KPI.
        start: of the window, in milliseconds, inclusive.
        end: exclusive.
        queue: one queue; ``None``: all.
        channel: one channel; ``None``: all.
        policy: of a KPI with several definitions; ``None``: the default one.
        which: contacts that are listed: those that count in the numerator, those that count in the denominator only, or those
            that a rule leaves out.
        limit: the most contacts that are listed.
        skip: after so many.
    """

    kpi: Kpi
    start: int
    end: int
    queue: str | None = None
    channel: str | None = None
    policy: str | None = None
    which: Which = "all"
    limit: int = 100
    skip: int = 0


class Term(Struct, frozen=True):
    """A counter of a formula.

    Attributes:
        counter: its name.
        role: where it stands.
        sign: 1, or -1 if it is subtracted: the contacts that it counts are left out.
        n: what it counted, in stored units: contacts, milliseconds or parts of a score.
        contacts: how many contacts that were.
    """

    counter: str
    role: Role
    sign: int
    n: int
    contacts: int


class Contribution(Struct, frozen=True):
    """A contact's part in a number, in stored units.

    Attributes:
        contact_id: the contact; ``None`` if it was forgotten.
        queue: where it counted.
        channel: likewise.
        agent: whose it was, if it was somebody's.
        at: when it counted first, in milliseconds.
        numerator: what it adds there.
        denominator: likewise.
        counted: the formula's counters that counted it, and how much.
    """

    contact_id: str | None
    queue: str
    channel: str
    agent: str | None
    at: int
    numerator: int
    denominator: int
    counted: dict[str, int]


class Explanation(Struct, frozen=True):
    """A number and what it is made of.

    Attributes:
        formula: in the names of its counters.
        terms: these.
        numerator: their sum.
        denominator: likewise; 0 for a plain count.
        contributions: the contacts asked for, the latest first.
        contacts: how many there are of these in all.
        versions: the versions of the settings by which they were counted.
    """

    formula: str
    terms: list[Term]
    numerator: int
    denominator: int
    contributions: list[Contribution]
    contacts: int
    versions: list[int]


def parts_of(kpi: Kpi, policy: str | None = None) -> list[tuple[str, Sum, Sum | None]]:
    """Return the formulas that a KPI may be, the first with a denominator above 0 counts: text, numerator, denominator.

    Raises:
        NotExplainedError: it has none.
    """
    measure = kpi.measure
    if isinstance(measure, Choice):
        name = policy or measure.default
        if name not in measure.options:
            raise NotExplainedError(
                f"{kpi.name}: expected a policy, one of {', '.join(measure.options)}; got {name!r}"
            )
        measure = measure.options[name]
    elif policy is not None:
        raise NotExplainedError(f"{kpi.name} has one definition only; leave the policy out")
    if isinstance(measure, Either):
        return [_ratio(measure.first), _ratio(measure.other)]
    if isinstance(measure, Ratio):
        return [_ratio(measure)]
    if isinstance(measure, WindowCount):
        return [(str(measure), Sum.of(measure.of), None)]
    if isinstance(measure, Cost):
        return [(str(measure), measure.time, Sum.of(measure.contacts))]
    raise NotExplainedError(
        f"{kpi.name} is no sum over contacts in a time, but {measure}: ask why of the KPIs that it is made of"
    )


def _ratio(ratio: Ratio) -> tuple[str, Sum, Sum | None]:
    return str(ratio), Sum.of(ratio.numerator), Sum.of(ratio.denominator)


async def explain(queries: Queries, asked: Asked) -> Explanation:
    """Explain a number.

    Raises:
        NotExplainedError: nobody can, from contacts.
    """
    formulas = parts_of(asked.kpi, asked.policy)
    for n, (text, numerator, denominator) in enumerate(formulas):
        found = await _explained(queries, asked, text, numerator, denominator)
        if found.denominator > 0 or n + 1 == len(formulas):
            return found
    raise AssertionError("a KPI has a formula")


async def _explained(
    queries: Queries, asked: Asked, text: str, numerator: Sum, denominator: Sum | None
) -> Explanation:
    roles: list[tuple[Role, Sum]] = [("numerator", numerator)]
    if denominator is not None:
        roles.append(("denominator", denominator))
    counters = list({counter.name: counter for _, sum_ in roles for _, counter in sum_.terms}.values())
    counted, values = _counted(counters, asked)
    totals = {
        name: (n, contacts)
        for name, n, contacts in await queries.rows(
            f"WITH counted AS ({counted}) SELECT counter, CAST(sum(n) AS BIGINT), count(DISTINCT contact) "
            "FROM counted GROUP BY counter",
            values,
            most=COUNTERS_MAX,
        )
    }
    terms = [
        Term(counter.name, role, sign, *totals.get(counter.name, (0, 0)))
        for role, sum_ in roles
        for sign, counter in sum_.terms
    ]
    each = [
        f", CAST(sum(CASE WHEN counter = '{counter.name}' THEN n ELSE 0 END) AS BIGINT) AS c_{i}"
        for i, counter in enumerate(counters)
    ]
    by_contact = f"""WITH counted AS ({counted}), contacts AS (
        SELECT contact, any_value(contact_id) AS contact_id, queue, channel, max(agent) AS agent, min(moment) AS moment,
            CAST(sum(({_weight(numerator)}) * n) AS BIGINT) AS up,
            CAST(sum(({_weight(denominator)}) * n) AS BIGINT) AS down,
            max(CASE WHEN {_is_left_out(roles)} THEN 1 ELSE 0 END) AS left_out
            {"".join(each)}
        FROM counted GROUP BY contact, queue, channel)"""
    where = _WHICH[asked.which]
    columns = "".join(f", c_{i}" for i in range(len(counters)))
    rows = await queries.rows(
        f"{by_contact} SELECT contact_id, queue, channel, agent, moment, up, down{columns} FROM contacts WHERE {where} "
        "ORDER BY moment DESC, contact, queue, channel LIMIT ? OFFSET ?",
        [*values, asked.limit, asked.skip],
        most=asked.limit,
    )
    ((contacts,),) = await queries.rows(
        f"{by_contact} SELECT count(*) FROM contacts WHERE {where}", values, most=1
    )
    versions = await queries.rows(
        f"WITH counted AS ({counted}) SELECT DISTINCT version FROM counted ORDER BY version",
        values,
        most=1000,
    )
    return Explanation(
        formula=text,
        terms=terms,
        numerator=sum(term.sign * term.n for term in terms if term.role == "numerator"),
        denominator=sum(term.sign * term.n for term in terms if term.role == "denominator"),
        contributions=[_contribution(row, counters) for row in rows],
        contacts=contacts,
        versions=[version for (version,) in versions],
    )


_WHICH: Final[dict[Which, str]] = {
    "all": "TRUE",
    "met": "up <> 0",
    "missed": "up = 0 AND down <> 0",
    "left_out": "left_out = 1",
}


def _counted(counters: Iterable[Counter], asked: Asked) -> tuple[str, list[Any]]:
    """Return a query for what each counter counted, row by row, and its parameters."""
    queries, values = [], list[Any]()
    for counter in counters:
        source = source_of(counter)
        where = f"{source.where} AND {source.at} >= make_timestamptz(? * 1000) AND {source.at} < make_timestamptz(? * 1000)"
        values += (asked.start, asked.end)
        for name, value in (("queue", asked.queue), ("channel", asked.channel)):
            if value is not None:
                where += f" AND {name} = ?"
                values.append(value)
        who = "coalesce(contact_id, concat(partition, '.', \"offset\", '.', n))"  # a forgotten one is still one contact
        queries.append(
            f"SELECT {who} AS contact, contact_id, queue, channel, agent, epoch_ms({source.at}) AS moment, version, "
            f"'{counter.name}' AS counter, {source.amount} AS n FROM {source.table} WHERE {where}"
        )
    return " UNION ALL ".join(queries), values


def _weight(sum_: Sum | None) -> str:
    """Return how often a counter counts in a sum, as an expression."""
    if sum_ is None:
        return "0"
    weights: dict[str, int] = {}
    for sign, counter in sum_.terms:
        weights[counter.name] = weights.get(counter.name, 0) + sign
    cases = " ".join(f"WHEN '{name}' THEN {weight}" for name, weight in weights.items())
    return f"CASE counter {cases} ELSE 0 END"


def _is_left_out(roles: Sequence[tuple[Role, Sum]]) -> str:
    names = sorted({counter.name for _, sum_ in roles for sign, counter in sum_.terms if sign < 0})
    return f"counter IN ({', '.join(repr(name) for name in names)})" if names else "FALSE"


def _contribution(row: Sequence[Any], counters: Sequence[Counter]) -> Contribution:
    contact_id, queue, channel, agent, moment, up, down, *counted = row
    return Contribution(
        contact_id,
        queue,
        channel,
        agent,
        moment,
        up,
        down,
        {counter.name: n for counter, n in zip(counters, counted, strict=True) if n},
    )
