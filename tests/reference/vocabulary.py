"""The types of events, and what is required of them."""

from __future__ import annotations

VISIT_EVENTS = frozenset(
    {
        "contact.answered",
        "contact.held",
        "contact.resumed",
        "contact.transferred",
        "contact.left_queue",
        "contact.abandoned",
        "contact.ended",
        "contact.wrapped",
        "agent.missed",
        "bot.started",
        "bot.handed_off",
        "callback.scheduled",
        "message.received",
        "message.sent",
    },
)
QUEUE_EVENTS = frozenset({"contact.queued", "contact.refused"})
CONTACT_EVENTS = (
    VISIT_EVENTS
    | QUEUE_EVENTS
    | frozenset({"survey.sent", "survey.answered", "quality.scored", "sentiment.scored", "sale.recorded"})
)
OTHER_EVENTS = frozenset(
    {
        "case.opened",
        "case.resolved",
        "case.reopened",
        "case.escalated",
        "agent.state",
        "customer.joined",
        "customer.left",
        "customer.valued",
        "training.assigned",
        "training.completed",
        "platform.restarted",
    },
)
NO_CONTACT = frozenset({kind for kind in OTHER_EVENTS if not kind.startswith("case")})
VOCABULARY = CONTACT_EVENTS | OTHER_EVENTS
OUTCOMES = frozenset(
    {
        "contact.answered",
        "contact.abandoned",
        "contact.left_queue",
        "callback.scheduled",
        "contact.transferred",
        "contact.ended",
        "contact.wrapped",
    },
)
REPEATABLE = VOCABULARY - VISIT_EVENTS - {"contact.queued"} | {
    "contact.abandoned",
    "contact.held",
    "contact.resumed",
    "agent.missed",
    "bot.started",
    "bot.handed_off",
    "message.received",
    "message.sent",
}

KEPT_BY_STATE = OUTCOMES
"""What an open visit keeps from counting twice, however late it is told again."""
