"""The work of ``alerts test``: from a source of interval rows to what would have fired."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.markup import escape

from stream_app.clocks import wall_ms
from stream_app.commands.config import document as targets_document
from stream_app.commands.custom_rules import custom_rules
from stream_app.commands.intervals.export import ExportOptions, folded
from stream_app.commands.intervals.source import from_topic, stored
from stream_app.commands.replay.run import InterruptedByError, Interrupts
from stream_app.commands.terminal import STDIN, bar
from stream_app.errors import BadSettingsError, InputError, StreamAppError
from stream_app.ingest.files import FileError
from stream_app.model.alerting.judging import StoppedJudge
from stream_app.model.alerting.measured import by_place
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.settings import load

from .output import write
from .rows import read_rows
from .tested import TestedAlert, TestResult, built_in_alerts, custom_alerts, tested

_DAYS: Final = 30
_BEFORE: Final = 2 * DAY
"""Rows before the range fill windows."""
_WEEKS_BEFORE: Final = 29 * DAY
"""And for alerts that compare with past weeks."""


class BackTestOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    files: list[Path] = []
    rules: Path | None = None
    names: list[str] = []
    queues: list[str] = []
    channels: list[str] = []
    settings: Path | None = None
    begin: str | None = None
    end: str | None = None
    tz: str | None = None
    rows: Path | None = None
    direct: bool = False
    dialect: str | None = None
    from_topic: bool = False
    as_json: bool = False

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            BadSettingsError: one line that names the option.
        """
        sources = {"--rows": self.rows, "--direct": self.direct, "--from-topic": self.from_topic}
        if len(given := [name for name, value in sources.items() if value]) > 1:
            raise BadSettingsError(f"{', '.join(given)}: rows come from one source; use one of them")
        self.counted.check()
        if self.rows == STDIN and self.rules == STDIN:
            raise BadSettingsError("-: standard input can be read only once")

    @property
    def counted(self) -> ExportOptions:
        """The same as options of ``intervals``, whose sources of rows and whose times these are."""
        return ExportOptions(
            files=self.files,
            direct=self.direct,
            from_topic=self.from_topic,
            dialect=self.dialect,
            settings=self.settings,
            tz=self.tz,
            begin=self.begin,
            end=self.end,
            queues=self.queues,
            channels=self.channels,
        )


def back_test(options: BackTestOptions) -> None:
    """Try the chosen alerts, and print what would have fired.

    Raises:
        BadSettingsError: a wrong rule, option or setting.
        StreamAppError: there are no rows, or Redis or Kafka refused.
        SystemExit: 65 for an invalid file, 130 or 143 for a signal.
    """
    options.check()
    begin, end = options.counted.range()
    alerts = _chosen(options)
    Interrupts(wait=False)
    try:
        weeks = any(isinstance(alert.judge, StoppedJudge) for alert in alerts)
        rows, targets = asyncio.run(_gather(options, begin, end, _WEEKS_BEFORE if weeks else _BEFORE))
        until = min(end or _end(rows), _end(rows))
        since = max(begin or until - _DAYS * DAY, min((row.start for row in rows), default=0))
        found = _tried(alerts, rows, targets, since)
        sys.stderr.write("".join(f"alerts: {note}\n" for note in _strangers(alerts, rows, targets)))
        write(found, rows=rows, since=since, until=until, tz=options.tz or "UTC", as_json=options.as_json)
    except (FileError, InputError) as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    except InterruptedByError as interruption:
        sys.stderr.write("stream-app: interrupted\n")
        raise SystemExit(128 + interruption.number) from None


def _chosen(options: BackTestOptions) -> list[TestedAlert]:
    alerts = built_in_alerts() if options.rules is None else custom_alerts(custom_rules(options.rules))
    if not alerts:
        raise BadSettingsError(f"{options.rules}: there is no rule in it")
    known = {alert.name: alert for alert in alerts}
    for name in options.names:
        if name not in known:
            hint = guess(name, known) or f"; use one of {', '.join(known)}"
            raise BadSettingsError(f"--rule: unknown rule {name!r}{hint}")
    return [alert for alert in alerts if not options.names or alert.name in options.names]


async def _gather(
    options: BackTestOptions, begin: int | None, end: int | None, before: int
) -> tuple[list[IntervalRow], Targets]:
    """Return final rows of the chosen queues up to ``end``, those before the range included, and the targets."""
    asked = None if options.settings is None else targets_document.asked_for(options.settings, "--settings")
    names = options.queues or None, options.channels or None
    if options.rows:
        with bar(escape(str(options.rows))):
            rows, targets = read_rows(options.rows), asked or Targets()
    elif options.direct:
        targets = asked or Targets()
        rows = [*folded(options.counted, targets).every()]
    elif options.from_topic:
        source = await from_topic(load(), options.queues, options.channels)
        rows, targets = [*source.every()], asked or Targets()
    else:
        async with stored(load()) as (reader, in_force):
            until = min((await reader.stretch())[1], wall_ms()) if end is None else end
            start = (until - _DAYS * DAY if begin is None else begin) - before
            with bar("interval rows"):
                rows, targets = await reader.rows(max(0, start), until, *names), asked or in_force
    chosen = [
        row
        for row in rows
        if row.final
        and (end is None or row.start + INTERVAL_MS <= end)
        and (names[0] is None or row.queue in names[0])
        and (names[1] is None or row.channel in names[1])
    ]
    if not chosen:
        raise StreamAppError(_nothing(options, rows))
    return chosen, targets


def _nothing(options: BackTestOptions, rows: Sequence[IntervalRow]) -> str:
    if not rows:
        return "alerts test: there are no interval rows in the range; widen --from and --to, or choose another source"
    for option, asked, known in (
        ("--queue", options.queues, {row.queue for row in rows}),
        ("--channel", options.channels, {row.channel for row in rows}),
    ):
        for name in asked:
            if name not in known:
                return f"alerts test: {option}: no row has {name!r}{guess(name, sorted(known))}"
    return f"alerts test: none of {len(rows):,} interval rows is final; the first will be 15 minutes after its end"


def _strangers(alerts: Sequence[TestedAlert], rows: Sequence[IntervalRow], targets: Targets) -> Iterator[str]:
    """Yield the names in rules that nothing has: a rule with a misspelt queue never fires, and nobody would notice."""
    places = {(row.queue, row.channel) for row in rows}
    rules = [targets.rule(*place) for place in places]
    known = {
        "queue": {queue for queue, _ in places},
        "channel": {channel for _, channel in places},
        "site": {rule.site for rule in rules if rule.site},
        "unit": {rule.unit for rule in rules if rule.unit},
    }
    for alert in alerts:
        if alert.rule is None:
            continue
        for what, names in known.items():
            for name in getattr(alert.rule, f"{what}s"):
                if name not in names:
                    yield f"{alert.name}: no row has the {what} {name!r}{guess(name, sorted(names))}"


def _end(rows: Sequence[IntervalRow]) -> int:
    return max(row.start for row in rows) + INTERVAL_MS


def _tried(
    alerts: Sequence[TestedAlert], rows: Sequence[IntervalRow], targets: Targets, since: int
) -> list[TestResult]:
    with bar("alerts", len(alerts), completed=-1) as move_on:
        return [
            *tested(
                alerts,
                by_place(rows),
                targets,
                since,
                lambda name: move_on(description=escape(name), advance=1),
            )
        ]
