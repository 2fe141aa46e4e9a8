"""The work of ``intervals``: from a source of 15-minute rows to rows of any length, in a file or on standard output."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from stream_app.clocks import wall_ms
from stream_app.commands.config import document as targets_document
from stream_app.commands.maps import recorded_map
from stream_app.commands.replay.run import InterruptedByError, Interrupts, decoder, ordered
from stream_app.commands.replay.summary import progress, summary, unreadable
from stream_app.errors import BadSettingsError
from stream_app.ingest.files import FileError, Layout, RecordFile, readable
from stream_app.ingest.files.reading import STDIN
from stream_app.ingest.replay import FileReplay, interval_rows
from stream_app.model.durations import DAY
from stream_app.model.intervals.row import EVER
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.settings import load
from stream_app.store.intervals.memory import MemoryIntervals
from stream_app.views.intervals.formats import IMPORTED_INTERVALS, IMPORTS, wanted
from stream_app.views.intervals.pages import every
from stream_app.views.intervals.query import BadQueryError, Query, check_zone, instant
from stream_app.views.intervals.spans import ZoneClock, moment
from stream_app.views.intervals.wire import IntervalsRow, wired

from .output import Output
from .source import RowSource, from_topic, stored

OutputFormat = Literal["table", "csv", "json", "parquet", "connect", "genesys"]
ENDINGS: Final[dict[str, OutputFormat]] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
"""The format for a file's suffix, where none is given."""
_OPTIONS: Final = {"from": "--from", "to": "--to", "tz": "--tz"}


class ExportOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    files: list[Path] = []
    direct: bool = False
    from_topic: bool = False
    dialect: str | None = None
    zone: str | None = None
    maps: list[str] = []
    strict: bool = False
    settings: Path | None = None
    interval: Literal["15m", "30m", "1h", "1d"] = "15m"
    tz: str | None = None
    begin: str | None = None
    end: str | None = None
    queues: list[str] = []
    channels: list[str] = []
    policy: str | None = None
    outages: bool = True
    asked: OutputFormat | None = None
    out: Path | None = None

    @property
    def form(self) -> OutputFormat:
        """The format that was given; else that of the file's suffix; else a table."""
        return self.asked or ENDINGS.get(self._ending) or "table"

    @property
    def _ending(self) -> str:
        return "" if self.out is None else self.out.suffix.lower()

    def check(self) -> None:
        """Refuse options without a meaning, and options that contradict each other.

        Raises:
            BadSettingsError: one line that names the option.
        """
        if self.direct and self.from_topic:
            raise BadSettingsError("--direct, --from-topic: rows come from one source; use one of them")
        if self.files and not self.direct:
            raise BadSettingsError(f"{self.files[0]}: add --direct to count recorded events")
        if self.direct and not self.files:
            raise BadSettingsError("--direct: expected at least one FILE; - is standard input")
        if not self.direct:
            given = {
                "--dialect": self.dialect,
                "--zone": self.zone,
                "--map": self.maps,
                "--strict": self.strict,
            }
            for option in [name for name, value in given.items() if value]:
                raise BadSettingsError(f"{option}: only works with --direct, which reads files")
        if self.files.count(STDIN) > 1:
            raise BadSettingsError("-: standard input can be read only once")
        if self.policy is not None and self.policy not in SERVICE_LEVELS:
            hint = guess(self.policy, SERVICE_LEVELS)
            those = f"; use one of {', '.join(SERVICE_LEVELS)}"
            raise BadSettingsError(f"--policy: unknown policy {self.policy!r}{those}{hint}")
        says = ENDINGS.get(self._ending, self.form)
        if says != self.form and "parquet" in {says, self.form}:
            raise BadSettingsError(
                f"--format: {self.form} does not fit a file named *{self._ending}; change one of the two"
            )
        if self.form in IMPORTS and self.interval not in IMPORTED_INTERVALS:
            raise BadSettingsError(
                f"--interval: {self.form} takes only rows of {' or '.join(IMPORTED_INTERVALS)}, got {self.interval}"
            )

    def range(self) -> tuple[int | None, int | None]:
        """Return the range in which rows begin, ms: at or after the first, before the second; ``None`` is no limit.

        Raises:
            BadSettingsError: one line that names the option.
        """
        try:
            check_zone(self.tz or "UTC")
            zone = ZoneInfo(self.tz or "UTC")
            found = [
                None if text is None else instant(name, text, zone, named=self.tz is not None)
                for name, text in (("from", self.begin), ("to", self.end))
            ]
        except BadQueryError as error:
            raise BadSettingsError(_as_option(error)) from None
        start, end = found
        if start is not None and end is not None and start >= end:
            raise BadSettingsError("--to: expected a time later than --from")
        return start, end


def _as_option(error: BadQueryError) -> str:
    """Turn the route's message about a parameter into one about an option, with a correct example."""
    detail = error.detail.replace("in tz,", "in --tz,")
    right = [example.replace("with tz", "with --tz") for example in error.allowed]
    if right and "did you mean" not in detail:
        detail += ": " if "; write" in detail else "; for example " if error.parameter == "tz" else "; write "
        detail += " or ".join(right)
    return f"{_OPTIONS[error.parameter]}: {detail}"


