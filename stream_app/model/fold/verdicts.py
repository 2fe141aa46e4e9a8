"""Feedback of customers, reviewers and machines on a contact, as facts: scores are whole numbers, which add up exactly."""

from __future__ import annotations

from functools import singledispatch

from stream_app.model import events as e, facts as f
from stream_app.model.currencies import PLACES, parts
from stream_app.model.targets import QueueTargets

from .visit import Visit


def opinion(event: e.SurveyAnswered, rule: QueueTargets) -> int:
    """Return what a survey's answer counts as, under the targets of its queue, in a number that ``rating`` reads."""
    score = event.score
    if event.kind == "csat":
        return 1 if rule.satisfied(score, event.steps) else -(score <= 1 + (event.steps - 1) / 4)
    if event.kind == "nps":
        return (score >= 9) - (score <= 6)
    if event.kind == "fcr":
        return int(score)
    hard = score if rule.ces_easy == "low" else event.steps + 1 - score
    return round(1000 * (1 + 6 * (hard - 1) / (event.steps - 1)))


def rating(rated: Visit) -> f.Facts:
    """Return the facts of an opinion that is remembered."""
    at, counted = rated.queued_at, rated.wait
    if rated.agent == "csat":
        return (f.CsatAnswered(at, counted > 0, dissatisfied=counted < 0),)
    if rated.agent == "nps":
        return (f.NpsAnswered(at, promoter=counted > 0, detractor=counted < 0),)
    if rated.agent == "fcr":
        return (f.FcrAnswered(at, resolved=counted > 0),)
    return (f.CesAnswered(at, counted),)


@singledispatch
def verdict(event: e.ContactEvent) -> f.Facts:
    """Return the facts of what a reviewer or a machine says of a contact, or what it bought."""
    raise TypeError(f"expected an event with feedback on a contact, got {e.type_name(event)}")


@verdict.register
def _(event: e.QualityScored) -> f.Facts:
    kind = f.AutoReviewed if event.automatic else f.Reviewed
    judged = event.compliant is not None
    return (kind(event.at, round(10_000 * event.score), judged, bool(event.compliant)),)


@verdict.register
def _(event: e.SentimentScored) -> f.Facts:
    sentiment = f.Sentiment(event.at, round(1000 * event.score))
    if event.predicted_csat is None:
        return (sentiment,)
    return sentiment, f.Predicted(event.at, round(1000 * event.predicted_csat))


@verdict.register
def _(event: e.SaleRecorded) -> f.Facts:
    return (f.Sold(event.at, parts(event.amount), PLACES[event.currency], event.kind or ""),)
