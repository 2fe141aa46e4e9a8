"""Everything that is counted: counters, sketches and families of the store. ``docs/semantics.md`` defines when each moves."""

from typing import Final

from stream_app.model.facts import (
    Abandoned,
    Answered,
    AutoReviewed,
    BotServed,
    CalledOut,
    CesAnswered,
    CsatAnswered,
    Decided,
    Handled,
    Left,
    Lost,
    Missed,
    NpsAnswered,
    Offered,
    OutboundHandled,
    Predicted,
    Refused,
    Replied,
    Responded,
    Reviewed,
    Sentiment,
    Sold,
    Transferred,
    Undone,
    Unfinished,
)

from .measures import Counter, Family, Sketch, count, distribution, family, total

offered = count("offered", Offered)
answered = count("answered", Answered)
answered_in_target = count("answered_in_target", Answered, where="in_target")
answer_wait_ms = total("answer_wait_ms", Answered, "wait")
answered_stated = count("answered_stated", Answered, where="stated")
abandoned = count("abandoned", Abandoned)
abandoned_in_target = count("abandoned_in_target", Abandoned, where="in_target")
abandoned_short = count("abandoned_short", Abandoned, where="short")
abandoned_late = count("abandoned_late", Abandoned, where=lambda f: not f.in_target)
abandon_wait_ms = total("abandon_wait_ms", Abandoned, "wait")
abandon_wait = distribution("abandon_wait", Abandoned, "wait")
abandonments_undone = count("abandonments_undone", Undone)
left = count("left", Left)
left_in_target = count("left_in_target", Left, where="in_target")
left_wait_ms = total("left_wait_ms", Left, "wait")
callbacks = count("callbacks", Left, where="callback")
left_timeout = count("left_timeout", Left, where=lambda f: f.reason == "timeout")
left_key = count("left_key", Left, where=lambda f: f.reason == "key")
left_transfer = count("left_transfer", Left, where=lambda f: f.reason == "transfer")
left_callback = count("left_callback", Left, where=lambda f: f.reason == "callback")
left_empty = count("left_empty", Left, where=lambda f: f.reason == "empty")
decided = count("decided", Decided)
decided_then_abandoned = count("decided_then_abandoned", Decided, where="abandoned_later")
lost = count("lost", Lost)
refused = count("refused", Refused)
refused_full = count("refused_full", Refused, where=lambda f: f.reason == "full")
refused_closed = count("refused_closed", Refused, where=lambda f: f.reason == "closed")
refused_empty = count("refused_empty", Refused, where=lambda f: f.reason == "empty")
missed = count("missed", Missed)
bot_met = count("bot_met", BotServed)
bot_contained = count("bot_contained", BotServed, where="contained")

responded = count("responded", Responded)
response_ms = total("response_ms", Responded, "after")
response_open_ms = total("response_open_ms", Responded, "after_open")
response = distribution("response", Responded, "after")
replies = count("replies", Replied)
reply_ms = total("reply_ms", Replied, "after")
reply_open_ms = total("reply_open_ms", Replied, "after_open")
transferred = count("transferred", Transferred)
handled = count("handled", Handled)
held = count("held", Handled, where="held")
talk_ms = total("talk_ms", Handled, "talk")
hold_ms = total("hold_ms", Handled, "hold")
wrap_ms = total("wrap_ms", Handled, "wrap")
handle = distribution("handle", Handled, lambda f: f.talk + f.hold + f.wrap)
handled_transferred = count("handled_transferred", Handled, where="transferred")
handled_stated = count("handled_stated", Handled, where="stated")
wrap_timed_out = count("wrap_timed_out", Handled, where="timed_out")
unfinished = count("unfinished", Unfinished)
outbound = count("outbound", CalledOut)
outbound_handled = count("outbound_handled", OutboundHandled)
outbound_ms = total("outbound_ms", OutboundHandled, lambda f: f.talk + f.hold + f.wrap)

csat_answers = count("csat_answers", CsatAnswered)
csat_satisfied = count("csat_satisfied", CsatAnswered, where="satisfied")
nps_answers = count("nps_answers", NpsAnswered)
nps_promoters = count("nps_promoters", NpsAnswered, where="promoter")
nps_detractors = count("nps_detractors", NpsAnswered, where="detractor")
ces_answers = count("ces_answers", CesAnswered)
ces_effort = total("ces_effort", CesAnswered, "effort")
reviews = count("reviews", Reviewed)
review_score = total("review_score", Reviewed, "score")
reviews_judged = count("reviews_judged", Reviewed, where="judged")
reviews_compliant = count("reviews_compliant", Reviewed, where="compliant")
auto_reviews = count("auto_reviews", AutoReviewed)
auto_review_score = total("auto_review_score", AutoReviewed, "score")
auto_reviews_judged = count("auto_reviews_judged", AutoReviewed, where="judged")
auto_reviews_compliant = count("auto_reviews_compliant", AutoReviewed, where="compliant")
sentiments = count("sentiments", Sentiment)
sentiment_score = total("sentiment_score", Sentiment, "score")
predictions = count("predictions", Predicted)
predicted_csat = total("predicted_csat", Predicted, "csat")
sales = count("sales", Sold)
revenue = family("revenue", Sold, "amount", "currency")

_ALL: Final = tuple(globals().values())
COUNTERS: Final[tuple[Counter, ...]] = tuple(part for part in _ALL if isinstance(part, Counter))
SKETCHES: Final[tuple[Sketch, ...]] = tuple(part for part in _ALL if isinstance(part, Sketch))
FAMILIES: Final[tuple[Family, ...]] = tuple(part for part in _ALL if isinstance(part, Family))
STORED: Final[tuple[Counter | Sketch | Family, ...]] = (*COUNTERS, *SKETCHES, *FAMILIES)
"""Everything that is numbered in a store."""
