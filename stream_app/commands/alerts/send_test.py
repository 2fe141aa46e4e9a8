"""``stream-app alerts send-test``: one harmless alert for each severity, and what became of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import aiohttp
import typer

from stream_app.errors import BadSettingsError, StreamAppError

from .alertmanager import Client

SEVERITIES = ("page", "ticket")


def run(
    *,
    alertmanager: Annotated[
        str, typer.Option(metavar="URL", help="The address of Alertmanager.")
    ] = "http://127.0.0.1:9093",
    severity: Annotated[
        list[str] | None,
        typer.Option(help="page or ticket. Default: one after the other.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A further label, for routes that look at others than severity.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long to wait for each outcome.")
    ] = 90,
) -> None:
    """Send a test message through Alertmanager to everybody who would be notified, and report what became of it.

    Messages say that they are tests and that nothing is wrong. One line for each way; the exit code is 1 unless all were sent.
    It sends real notifications: the page rings the person on call.
    """
    chosen = severity or list(SEVERITIES)
    for name in chosen:
        if name not in SEVERITIES:
            raise BadSettingsError(f"--severity: expected page or ticket, got {name!r}")
    labels = _labels(label or [])
    if not asyncio.run(_send(alertmanager, chosen, labels, wait)):
        raise typer.Exit(1)


def _labels(given: list[str]) -> dict[str, str]:
    out = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals and value):
            raise BadSettingsError(f"--label: expected NAME=VALUE, got {text!r}")
        out[name] = value
    return out


async def _send(url: str, severities: list[str], labels: dict[str, str], wait_s: int) -> bool:
    """Send one after the other, and return whether all arrived."""
    well = True
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        client = Client(session, url.rstrip("/"))
        try:
            ways = await client.ways()
            for severity in severities:
                typer.echo(
                    f"{severity}: sending; Alertmanager waits half a minute for more of the kind", err=True
                )
                receivers, outcomes = await client.send(
                    {**labels, "severity": severity}, _texts(severity), ways, wait_s
                )
                for receiver in receivers:
                    if not ways.get(receiver):
                        typer.echo(f"{severity}: the receiver {receiver!r} has no way of notifying anybody")
                        well = False
                for (receiver, way), outcome in sorted(outcomes.items()):
                    typer.echo(f"{severity}: {receiver} by {way}: {outcome}")
                    well = well and outcome.sent == outcome.expected
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StreamAppError(
                f"no Alertmanager answers at {url}: {error or type(error).__name__}; see --alertmanager"
            ) from None
    return well


def _texts(severity: str) -> dict[str, str]:
    at = datetime.now(UTC).isoformat(" ", "seconds")
    return {
        "summary": f"Test of a {severity}: nothing is wrong",
        "description": f"Sent with `stream-app alerts send-test` at {at}. A real {severity} would have reached you, too.",
        "runbook_url": "docs/alerting.md",
    }
