"""What follows a handled contact: sentiment, surveys, reviews, resolved cases, sales."""

from functools import partial
from typing import Final, Literal

from stream_app.model import events as e
from stream_app.model.durations import MINUTE

from .desk import SimulatedVisit
from .settings import ASKED_PER_ANSWER, ESCALATED, NOTHING_AFTER
from .stage import Stage

_Kind = Literal["csat", "nps", "ces", "fcr"]
_SCALES: Final[dict[_Kind, tuple[int, int]]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "fcr": (0, 1)}
_SHARES: Final[tuple[tuple[_Kind, float], ...]] = (("csat", 0.55), ("nps", 0.75), ("ces", 0.87), ("fcr", 1.0))
"""Kind → where its share of the surveys ends."""
_SMALL_SALES: Final = ("upsell", "upsell", "saved", "upgrade", None)


def overhear(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Score the sentiment of an ongoing conversation, while there is time to help."""
    if (share := visit.desk.queue.after.sentiment) and visit.desk.after.random() < share:
        _score(stage, visit, at, _mood(visit))


def _mood(visit: SimulatedVisit) -> float:
    """Draw the mood, -1 to 1; it is worse after a long wait."""
    spoilt = min(0.9, (visit.assigned_at - visit.since) / 600_000) + visit.hold / 900_000
    return max(-1.0, min(1.0, visit.desk.after.gauss(0.45, 0.3) - spoilt))


def _score(stage: Stage, visit: SimulatedVisit, at: int, mood: float) -> None:
    predicted = round(3 + 2 * mood, 2)
    scored = visit.event(e.SentimentScored, stage.id(), at, score=round(mood, 3), predicted_csat=predicted)
    stage.later(at, scored)


def follow(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Schedule what follows a contact that was handled just now."""
    after = visit.desk.queue.after
    if visit.desk.chance(visit.desk.queue.writing.returns):
        _return(stage, visit, at)
    if after == NOTHING_AFTER:
        return
    random, mood = visit.desk.after.random, _mood(visit)
    if random() < after.sentiment:
        _score(stage, visit, at, mood)
    if random() < after.sale:
        _sale(stage, visit, at)
    if random() < after.quality:
        _quality(stage, visit, at)
    asked = random()
    if asked < after.survey:
        _survey(stage, visit, at, mood)
    elif asked < ASKED_PER_ANSWER * after.survey:
        stage.later(at, visit.event(e.SurveySent, stage.id(), at, customer=visit.customer))
    solved = random() < after.case
    if after.case and (solved or random() < ESCALATED):
        _case(stage, visit, at, solved=solved)


def _return(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Plan that the customer is not satisfied, and waits again with the same request."""
    random, contact = visit.desk.writing.random, visit.contact
    again = at + int(MINUTE * (31 + 89 * random()))
    reopened = e.CaseReopened(id=stage.id(), at=again, case=f"{contact}-again", contact_id=contact)
    stage.later(again, reopened)
    stage.later(again + 1 + int(random() * 5_000), None, partial(stage.come_again, visit))


def _sale(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    desk = visit.desk
    amount = max(0.01, desk.after.gammavariate(2.0, desk.queue.after.sale_mean / 2))
    # Dear ones are new contracts; which of the others are what, their cents tell as well as a die.
    kind = (
        "new"
        if amount > desk.queue.after.sale_mean
        else _SMALL_SALES[round(100 * amount) % len(_SMALL_SALES)]
    )
    event = visit.event(
        e.SaleRecorded,
        stage.id(),
        at,
        customer=visit.customer,
        amount=f"{amount:.2f}",
        currency="EUR",
        kind=kind,
    )
    stage.later(at, event)


def _quality(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    rng = visit.desk.after
    when = at + int(MINUTE * (5 + 55 * rng.random()))
    score = min(1.0, rng.betavariate(18, 2))
    automatic = rng.random() < 0.7
    event = visit.event(
        e.QualityScored,
        stage.id(),
        when,
        score=round(score, 3),
        # A machine that misses a phrase reports a breach; a person hardly ever finds one.
        compliant=score > (0.75 if automatic else 0.5),
        automatic=automatic,
        criteria={
            "accuracy": round(min(1.0, 0.2 + 0.8 * score), 3),
            "empathy": round(score**2, 3),
            "procedure": float(score > (0.75 if automatic else 0.5)),
        },
    )
    stage.later(when, event)


def _survey(stage: Stage, visit: SimulatedVisit, at: int, mood: float) -> None:
    rng = visit.desk.after
    when = at + int(MINUTE * (0.5 + 10 * rng.random()))
    chance = rng.random()
    kind: _Kind = next(kind for kind, below in _SHARES if chance < below)
    low, high = _SCALES[kind]
    share = (mood + 1) / 2
    score = low + round((high - low) * min(1.0, 1 - share if kind == "ces" else share * 1.25))
    stage.later(at, visit.event(e.SurveySent, stage.id(), at, customer=visit.customer, kind=kind))
    scale = None if kind == "fcr" else high
    event = visit.event(
        e.SurveyAnswered, stage.id(), when, customer=visit.customer, kind=kind, score=score, scale=scale
    )
    stage.later(when, event)


def _case(stage: Stage, visit: SimulatedVisit, at: int, *, solved: bool) -> None:
    contact, rng = visit.contact, visit.desk.after
    case = f"{contact}-case"
    outcome = e.CaseResolved if solved else e.CaseEscalated
    tier = 1 if solved else 2
    stage.later(at, outcome(id=stage.id(), at=at, case=case, contact_id=contact, tier=tier))
    if solved and rng.random() < visit.desk.queue.after.reopened:
        again = at + int(MINUTE * (20 + 100 * rng.random()))
        stage.later(again, e.CaseReopened(id=stage.id(), at=again, case=case, contact_id=contact, tier=tier))
