"""An explanation as it is written. Values are in the KPI's unit, as /v1/now shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct

from stream_app.model.currencies import PARTS
from stream_app.model.kpis.from_ledger import FromLedger, LedgerRevenue
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit, Value
from stream_app.model.kpis.words import RULES, WORDS
from stream_app.model.live.running import INTERVAL_MS
from stream_app.model.why import Role, Why, WhyContact, WhyInterval, WhyPart, WhyTerm
from stream_app.views import naming
from stream_app.views.contacts.wire import MaybeText, UnknownRange
from stream_app.views.ledger.wire import rounded
from stream_app.views.stamping import Time, stamp
from stream_app.views.wire import Figure, figure

MaybeMoney = Annotated[dict[str, str] | None, Meta(description="Money: currency → decimal number")]
Adds = Annotated[
    float | None,
    Meta(
        description="In the KPI's unit: numerator / denominator is the value; null for money, which is in `amounts`"
    ),
]
_SCORES: Final = {
    "ces_effort": 1000,
    "review_score": 10_000,
    "auto_review_score": 10_000,
    "sentiment_score": 1000,
    "predicted_csat": 1000,
    "revenue": PARTS,
    "scored_total": 10_000,
    "auto_scored_total": 10_000,
    "value": 10_000,
    **{
        measure.of: PARTS
        for kpi in FROM_LEDGER
        for measure in kpi.measures.values()
        if isinstance(measure, LedgerRevenue)
    },
}
"""Counters and sums of something else than contacts and time → how much of them makes one."""

PathOf = Callable[[Mapping[str, str]], str]
"""Parameters of a question → the path that asks it."""
CountedIn = Literal["contacts", "seconds", "points"]


class Term(Struct, frozen=True):
    """A part of the formula."""

    counter: Annotated[str, Meta(description="Its name in the formula")]
    words: Annotated[str, Meta(description="What it counts")]
    role: Annotated[Role, Meta(description="Where it stands")]
    sign: Annotated[int, Meta(description="1: it is added, -1: it is subtracted")]
    n: Annotated[float, Meta(description="What it counted: contacts, seconds, or scores or money added up")]
    measured: Annotated[CountedIn, Meta(description="In what: `points` are scores or money")]
    contacts: Annotated[int, Meta(description="How many contacts that were")]
    currency: str | None
    policies: Annotated[list[str], Meta(description="Of the formulas that have it; empty: there is one only")]
    targets_versions: Annotated[list[int], Meta(description="Of the targets by which it was counted")]


class LeftOut(Struct, frozen=True):
    """Contacts that a rule leaves out; of a KPI of the ledger also cases, customers and what agents were assigned."""

    counter: str
    rule: Annotated[str, Meta(description="The rule, in words")]
    contacts: int
    policies: Annotated[list[str], Meta(description="The policies that have this rule")]
    targets_versions: Annotated[list[int], Meta(description="Of the targets that made them fall under it")]


class Contribution(Struct, frozen=True):
    """A contact, and what it adds; of a KPI of the ledger also a case, a customer, or what an agent was assigned."""

    contact_id: Annotated[str | None, Meta(description="null: it was forgotten, or there is none")]
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")]
    queue: Annotated[str | None, Meta(description="null: in none, or it is not known")]
    channel: Annotated[str | None, Meta(description="null: in none, or it is not known")]
    agent: str | None
    at: Annotated[Time, Meta(description="When it counted first; of a value of now, since when it is so")]
    open: Annotated[bool, Meta(description="It is not over yet, and may change")]
    numerator: Adds
    denominator: Annotated[float | None, Meta(description="null where there is none")]
    amounts: MaybeMoney
    counted: Annotated[dict[str, float], Meta(description="Counter → what it counted of this contact")]
    case: Annotated[MaybeText, Meta(description="Of a KPI of the ledger: the case; likewise the next two")]
    customer: MaybeText
    item: Annotated[str | None, Meta(description="The criterion of a review, the course of a training")]


class CountedInterval(Struct, frozen=True):
    """A 15-minute interval, and whether it met the target."""

    queue: str
    channel: str
    begin: Time
    value: float
    samples: int
    target: float
    met: bool
    why: Annotated[str, Meta(description="Path of its own explanation")]


class PartFigure(Struct, frozen=True):
    """A KPI that a number is made of."""

    kpi: str
    window: Annotated[str | None, Meta(description="null: now")]
    value: float | None
    samples: int
    why: Annotated[str, Meta(description="Path of its own explanation")]


class WhyPartRow(Struct, frozen=True):
    """What a number that follows from others is made of, of one queue and channel."""

    queue: str
    channel: str
    value: Annotated[float | None, Meta(description="What they make there")]
    of: list[PartFigure]


class WhyAnswer(Struct, frozen=True):
    """A number, and what it is made of."""

    at: Annotated[Time, Meta(description="When the answer was made")]
    kpi: str
    title: str
    unit: str
    queue: Annotated[str | None, Meta(description="null: all")]
    channel: Annotated[str | None, Meta(description="null: all")]
    window: Annotated[str | None, Meta(description="null: of a range, or now")]
    begin: Annotated[
        Time, Meta(description="The time, as used: whole buckets; of a KPI of the ledger, to the millisecond")
    ]
    end: Time
    figure: Annotated[Figure, Meta(description="As /v1/now has it, or /v1/ledger")]
    formulas: Annotated[
        dict[str, str],
        Meta(
            description="Policy → formula; under an empty name where there is one definition only. Several where queues differ"
        ),
    ]
    numerator: Adds
    denominator: Annotated[float | None, Meta(description="null: the number is a plain sum")]
    terms: list[Term]
    left_out: list[LeftOut]
    targets_versions: Annotated[list[int], Meta(description="Of the targets by which contacts counted")]
    positions: Annotated[
        dict[str, int], Meta(description="Partition → offset up to which contacts and counters are read")
    ]
    unknown: Annotated[
        list[UnknownRange],
        Meta(description="When contacts were counted that are missing here: no data there"),
    ]
    total: Annotated[int, Meta(description="How many rows or intervals there are, on all pages")]
    next: Annotated[str | None, Meta(description="Path of the next page; null: this is the last one")]
    intervals: Annotated[
        list[CountedInterval], Meta(description="Of a KPI that counts intervals instead of contacts")
    ]
    parts: Annotated[list[WhyPartRow], Meta(description="Of a KPI that follows from others")]
    rows: Annotated[list[Contribution], Meta(description="The contacts")]


def unit_of(kpi: Kpi | FromLedger) -> str:
    """Return the name of a KPI's unit."""
    return kpi.unit.suffix


