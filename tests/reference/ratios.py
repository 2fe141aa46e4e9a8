"""Ratios from counters, as docs/semantics.md defines them; exact, and None where there is no data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _ratio(numerator: int, denominator: int) -> Fraction | None:
    return Fraction(numerator, denominator) if denominator else None


def service_levels(counters: Mapping[str, int]) -> dict[str, Fraction | None]:
    """All nine policies; a counter that is absent is zero."""

    def n(name: str) -> int:
        return counters.get(name, 0)

    met, decided, gone = n("answered_in_target"), n("decided"), n("abandoned")
    return {
        "answered_of_offered": _ratio(met, decided),
        "without_short_abandons": _ratio(met, decided - n("abandoned_short")),
        "answered_or_abandoned": _ratio(met, n("answered") + gone),
        "answered_or_abandoned_late": _ratio(met, n("answered") + n("abandoned_late")),
        "answered_only": _ratio(met, n("answered")),
        "ignoring_early_abandons": _ratio(met, decided - n("abandoned_in_target")),
        "abandons_count_as_met": _ratio(met + n("abandoned_in_target"), decided),
        "answered_or_abandoned_without_short": _ratio(met, n("answered") + gone - n("abandoned_short")),
        "removed_within": _ratio(met + n("abandoned_in_target") + n("left_in_target"), decided),
    }


def abandonment(counters: Mapping[str, int]) -> Fraction | None:
    """Abandoned after the short threshold, of all whose outcome is known."""
    short = counters.get("abandoned_short", 0)
    corrected = counters.get("abandoned_late", 0) - counters.get("decided_then_abandoned", 0)
    return _ratio(counters.get("abandoned", 0) - short, counters.get("decided", 0) - short + corrected)


def response_rate(*places: Mapping[str, int], kind: str = "csat") -> Fraction | None:
    """Of one queue and channel, or of several together: surveys returned of those sent, else answers of handled."""
    above = below = 0
    for n in places:
        sent = n.get(f"{kind}_sent", 0)
        above += n.get(f"{kind}_returned" if sent else f"{kind}_answers", 0)
        below += sent or n.get("handled", 0)
    return _ratio(above, below)


def quantile(sketch: Mapping[int, int], q: Fraction) -> float | None:
    """The estimate in ms of the value of rank ceil(q n): the geometric middle of its sketch bucket."""
    n = sum(sketch.values())
    rank, seen = -(-q.numerator * n // q.denominator), 0
    for bucket in sorted(sketch):
        seen += sketch[bucket]
        if seen >= rank:
            return float(2 ** ((2 * bucket - 1) / 32))
    return None