def export(options: ExportOptions) -> None:
    """Write the selected rows, and report on stderr what became of the records.

    Raises:
        BadSettingsError: a wrong option or setting.
        SystemExit: 65 for a file without events or, with ``--strict``, a line that is not one; 130 or 143 for a signal.
    """
    options.check()
    options.range()
    output = Output(options.form, options.out, options.tz or "UTC")
    output.check()
    Interrupts(wait=False)
    try:
        rows, targets = asyncio.run(_gather(options))
        chosen = [row for row in rows if wanted(row, options.form)]
        output.write(chosen, targets.external_id)
    except FileError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    except InterruptedByError as interruption:
        sys.stderr.write("stream-app: interrupted\n")
        raise SystemExit(128 + interruption.number) from None
    sys.stderr.write(f"intervals: {_account(rows, chosen, options)}\n")


async def _gather(options: ExportOptions) -> tuple[list[IntervalsRow], Targets]:
    """Return the selected rows, and the targets by which they were made."""
    asked = None if options.settings is None else targets_document.asked_for(options.settings, "--settings")
    if options.direct:
        targets = asked or Targets()
        found = await _rows(folded(options, targets), options, targets, all_of_it=True)
        # Nothing will ever follow: what the files cover is complete.
        return [structs.replace(row, final=not row.missing) for row in found], targets
    settings = load()
    if options.from_topic:
        source, targets = await from_topic(settings, options.queues, options.channels), asked or Targets()
        return await _rows(source, options, targets, all_of_it=True), targets
    async with stored(settings) as (reader, in_force):
        targets = asked or in_force
        return await _rows(reader, options, targets, all_of_it=False), targets


def folded(options: ExportOptions, targets: Targets) -> MemoryIntervals:
    """Count files into rows, and report on stderr what became of their records.

    Raises:
        SystemExit: 65 if not one line is an event.
    """
    dialect = options.dialect or "canonical"
    layout = Layout(dialect=dialect, columns=recorded_map(options.maps), zone=options.zone)
    layout.check()
    run = FileReplay(
        decoder(dialect, options.zone or "UTC"), strict=options.strict
    )  # all queues: names are checked against them
    gc.set_threshold(400_000, 50, 100)  # as in a worker: events make no cycles
    files = [RecordFile(path, layout) for path in options.files]
    began = time.monotonic()
    try:
        readable(options.files)
        files = ordered(files, run, "intervals")
        with progress(files, run):
            found = MemoryIntervals(interval_rows(files, targets, run))
    finally:  # also where a file is damaged
        if run.account.read:
            seconds = time.monotonic() - began
            told = summary(
                files,
                run,
                seconds,
                dialect,
                name="intervals",
                command="intervals --direct",
                options="--map",
                zone=options.zone,
            )
            sys.stderr.write(told)
    if unreadable(run.account):  # an empty export is not an answer: a former file stays
        raise SystemExit(os.EX_DATAERR)
    return found


async def _rows(
    source: RowSource, options: ExportOptions, targets: Targets, *, all_of_it: bool
) -> list[IntervalsRow]:
    """Return the selected rows. Without a range: all that exist, or the last day of them."""
    start, end = options.range()
    tz = options.tz or "UTC"
    clock = ZoneClock(options.interval, ZoneInfo(tz))
    await _check_names(source, options)
    stretch = await source.stretch()
    if not all_of_it:
        last = min(stretch[1], wall_ms(), end or stretch[1])
        stretch = (last - DAY if start is None else stretch[0], stretch[1])
    # Only as far as there are rows; the first row's interval from its beginning.
    first = clock.first_of(moment(stretch[0], clock.zone).date()) if all_of_it else stretch[0]
    query = Query(
        interval=options.interval,
        tz=tz,
        start=first if start is None else max(start, first),
        end=stretch[1] if end is None else min(end, stretch[1]),
        queues=frozenset(options.queues) or None,
        channels=frozenset(options.channels) or None,
        policy=options.policy,
        outages=options.outages,
    )
    wire = wired(query.zone, targets, query.policy)
    now = (
        EVER if options.direct else wall_ms()
    )  # what recorded files do not cover is missing, whatever the time is
    return [row async for _, row in every(source, query, wire, now=now)]


async def _check_names(source: RowSource, options: ExportOptions) -> None:
    """Report unknown names; they are not an error, because the queue may be a new one."""
    if not options.queues and not options.channels:
        return
    queues, channels = await source.names()
    for what, asked, known in (("queue", options.queues, queues), ("channel", options.channels, channels)):
        for name in dict.fromkeys(asked):
            if name not in known:
                sys.stderr.write(f"intervals: unknown {what} {name!r}{guess(name, sorted(known))}\n")


def _account(rows: Sequence[IntervalsRow], chosen: Sequence[IntervalsRow], options: ExportOptions) -> str:
    places = len({(row.queue, row.channel) for row in chosen})
    parts = [
        f"{_count(len(chosen), 'row')} of {options.interval} in {options.tz or 'UTC'}, {_count(places, 'queue-channel')}"
    ]
    if options.form in IMPORTS and len(chosen) < len(rows):
        unfinished = sum(not row.final for row in rows)
        outages = sum(row.final and row.outage is not None for row in rows)
        strange = len(rows) - len(chosen) - unfinished - outages
        parts.append(
            f"left out for {options.form}: {unfinished} not final, {outages} of outages, {strange} of other queues"
        )
    elif unfinished := sum(not row.final for row in chosen):
        parts.append(f"{unfinished:,} not final")
    return "; ".join(parts)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
