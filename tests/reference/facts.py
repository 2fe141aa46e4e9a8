"""Events that belong to no visit: what surveys, reviews, moods and sales must say, and what they count."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

from .checks import NAME, Fields, Refused, is_number, number, text, truth, whole
from .currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 100_000_000  # of any currency, in one sale
DECIMALS = 4
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")  # as JSON writes it


def default_satisfied(score: float, scale: float) -> bool:
    """4 and 5 of 5, 2 of 2, else the scores >= scale - (scale - 1) / 4."""
    if scale == 5:
        return score in (4, 5)
    if scale == 2:
        return score == 2
    return score >= scale - (scale - 1) / 4


class Settings(NamedTuple):
    """What the settings of a queue and channel say about surveys."""

    satisfied: Callable[[float, float], bool] = default_satisfied
    low_is_easy: bool = True


class Asked(NamedTuple):
    """The customer was sent a survey."""

    kind: str


class Survey(NamedTuple):
    """The customer's answer."""

    kind: str
    score: float
    scale: float

    def is_dissatisfied(self, settings: Settings) -> bool:
        """The lowest of three classes of satisfaction."""
        low = self.kind == "csat" and self.score <= 1 + (self.scale - 1) / 4
        return low and not settings.satisfied(self.score, self.scale)

    def counts(self, settings: Settings) -> dict[str, int]:
        score, scale = self.score, self.scale
        if self.kind == "fcr":
            return {"fcr_answers": 1, "fcr_resolved": int(self.score)}
        if self.kind == "csat":
            return {"csat_answers": 1, "csat_satisfied": int(settings.satisfied(score, scale))}
        if self.kind == "nps":
            return {"nps_answers": 1, "nps_promoters": int(score >= 9), "nps_detractors": int(score <= 6)}
        s = score if settings.low_is_easy else scale + 1 - score
        return {"ces_answers": 1, "ces_effort": round(1000 * (1 + 6 * (s - 1) / (scale - 1)))}


class Review(NamedTuple):
    score: float
    compliant: bool | None
    automatic: bool
    criteria: dict[str, int]

    def counts(self) -> dict[str, int]:
        counts = {
            "reviews": 1,
            "review_score": round(10_000 * self.score),
            "reviews_judged": self.compliant is not None,
            "reviews_compliant": self.compliant is True,
        }
        return {f"auto_{name}": amount for name, amount in counts.items()} if self.automatic else counts


class Mood(NamedTuple):
    score: float
    predicted_csat: float | None

    def counts(self) -> dict[str, int]:
        counts = {"sentiments": 1, "sentiment_score": round(1000 * self.score)}
        if self.predicted_csat is not None:
            counts |= {"predictions": 1, "predicted_csat": round(1000 * self.predicted_csat)}
        return counts


class Sale(NamedTuple):
    amount: int  # in ten-thousandths
    place: int  # of the currency
    kind: str

    def counts(self) -> dict[str, int]:
        return {"sales": 1}


Fact = Asked | Survey | Review | Mood | Sale


def read_fact(kind: str, fields: Fields) -> Fact | None:
    """What an event of this type says beside its envelope; None for the types that say nothing of the kind."""
    match kind:
        case "survey.sent":
            return Asked(_kind("csat" if fields.get("kind") is None else fields["kind"]))
        case "survey.answered":
            return _survey(fields)
        case "quality.scored":
            score = _required(number(fields, "score", 0, 1))
            automatic = bool(truth(fields, "automatic"))
            return Review(score, truth(fields, "compliant"), automatic, _criteria(fields))
        case "sentiment.scored":
            return Mood(_required(number(fields, "score", -1, 1)), number(fields, "predicted_csat", 1, 5))
        case "sale.recorded":
            return Sale(_amount(fields), _place(fields), text(fields, "kind", NAME))
        case _:
            return None


def _required(value: float | None) -> float:
    if value is None:
        raise Refused("invalid")
    return value


def _kind(value: Any) -> str:
    if value not in ("csat", "nps", "ces", "fcr"):
        raise Refused("invalid")
    return str(value)


def _survey(fields: Fields) -> Survey:
    kind = _kind(fields.get("kind"))
    if kind == "nps":
        whole(fields, "scale", 2, 100)
        return Survey("nps", _required(number(fields, "score", 0, 10)), 10)
    if kind == "fcr":
        whole(fields, "scale", 2, 100)
        score = _required(number(fields, "score", 0, 1))
        if score not in (0, 1):
            raise Refused("invalid")
        return Survey("fcr", score, 1)
    scale = whole(fields, "scale", 2, 100) or (5 if kind == "csat" else 7)
    score = _required(number(fields, "score", 1, scale))
    if kind == "csat" and score != int(score):
        raise Refused("invalid")
    return Survey(kind, score, scale)


def _criteria(fields: Fields) -> dict[str, int]:
    """What each scored, in ten-thousandths."""
    told = fields.get("criteria")
    if told is None:
        return {}
    if not isinstance(told, dict) or len(told) > 64:
        raise Refused("invalid")
    if not all(1 <= len(name) <= NAME for name in told):
        raise Refused("invalid")
    return {name: round(10_000 * _required(number(told, name, 0, 1))) for name in told}


def _place(fields: Fields) -> int:
    currency = fields.get("currency")
    if currency not in CURRENCIES:
        raise Refused("invalid")
    return CURRENCIES.index(currency)


def _amount(fields: Fields) -> int:
    """A number or a text that holds one, exactly: no decimal beyond the fourth but zeros."""
    value = fields.get("amount")
    if is_number(value):
        value = repr(value)
    elif not isinstance(value, str) or len(value) > 32 or not _NUMBER.fullmatch(value):
        raise Refused("invalid")
    try:
        exact = Decimal(value)
    except InvalidOperation as error:  # an exponent of twenty digits
        raise Refused("invalid") from error
    if not 0 <= exact <= MOST:
        raise Refused("invalid")
    if not exact:
        return 0
    _, digits, exponent = exact.as_tuple()
    written = "".join(map(str, digits))
    significant = written.rstrip("0")
    shift = int(exponent) + len(written) - len(significant) + DECIMALS
    if shift < 0:
        raise Refused("invalid")
    return int(significant + "0" * shift)
