"""The whole road: events into a topic, a worker, Redis, ``serve``; and contacts whose numbers are known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.reference.model import Reference
from tests.services.command import run_command
from tests.services.kafka import Cluster, Record
from tests.services.process import HOST, free_port, until

from .accounts import assert_accounted
from .serve import Serve
from .worker import Worker, environment

T_S, SHORT_S = 20.0, 5.0
VOICE = "voice"

Event = dict[str, Any]
_ids = count()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def noon_somewhere() -> str:
    """A zone in which it is about noon now: `today` is hours old whenever this runs."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def event(at: int, kind: str, contact: str, **fields: Any) -> Event:
    return {"id": f"event-{next(_ids)}", "type": kind, "at": at, "contact_id": contact, **fields}


def queued(queue: str, contact: str, at: int) -> Event:
    return event(at, "contact.queued", contact, queue=queue, channel=VOICE)


def gone(queue: str, at: int, wait_s: float, how: str) -> Iterator[Event]:
    """A contact that nobody answered; ``how`` is the event that ended its wait."""
    contact = f"contact-{next(_ids)}"
    yield queued(queue, contact, at)
    yield event(at + round(wait_s * 1000), how, contact)


def answered(queue: str, at: int, wait_s: float, talk_s: float = 10.0) -> Iterator[Event]:
    """A contact from the queue to the end of its wrap-up, with 2 s on hold and 3.3 s of wrap-up."""
    contact, wait, talk = f"contact-{next(_ids)}", round(wait_s * 1000), round(talk_s * 1000)
    yield queued(queue, contact, at)
    yield event(at + wait, "contact.answered", contact, agent="agent-1")
    yield event(at + wait + 1_000, "contact.held", contact)
    yield event(at + wait + 3_000, "contact.resumed", contact)
    yield event(at + wait + 2_000 + talk, "contact.ended", contact)
    yield event(at + wait + 5_300 + talk, "contact.wrapped", contact)


def day(queue: str, at: int) -> Iterator[Event]:
    """One queue's day of 100 contacts, squeezed into two minutes, with waits on and beside the thresholds."""
    starts = count(at, 197)
    for n in range(70):
        yield from answered(queue, next(starts), T_S if n < 2 else 0.4 + n * 0.27, talk_s=7 + n * 0.333)
    for n in range(15):
        yield from answered(queue, next(starts), T_S + 0.001 + n, talk_s=20.0)
    for waits, how in (
        ((0.0, 1.5, 4.999, SHORT_S), "contact.abandoned"),
        ((SHORT_S + 0.001, 8.0, 19.999, T_S), "contact.abandoned"),
        ((T_S + 0.001, 21.0, 25.0, 30.0, 40.0), "contact.abandoned"),
        ((12.0, 33.0), "callback.scheduled"),
    ):
        for wait_s in waits:
            yield from gone(queue, next(starts), wait_s, how)


def in_order(events: Iterable[Event]) -> list[Event]:
    """As they happened: what each producer sends, and so what each partition holds."""
    return sorted(events, key=lambda e: e["at"])


def record(told: Event) -> Record:
    return Record(told["contact_id"].encode(), json.dumps(told).encode())


def reference(events: Iterable[Event]) -> Reference:
    """What must have become of them, by the independent arithmetic."""
    out = Reference(lambda *_: (round(T_S * 1000), round(SHORT_S * 1000)))
    for offset, told in enumerate(events):
        assert out.feed(offset, json.dumps(told).encode()) == "applied"
    return out


class Pipeline:
    """A worker and a ``serve`` over one topic and one Redis."""

    def __init__(
        self, kafka: Cluster, redis_url: str, topic: str, directory: Path, *, by: str = "", **settings: str
    ) -> None:
        """``by`` is the broker as the worker finds it, if that is another way than the test's."""
        self.kafka = kafka
        self.redis_url = redis_url
        self.topic = topic
        self._directory = directory
        self.worker_port = free_port()
        known = {"STREAM_APP_METRICS_PORT": str(self.worker_port), "STREAM_APP_SESSION_TIMEOUT_MS": "2000"}
        self.worker = Worker(
            directory / "worker.log",
            **environment(by or kafka.bootstrap, redis_url, topic, **known, **settings),
        )
        self.serve = Serve(redis_url, "--access-log", **settings)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Both run; whatever state they are in at the end, nothing is left."""
        try:
            self.worker.start()
            with self.serve:
                yield self
            assert_accounted(self.redis_url, self.topic)
        finally:
            self.worker.close()

    async def trusted(self) -> None:
        """Wait until its numbers are vouched for."""
        await until(self.serve.is_trusted, 30, "the numbers are vouched for")

    async def produce(self, events: Iterable[Event]) -> int:
        """Send events, in order of time; gives how many contacts they are."""
        told = in_order(events)
        await self.kafka.produce(self.topic, map(record, told))
        return len({e["contact_id"] for e in told})

    async def worker_metrics(self) -> str:
        """What the worker says of itself."""
        url = f"http://{HOST}:{self.worker_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    async def send(self, key: str, *values: bytes) -> None:
        """Send bytes, whatever they are."""
        await self.kafka.produce(self.topic, (Record(key.encode(), value) for value in values))

    def apply(self, document: str) -> str:
        """``stream-app config apply``; gives what it prints."""
        file = self._directory / "settings.toml"
        file.write_text(document)
        done = run_command("config", "apply", file, env={"REDIS_URL": self.redis_url})
        done.check_returncode()
        return done.stdout

    async def until_over(self, contacts: Mapping[str, int]) -> dict[str, Any]:
        """Wait until so many contacts of each queue have come and all of them are over; gives all rows."""

        async def rows() -> dict[str, Any]:
            rows = await self.serve.rows()
            return rows if all(q in rows and _is_over(rows[q], n) for q, n in contacts.items()) else {}

        return await until(rows, 30, f"these are over: {contacts}")


def _is_over(row: Any, contacts: int) -> bool:
    totals = row["totals"]
    return bool(
        totals["offered"] == contacts
        and row["levels"]["backlog"] == 0
        and totals["handled"] == totals["answered"]
    )
