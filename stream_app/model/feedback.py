"""Events about contacts that may be long over: what customers, reviewers and machines say of them, and what they bought."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from .currencies import CURRENCIES, parts
from .event import ContactEvent, Name

SurveyKind = Literal["csat", "nps", "ces", "fcr"]
"""Satisfaction, recommendation, effort, and whether the customer says that the first contact was enough."""

_SCORES: Final[dict[SurveyKind, tuple[int, int]]] = {"nps": (0, 10), "fcr": (0, 1)}
"""Those of kinds whose scale is always the same."""


Share = Annotated[float, Meta(ge=0, le=1)]
MOST_CRITERIA: Final = 64


class SurveySent(ContactEvent, kw_only=True, tag="survey.sent"):
    """A customer was asked for an opinion."""

    kind: SurveyKind = "csat"


class SurveyAnswered(ContactEvent, kw_only=True, tag="survey.answered"):
    """A customer's survey answer; that of ``fcr`` is 1, it was resolved, or 0."""

    kind: SurveyKind
    score: float
    scale: Annotated[int, Meta(ge=2, le=100)] | None = None

    def __post_init__(self) -> None:
        """Refuse a score that is not on its scale."""
        low, high = _SCORES.get(self.kind) or (1, self.steps)
        if not low <= self.score <= high:
            raise ValueError(f"expected a {self.kind} score from {low} to {high}")
        if self.kind in {"csat", "fcr"} and self.score != int(self.score):
            raise ValueError(f"expected a {self.kind} score that is a whole number")

    @property
    def steps(self) -> int:
        """The highest score of its scale."""
        return self.scale or (5 if self.kind == "csat" else 7)


class QualityScored(ContactEvent, kw_only=True, tag="quality.scored"):
    """A quality review, manual or automatic.

    Attributes:
        criteria: what each criterion scored, by its name.
    """

    score: Share
    compliant: bool | None = None
    automatic: bool = False
    criteria: Annotated[dict[Name, Share], Meta(max_length=MOST_CRITERIA)] | None = None


class SentimentScored(ContactEvent, kw_only=True, tag="sentiment.scored"):
    """The mood of a contact, and what CSAT it predicts."""

    score: Annotated[float, Meta(ge=-1, le=1)]
    predicted_csat: Annotated[float, Meta(ge=1, le=5)] | None = None


class SaleRecorded(ContactEvent, kw_only=True, tag="sale.recorded"):
    """A sale: a decimal number of units, as text so that nothing is rounded on the way.

    Attributes:
        kind: what sort of sale it was, in the business's own words; a few are known (see ``reasons``).
    """

    amount: str | float
    currency: Literal[CURRENCIES]  # type: ignore[valid-type]
    kind: Name | None = None

    def __post_init__(self) -> None:
        """Refuse an invalid amount."""
        parts(self.amount)
