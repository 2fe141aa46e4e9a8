"""How interval rows are worked out with a pencil: what was told, and the rows and backlogs of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .log import T0, H

MIDNIGHT_MS = T0 - 17 * H * 1000 // 2  # T0 is half past eight
SEC, MIN_MS, DAY_MS = 1_000, 60_000, 86_400_000

Told = tuple[int, str, dict[str, Any]]  # at, type, other fields
Where = tuple[int, str]  # start of the quarter, queue and channel


class Case(NamedTuple):
    """All rows that there are, without zeros; and (backlog_start, backlog_max) of some quarters."""

    told: list[Told]
    rows: dict[Where, dict[str, int]]
    backlogs: dict[Where, tuple[int, int]]


def clock(text: str, day: int = 0) -> int:
    """A time of day (H:MM or H:MM:SS, UTC) in ms since the epoch, so many days later."""
    hours, minutes, seconds = (int(part) for part in f"{text}:00".split(":")[:3])
    return MIDNIGHT_MS + day * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * SEC


def tell(at: str | int, kind: str, contact: str = "c1", **fields: Any) -> Told:
    """An event; times as texts are those of the first day."""
    when = clock(at) if isinstance(at, str) else at
    if kind in ("contact.queued", "contact.refused"):
        fields = {"queue": "billing", **fields}
    return when, kind, {"contact_id": contact, **fields}


def of(where: str, place: str = "billing/voice", day: int = 0) -> Where:
    return clock(where, day), place


def response(duration: int) -> dict[str, int]:
    return {"responded": 1, "response_ms": duration, "response_open_ms": duration}


def reply(duration: int) -> dict[str, int]:
    """The first one, since the contact was queued."""
    return {**response(duration), "replies": 1, "reply_ms": duration}


VOICE, CHAT, MAIL, VIDEO = "billing/voice", "billing/chat", "billing/email", "billing/video"
