"""The entries of the ledger's KPIs of what customers and reviewers say. ``docs/semantics.md`` defines them."""

from __future__ import annotations

from typing import Final

from .from_ledger import FromLedger, LedgerShare, only
from .measures import Unit


def _class(kind: str, name: str, title: str, doc: str, better: str) -> FromLedger:
    return FromLedger(
        name=f"{kind}_{name}",
        title=title,
        doc=doc,
        unit=Unit.RATIO,
        better="higher" if better == "higher" else "lower",
        measures=only(LedgerShare("opinions", f"{kind}_{name}", f"{kind}_answers")),
        tier="quality",
        target_why=f"none: {kind} has one",
        misleads="It covers only those who answer.",
        pairs=(kind,),
    )


OPINION_ENTRIES: Final[tuple[FromLedger, ...]] = (
    _class("csat", "satisfied", "Satisfied", "Share of answers that are satisfied.", "higher"),
    _class(
        "csat", "neutral", "Neutral", "Share of answers that are neither satisfied nor dissatisfied.", "lower"
    ),
    _class("csat", "dissatisfied", "Dissatisfied", "Share of answers that are dissatisfied.", "lower"),
    _class("nps", "promoters", "Promoters", "Share of answers of 9 or 10.", "higher"),
    _class("nps", "passives", "Passives", "Share of answers of 7 or 8.", "lower"),
    _class("nps", "detractors", "Detractors", "Share of answers up to 6.", "lower"),
)
