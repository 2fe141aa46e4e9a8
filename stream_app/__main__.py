"""The command line."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from stream_app.commands.lazy import lazy
from stream_app.errors import BadSettingsError, StreamAppError

from . import __version__

COMMANDS: Final = {
    "worker": (
        "worker",
        "Count contact events live. To scale, start more workers: they share the topic's partitions.",
    ),
    "serve": (
        "serve",
        "Serve the wallboard, the API and /metrics from what is in Redis, by default on http://127.0.0.1:8080.",
    ),
    "ledger": (
        "ledger",
        "Write the contacts that were counted into the ledger: Parquet files in STREAM_APP_LEDGER, a folder or a bucket.",
    ),
    "audit": (
        "audit.command",
        "Compare the ledger with the counters: do its contacts add up to every number?",
    ),
    "what-if": (
        "what_if.command",
        "Show what service levels and waits would have been under other targets, hours or thresholds.",
    ),
    "why": (
        "why.command",
        "Explain a number: its formula, and the contacts that make it.",
    ),
    "history": (
        "history.command",
        "Show a KPI by day or week, for as long as the ledger is kept.",
    ),
    "reconcile": (
        "reconcile.command",
        "Compare a table of the platform's with the ledger, and name the contacts and the rule behind each difference.",
    ),
    "forget": (
        "forget",
        "Blank ids in the ledger, for good: rows stay and are counted, and belong to nobody.",
    ),
    "simulate": (
        "simulate",
        "Simulate a contact centre; write its events to Kafka (KAFKA_BOOTSTRAP_SERVERS, STREAM_APP_TOPIC) or a file.",
    ),
    "replay": ("replay.command", "Replay recorded events into Kafka, into Redis, or into a report."),
    "columns": (
        "columns.command",
        "Propose which columns of a list of contacts mean what, and show ten rows as they would be read.",
    ),
    "intervals": (
        "intervals.command",
        "Export contacts, waits and work of each queue per interval, for planners and their tools.",
    ),
    "forecast": (
        "forecast.command",
        "Forecast contacts and handle time per queue, channel and interval, with prediction intervals.",
    ),
    "demo": (
        "demo",
        "Run everything with nothing but Python: broker, Redis, simulated contact centre, worker, API, wallboard.",
    ),
    "kpis": ("kpis", "List every KPI with its formula, direction and default target."),
    "staffing": (
        "staffing.command",
        "Calculate the staff that each queue requires in each interval, and what the scheduled staff will achieve.",
    ),
    "skills": (
        "skills.command",
        "Simulate people with several skills: the service level that each queue reaches, and how certain that is.",
    ),
    "config": (
        "config.command",
        "Manage targets, policies, zones and hours per queue: versioned in the store, pinned by each claim.",
    ),
    "schedules": (
        "schedules.command",
        "Manage who is scheduled for which queue, and when: versioned in the store, shown on the planning page.",
    ),
    "alerts": (
        "alerts.command",
        "Try alerts on the past before they are in force, and whether a message reaches everybody.",
    ),
    "check": (
        "check.command",
        "Check configuration, targets, Kafka and Redis: one line per check, with what to do about it. Changes nothing.",
    ),
    "dead-letters": (
        "dead_letters.command",
        "List records that could not be read as events, by reason, the newest first; or send them again.",
    ),
    "rebuild": (
        "rebuild",
        "Discard the topic's counters and count again from the oldest records that Kafka still has.",
    ),
    "repartition": (
        "repartition.command",
        "Move open contacts and agents to the partitions of their next events, after partitions were added to the topic.",
    ),
    "render": (
        "render",
        "Regenerate dashboards, alert rules, alert routing and the KPI documentation from the catalogue.",
    ),
}
"""Name → module below ``stream_app.commands``, and its line in ``--help``."""

cli = typer.Typer(
    name="stream-app",
    cls=lazy(COMMANDS),
    help="Live contact-centre KPIs, accurate to the last contact.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stream-app {__version__}")
        raise typer.Exit


@cli.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Live contact-centre KPIs, accurate to the last contact."""
    del version


def main() -> None:
    """Run a command; turn errors that are meant for people into one line and an exit code."""
    try:
        cli()
    except BadSettingsError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_CONFIG) from None
    except StreamAppError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
