"""What a formula asks of the rows of ``samples``: what each adds, which rule leaves it out, and whether it may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from stream_app.model.kpis.from_ledger import (
    LedgerCost,
    LedgerCount,
    LedgerMeasure,
    LedgerRevenue,
    LedgerShare,
)
from stream_app.model.kpis.ledger_words import LEFT_OUT, UNSETTLED, ledger_words
from stream_app.model.why import Role, Which

from . import FAMILIES
from .query import ABOUT, LedgerFamily

_WHICH: Final[dict[Which, str]] = {
    "all": "up <> 0 or down <> 0 or ({left_out})",
    "met": "up <> 0",
    "missed": "up = 0 and down <> 0",
    "left_out": "{left_out}",
}
SHOWN: Final = (*ABOUT, "currency")
"""What rows are about, as ``ListedFormula.rows`` names it."""


class ListedFormula(Struct, frozen=True):
    """What is asked of a row of ``samples``.

    Attributes:
        family: whose rows.
        measure: what is made of them.
        up: the sum above.
        down: the sum below; empty: there is none.
        terms: the sums of the formula, and where they stand.
        rules: the sum that leaves a row out → the sum that has it, and the rule in words.
        beside: the settled sums that ``up`` and ``down`` have beside them, or the other way round; empty: there are none.
    """

    family: LedgerFamily
    measure: LedgerMeasure
    up: str
    down: str
    terms: tuple[tuple[str, Role], ...]
    rules: Mapping[str, tuple[str, str]]
    beside: tuple[str, ...] = ()

    @classmethod
    def of(cls, measure: LedgerMeasure, *, settled: bool) -> ListedFormula:
        """Return it."""
        family = FAMILIES[measure.family]
        match measure:
            case LedgerShare(of=up, samples=down):
                rules, name = dict[str, tuple[str, str]](), down
                known = LEFT_OUT.get(family.name, {})
                while name in known:
                    rules[name] = known[name]
                    name = known[name][0]
                both = (up, down), (f"settled_{up}", f"settled_{down}")
                if settled:
                    rules[both[1][1]] = (down, UNSETTLED)
                up, down = both[settled]
                tells = both[not settled] if measure.settled else ()
            case LedgerRevenue(of=up, samples=down):
                rules, tells = {}, ()
            case LedgerCost():
                rules, tells, up, down = {}, (), "work_ms", "handled"
            case LedgerCount(of=up, parts=parts):
                counted: list[tuple[str, Role]] = [(name, "numerator") for name in parts or (up,)]
                return cls(family, measure, up, "", (*counted,), {})
        return cls(family, measure, up, down, ((up, "numerator"), (down, "denominator")), rules, tells)

    @property
    def sums(self) -> list[str]:
        """The columns that are read, each once."""
        named = [self.up, self.down, *self.beside, *(name for name, _ in self.terms)]
        named += [name for rule, (wider, _) in self.rules.items() for name in (rule, wider)]
        return [*dict.fromkeys(filter(None, named))]

    @property
    def left_out(self) -> str:
        """SQL: whether a rule leaves a row out."""
        return " or ".join(map(self.falls_under, self.rules)) or "false"

    def falls_under(self, rule: str) -> str:
        """Return SQL: whether a row falls under a rule."""
        return f'"{self.rules[rule][0]}" <> 0 and "{rule}" = 0'

    @property
    def is_open(self) -> str:
        """SQL: whether a row may change."""
        if isinstance(self.measure, LedgerCount):
            return "true" if self.measure.level else "false"
        return f'"{self.down}" <> "{self.beside[1]}"' if self.beside else "false"

    def rows(self, samples: str, where: str) -> str:
        """Return SQL for the rows: whom they are about, since when, their sums, ``up`` and ``down``."""
        family = self.family
        has = [name if name in family.about else f"cast(null as varchar) as {name}" for name in ABOUT]
        by = [name for name in ABOUT if name in family.about]
        is_money = isinstance(self.measure, LedgerRevenue)
        has.append("currency" if is_money else "cast(null as varchar) as currency")
        sums = [f'sum("{name}") as "{name}"' if family.signed else f'"{name}"' for name in self.sums]
        since = f"max({family.since})" if family.signed else family.since
        grouped = ", ".join([*by, *(["currency"] if is_money else [])])
        down = f'"{self.down}"' if self.down else "0"
        return (
            f'select *, "{self.up}" as up, {down} as down from ('
            f"select {', '.join(has)}, {since} as since, {', '.join(sums)} from ({samples}) as samples where {where}"
            f"{f' group by {grouped}' if family.signed else ''}) as summed"
        )

    def having(self, which: Which) -> str:
        """Return SQL: whether a row is one of these."""
        return _WHICH[which].format(left_out=self.left_out)

    def words(self, name: str) -> str:
        """Return what one of its sums is, in plain words."""
        return ledger_words(self.family.name, name).replace("_", " ")
