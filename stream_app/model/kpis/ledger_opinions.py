"""The entries of the ledger's KPIs of what customers and reviewers say. ``docs/semantics.md`` defines them."""

from __future__ import annotations

from typing import Final

from .from_ledger import FromLedger, LedgerCount, LedgerShare, only
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
    _class(
        "csat",
        "satisfied",
        "Satisfied",
        "Share of satisfied answers: the same number as csat, beside neutral and dissatisfied.",
        "higher",
    ),
    _class(
        "csat", "neutral", "Neutral", "Share of answers that are neither satisfied nor dissatisfied.", "lower"
    ),
    _class("csat", "dissatisfied", "Dissatisfied", "Share of answers that are dissatisfied.", "lower"),
    _class("nps", "promoters", "Promoters", "Share of answers of 9 or 10.", "higher"),
    _class("nps", "passives", "Passives", "Share of answers of 7 or 8.", "lower"),
    _class("nps", "detractors", "Detractors", "Share of answers up to 6.", "lower"),
)
REVIEW_ENTRIES: Final[tuple[FromLedger, ...]] = (
    FromLedger(
        name="fcr_response",
        title="Response rate of resolution surveys",
        doc="Share of resolution surveys that are answered within two days.",
        unit=Unit.RATIO,
        better="higher",
        measures=only(LedgerShare("opinions", "fcr_returned", "fcr_sent", settled=True)),
        tier="quality",
        target=0.10,
        target_why="as for satisfaction surveys",
        misleads="Of surveys sent just now, few are back yet.",
        pairs=("first_contact_resolution", "survey_response"),
    ),
    FromLedger(
        name="quality_by_criterion",
        title="Quality score, by criterion",
        doc="Mean score of the criteria of reviews: empathy, accuracy, whatever reviewers look at; by people, and by machines.",
        unit=Unit.GRADE,
        better="higher",
        measures={
            "people": LedgerShare("criteria", "scored_total", "scored"),
            "automatic": LedgerShare("criteria", "auto_scored_total", "auto_scored"),
        },
        tier="quality",
        target_why="none: the quality score has one; what matters here is which criterion is the lowest",
        misleads="A mean over all criteria hides the one that fails: split it by criterion.",
        pairs=("quality_score", "csat"),
        also_by=("criterion",),
    ),
    FromLedger(
        name="training_compliance",
        title="Training compliance",
        doc="Share of courses due that agents completed on time.",
        unit=Unit.RATIO,
        better="higher",
        measures=only(LedgerShare("trainings", "in_time", "due")),
        tier="quality",
        leading=True,
        target=0.95,
        target_why="our choice: required courses are required, and people are ill or on leave",
        misleads="To have sat through a course is not to have learned from it: read it with the quality score.",
        pairs=("quality_by_criterion", "training_overdue"),
        agents=True,
        also_by=("course",),
    ),
    FromLedger(
        name="training_overdue",
        title="Overdue training",
        doc="Courses that were due and that agents have not completed.",
        unit=Unit.CONTACTS,
        better="lower",
        measures=only(LedgerCount("trainings", "overdue", level=True)),
        tier="quality",
        leading=True,
        target_why="none: it grows with the number of agents",
        misleads="It includes the courses of agents who have left, unless they are reported as completed.",
        pairs=("training_compliance", "compliance"),
        agents=True,
        also_by=("course",),
    ),
)
