"""The sums of KPIs of the ledger in plain words, of which formulas are made. ``docs/semantics.md`` defines them."""

from __future__ import annotations

from typing import Final

_KINDS_OF_SALE: Final = {
    "new": "new sales",
    "upsell": "upsells",
    "saved": "saves",
    "upgrade": "upgrades",
    "other": "other sales",
    "unstated": "sales with no kind reported",
}
LEDGER_WORDS: Final[dict[str, dict[str, str]]] = {
    "journeys": {
        "resolved": "first contacts that were enough",
        "first_contacts": "first contacts",
        "repeated": "journeys followed by another",
        "of_customers": "handled journeys of known customers",
        "transfers": "transfers",
        "bounced": "journeys transferred twice or more",
        "handled": "handled journeys",
    },
    "touches": {
        "one_touch": "conversations concluded with one reply",
        "replied": "conversations concluded with a reply",
    },
    "resolved_cases": {
        "by_one_contact": "cases resolved by one contact",
        "with_contact": "resolved cases with a contact",
        "first_ms": "resolution time",
        "first_open_ms": "resolution time within business hours",
        "active_ms": "resolution time without pending time",
        "timed": "resolved cases",
        "full_ms": "time to the last resolution",
        "full_open_ms": "time to the last resolution within business hours",
        "full_timed": "cases that stayed resolved",
        "reopened": "reopened cases",
        "resolved_cases": "resolved cases",
    },
    "begun_cases": {
        "escalated": "escalated cases",
        "to_tier_2": "cases escalated to tier 2",
        "to_tier_3": "cases escalated to tier 3",
        "above_tier_3": "cases escalated above tier 3",
        "begun": "cases",
    },
    "unresolved_cases": {"up_to_1_days": "up to 1 day"},
    "customers": {
        "kept": "customers who stayed",
        "lost": "customers who left",
        "at_start": "customers at the start",
        "value": "lifetime value",
        "valued": "customers with a known value",
    },
    "churn_by_resolution": {
        "resolved_lost": "left, of those resolved at first contact",
        "resolved": "customers resolved at first contact",
        "unresolved_lost": "left, of those not resolved at first contact",
        "unresolved": "customers not resolved at first contact",
        "silent_lost": "left, of those without contact",
        "silent": "customers without contact",
    },
    "bots": {
        "involved": "visits with a bot",
        "inbound": "inbound visits",
        "resolved": "visits resolved by a bot",
        "handed_over": "visits handed off by a bot",
    },
    "opinions": {
        "fcr_resolved": "answers that it was resolved",
        "fcr_answers": "answers to resolution surveys",
        "fcr_returned": "resolution surveys answered",
        "fcr_sent": "resolution surveys sent",
    },
    "sales": {
        "handled": "contacts handled",
        **{f"sales_{kind}": words for kind, words in _KINDS_OF_SALE.items()},
        **{f"amount_{kind}": f"revenue of {words}" for kind, words in _KINDS_OF_SALE.items()},
    },
    "criteria": {
        "scored_total": "scores by people, added",
        "scored": "scores by people",
        "auto_scored_total": "automatic scores, added",
        "auto_scored": "automatic scores",
    },
    "trainings": {
        "in_time": "courses completed on time",
        "due": "courses due",
        "overdue": "overdue courses",
    },
    "agent_time": {
        "signed_in_ms": "signed-in time",
        "on_contact_ms": "time on contacts",
        "wrap_ms": "time in wrap-up",
        "available_ms": "time available",
        "away_ms": "time away",
        "working_ms": "time on contacts or in wrap-up",
        "staffed_ms": "time on contacts, in wrap-up or available",
    },
    "shared_work": {
        "shared_ms": "shared work time",
        "worked_ms": "work time",
        "handled": "handled contacts",
    },
}
"""Family → sum → what it is, where its name alone does not say so."""

LEFT_OUT: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "journeys": {
        "of_customers": ("handled", "A journey of a customer who is not known does not count"),
        "first_contacts": (
            "of_customers",
            "A journey is no first contact if a contact of its customer was handled within the repeat window before it",
        ),
    },
    "resolved_cases": {
        "with_contact": ("resolved_cases", "A case without a contact does not count"),
        "timed": ("resolved_cases", "A case of which nobody knows when it was opened does not count"),
        "full_timed": (
            "resolved_cases",
            "A case that was reopened after its last resolution, or of which nobody knows when it was opened, does not count",
        ),
    },
    "customers": {
        "at_start": ("at_end", "Who was no customer at the start of the window does not count"),
        "valued": ("at_end", "A customer of whom no value is known does not count"),
    },
    "trainings": {"due": ("overdue", "What was due before the window does not count")},
}
"""Family → sum below a formula → the sum of all that it chooses from, and the rule by which it leaves some out."""
UNSETTLED: Final = "What is told in time may still change it"
UNPRICED: Final = "No cost is set for its queue and channel"


def ledger_words(family: str, name: str) -> str:
    """Return what a sum of a family is, in plain words."""
    return LEDGER_WORDS.get(family, {}).get(name, name)
