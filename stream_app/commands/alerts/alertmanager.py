"""Alertmanager's interface, as far as a test message needs it: what is configured, an alert, and its counts of what it sent."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import aiohttp
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from stream_app.errors import StreamAppError

POLL_S: Final = 0.5
Way = tuple[str, str]
"""A receiver and Alertmanager's word for the way, like ("page", "slack")."""
Ways = Mapping[str, Counter[str]]
"""Receiver → how often it has each way."""

_NAMES: Final = {"msteamsv2": "teams", "opsgenie": "opsgenie or jira_service_management"}
"""Alertmanager's word → ours, where they differ."""
_LOG: Final = "its log has the reason (`docker compose logs alertmanager`)"


class Delivery(Struct):
    """What became of a test message on one way.

    Attributes:
        expected: to how many addresses it should go.
        sent: how many accepted it.
        failed: attempts that failed; Alertmanager tries again.
        held: why it was not even tried, in Alertmanager's word; empty if it was, or if that is unknown.
    """

    expected: int
    sent: int = 0
    failed: int = 0
    held: str = ""

    @property
    def known(self) -> bool:
        """Whether waiting longer would show nothing new."""
        return bool(self.held) or self.sent + bool(self.failed) >= self.expected

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.sent == self.expected:
            return "sent"
        if self.failed:
            return f"{self.sent} of {self.expected} sent, {self.failed} attempts failed; {_LOG}"
        if self.held == "mute_time_interval":
            return "held back, because it is outside [hours]; try again within them"
        if self.held:
            return f"held back by Alertmanager: {self.held}"
        return f"nothing was sent in time; {_LOG}"


class Counts(Struct, frozen=True):
    """Alertmanager's counters, which only grow; ``""`` is the receiver where they don't name one.

    They don't tell one message from another: if something else is sent on the same way meanwhile, it counts, too.
    """

    requests: Counter[Way]
    failed: Counter[Way]
    held: Counter[str]

    @classmethod
    def of(cls, metrics: str) -> Counts:
        """Read what ``/metrics`` shows."""
        found: dict[str, Counter[Any]] = {"requests": Counter(), "failed": Counter(), "held": Counter()}
        names = {
            "alertmanager_notification_requests_total": "requests",
            "alertmanager_notification_requests_failed_total": "failed",
            "alertmanager_notifications_suppressed_total": "held",
        }
        for family in text_string_to_metric_families(metrics):
            for sample in family.samples:
                kind = names.get(sample.name)
                if kind == "held":
                    found[kind][sample.labels.get("reason", "it did not say why")] += int(sample.value)
                elif kind:
                    way = (sample.labels.get("receiver_name", ""), sample.labels["integration"])
                    found[kind][way] += int(sample.value)
        return cls(**found)


def ways_of(config: str) -> Ways:
    """Read receivers and their ways from the configuration in force, in the block style in which Alertmanager prints it."""
    out: dict[str, Counter[str]] = {}
    name, way = "", ""
    _, _, below = f"\n{config}".partition("\nreceivers:\n")
    for line in below.splitlines():
        if found := re.match(r"- name: (.+)", line):
            name, way = found[1].strip("\"'"), ""
            out[name] = Counter()
        elif found := re.match(r"  (\w+)_configs:", line):
            way = found[1]
        elif line.startswith("  - ") and way:
            out[name][way] += 1
        elif line and not line.startswith((" ", "-")):
            break
    return out


class Client:
    """An Alertmanager."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def ways(self) -> Ways:
        """Return who can be notified, and how, by the configuration in force."""
        status = await self._get("/api/v2/status")
        return ways_of(status["config"]["original"])

    async def send(
        self, labels: Mapping[str, str], texts: Mapping[str, str], ways: Ways, wait_s: float
    ) -> tuple[list[str], dict[Way, Delivery]]:
        """Send an alert, wait until its outcome is known, and end it.

        Returns:
            the receivers that it is for, and the outcome on each of their ways.
        """
        before = await self._counts()
        test = uuid4().hex[:8]
        # A group of its own: it must not be a part of what is being sent already, and wait for its next turn.
        names = {"alertname": "Test", "group": f"test-{test}", **labels, "test": test}
        alert = {"labels": names, "annotations": {**texts}}
        begun = asyncio.get_running_loop().time()
        await self._post(alert, minutes=10)
        receivers = await self._receivers(test)
        try:
            while True:
                outcomes = deliveries_of(receivers, ways, before, await self._counts())
                late = asyncio.get_running_loop().time() - begun > wait_s
                if late or all(outcome.known for outcome in outcomes.values()):
                    return receivers, outcomes
                await asyncio.sleep(POLL_S)
        finally:
            await self._post(alert, minutes=0)

    async def _receivers(self, test: str) -> list[str]:
        found = await self._get("/api/v2/alerts", filter=f'test="{test}"')
        return [receiver["name"] for alert in found for receiver in alert["receivers"]]

    async def _counts(self) -> Counts:
        async with self._session.get(f"{self._url}/metrics") as answer:
            return Counts.of(await self._text(answer))

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"{self._url}{path}", params=parameters) as answer:
            await self._text(answer)
            return await answer.json()

    async def _post(self, alert: Mapping[str, Any], *, minutes: int) -> None:
        ends = datetime.now(UTC) + timedelta(minutes=minutes)
        async with self._session.post(
            f"{self._url}/api/v2/alerts", json=[{**alert, "endsAt": ends.isoformat()}]
        ) as answer:
            await self._text(answer)

    async def _text(self, answer: aiohttp.ClientResponse) -> str:
        text = await answer.text()
        if answer.status != 200:
            raise StreamAppError(
                f"{answer.url}: expected an answer of Alertmanager, got status {answer.status}: {text[:200]}"
            )
        return text


def deliveries_of(receivers: list[str], ways: Ways, before: Counts, after: Counts) -> dict[Way, Delivery]:
    """Compare the counts of two moments, for each way of some receivers."""
    held = "".join(reason for reason, n in (after.held - before.held).items() if n)
    requests, failed = after.requests - before.requests, after.failed - before.failed
    out = {}
    for receiver in receivers:
        for way, expected in ways.get(receiver, Counter()).items():
            names = (receiver, "")  # it may not tell receivers apart
            tried = sum(requests[name, way] for name in names)
            lost = sum(failed[name, way] for name in names)
            out[receiver, _NAMES.get(way, way)] = Delivery(
                expected, min(tried - lost, expected), lost, "" if tried else held
            )
    return out
