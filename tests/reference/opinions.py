"""What is said about contacts: surveys, reviews, moods and sales, as different platforms write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from .stories import Told

_CURRENCIES = ("EUR", "EUR", "USD", "GBP", "JPY", "KWD", "CLP", "ZWG", "AED")


def survey(rng: Random) -> dict[str, Any]:
    """A customer's answer to one of the questions, on the usual scale or another."""
    kind = rng.choice(("csat", "csat", "nps", "ces", "fcr"))
    if kind == "fcr":
        return {"kind": kind, "score": rng.randrange(2), **({"scale": 5} if rng.random() < 0.1 else {})}
    if kind == "nps":
        return {"kind": kind, "score": rng.randrange(11), **({"scale": 10} if rng.random() < 0.5 else {})}
    scale = rng.choice((None, 5, 7, 10, 2, 3, 100))
    score = rng.randint(1, scale or (5 if kind == "csat" else 7))
    return {"kind": kind, "score": score, **({} if scale is None else {"scale": scale})}


def review(rng: Random) -> dict[str, Any]:
    """A person's or a machine's, with a verdict or without."""
    fields: dict[str, Any] = {
        "score": rng.choice((0, 1, 0.5, round(rng.random(), 3), round(rng.random(), 4)))
    }
    if rng.random() < 0.6:
        fields["compliant"] = rng.random() < 0.8
    if rng.random() < 0.7:
        fields["automatic"] = rng.random() < 0.6
    return fields


def mood(rng: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"score": rng.choice((-1, 0, 1, -0.25, round(rng.uniform(-1, 1), 3)))}
    if rng.random() < 0.5:
        fields["predicted_csat"] = rng.choice((1, 5, 4.5, round(rng.uniform(1, 5), 2)))
    return fields


def sale(rng: Random) -> dict[str, Any]:
    """Whole units, cents or ten-thousandths; as a number or as a text."""
    ten_thousandths = rng.choice(
        (0, 499_000, rng.randrange(1_000) * 10_000, rng.randrange(10**6) * 100, rng.randrange(10**9)),
    )
    amount: float | str = ten_thousandths / 10_000
    if rng.random() < 0.5:
        amount = f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"
        amount = rng.choice((amount, amount.rstrip("0").rstrip(".")))
    # not drawn: whatever a sale says, the rest of the traffic stays as it is
    kind = (None, None, "new", "Upsell", "renewal")[ten_thousandths % 7 % 5]
    return {"amount": amount, "currency": rng.choice(_CURRENCIES), **({"kind": kind} if kind else {})}


def surveys(rng: Random, told: list[Told]) -> list[Told]:
    """Surveys that a contact with this story was sent, and further answers to them.

    Some who answer were never asked, some answer twice, and not every platform's stamps are right: a survey may be
    sent as it is answered, or a second or two later.
    """
    more: list[Told] = []
    answers = [one for one in told if one[2]["type"] == "survey.answered"]
    for at, key, fields in answers:
        if rng.random() < 0.75:
            later = rng.choice((-600_000, -60_000, -60_000, -1_000, 0, 1_000, 2_000))
            more.append((max(told[0][0], at + later), key, _sent(rng, fields, fields["kind"])))
        again = at
        while rng.random() < 0.25:
            again += rng.choice((0, 1_000, 60_000, 600_000, 3_600_000, 150_000_000))
            more.append((again, key, _again(rng, fields)))
    of_contacts = [one for one in told if "contact_id" in one[2]]
    if of_contacts and not answers and rng.random() < 0.15:
        at, key, fields = rng.choice(of_contacts)
        more.append(
            (
                at + rng.randrange(60_000),
                key,
                _sent(rng, fields, rng.choice(("csat", "csat", "nps", "ces", "fcr"))),
            )
        )
    return more


def _about(fields: dict[str, Any], kind: str) -> dict[str, Any]:
    """The head of another event of the contact."""
    names = ("contact_id", "visit", "customer")
    return {"type": kind, **{name: fields[name] for name in names if name in fields}}


def _where(rng: Random, fields: dict[str, Any]) -> dict[str, Any]:
    """Some say which queue they are about, some the channel as well; not always the same."""
    place: dict[str, Any] = {
        name: fields[name] for name in ("queue", "channel") if name in fields and rng.random() < 0.7
    }
    return {**place, "queue": "sales"} if rng.random() < 0.1 else place


def _sent(rng: Random, fields: dict[str, Any], kind: str) -> dict[str, Any]:
    about = {} if kind == "csat" and rng.random() < 0.5 else {"kind": kind}
    return {**_about(fields, "survey.sent"), **about, **_where(rng, fields)}


def _again(rng: Random, fields: dict[str, Any]) -> dict[str, Any]:
    answer = survey(rng)
    while answer["kind"] != fields["kind"]:
        answer = survey(rng)
    return {**_about(fields, "survey.answered"), **answer, **_where(rng, fields)}