def figure_of(kpi: Kpi | FromLedger, value: Value) -> Figure:
    """Return the number as it is shown everywhere."""
    if isinstance(kpi, Kpi):
        return figure(kpi.name, value)
    return Figure(
        rounded(value.value), value.samples, amounts=UNSET if value.amounts is None else {**value.amounts}
    )


def terms_of(why: Why) -> list[Term]:
    """Return the terms of the formula."""
    return [
        Term(
            one.counter,
            one.words or WORDS[one.counter],
            one.role,
            one.sign,
            counted(one.counter, one.n),
            _measured(one.counter),
            one.contacts,
            one.currency,
            [*one.policies],
            [*one.versions],
        )
        for one in why.terms
    ]


def left_out_of(why: Why) -> list[LeftOut]:
    """Return what rules leave out."""
    found: list[WhyTerm] = [one for one in why.terms if one.left_out]
    return [
        *(
            LeftOut(one.counter, RULES[one.counter], one.contacts, [*one.policies], [*one.versions])
            for one in found
        ),
        *(LeftOut(one.name, one.words, one.n, [], []) for one in why.rules),
    ]


def contribution(kpi: Kpi | FromLedger, one: WhyContact, link: Callable[[str], str | None]) -> Contribution:
    """Return a contact as it is written; ``link`` returns its address in the platform."""
    is_sum = kpi.is_level if isinstance(kpi, Kpi) else kpi.counts
    return Contribution(
        one.contact_id,
        None if one.contact_id is None else link(one.contact_id),
        one.queue,
        one.channel,
        one.agent,
        stamp(one.at),
        one.open,
        in_unit(kpi, one.numerator),
        None if is_sum else one.denominator,
        None if one.amounts is None else {**one.amounts},
        {name: counted(name, n) for name, n in one.counted.items()},
        one.case,
        one.customer,
        one.item,
    )


def interval_row(kpi: str, one: WhyInterval, path: PathOf) -> CountedInterval:
    """Return an interval as it is written."""
    end = one.start + INTERVAL_MS
    why = path(
        {"kpi": kpi, "queue": one.queue, "channel": one.channel, "from": stamp(one.start), "to": stamp(end)}
    )
    return CountedInterval(
        one.queue, one.channel, stamp(one.start), round(one.value, 6), one.samples, one.target, one.met, why
    )


def part_row(kpi: Kpi, one: WhyPart, path: PathOf) -> WhyPartRow:
    """Return a part as it is written."""
    value = figure(kpi.name, Value(one.value, 0)).value
    of = []
    for name, (window, each) in one.of.items():
        asked = {"kpi": name, "queue": one.queue, "channel": one.channel} | (
            {"window": window} if window else {}
        )
        of.append(PartFigure(name, window, figure(name, each).value, each.samples, path(asked)))
    return WhyPartRow(one.queue, one.channel, value, of)


def in_unit(kpi: Kpi | FromLedger, n: int | None) -> float | None:
    """Return a part of the numerator in the KPI's unit; of money by currency nothing."""
    money = kpi.unit is Unit.AMOUNT if isinstance(kpi, Kpi) else naming.has_currency(kpi)
    if n is None or money:
        return None
    times: int = getattr(kpi.measure, "times", 1) if isinstance(kpi, Kpi) else 1
    return times * n / kpi.unit.parts


def counted(counter: str, n: int) -> float:
    """Return what a counter counted: contacts, seconds, or scores or money added up."""
    if counter.endswith("_ms"):
        return n / 1000
    return n / _SCORES.get(counter.partition("[")[0], 1)


def _measured(counter: str) -> CountedIn:
    if counter.endswith("_ms"):
        return "seconds"
    return "points" if counter in _SCORES else "contacts"
