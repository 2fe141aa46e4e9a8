"""From a platform's fields to canonical events within the limits of the vocabulary; shared by the dialects."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from stream_app.errors import UnreadableError
from stream_app.model.events import EARLIEST_MS, LATEST_MS, LONGEST_NAME, AgentStatus, Event

from ._reading import detail

E = TypeVar("E", bound=Event)

LONGEST_ID: Final = 128
LONGEST_S: Final = 31_536_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_STATES: Final[tuple[tuple[re.Pattern[str], AgentStatus], ...]] = (
    (re.compile("train|coach|learn", re.IGNORECASE), "training"),
    (re.compile("meet|brief", re.IGNORECASE), "meeting"),
    (re.compile("wrap|acw|after", re.IGNORECASE), "wrap"),
)


def make(kind: type[E], /, **fields: Any) -> E:
    """Make an event. A field that is ``None``, or not in the vocabulary, counts as not stated.

    Raises:
        UnreadableError: ``invalid``: a field is missing or breaks a limit of the vocabulary.
    """
    try:
        return msgspec.convert({name: field for name, field in fields.items() if field is not None}, kind)
    except msgspec.ValidationError as error:
        raise UnreadableError("invalid", detail(error)) from None


def milliseconds(at: datetime) -> int:
    """Convert to milliseconds since the epoch, rounded down.

    Raises:
        UnreadableError: ``invalid``: not of this century.
    """
    ms = int((at - _EPOCH) // _MILLISECOND)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise UnreadableError("invalid", "`at` lies outside of 2000 to 2100")
    return ms


def duration(seconds: Any) -> float | None:
    """Return seconds; ``None``, as not stated, unless it is a number from 0 to a year."""
    if type(seconds) in (int, float) and 0 <= seconds <= LONGEST_S:
        return float(seconds)
    return None


def event_id(*parts: object) -> str:
    """Join the parts into a readable id, or into a digest where that would be too long."""
    text = ":".join(map(str, parts))
    return text if len(text) <= LONGEST_ID else digest(text)


def digest(text: str) -> str:
    """Return 32 characters that identify a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def not_ready(why: str) -> AgentStatus:
    """Guess the state of an agent who takes no contacts from the platform's name for it; a break by default."""
    return next((state for pattern, state in _STATES if pattern.search(why)), "break")


def cut(name: str | None) -> str | None:
    """Shorten free text to a reason of at most a name's length."""
    return name[:LONGEST_NAME] if name else None
