"""What is said about contacts: surveys, reviews, moods and sales, as different platforms write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

_CURRENCIES = ("EUR", "EUR", "USD", "GBP", "JPY", "KWD", "CLP", "ZWG", "AED")


def survey(rng: Random) -> dict[str, Any]:
    """A customer's answer to one of the three questions, on the usual scale or another."""
    kind = rng.choice(("csat", "csat", "nps", "ces"))
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
    return {"amount": amount, "currency": rng.choice(_CURRENCIES)}
