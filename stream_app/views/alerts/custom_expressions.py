"""PromQL of custom rules: one row for each queue and channel, 2 where the rule begins to fire, 1 where it would continue.

Both evaluators compare that number with the same two levels, so conditions of different units can be joined, and each has its
own level at which it is over. There is no row where no condition is met, where there are too few contacts, outside the rule's
hours, and while the data is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from stream_app.model.alerting.local_hours import DAY_S, MONDAY_S, LocalHours, offsets
from stream_app.model.alerting.rules import Condition, CustomRule
from stream_app.model.targets.calendars import WEEKDAYS
from stream_app.views import naming

from .expressions import BY, STALE_AFTER_S

BEGINS, CONTINUES = 2, 1
ABOVE, CLEAR = 1.0, 0.5
"""The levels between these numbers."""
EDGE: Final = 0.0001
"""Values are rounded to this, so that one at the level itself is not past it, as people expect."""
_BY: Final = ", ".join(BY)


def expression(rule: CustomRule) -> str:
    """Write the whole rule."""
    places = matchers(rule)
    begins = _joined(rule, [_met(one, places, continues=False) for one in rule.conditions])
    text = f"({_indented(begins)}) * 0 + {BEGINS}"
    if rule.has_clear:
        continues = _joined(rule, [_met(one, places, continues=True) for one in rule.conditions])
        text = f"(\n  {text}\n  or ({_indented(continues)}) * 0 + {CONTINUES}\n)"
    return "\n".join([text, *_guards(rule)])


def value(one: Condition, places: str) -> str:
    """Write the value of a condition's KPI by queue and channel, from the replicas whose data is fresh."""
    return _each(
        naming.value(one.entry),
        one.window,
        places,
        f" and on (job, instance) {naming.DATA_AGE} <= {STALE_AFTER_S}",
    )


def always(text: str) -> str:
    """Write an expression that has a row in any case; the one that it adds has labels that no queue has."""
    return f'{text}\nor label_replace(vector(0), "no", "queue", "", "")'


def matchers(rule: CustomRule) -> str:
    """Write the label matchers of the queues and channels that a rule names."""
    chosen = ((naming.QUEUE, rule.queues), (naming.CHANNEL, rule.channels))
    return ",".join(f'{label}=~"{alternatives(names)}"' for label, names in chosen if names)


def alternatives(names: Sequence[str]) -> str:
    """Write names as a regular expression inside a string: dollar signs, which Grafana expands, in hexadecimal."""
    return "|".join(re.sub(r"[^\w \-]", _escaped, name, flags=re.ASCII) for name in names)


def _escaped(found: re.Match[str]) -> str:
    return f"\\\\x{ord(found[0]):02x}" if found[0].isascii() else found[0]


def _met(one: Condition, places: str, *, continues: bool) -> str:
    """Write a condition: it has a row where it is met."""
    found = value(one, places)
    if one.level is None:
        target = _each(naming.target(one.entry), None, places)
        past = f"{target} - {found}" if one.side == "below" else f"{found} - {target}"
        if one.relative:
            past = f"({past}) / ({target} > 0)"
        level, sign, found = one.by, ">", past
    else:
        level, sign = one.level, ">" if one.side == "above" else "<"
    if continues and one.clear is not None:
        level, sign = one.clear, f"{sign}="
    met = f"round({found}, {EDGE}) {sign} {level:.10g}"
    if one.minimum is not None:
        samples = _each(naming.samples(one.entry), one.window, places)
        met = f"{met}\nand on ({_BY}) {samples} >= {one.minimum}"
    return met


def _joined(rule: CustomRule, met: Sequence[str]) -> str:
    if len(met) == 1:
        return met[0]
    word = "and" if rule.join == "all" else "or"
    return f"\n{word} on ({_BY})\n".join(f"({_indented(one)})" for one in met)


def _each(metric: str, window: str | None, places: str, rest: str = "") -> str:
    labels = ",".join(part for part in (f'{naming.WINDOW}="{window}"' if window else "", places) if part)
    return f"max by ({_BY}) ({metric}{{{labels}}}{rest})" if labels else f"max by ({_BY}) ({metric}{rest})"


def _guards(rule: CustomRule) -> Iterator[str]:
    groups = ((naming.SITE, rule.sites), (naming.UNIT, rule.units))
    chosen = ",".join(f'{label}=~"{alternatives(names)}"' for label, names in groups if names)
    if chosen:
        yield f"and on ({_BY}) max by ({_BY}) ({naming.QUEUE_INFO}{{{chosen}}})"
    if isinstance(rule.hours, LocalHours):
        yield f"and on () ({_indented(local(rule.hours))})"
    elif rule.hours == "open":
        yield f"and on ({_BY}) max by ({_BY}) ({naming.OPEN}) == 1"
    yield f"and on () min({naming.DATA_AGE}) <= {STALE_AFTER_S}"


def local(hours: LocalHours) -> str:
    """Write hours of the week by a local clock, for an evaluator that knows only UTC: a row while they hold."""
    base, changes = offsets(hours.zone)
    ahead = f" {base - MONDAY_S:+d}".replace("+", "+ ").replace("-", "- ")
    for by in sorted({abs(by) for _, by in changes}):
        steps = (
            f" {'+' if each > 0 else '-'} (time() >= bool {at})" for at, each in changes if abs(each) == by
        )
        ahead += f" + {by} * (0{''.join(steps)})"
    week = f"vector((time(){ahead}) % {7 * DAY_S})"
    found = []
    for (start, end), days in hours.by_period.items():
        for first, after in _runs(days):
            chosen = (
                week if after - first == len(WEEKDAYS) else f"({week} >= {first * DAY_S} < {after * DAY_S})"
            )
            found.append(f"{chosen} % {DAY_S} >= {start * 60} < {end * 60}")
    return "\nor ".join(found)


def _runs(days: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield consecutive weekdays as from, until."""
    start = 0
    for n, day in enumerate(days, 1):
        if n == len(days) or days[n] != day + 1:
            yield days[start], day + 1
            start = n


def _indented(text: str) -> str:
    return "\n  " + text.replace("\n", "\n  ") + "\n"
