"""Whom a real Alertmanager tells of what, with the routes and inhibitions that are rendered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from stream_app.views.alerts import alertmanager, rules
from stream_app.views.alerts.receivers import Receivers
from tests.services.alertmanager import Alertmanager, Inbox
from tests.services.process import HOST, until
from tests.views.alerts.quick import quick_routes

BY_NAME = {rule.name: rule for rule in rules()}


class Told:
    """An Alertmanager that is told of alerts, and who hears of them."""

    def __init__(self, server: Alertmanager, inbox: Inbox) -> None:
        self._url = f"http://{HOST}:{server.port}/api/v2/alerts"
        self.inbox = inbox

    async def fire(self, *alerts: tuple[str, str], over: tuple[str, str] | None = None) -> None:
        """(name, queue), as Prometheus would say it; ``over`` is one that has ended."""
        said = [_said(*alert) for alert in alerts]
        if over:
            said.append({**_said(*over), "endsAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()})
        async with aiohttp.ClientSession() as session, session.post(self._url, json=said) as answer:
            assert answer.status == 200

    def heard(self) -> set[tuple[str, str, str]]:
        """(receiver, alert, queue) of everything that was sent."""
        return {
            (message.path, alert["labels"]["alertname"], alert["labels"].get("queue", ""))
            for message in self.inbox.messages
            for alert in message.body["alerts"]
        }


def _said(name: str, queue: str) -> dict[str, Any]:
    rule = BY_NAME[name]
    place = {"queue": queue, "channel": "voice"} if queue else {}
    annotations = rule.annotations(".Value")
    for label, value in place.items():
        annotations = {
            key: text.replace(f"{{{{ .Labels.{label} }}}}", value) for key, text in annotations.items()
        }
    return {"labels": {"alertname": name, **rule.labels, **place}, "annotations": annotations}


@asynccontextmanager
async def telling() -> AsyncIterator[Told]:
    async with Inbox() as inbox:
        hooks: dict[str, Any] = {
            who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket")
        }
        config = quick_routes(alertmanager.config(Receivers.of(hooks)))
        with Alertmanager(config) as server:
            yield Told(server, inbox)


@pytest.mark.parametrize("cause", ["DataMissing", "DataUntrusted"])
async def test_numbers_that_can_t_be_trusted_are_one_page_and_not_one_for_each_queue(cause: str) -> None:
    async with telling() as told:
        await told.fire(
            (cause, ""),
            *(("ServiceLevelBurns", f"queue-{n}") for n in range(50)),
            ("HandleTimeOffTarget", "queue-1"),
            ("DeadLetters", ""),  # about the pipeline: not silenced
        )
        await until(lambda: len(told.heard()) == 2)
        assert told.heard() == {("/page", cause, ""), ("/ticket", "DeadLetters", "")}


async def test_what_says_the_same_more_urgently_is_told_alone() -> None:
    async with telling() as told:
        await told.fire(
            ("ServiceLevelBurns", "sales"),
            ("ServiceLevelOffTarget", "sales"),
            ("ServiceLevelBurnsSlowly", "sales"),
            ("ServiceLevelOffTarget", "care"),
            ("ServiceLevelBurnsSlowly", "billing"),
        )
        await until(lambda: len(told.heard()) == 3)
        assert told.heard() == {
            ("/page", "ServiceLevelBurns", "sales"),
            ("/ticket", "ServiceLevelOffTarget", "care"),
            ("/ticket", "ServiceLevelBurnsSlowly", "billing"),
        }


async def test_one_outage_is_one_message_however_many_queues_it_hits() -> None:
    async with telling() as told:
        await told.fire(*(("OldestWaitingOffTarget", f"queue-{n}") for n in range(50)))
        await until(lambda: len(told.heard()) == 50)
        assert len(told.inbox.messages) == 1


async def test_another_kind_of_alert_is_another_message() -> None:
    """Whoever has taken on the first one must hear of it."""
    async with telling() as told:
        await told.fire(("OldestWaitingOffTarget", "sales"))
        await until(lambda: len(told.inbox.messages) == 1)
        await told.fire(("OldestWaitingOffTarget", "sales"), ("DataStale", ""))
        await until(lambda: len(told.inbox.messages) == 2)
        (alert,) = told.inbox.messages[1].body["alerts"]
        assert alert["labels"]["alertname"] == "DataStale"


async def test_a_message_says_what_is_still_so_and_what_is_over(tmp_path: Path) -> None:
    """Slack's, as it is written by the template that all but webhooks share."""
    async with Inbox() as inbox:
        address = tmp_path / "slack"
        address.write_text(f"{inbox.url}/slack")
        ways: dict[str, Any] = {"slack": {"url_file": str(address), "channel": "#floor"}}
        config = quick_routes(alertmanager.config(Receivers.of({"page": ways, "ticket": ways})))
        with Alertmanager(config) as server:
            told = Told(server, inbox)
            await told.fire(("OldestWaitingOffTarget", "sales"), ("OldestWaitingOffTarget", "care"))
            first = (await until(lambda: _slack(inbox, 1)))[0]
            await told.fire(("OldestWaitingOffTarget", "care"), over=("OldestWaitingOffTarget", "sales"))
            second = (await until(lambda: _slack(inbox, 2)))[1]
    assert first["title"].endswith("the first of 2")
    assert first["text"].count("misses its target") == 2
    assert first["text"].count("#oldest_waiting") == 2
    assert second["title"] == "Oldest waiting of care (voice) misses its target"
    assert second["text"].splitlines()[-1] == "Over: Oldest waiting of sales (voice) misses its target"


def _slack(inbox: Inbox, n: int) -> list[dict[str, Any]]:
    """The messages, if there are so many."""
    found = [message.body["attachments"][0] for message in inbox.messages]
    return found if len(found) >= n else []
