"""A partition that tests write by hand."""

from __future__ import annotations

import json
from typing import Any

from .model import Reference

T0 = 1_763_800_200_000  # on a quarter of an hour
VOICE, CHAT = ("billing", "voice"), ("billing", "chat")
MIN, H, D = 60, 3_600, 86_400
OK, DUPLICATE, ILLEGAL = "applied", "duplicate", "illegal"


def began(name: str, at: float, answered_at: float | None = None) -> dict[str, Any]:
    """The beginning of a visit, as its outcome tells it."""
    told: dict[str, Any] = {"id": name, "at": T0 + round(at * 1000)}
    return told if answered_at is None else {**told, "answered_at": T0 + round(answered_at * 1000)}


class Log:
    """A partition to which events are appended, stamped by the broker; times are seconds after T0."""

    def __init__(self, **settings: Any) -> None:
        self.reference = Reference(**settings)
        self.offset = 0

    def put(
        self, at: float, kind: str, /, contact: str = "c1", stamp: float | None = None, **fields: Any
    ) -> str:
        event = {"id": f"e{self.offset}", "type": kind, "at": T0 + round(at * 1000), "contact_id": contact}
        if kind in ("contact.queued", "contact.refused"):
            event["queue"] = "billing"
        timestamp = -1 if stamp is None else T0 + round(stamp * 1000)
        value = json.dumps({**event, **fields}).encode()
        result = self.reference.feed(self.offset, value, timestamp, by_broker=True)
        self.offset += 1
        return result

    def tick(self, at: float) -> None:
        """Partition time passes with an event that touches nothing."""
        assert self.put(at, "agent.state", agent="a9", state="break") == OK

    def total(self, queue: str = "billing", channel: str = "voice") -> dict[str, int]:
        return self.reference.totals()[queue, channel]

    def where(self, counter: str, size: int = 10) -> list[float]:
        """Starts of the buckets that have the counter, in seconds after T0."""
        return [
            (start - T0) / 1000 for (start, _, _), c in self.reference.cells(size).items() if counter in c
        ]

    def states(self) -> list[tuple[str, str, str]]:
        return [(contact, queue, state) for contact, queue, _, state, _ in self.reference.open_visits()]
