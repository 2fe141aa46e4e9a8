"""From an outage to a page and back: simulator, Kafka, worker, Redis, serve, Prometheus, Alertmanager, a receiver."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stream_app.views.alerts.alertmanager import TEXT
from tests.conftest import MakeTopic
from tests.services.alertmanager import Alertmanager, Inbox
from tests.services.kafka import Cluster
from tests.services.process import HOST, until
from tests.services.prometheus import Prometheus
from tests.views.alerts.quick import quick_routes, quick_rules

from .pipeline import Pipeline
from .simulator import Simulator

QUEUE, LIMIT_S = "billing", 6.0
OUTAGE_AFTER_S, OUTAGE_S = 12, 15
# Only the oldest waiting of one queue can be missed: everything else is allowed anything.
SETTINGS = f"""
[defaults]
risk_below = 1
[defaults.targets]
service_level = 0
abandonment = 1
first_response = 86400
handle_time = 86400
csat = 0
oldest_waiting = 86400
[queues.{QUEUE}]
targets = {{ oldest_waiting = {LIMIT_S} }}
"""
TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - no secret


def deployed(directory: Path, inbox: Inbox) -> tuple[Path, str]:
    """Rules and routes as `stream-app render` lays them out for somebody who is told by a webhook."""
    token = directory / "token"
    token.write_text(TOKEN)
    receivers = directory / "receivers.toml"
    hooks = [
        f'[{who}]\nwebhook = {{ url = "{inbox.url}/{who}", token_file = "{token}" }}\n'
        for who in ("page", "ticket")
    ]
    receivers.write_text("".join(hooks))
    out = directory / "deployed"
    command = [sys.executable, "-m", "stream_app", "render", "--out", str(out), "--alerting", "prometheus"]
    done = subprocess.run(
        [*command, "--receivers", str(receivers)], check=True, capture_output=True, text=True
    )
    assert f"Alertmanager will read {token}" in done.stdout
    rules = out / "prometheus/rules/alerts.rules.yml"
    rules.write_text(quick_rules(rules.read_text()))
    return rules, quick_routes((out / "prometheus/alertmanager.yml").read_text())


def _text(alert: dict[str, Any]) -> str:
    """The message, as the template for chats writes it."""
    texts = alert["annotations"]
    lines = ("summary", "description", "do", "wallboard_url", "dashboard_url", "runbook_url")
    assert re.findall(r"Annotations\.(\w+)", TEXT.partition("Resolved")[0])[: len(lines)] == [*lines]
    return "".join(f"{texts[name]}\n" for name in lines)


def _without_numbers(text: str) -> str:
    """The words of a message."""
    return re.sub(r"\d+", "0", text)


@pytest.mark.long
async def test_an_outage_is_one_page_and_its_end_one_more_message(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=2)
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path)
    pipeline.apply(SETTINGS)
    outage = f"outage@{OUTAGE_AFTER_S}s,for={OUTAGE_S}s,queue={QUEUE}"
    async with Inbox() as inbox:
        rules, routes = deployed(tmp_path, inbox)
        with (
            pipeline.running(),
            Alertmanager(routes) as alertmanager,
            Prometheus(
                [f"{HOST}:{pipeline.serve.port}"],
                rules=[rules],
                alertmanagers=[f"{HOST}:{alertmanager.port}"],
            ),
            Simulator(kafka, topic, "--rate", "60", "--incident", outage, "--time-of-day", "10:00"),
        ):
            await pipeline.trusted()

            async def oldest() -> float:
                row = (await pipeline.serve.rows(QUEUE)).get(QUEUE)
                return float(row["levels"]["oldest_waiting"]) if row else 0.0

            async def breached() -> bool:
                return await oldest() > LIMIT_S

            await until(breached, 60, "somebody waits too long")
            breach = time.monotonic()
            await until(lambda: inbox.messages, 30, "somebody is told")
            paged_s = inbox.messages[0].at - breach
            await until(lambda: len(inbox.messages) > 1, 90, "it is over, and somebody is told")
            resolved = inbox.messages[1]

            async def calm() -> bool:
                return await oldest() < LIMIT_S

            await until(calm)
    page = inbox.messages[0]
    assert [(m.path, m.body["status"]) for m in inbox.messages] == [
        ("/page", "firing"),
        ("/page", "resolved"),
    ]
    for message in (page, resolved):
        assert message.authorization == f"Bearer {TOKEN}"
        (alert,) = message.body["alerts"]
        labels = {
            "alertname": "OldestWaitingOffTarget",
            "queue": QUEUE,
            "channel": "voice",
            "severity": "page",
        }
        assert labels.items() <= alert["labels"].items()
    (alert,) = page.body["alerts"]
    page_of_docs = (Path(__file__).parents[2] / "docs/alerting.md").read_text()
    (shown,) = re.findall(r"^```text\n(.*?)^```", page_of_docs, re.MULTILINE | re.DOTALL)
    assert _without_numbers(_text(alert)) == _without_numbers(shown)
    print(f"paged {paged_s:.1f} s after the breach, with holds of 1 s and a group wait of 1 s")  # noqa: T201
