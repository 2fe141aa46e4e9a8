"""Files that other programs import, as ``stream-app intervals`` writes them: their columns, and how to read them again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

CONNECT: Final = (
    "QueueName", "QueueId", "ChannelType", "TimeStamp", "IntervalDuration", "IncomingContactVolume", "AverageHandleTime",
    "ContactsHandled",
)  # fmt: skip
GENESYS: Final = (
    "Interval Start UTC Date", "Queue", "Media Type", "Skill Set", "Language", "Offered", "Interactions Handled",
    "Total Handle Time (Seconds)",
)  # fmt: skip
_CHANNELS: Final = {"message": "messaging"}
"""Channels that another program names differently, in lower case → ours."""
_KNOWN: Final[dict[tuple[str, ...], tuple[str, str]]] = {
    CONNECT: (
        "Amazon Connect",
        (
            "start=TimeStamp,queue=QueueName,channel=ChannelType,offered=IncomingContactVolume,handled=ContactsHandled,"
            "aht_s=AverageHandleTime"
        ),
    ),
    GENESYS: (
        "Genesys Cloud",
        (
            "start=Interval Start UTC Date,queue=Queue,channel=Media Type,offered=Offered,handled=Interactions Handled,"
            "talk_s=Total Handle Time (Seconds),hold_s:=0,wrap_s:=0"
        ),
    ),
}


def our_channel(value: Any) -> Any:
    """Return the channel that another program names, VOICE or Voice, as we do; what is not a text stays what it is."""
    if not isinstance(value, str):
        return value
    name = value.strip().lower()
    return _CHANNELS.get(name, name)


def refusal(header: Sequence[str], needed: Collection[str]) -> str | None:
    """Return what to say about a file with such a header in place of interval rows; ``None`` if it is no import file."""
    if "offered" not in needed or (known := _KNOWN.get(tuple(header))) is None:
        return None
    program, mapping = known
    return (
        f"expected interval rows ({', '.join(needed)}), got an import file of {program}; write the rows with "
        f"stream-app intervals … --format csv, or read this file with --map '{mapping}'"
    )
