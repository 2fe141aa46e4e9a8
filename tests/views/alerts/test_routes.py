"""Whom a real Alertmanager tells of what, with the routes and inhibitions that are rendered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

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

    async def fire(self, *alerts: tuple[str, str]) -> None:
        """(name, queue), as Prometheus would say it."""
        said = [
            {
                "labels": {
                    "alertname": name,
                    **BY_NAME[name].labels,
                    **({"queue": queue, "channel": "voice"} if queue else {}),
                }
            }
            for name, queue in alerts
        ]
        async with aiohttp.ClientSession() as session, session.post(self._url, json=said) as answer:
            assert answer.status == 200

    def heard(self) -> set[tuple[str, str, str]]:
        """(receiver, alert, queue) of everything that was sent."""
        return {
            (message.path, alert["labels"]["alertname"], alert["labels"].get("queue", ""))
            for message in self.inbox.messages
            for alert in message.body["alerts"]
        }


@asynccontextmanager
async def telling() -> AsyncIterator[Told]:
    async with Inbox() as inbox:
        hooks: dict[str, Any] = {
            who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket")
        }
        config = quick_routes(alertmanager.config(Receivers.of(hooks)))
        with Alertmanager(config) as server:
            yield Told(server, inbox)


async def test_stale_data_are_one_page_and_not_one_for_each_queue() -> None:
    async with telling() as told:
        await told.fire(
            ("DataStale", ""),
            *(("ServiceLevelOffTarget", f"queue-{n}") for n in range(50)),
            ("HandleTimeOffTarget", "queue-1"),
            ("DeadLetters", ""),  # about the pipeline: not silenced
        )
        await until(lambda: len(told.heard()) == 2)
        assert told.heard() == {("/page", "DataStale", ""), ("/ticket", "DeadLetters", "")}


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
            ("/page", "ServiceLevelOffTarget", "care"),
            ("/ticket", "ServiceLevelBurnsSlowly", "billing"),
        }


async def test_one_outage_is_one_message_however_many_queues_it_hits() -> None:
    async with telling() as told:
        await told.fire(*(("OldestWaitingOffTarget", f"queue-{n}") for n in range(50)))
        await until(lambda: len(told.heard()) == 50)
        assert len(told.inbox.messages) == 1
