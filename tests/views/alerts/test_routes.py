"""Whom a real Alertmanager tells of what, with the routes and inhibitions that are rendered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from stream_app.model.alerting.rules import Condition, CustomRule
from stream_app.views.alerts import alertmanager, custom, prometheus, rules
from stream_app.views.alerts.receivers import Receivers
from tests.services.alertmanager import Alertmanager, Inbox
from tests.services.process import HOST, free_port, until
from tests.services.prometheus import Prometheus
from tests.views.alerts.quick import quick_routes, quick_rules
from tests.views.alerts.texts import TEXTS

CONDITIONS = (Condition(kpi="abandonment", side="above", level=0.1, window="30m", minimum=20),)
BY_NAME = {rule.name: rule for rule in rules()}


class Told:
    """An Alertmanager that is told of alerts, and who hears of them."""

    def __init__(self, server: Alertmanager, inbox: Inbox) -> None:
        self.url = server.url
        self.address = f"{HOST}:{server.port}"
        self.inbox = inbox

    async def fire(self, *alerts: tuple[str, str], over: tuple[str, str] | None = None) -> None:
        """(name, queue), as Prometheus would say it; ``over`` is one that has ended."""
        said = [_said(*alert) for alert in alerts]
        if over:
            said.append({**_said(*over), "endsAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()})
        await self.send(*said)

    async def send(self, *said: dict[str, Any]) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/api/v2/alerts", json=said) as answer,
        ):
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
    summary, description = TEXTS[name, "fires 1"]
    annotations = {
        **rule.annotations(".Value"),
        "summary": summary.replace("sales", queue),
        "description": description,
        **({"wallboard_url": f"http://127.0.0.1:8080/#queue={queue}&channel=voice"} if queue else {}),
    }
    labels = {"alertname": name, **rule.labels, "severity": rule.severity, **place}
    return {"labels": labels, "annotations": annotations}


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


async def test_what_follows_from_a_page_waits_and_what_does_not_is_sent() -> None:
    async with telling() as told:
        await told.fire(
            ("OldestWaitingOffTarget", "sales"),
            ("FirstResponseOffTarget", "sales"),
            ("BacklogOffTarget", "sales"),
            ("ContactsSurge", "sales"),
            ("ComplianceBreached", "sales"),  # not because people wait
            ("FirstResponseOffTarget", "care"),  # another queue
            ("DataMissing", ""),
        )
        await until(told.heard)
        assert told.heard() == {("/page", "DataMissing", "")}
    async with telling() as told:
        await told.fire(
            ("OldestWaitingOffTarget", "sales"),
            ("FirstResponseOffTarget", "sales"),
            ("BacklogOffTarget", "sales"),
            ("ContactsSurge", "sales"),
            ("ComplianceBreached", "sales"),
            ("FirstResponseOffTarget", "care"),
        )
        await until(lambda: len(told.heard()) == 3)
        assert told.heard() == {
            ("/page", "OldestWaitingOffTarget", "sales"),
            ("/ticket", "ComplianceBreached", "sales"),
            ("/ticket", "FirstResponseOffTarget", "care"),
        }


async def test_the_watchdog_is_sent_to_whom_it_is_given_and_wakes_nobody() -> None:
    async with Inbox() as inbox:
        config = alertmanager.config(
            Receivers.of(
                {who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket")}
                | {"receivers": {"watchdog": {"webhook": {"url": f"{inbox.url}/alive"}}}}
            )
        )
        with Alertmanager(quick_routes(config)) as server:
            told = Told(server, inbox)
            await told.fire(("Watchdog", ""), ("DeadLetters", ""))
            await until(lambda: len(told.heard()) == 2)
            assert told.heard() == {("/alive", "Watchdog", ""), ("/ticket", "DeadLetters", "")}


BAD = {
    "cc_data_age_seconds": 1,
    "cc_open": 1,
    "cc_oldest_waiting_seconds": 170,
    "cc_oldest_waiting_target": 120,
    "cc_backlog_contacts": 243,
    "cc_backlog_target": 50,
    "cc_first_response_seconds": 90,
    "cc_first_response_target": 20,
    "cc_first_response_samples": 500,
    "cc_service_level_ratio": 0.1,
    "cc_service_level_target": 0.8,
    "cc_service_level_samples": 561,
    "cc_abandonment_ratio": 0.6,
    "cc_abandonment_target": 0.05,
    "cc_abandonment_samples": 561,
}
"""Everything about a queue that few agents make worse."""
GOOD = BAD | {
    "cc_oldest_waiting_seconds": 0,
    "cc_backlog_contacts": 0,
    "cc_first_response_seconds": 5,
    "cc_service_level_ratio": 1,
    "cc_abandonment_ratio": 0,
}


def _page(values: dict[str, float]) -> str:
    """The metrics of `serve`, as far as rules read them."""
    lines: list[str] = []
    for name, value in values.items():
        windowed = name.endswith(("_ratio", "_samples")) or name == "cc_first_response_seconds"
        for window in ("5m", "30m", "today") if windowed else ("",):
            place = 'queue="billing",channel="voice"' + (f',window="{window}"' if window else "")
            lines.append(f"{name}{{{place}}} {value}" if name != "cc_data_age_seconds" else f"{name} {value}")
    return "\n".join([*lines, ""])


async def test_one_incident_in_one_queue_is_one_page(tmp_path: Path) -> None:
    """Prometheus and Alertmanager, with everything about a queue bad at once: one page, one end, and no ticket."""
    shown = dict(BAD)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=_page(shown))

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    path = tmp_path / "rules.yml"
    path.write_text(quick_rules(prometheus.rule_file()))
    async with telling() as told:
        with Prometheus([f"{HOST}:{port}"], rules=[path], alertmanagers=[told.address]) as server:
            await until(told.heard)
            # All of them are past what is tolerated, and have been for longer than any of them must be.
            await until(
                lambda: all(
                    server.query(f"min_over_time({BY_NAME[name].record}[3s]) > {BY_NAME[name].above}")
                    for name in ("OldestWaitingOffTarget", "ServiceLevelBurns", "AbandonmentBurns")
                )
            )
            shown |= GOOD
            await until(lambda: len(told.inbox.messages) == 2, 60)
    await runner.cleanup()
    bodies = [message.body for message in told.inbox.messages]
    assert [(body["status"], body["receiver"], len(body["alerts"])) for body in bodies] == [
        ("firing", "page", 1),
        ("resolved", "page", 1),
    ]
    (alert,) = bodies[0]["alerts"]
    assert alert["labels"]["queue"] == "billing"
    assert alert["annotations"]["wallboard_url"] == "http://127.0.0.1:8080/#queue=billing&channel=voice"


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
    assert first["text"].count("longest wait 3:00, target 2:00, 7 waiting") == 2
    assert first["text"].count("#oldest_waiting") == 2
    assert "http://127.0.0.1:8080/#queue=care&channel=voice" in first["text"].splitlines()
    assert second["title"] == "care (voice): longest wait 3:00, target 2:00, 7 waiting"
    assert (
        second["text"].splitlines()[-1]
        == "Resolved: sales (voice): longest wait 3:00, target 2:00, 7 waiting"
    )


def _slack(inbox: Inbox, n: int) -> list[dict[str, Any]]:
    """The messages, if there are so many."""
    found = [message.body["attachments"][0] for message in inbox.messages]
    return found if len(found) >= n else []


async def test_a_custom_rule_s_receiver_hears_of_it_and_nobody_while_the_numbers_are_not_trusted() -> None:
    written = (
        CustomRule(name="Own page", severity="page", conditions=CONDITIONS, receiver="floor"),
        CustomRule(name="Own ticket", severity="ticket", conditions=CONDITIONS, receiver="floor"),
        CustomRule(name="Other", severity="ticket", conditions=CONDITIONS),
    )
    rules = {rule.name: custom.alert(rule) for rule in written}

    def said(name: str) -> dict[str, Any]:
        return {"labels": {"alertname": name, **rules[name].labels, "queue": "sales", "channel": "voice"}}

    async with Inbox() as inbox:
        hooks: dict[str, Any] = {
            who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket", "floor")
        }
        floor = hooks.pop("floor")
        config = quick_routes(alertmanager.config(Receivers.of(hooks | {"receivers": {"floor": floor}})))
        with Alertmanager(config) as server:
            told = Told(server, inbox)
            await told.send(*map(said, rules))
            await until(lambda: len(told.heard()) == 3)
            assert told.heard() == {
                ("/floor", "Own page", "sales"),
                ("/floor", "Own ticket", "sales"),
                ("/ticket", "Other", "sales"),
            }
        with Alertmanager(config) as server:
            inbox.messages.clear()
            told = Told(server, inbox)
            await told.fire(("DataMissing", ""))
            await told.send(*map(said, rules))
            await until(lambda: ("/page", "DataMissing", "") in told.heard())
            await told.fire(("DeadLetters", ""))
            await until(lambda: ("/ticket", "DeadLetters", "") in told.heard())
            assert len(told.heard()) == 2
