"""The load that throughput is measured with: calls, chats and mails of four events each, about 170 bytes of JSON an event."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tests.services.kafka import Record

EVENTS_PER_SECOND = 2_000
"""Density in event time: a large centre in its busy hour."""


def lifecycle(
    events: int, queue_channels: int, start_ms: int, *, seed: int = 1, haste: float = 1.0
) -> Iterator[Record]:
    """``events`` events in order of time; waits, talks and wrap-ups as people have them, divided by ``haste``."""
    rng = random.Random(seed)
    contacts = events // 4
    step_ms = 1000 * 4 / EVENTS_PER_SECOND
    channels = ("voice", "chat", "email")
    pending: list[tuple[int, bytes, bytes]] = []
    for n in range(contacts):
        at = start_ms + int(n * step_ms)
        place = rng.randrange(queue_channels)
        queue, channel = f"queue-{place // len(channels):03d}", channels[place % len(channels)]
        contact, agent = f"contact-{n:09d}", f"agent-{rng.randrange(500):04d}"
        wait = int(rng.expovariate(1 / 25) * 1000 / haste)
        talk = int(rng.expovariate(1 / 200) * 1000 / haste)
        steps = (
            (
                "contact.queued",
                0,
                {"queue": queue, "channel": channel, "customer": f"customer-{n % 99_991:05d}"},
            ),
            (
                "contact.answered" if channel == "voice" else "message.sent",
                wait,
                {"queue": queue, "agent": agent},
            ),
            ("contact.ended", wait + talk, {"queue": queue, "agent": agent, "by": "customer"}),
            ("contact.wrapped", wait + talk + int(30_000 / haste), {"queue": queue, "agent": agent}),
        )
        for kind, after, more in steps:
            event = {
                "id": f"{rng.getrandbits(128):032x}",
                "type": kind,
                "at": at + after,
                "contact_id": contact,
                **more,
            }
            pending.append((at + after, contact.encode(), json.dumps(event, separators=(",", ":")).encode()))
    pending.sort()
    for at, key, value in pending:
        yield Record(key, value, timestamp_ms=at)
