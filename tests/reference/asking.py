"""Surveys in a partition that tests write by hand, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .log import OK

if TYPE_CHECKING:
    from .log import Log

SALES = ("sales", "voice")


def send(log: Log, at: float, contact: str = "c1", **fields: Any) -> None:
    assert log.put(at, "survey.sent", contact, **{"queue": "billing", **fields}) == OK


def reply(log: Log, at: float, score: float = 5, contact: str = "c1", **fields: Any) -> None:
    fields = {"queue": "billing", "kind": "csat", **fields}
    assert log.put(at, "survey.answered", contact, score=score, **fields) == OK


def counted(log: Log, kind: str = "csat") -> dict[tuple[str, str], dict[str, int]]:
    """What surveys of the kind count, by place, without its prefix."""
    found = {
        place: {n.removeprefix(f"{kind}_"): x for n, x in counts.items() if n.startswith(kind)}
        for place, counts in log.reference.totals().items()
    }
    return {place: counts for place, counts in found.items() if counts}
