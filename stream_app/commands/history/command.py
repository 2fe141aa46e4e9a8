"""``stream-app history``: a KPI by day or week."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from stream_app.commands.seen import check_seen
from stream_app.errors import BadSettingsError
from stream_app.ledger.kpis.histories import found_history
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.model.ledger_numbers import KpiHistory
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.model.why import NotExplainedError
from stream_app.settings import Settings, load
from stream_app.store.clock import time_ms
from stream_app.store.redis import RedisStore
from stream_app.views.history.query import EVERY, GROUPS, KPIS, POLICIES, AskedHistory, parse_history
from stream_app.views.intervals.query import BadQueryError, check_zone

from .output import HistoryPage, to_csv, to_json, written


def history_names(incomplete: str) -> Iterator[str]:
    """Complete the names of KPIs that have a history."""
    yield from (name for name in KPIS if name.startswith(incomplete))


def run(
    kpi: Annotated[
        str,
        typer.Argument(
            help="The KPI, as stream-app kpis lists it.", autocompletion=history_names, metavar="KPI"
        ),
    ],
    *,
    by: Annotated[str, typer.Option(help="day, or week; weeks begin on Monday.")] = "day",
    since: Annotated[
        str,
        typer.Option(
            "--from",
            help="The first day or week has this date or time. Default: 14 days, or 13 weeks, before --to.",
        ),
    ] = "",
    until: Annotated[str, typer.Option("--to", help="The last one begins before this. Default: now.")] = "",
    tz: Annotated[str, typer.Option(help="Time zone of days and weeks.")] = "UTC",
    queue: Annotated[
        list[str] | None, typer.Option(help="Only this queue; all by default. Several times for several.")
    ] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel, likewise.")] = None,
    group: Annotated[str, typer.Option(help=f"Split each by one of: {', '.join(GROUPS)}.")] = "",
    policy: Annotated[str, typer.Option(help="Which formula, of a KPI with several.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, as /v1/history.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show a KPI by day or week, for as long as the ledger is kept.

    KPIs of the ledger and all others that are made of counters are computed from contacts, by the targets in force. A day that
    is not over is marked with a plus sign, one of which contacts are missing with a question mark.
    Exit code 1: contacts of the whole time are missing.

    \b
    stream-app history csat --by week --from 2026-01-05 --tz Europe/Berlin
    stream-app history first_contact_resolution --queue sales --policy by_repeat
    stream-app history handle_time --group team --csv > handle_time.csv
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    if as_json and as_csv:
        raise BadSettingsError("--json: expected --json or --csv; got both")
    _check("KPI", kpi, KPIS)
    _check("--by", by, EVERY)
    if group:
        _check("--group", group, GROUPS)
    if policy:
        _check("--policy", policy, POLICIES)
    library("duckdb")
    one = {"kpi": kpi, "by": by, "tz": tz, "limit": "400"}
    given = {"from": since, "to": until, "group": group, "policy": policy}
    asked = {name: [value] for name, value in (one | given).items() if value}
    asked |= {name: [*values] for name, values in (("queue", queue), ("channel", channel)) if values}
    try:
        check_zone(tz)
        pages = asyncio.run(_pages(load(), asked))
    except BadQueryError as error:
        raise BadSettingsError(f"{_option(error.parameter)}: {error.detail}") from None
    except NotExplainedError as error:
        raise BadSettingsError(f"{_option(error.part)}: {error}") from None
    write = to_json if as_json else to_csv if as_csv else written
    typer.echo(write(pages), nl=False)
    if all(unknown for _, found in pages for unknown in found.unknown):
        raise typer.Exit(1)


def _option(parameter: str) -> str:
    return "KPI" if parameter == "kpi" else f"--{parameter}"


def _check(option: str, name: str, known: Iterable[str]) -> None:
    names = [*known]
    if name not in names:
        raise BadSettingsError(
            f"{option}: unknown {name!r}{guess(name, names)}; expected one of {', '.join(names)}"
        )


async def _pages(settings: Settings, given: dict[str, list[str]]) -> list[HistoryPage]:
    """Ask for page after page, as one that takes long ends early."""
    url = settings.redis_url.get_secret_value()
    store, reader = RedisStore(url), open_ledger(settings)
    try:
        await check_seen(url, queue=given.get("queue"), channel=given.get("channel"))
        now = time_ms(await store.client.time())
        _, document = await store.current_targets()
        targets = Targets.from_json(document) if document else Targets()
        pages: list[HistoryPage] = []
        asked: AskedHistory | None = parse_history(given, now)
        while asked is not None:
            found: KpiHistory = await found_history(reader, asked.query, targets)
            pages.append((asked, found))
            asked = asked.rest(found.done)
        return pages
    finally:
        await reader.close()
        await store.close()
