"""The entries of KPIs that are found in the ledger. ``docs/semantics.md``, "From the ledger", defines them."""

from __future__ import annotations

from typing import Final

from .from_ledger import FromLedger, LedgerCount, LedgerShare, only
from .ledger_money import CUSTOMER_ENTRIES, MONEY_ENTRIES
from .ledger_opinions import OPINION_ENTRIES, REVIEW_ENTRIES
from .ledger_people import PEOPLE_ENTRIES
from .measures import Unit

_RESOLUTION_ENTRIES: Final[tuple[FromLedger, ...]] = (
    FromLedger(
        name="first_contact_resolution",
        title="First contact resolution",
        doc="Share of first contacts, or of resolved cases, after which nobody had to come again within the repeat window "
        "(7 days by default); or of the customers who say so.",
        unit=Unit.RATIO,
        better="higher",
        measures={
            "by_repeat": LedgerShare("journeys", "resolved", "first_contacts", settled=True),
            "by_case": LedgerShare("resolved_cases", "by_one_contact", "with_contact", settled=True),
            "by_survey": LedgerShare("opinions", "fcr_resolved", "fcr_answers", settled=True),
        },
        tier="quality",
        target=0.75,
        target_why="70 to 79 % is usual; 80 % is good, 85 % world class",
        misleads="Customers who give up on you don't call again either: read it with churn. The last 7 days are provisional.",
        pairs=("csat", "handle_time", "repeat_contacts", "churn", "fcr_response"),
    ),
    FromLedger(
        name="repeat_contacts",
        title="Repeat contacts",
        doc="Share of contacts after which the same customer came again within the repeat window (7 days by default).",
        unit=Unit.RATIO,
        better="lower",
        measures=only(LedgerShare("journeys", "repeated", "of_customers", settled=True)),
        tier="quality",
        target_why="none: it depends on how often customers have a reason to come",
        misleads="A second order counts as a repeat contact.",
        pairs=("first_contact_resolution", "csat"),
    ),
    FromLedger(
        name="one_touch",
        title="One-touch conversations",
        doc="Share of written conversations that were concluded with a single reply.",
        unit=Unit.RATIO,
        better="higher",
        measures=only(LedgerShare("touches", "one_touch", "replied")),
        tier="quality",
        target_why="none: it depends on what customers write about",
        misleads="A reply that closes the matter without solving it counts, too.",
        pairs=("first_contact_resolution", "reopen"),
    ),
    FromLedger(
        name="transfers_per_request",
        title="Transfers per journey",
        doc="Mean number of transfers per customer journey, whatever ids the contact has on its way.",
        unit=Unit.TIMES,
        better="lower",
        measures=only(LedgerShare("journeys", "transfers", "handled")),
        tier="operational",
        target_why="none: it depends on how specialised the teams are",
        misleads="One customer who was transferred five times looks like five who were transferred once: read it with bounced.",
        pairs=("bounced", "transfer"),
    ),
    FromLedger(
        name="bounced",
        title="Transferred twice or more",
        doc="Share of customer journeys with two or more transfers.",
        unit=Unit.RATIO,
        better="lower",
        measures=only(LedgerShare("journeys", "bounced", "handled")),
        tier="operational",
        target_why="none: start from your own",
        misleads="Teams that hold on to what they can't solve score well.",
        pairs=("transfers_per_request", "first_contact_resolution"),
    ),
)


def _time(name: str, title: str, doc: str, of: str, samples: str = "timed") -> FromLedger:
    return FromLedger(
        name=name,
        title=title,
        doc=doc,
        unit=Unit.SECONDS,
        better="lower",
        measures=only(LedgerShare("resolved_cases", of, samples)),
        tier="quality",
        target_why="none: it depends on what is to be solved",
        misleads="Cases that are never closed are left out: read it with unresolved cases.",
        pairs=("unresolved", "reopen"),
    )


