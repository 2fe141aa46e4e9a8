"""Everything that is counted: counters, sketches and families of the store. ``docs/semantics.md`` defines when each moves."""

from typing import Final

from stream_app.model.facts import (
    Abandoned,
    Answered,
    AutoReviewed,
    CalledOut,
    CesAnswered,
    Contained,
    CsatAnswered,
    Decided,
    EndedWithBot,
    FcrAnswered,
    FromBot,
    Handled,
    Left,
    Lost,
    Missed,
    NpsAnswered,
    Offered,
    OutboundHandled,
    Predicted,
    QueueResponded,
    Refused,
    Reopened,
    Replied,
    Responded,
    Returned,
    Reviewed,
    Sentiment,
    Sold,
    Surveyed,
    SurveyReturned,
    ToBot,
    Transferred,
    Undone,
    Unfinished,
)

from .sums import Counter, Family, Sketch, count, distribution, family, total

offered = count("offered", Offered)
answered = count("answered", Answered)
answered_in_target = count("answered_in_target", Answered, where="in_target")
answer_wait_ms = total("answer_wait_ms", Answered, "wait")
answer_open_ms = total("answer_open_ms", Answered, "wait_open")
answered_stated = count("answered_stated", Answered, where="stated")
abandoned = count("abandoned", Abandoned)
abandoned_in_target = count("abandoned_in_target", Abandoned, where="in_target")
abandoned_short = count("abandoned_short", Abandoned, where="short")
abandoned_late = count("abandoned_late", Abandoned, where=("in_target", False))
abandon_wait_ms = total("abandon_wait_ms", Abandoned, "wait")
abandon_open_ms = total("abandon_open_ms", Abandoned, "wait_open")
abandon_wait = distribution("abandon_wait", Abandoned, "wait")
abandonments_undone = count("abandonments_undone", Undone)
left = count("left", Left)
left_in_target = count("left_in_target", Left, where="in_target")
left_wait_ms = total("left_wait_ms", Left, "wait")
callbacks = count("callbacks", Left, where="callback")
left_timeout = count("left_timeout", Left, where=("reason", "timeout"))
left_key = count("left_key", Left, where=("reason", "key"))
left_transfer = count("left_transfer", Left, where=("reason", "transfer"))
left_callback = count("left_callback", Left, where=("reason", "callback"))
left_empty = count("left_empty", Left, where=("reason", "empty"))
closed_unanswered = count("closed_unanswered", Left, where=("reason", "closed"))
left_not_demand = count("left_not_demand", Left, where=("demand", False))
decided = count("decided", Decided)
decided_then_abandoned = count("decided_then_abandoned", Decided, where="abandoned_later")
lost = count("lost", Lost)
refused = count("refused", Refused)
refused_full = count("refused_full", Refused, where=("reason", "full"))
refused_closed = count("refused_closed", Refused, where=("reason", "closed"))
refused_empty = count("refused_empty", Refused, where=("reason", "empty"))
missed = count("missed", Missed)
to_bot = count("to_bot", ToBot)
from_bot = count("from_bot", FromBot)
bot_contained = count("bot_contained", Contained)
bot_abandoned = count("bot_abandoned", EndedWithBot)
containments_undone = count("containments_undone", Returned)

responded = count("responded", Responded)
response_ms = total("response_ms", Responded, "after")
response_open_ms = total("response_open_ms", Responded, "after_open")
response = distribution("response", Responded, "after")
replies = count("replies", Replied)
reply_ms = total("reply_ms", Replied, "after")
reply_open_ms = total("reply_open_ms", Replied, "after_open")
replies_due = count("replies_due", Replied, where="due")
replies_in_target = count("replies_in_target", Replied, where="in_target")
queue_responded = count("queue_responded", QueueResponded)
queue_response_ms = total("queue_response_ms", QueueResponded, "wait")
queue_response_open_ms = total("queue_response_open_ms", QueueResponded, "wait_open")
reopened = count("reopened", Reopened)
transferred = count("transferred", Transferred)
handled = count("handled", Handled)
held = count("held", Handled, where="held")
talk_ms = total("talk_ms", Handled, "talk")
hold_ms = total("hold_ms", Handled, "hold")
wrap_ms = total("wrap_ms", Handled, "wrap")
handle = distribution("handle", Handled, "talk", "hold", "wrap")
handled_transferred = count("handled_transferred", Handled, where="transferred")
handled_stated = count("handled_stated", Handled, where="stated")
wrap_timed_out = count("wrap_timed_out", Handled, where="timed_out")
pending_ms = total("pending_ms", Handled, "pending")
handled_estimated = count("handled_estimated", Handled, where="estimated")
estimated_ms = total("estimated_ms", Handled, "estimate")
conversations = count("conversations", Handled, where="concluded")
conversation_ms = total("conversation_ms", Handled, "lasted")
unfinished = count("unfinished", Unfinished)
outbound = count("outbound", CalledOut)
outbound_handled = count("outbound_handled", OutboundHandled)
outbound_ms = total("outbound_ms", OutboundHandled, "talk", "hold", "wrap")

csat_sent = count("csat_sent", Surveyed, where=("kind", "csat"))
nps_sent = count("nps_sent", Surveyed, where=("kind", "nps"))
ces_sent = count("ces_sent", Surveyed, where=("kind", "ces"))
fcr_sent = count("fcr_sent", Surveyed, where=("kind", "fcr"))
csat_returned = count("csat_returned", SurveyReturned, where=("kind", "csat"))
nps_returned = count("nps_returned", SurveyReturned, where=("kind", "nps"))
ces_returned = count("ces_returned", SurveyReturned, where=("kind", "ces"))
fcr_returned = count("fcr_returned", SurveyReturned, where=("kind", "fcr"))
csat_answers = count("csat_answers", CsatAnswered)
csat_satisfied = count("csat_satisfied", CsatAnswered, where="satisfied")
nps_answers = count("nps_answers", NpsAnswered)
nps_promoters = count("nps_promoters", NpsAnswered, where="promoter")
nps_detractors = count("nps_detractors", NpsAnswered, where="detractor")
ces_answers = count("ces_answers", CesAnswered)
ces_effort = total("ces_effort", CesAnswered, "effort")
fcr_answers = count("fcr_answers", FcrAnswered)
fcr_resolved = count("fcr_resolved", FcrAnswered, where="resolved")
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
