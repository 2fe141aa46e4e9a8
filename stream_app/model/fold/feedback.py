"""Feedback of customers, reviewers and machines on a contact, as facts: scores are whole numbers, which add up exactly."""

from __future__ import annotations

from functools import singledispatch

from stream_app.model import events as e, facts as f
from stream_app.model.currencies import PLACES, parts
from stream_app.model.targets import QueueTargets


@singledispatch
def verdict(event: e.ContactEvent, _queue: str, _channel: str, _rule: QueueTargets) -> f.Facts:
    """Return the facts of one event in a queue, under its targets."""
    raise TypeError(f"expected an event with feedback on a contact, got {e.type_name(event)}")


@verdict.register
def _(event: e.SurveyAnswered, queue: str, channel: str, rule: QueueTargets) -> f.Facts:
    at, score = event.at, event.score
    if event.kind == "csat":
        return (f.CsatAnswered(queue, channel, at, rule.satisfied(score, event.steps)),)
    if event.kind == "nps":
        return (f.NpsAnswered(queue, channel, at, promoter=score >= 9, detractor=score <= 6),)
    hard = score if rule.ces_easy == "low" else event.steps + 1 - score
    return (f.CesAnswered(queue, channel, at, round(1000 * (1 + 6 * (hard - 1) / (event.steps - 1)))),)


@verdict.register
def _(event: e.QualityScored, queue: str, channel: str, _rule: QueueTargets) -> f.Facts:
    kind = f.AutoReviewed if event.automatic else f.Reviewed
    judged = event.compliant is not None
    return (kind(queue, channel, event.at, round(10_000 * event.score), judged, bool(event.compliant)),)


@verdict.register
def _(event: e.SentimentScored, queue: str, channel: str, _rule: QueueTargets) -> f.Facts:
    sentiment = f.Sentiment(queue, channel, event.at, round(1000 * event.score))
    if event.predicted_csat is None:
        return (sentiment,)
    return sentiment, f.Predicted(queue, channel, event.at, round(1000 * event.predicted_csat))


@verdict.register
def _(event: e.SaleRecorded, queue: str, channel: str, _rule: QueueTargets) -> f.Facts:
    return (f.Sold(queue, channel, event.at, parts(event.amount), PLACES[event.currency]),)
