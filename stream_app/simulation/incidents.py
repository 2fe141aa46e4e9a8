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
    """Something goes wrong, from ``begin`` (inclusive) to ``end`` (exclusive); milliseconds since the epoch.

    Attributes:
        kind: ``spike``: ``times`` as many arrivals; ``outage``: no agent can take a contact, conversations go
            on; ``silence``: the platform says nothing, and then all of it at once, with its true stamps.
        queue: the only queue that it hits; else all (a silence: all of voice).
    """

    kind: Kind
    begin: int
    end: int
    times: float = 1.0
    queue: str | None = None


def milliseconds(text: str) -> int:
    """``90s``, ``10m``, ``1h30m``, ``1d``, or a plain number of seconds.

    Raises:
        ValueError: it is none of these.
    """
    if not _SPELL.fullmatch(text):
        raise ValueError(f"{text!r} is no time; write 90s, 10m, 1h30m or 1d")
    return round(sum(float(number) * _UNITS[unit] for number, unit in _NUMBER.findall(text)) * 1000)


def parse(text: str, start: int) -> Incident:
    """``KIND@WHEN[,for=LENGTH][,times=FACTOR][,queue=NAME]``: ``spike@10m,for=5m,times=8,queue=billing``.

    Args:
        text: what was asked for.
        start: what WHEN is counted from, in milliseconds since the epoch.

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
        raise ValueError("write spike@10m, outage@10m or silence@10m")
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
            raise ValueError(f"{option!r} is not for=LENGTH, times=FACTOR (a spike's) or queue=NAME")
    if not 0 <= times <= 1_000 or length <= 0:
        raise ValueError("a factor lies in 0…1000, and an incident takes some time")
    begin = start + milliseconds(when)
    return Incident(kind, begin, begin + length, times, queue)
