"""``stream-app why``: which contacts make a number?"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

import typer
from msgspec.structs import replace

from stream_app.commands.completion import kpi_names, policy_names
from stream_app.commands.moments import moment
from stream_app.commands.seen import check_seen
from stream_app.errors import BadSettingsError
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.ledger.whys import LedgerWhys
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.model.why import LedgerWhyQuery, NotExplainedError, Which, Why, WhyQuery
from stream_app.model.windows import BASE
from stream_app.settings import Settings, load
from stream_app.store.clock import time_ms
from stream_app.store.redis import RedisStore
from stream_app.views.ledger.query import BY_NAME as OF_LEDGER, DEFAULT_WINDOW as LEDGER_WINDOW
from stream_app.views.screen import Screen

from .output import to_json, written

MOST: Final = 10_000
_Query = WhyQuery | LedgerWhyQuery


def run(
    kpi: Annotated[
        str,
        typer.Argument(
            help="A KPI, live or of the ledger, as stream-app kpis lists it.",
            autocompletion=kpi_names,
            metavar="KPI",
        ),
    ],
    *,
    queue: Annotated[str, typer.Option(help="Only this queue; all by default.")] = "",
    channel: Annotated[str, typer.Option(help="Only this channel; all by default.")] = "",
    window: Annotated[
        Literal["5m", "15m", "30m", "1h", "today", "7d", "28d"] | None,
        typer.Option(
            help="The window; today by default. Of a KPI of the ledger today, 7d (by default) or 28d."
        ),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--from", help="A range instead of a window, e.g. 2026-01-05T08:00Z; of a live KPI whole 10 s."
        ),
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Its end, in the same form. Default: now.")] = "",
    policy: Annotated[
        str,
        typer.Option(
            help="Service-level policy instead of each queue's own; of a KPI of the ledger one of its formulas.",
            autocompletion=policy_names,
        ),
    ] = "",
    settled: Annotated[
        bool,
        typer.Option("--settled", help="Of a KPI of the ledger: only what nothing told in time can change."),
    ] = False,
    which: Annotated[
        Which,
        typer.Option(
            help="The contacts that are listed: all, in the numerator (met), in the denominator only (missed), or left out."
        ),
    ] = "all",
    limit: Annotated[int, typer.Option(help="The most contacts that are listed.", min=1, max=MOST)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, as /v1/why.")] = False,
) -> None:
    """Explain a number: its formula, and the contacts that make it.

    The number is the one that the wallboard shows. It is taken apart by the ledger at the position that the counters have: how
    much each part of the formula counted, whom a rule leaves out, what each contact adds, and when contacts are not known.
    Exit code 1: contacts of the whole time are missing.

    \b
    stream-app why service_level --queue sales --window 30m
    stream-app why abandonment --from 2026-01-05T08:00Z --to 2026-01-05T09:00Z --which missed
    stream-app why service_level --policy answered_only --json | jq '.rows[].contact_id'
    stream-app why first_contact_resolution --queue sales --window 28d --which missed
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    found_kpi = _kpi(kpi)
    if window is not None and (since or until):
        raise BadSettingsError("--window: expected a window, or --from and --to; got both")
    library("duckdb")
    of_any: dict[str, Any] = {
        "now": 0,
        "window": window,
        "start": moment("--from", since, None),
        "end": moment("--to", until, None),
        "queue": queue or None,
        "channel": channel or None,
        "policy": policy or None,
        "which": which,
        "limit": limit,
    }
    if settled and isinstance(found_kpi, Kpi):
        raise BadSettingsError(f"--settled: {found_kpi.name} is a live KPI; leave it out")
    asked = (
        WhyQuery(kpi=found_kpi, **of_any)
        if isinstance(found_kpi, Kpi)
        else LedgerWhyQuery(kpi=found_kpi, settled=settled, **of_any)
    )
    settings = load()
    query, why = asyncio.run(_why(settings, asked))
    link = Screen(contact_url=settings.contact_url).link
    typer.echo(to_json(query, why, link) if as_json else written(query, why, link), nl=False)
    if any(since <= why.start and until >= why.end for since, until in why.unknown):
        raise typer.Exit(1)


def _kpi(name: str) -> Kpi | FromLedger:
    known: dict[str, Kpi | FromLedger] = {**BY_NAME, **OF_LEDGER}
    if name not in known:
        raise BadSettingsError(f"unknown KPI {name!r}{guess(name, [*known])}; see stream-app kpis")
    return known[name]


async def _why(settings: Settings, asked: _Query) -> tuple[_Query, Why]:
    url = settings.redis_url.get_secret_value()
    store, reader = RedisStore(url), open_ledger(settings)
    try:
        await check_seen(
            url,
            queue=[asked.queue] if asked.queue else None,
            channel=[asked.channel] if asked.channel else None,
        )
        query = _at(asked, time_ms(await store.client.time()))
        _, document = await store.current_targets()
        targets = Targets.from_json(document) if document else Targets()
        return query, await LedgerWhys(reader).why(query, targets)
    except NotExplainedError as error:
        raise BadSettingsError(str(error)) from None
    finally:
        await reader.close()
        await store.close()


def _at(asked: _Query, now: int) -> _Query:
    """Fill in the time: a range, of a live KPI as far as the next whole 10 s on both sides."""
    is_live = isinstance(asked, WhyQuery)
    if asked.start is None and asked.end is None:
        window = asked.window
        if window is None and not (is_live and asked.kpi.is_level):
            window = "today" if is_live else LEDGER_WINDOW
        return replace(asked, now=now, window=window)
    end = now if asked.end is None else asked.end
    if asked.start is None or asked.start >= end:
        raise BadSettingsError("--from: expected a time before --to")
    step = BASE if is_live else 1
    return replace(asked, now=now, start=asked.start // step * step, end=-(-end // step) * step)
