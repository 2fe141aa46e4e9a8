"""From a platform's fields to canonical events, held to the vocabulary's own limits; shared by the dialects."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Literal, TypeVar

import msgspec

from stream_app.errors import UnreadableError
from stream_app.model.events import EARLIEST_MS, LATEST_MS, Event

from ._reading import detail

E = TypeVar("E", bound=Event)
State = Literal["available", "on_contact", "wrap", "break", "training", "meeting", "offline"]

LONGEST_ID: Final = 128
LONGEST_NAME: Final = 64
LONGEST_S: Final = 31_536_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_STATES: Final[tuple[tuple[re.Pattern[str], State], ...]] = (
    (re.compile("train|coach|learn", re.IGNORECASE), "training"),
    (re.compile("meet|brief", re.IGNORECASE), "meeting"),
    (re.compile("wrap|acw|after", re.IGNORECASE), "wrap"),
)


def make(kind: type[E], /, **fields: Any) -> E:
    """An event. A field that is ``None``, or that the vocabulary does not have, was not stated.

    Raises:
        UnreadableError: ``invalid``: a field is missing or breaks a limit of the vocabulary.
    """
    try:
        return msgspec.convert({name: field for name, field in fields.items() if field is not None}, kind)
    except msgspec.ValidationError as error:
        raise UnreadableError("invalid", detail(error)) from None


def milliseconds(at: datetime) -> int:
    """Since the epoch; what is less than one is cut off.

    Raises:
        UnreadableError: ``invalid``: another century.
    """
    ms = int((at - _EPOCH) // _MILLISECOND)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise UnreadableError("invalid", "`at` lies outside of 2000 to 2100")
    return ms


def duration(seconds: Any) -> float | None:
    """Seconds; what is no number, negative or longer than a year was not stated."""
    if type(seconds) in (int, float) and 0 <= seconds <= LONGEST_S:
        return float(seconds)
    return None


def event_id(*parts: object) -> str:
    """The parts, readable; a digest of them where that is too long for an id."""
    text = ":".join(map(str, parts))
    return text if len(text) <= LONGEST_ID else digest(text)


def digest(text: str) -> str:
    """32 characters that stand for a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def not_ready(why: str) -> State:
    """What an agent does who takes no contacts, after the name that people gave it; a break if it says nothing."""
    return next((state for pattern, state in _STATES if pattern.search(why)), "break")


def cut(name: str | None) -> str | None:
    """Free text as a reason: as much of it as a name may have."""
    return name[:LONGEST_NAME] if name else None
