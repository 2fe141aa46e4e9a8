"""What an explanation prints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Final

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit, Value
from stream_app.model.why import LedgerWhyQuery, Why, WhyQuery
from stream_app.views.why.api import answer
from stream_app.views.why.wire import Term, WhyAnswer, contribution

WIDTH: Final = 160
_Link = Callable[[str], str | None]


def to_json(query: WhyQuery | LedgerWhyQuery, why: Why, link: _Link) -> str:
    """Return all of it for programs, as ``/v1/why`` does."""
    whole = replace(_answer(query, why), rows=[contribution(query.kpi, one, link) for one in why.contacts])
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def written(query: WhyQuery | LedgerWhyQuery, why: Why, link: _Link) -> str:
    """Return it for people."""
    text = StringIO()
    console = Console(file=text, width=WIDTH, highlight=False)
    found = _answer(query, why)
    where = " · ".join(filter(None, (query.queue or "all queues", query.channel)))
    console.print(
        Text(f"{query.kpi.title} of {where}: {_value(query.kpi, why.value)}{_sums(found)}", style="bold")
    )
    console.print(Text(_when(query, why)))
    for policy, formula in why.formulas.items():
        console.print(Text(f"{policy or query.kpi.name} = {formula}"))
    for one in found.unknown:
        console.print(
            Text(f"not known for {one.begin} to {one.end}: contacts were counted then that are missing here")
        )
    if found.terms:
        console.print()
        console.print(_terms(found))
    for rule in found.left_out:
        policies = f" ({', '.join(rule.policies)})" if rule.policies else ""
        versions = f"; targets version {', '.join(map(str, rule.targets_versions))}" if rule.contacts else ""
        console.print(Text(f"left out: {rule.contacts:,} contacts. {rule.rule}{policies}{versions}"))
    if why.parts or why.intervals or why.contacts:
        console.print()
        console.print(
            _parts(found) if why.parts else _intervals(why) if why.intervals else _contacts(query, why, link)
        )
    listed = len(why.contacts) + len(why.intervals)
    if why.total > listed:
        console.print(Text(f"… and {why.total - listed:,} more; --limit lists them"))
    return text.getvalue()


def _answer(query: WhyQuery | LedgerWhyQuery, why: Why) -> WhyAnswer:
    return answer(query, why, at=query.now)


def _value(kpi: Kpi | FromLedger, value: Value) -> str:
    if value.amounts is not None:
        return ", ".join(f"{amount} {currency}" for currency, amount in value.amounts.items()) or "no data"
    if value.value is None:
        return "no data"
    if kpi.unit.is_ratio:
        return f"{value.value:.1%}"
    if kpi.unit is Unit.AMOUNT:
        return f"{value.value:,.2f}"
    return f"{value.value:,.1f} s" if kpi.unit is Unit.SECONDS else f"{value.value:,.6g}"


def _sums(found: WhyAnswer) -> str:
    if found.numerator is None or found.denominator is None:
        return ""
    return f" = {found.numerator:,.10g} / {found.denominator:,.10g}"


def _when(query: WhyQuery | LedgerWhyQuery, why: Why) -> str:
    if why.start == why.end:
        return f"now, {_shown(why.start)}"
    return f"{query.window + ', ' if query.window else ''}{_shown(why.start)} to {_shown(why.end)}"


def _terms(found: WhyAnswer) -> Table:
    made = _table("", "counted", "contacts", "counter", "what it counts", numbers={"counted", "contacts"})
    for role in ("numerator", "denominator"):
        for n, one in enumerate(term for term in found.terms if term.role == role):
            made.add_row(
                *map(
                    Text, (role if n == 0 else "", _counted(one), f"{one.contacts:,}", one.counter, one.words)
                )
            )
    return made


def _counted(one: Term) -> str:
    unit = one.currency or ("s" if one.measured == "seconds" else "")
    return f"{'- ' if one.sign < 0 else ''}{one.n:,.10g} {unit}".rstrip()


def _contacts(query: WhyQuery | LedgerWhyQuery, why: Why, link: _Link) -> Table:
    of_ledger = isinstance(query, LedgerWhyQuery)
    names = ("case", "customer", "of") if of_ledger else ()
    heads = ("contact", *names, "queue", "channel", "agent", "at", "adds", "counted", "link")
    made = _table(*heads, numbers={"adds"})
    for one in why.contacts:
        row = contribution(query.kpi, one, link)
        if row.amounts is not None:
            adds = ", ".join(f"{amount} {currency}" for currency, amount in row.amounts.items())
        elif row.denominator is None:
            adds = f"{row.numerator:,.10g}"
        else:
            adds = f"{row.numerator:,.10g} / {row.denominator:,.10g}"
        counted = ", ".join(f"{name} {n:,.10g}" for name, n in row.counted.items())
        name = row.contact_id or ("" if row.case or row.customer or row.item else "forgotten")
        cells = (
            *(
                name,
                *([row.case, row.customer, row.item] if of_ledger else []),
                row.queue,
                row.channel,
                row.agent,
            ),
            *(_shown(one.at), adds, counted, row.url),
        )
        made.add_row(*(Text(cell or "") for cell in cells))
    return made


def _intervals(why: Why) -> Table:
    made = _table(
        "queue", "channel", "from", "value", "target", "samples", "", numbers={"value", "target", "samples"}
    )
    for one in why.intervals:
        cells = (
            one.queue,
            one.channel,
            _shown(one.start),
            f"{one.value:.1%}",
            f"{one.target:.1%}",
            f"{one.samples:,}",
        )
        made.add_row(*map(Text, (*cells, "met" if one.met else "missed")))
    return made


def _parts(found: WhyAnswer) -> Table:
    made = _table("queue", "channel", "value", "made of", numbers={"value"})
    for one in found.parts:
        of = ", ".join(
            f"{part.kpi}{' ' + part.window if part.window else ''} {'no data' if part.value is None else f'{part.value:,.6g}'}"
            for part in one.of
        )
        value = "no data" if one.value is None else f"{one.value:,.6g}"
        made.add_row(*map(Text, (one.queue, one.channel, value, of)))
    return made


def _table(*heads: str, numbers: set[str]) -> Table:
    made = Table(box=None, pad_edge=False)
    for head in heads:
        made.add_column(head, justify="right" if head in numbers else "left", overflow="fold")
    return made


def _shown(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
