"""Incidents on demand: a spike of arrivals, an outage of routing, a platform that falls silent."""

import re
from typing import Final, Literal

from msgspec import Struct

from stream_app.errors import BadSettingsError

Kind = Literal["spike", "outage", "silence"]
_MINUTES: Final[dict[Kind, float]] = {"spike": 10, "outage": 10, "silence": 5}
_UNITS: Final = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd]?)")
_SPELL: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]?))+")


class Incident(Struct, frozen=True):
    """An incident from ``begin`` (inclusive) to ``end`` (exclusive); milliseconds since the epoch.

    Attributes:
        kind: ``spike``: ``times`` as many arrivals; ``outage``: no agent can take a contact, conversations continue;
            ``silence``: the platform sends nothing, and then everything at once, with its true stamps.
        queue: the only queue affected; otherwise all (for a silence: all of voice).
    """

    kind: Kind
    begin: int
    end: int
    times: float = 1.0
    queue: str | None = None


def milliseconds(text: str) -> int:
    """Parse ``90s``, ``10m``, ``1h30m``, ``1d``, or a plain number of seconds.

    Raises:
        ValueError: it is none of these.
    """
    if not _SPELL.fullmatch(text):
        raise ValueError(f"invalid duration {text!r}; use e.g. 90s, 10m, 1h30m or 1d")
    return round(sum(float(number) * _UNITS[unit] for number, unit in _NUMBER.findall(text)) * 1000)


def parse(text: str, start: int) -> Incident:
    """Parse ``KIND@WHEN[,for=LENGTH][,times=FACTOR][,queue=NAME]``: ``spike@10m,for=5m,times=8,queue=billing``.

    Args:
        text: the option's value.
        start: the moment that WHEN is relative to, in milliseconds since the epoch.

    Raises:
        BadSettingsError: one line that says what is wrong.
    """
    try:
        return _parse(text, start)
    except ValueError as error:
        raise BadSettingsError(f"--incident {text}: {error}") from None


def _parse(text: str, start: int) -> Incident:
    head, *options = text.split(",")
    name, at, when = head.partition("@")
    kind = next((k for k in _MINUTES if k == name), None)
    if kind is None or not at:
        raise ValueError("expected KIND@WHEN, e.g. spike@10m, outage@10m or silence@10m")
    length, times, queue = round(_MINUTES[kind] * 60_000), 5.0 if kind == "spike" else 1.0, None
    for option in options:
        key, _, value = option.partition("=")
        if key == "for":
            length = milliseconds(value)
        elif key == "times" and kind == "spike":
            times = float(value)
        elif key == "queue" and value:
            queue = value
        else:
            raise ValueError(f"expected for=LENGTH, times=FACTOR (spikes only) or queue=NAME, got {option!r}")
    if not 0 <= times <= 1_000 or length <= 0:
        raise ValueError("expected a factor from 0 to 1000 and a length above 0")
    begin = start + milliseconds(when)
    return Incident(kind, begin, begin + length, times, queue)