_CASE_ENTRIES: Final[tuple[FromLedger, ...]] = (
    _time(
        "time_to_resolve",
        "Time to resolve",
        "Mean time from the opening of a case to its first resolution.",
        "first_ms",
    ),
    _time(
        "time_to_resolve_business",
        "Time to resolve, business hours",
        "The same, by the business hours of its queue.",
        "first_open_ms",
    ),
    _time(
        "time_to_resolve_active",
        "Time to resolve, without pending",
        "The same as the time to resolve, without the time in which its conversations waited for something else.",
        "active_ms",
    ),
    _time(
        "time_to_resolve_full",
        "Full time to resolve",
        "Mean time from the opening of a case to its last resolution.",
        "full_ms",
        "full_timed",
    ),
    _time(
        "time_to_resolve_full_business",
        "Full time to resolve, business hours",
        "The same, by the business hours of its queue.",
        "full_open_ms",
        "full_timed",
    ),
    FromLedger(
        name="unresolved",
        title="Unresolved cases",
        doc="Cases that are open, by age: up to 1, 3, 7 and 30 days, and older.",
        unit=Unit.CONTACTS,
        better="lower",
        measures=only(
            LedgerCount(
                "unresolved_cases",
                "unresolved",
                ("up_to_1_days", "up_to_3_days", "up_to_7_days", "up_to_30_days", "older"),
                level=True,
            )
        ),
        tier="operational",
        target_why="none: it grows with volume",
        misleads="Where nobody reports that cases are resolved, all of them are unresolved.",
        pairs=("time_to_resolve", "backlog"),
    ),
    FromLedger(
        name="reopen",
        title="Reopened cases",
        doc="Share of resolved cases that were reopened within the repeat window (7 days by default).",
        unit=Unit.RATIO,
        better="lower",
        measures=only(LedgerShare("resolved_cases", "reopened", "resolved_cases", settled=True)),
        tier="quality",
        target_why="none: start from your own",
        misleads="It leaves out customers who open a new case instead.",
        pairs=("first_contact_resolution", "time_to_resolve"),
    ),
    FromLedger(
        name="escalation",
        title="Escalation rate",
        doc="Share of cases that were escalated, by the highest tier that they reached.",
        unit=Unit.RATIO,
        better="lower",
        measures={
            "": LedgerShare("begun_cases", "escalated", "begun"),
            "to_tier_2": LedgerShare("begun_cases", "to_tier_2", "begun"),
            "to_tier_3": LedgerShare("begun_cases", "to_tier_3", "begun"),
            "above_tier_3": LedgerShare("begun_cases", "above_tier_3", "begun"),
        },
        tier="operational",
        target_why="none: it depends on what the first tier may decide",
        misleads="An early escalation may be what solves a case.",
        pairs=("time_to_resolve", "first_contact_resolution"),
    ),
)


def _of_bots(
    name: str, title: str, doc: str, share: LedgerShare, *, better: str, misleads: str
) -> FromLedger:
    return FromLedger(
        name=name,
        title=title,
        doc=doc,
        unit=Unit.RATIO,
        better="higher" if better == "higher" else "lower",
        measures=only(share),
        tier="operational",
        target_why="none: it depends on what the bot is for",
        misleads=misleads,
        pairs=("bot_containment", "first_contact_resolution"),
    )


_BOT_ENTRIES: Final[tuple[FromLedger, ...]] = (
    _of_bots(
        "ai_involved",
        "Bot involved",
        "Share of inbound visits that were with a bot.",
        LedgerShare("bots", "involved", "inbound"),
        better="higher",
        misleads="Reaching a bot is not the same as being helped by it.",
    ),
    _of_bots(
        "ai_resolved",
        "Resolved by a bot",
        "Share of visits with a bot that it resolved, without the customer coming again within a day.",
        LedgerShare("bots", "resolved", "involved", settled=True),
        better="higher",
        misleads="A customer who can't reach a person looks like one who didn't need to.",
    ),
    _of_bots(
        "ai_handed_over",
        "Handed off by a bot",
        "Share of visits with a bot that it handed off to people.",
        LedgerShare("bots", "handed_over", "involved"),
        better="lower",
        misleads="A timely hand-off beats a bot that keeps trying.",
    ),
)

FROM_LEDGER: Final[tuple[FromLedger, ...]] = (
    *_RESOLUTION_ENTRIES,
    *_CASE_ENTRIES,
    *CUSTOMER_ENTRIES,
    *MONEY_ENTRIES,
    *OPINION_ENTRIES,
    *REVIEW_ENTRIES,
    *_BOT_ENTRIES,
    *PEOPLE_ENTRIES,
)
"""In the order of the dictionary."""
