"""What ``intervals`` runs: from a source of quarters to rows, and to a file or standard output."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import BadSettingsError
from stream_app.ingest.files import FileError, Layout, RecordFile, parse_columns, readable
from stream_app.ingest.files.reading import STDIN
from stream_app.ingest.replay import Run, interval_rows
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.settings import load
from stream_app.store.reader import wall_ms
from stream_app.views.intervals.formats import IMPORTED_INTERVALS, IMPORTS, wanted
from stream_app.views.intervals.pages import every
from stream_app.views.intervals.query import BadQueryError, Query, check_zone, instant
from stream_app.views.intervals.spans import DAY, Clock, moment
from stream_app.views.intervals.wire import IntervalsRow, wired

from . import config
from .interval_output import Output
from .interval_source import Folded, Source, from_topic, stored
from .replay_summary import progress, summary, unreadable
from .replaying import EX_DATAERR, InterruptedByError, Interrupts, decoder

Form = Literal["table", "csv", "json", "parquet", "connect", "genesys"]
ENDINGS: Final[dict[str, Form]] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
"""What a file's ending says, where nobody names a format."""
_OPTIONS: Final = {"from": "--from", "to": "--to", "tz": "--tz"}


class Wishes(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    files: list[Path] = []
    direct: bool = False
    from_topic: bool = False
    dialect: str | None = None
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
    asked: Form | None = None
    out: Path | None = None

    @property
    def form(self) -> Form:
        """The format that was asked for; else what the file's ending says; else a table."""
        return self.asked or ENDINGS.get(self._ending) or "table"

    @property
    def _ending(self) -> str:
        return "" if self.out is None else self.out.suffix.lower()

    def check(self) -> None:
        """Refuse options that mean nothing, or nothing together.

        Raises:
            BadSettingsError: one line that names the option.
        """
        if self.direct and self.from_topic:
            raise BadSettingsError("--direct, --from-topic: rows come from one place")
        if self.files and not self.direct:
            raise BadSettingsError(f"{self.files[0]}: add --direct to count recorded events")
        if self.direct and not self.files:
            raise BadSettingsError("--direct: name at least one FILE; - is standard input")
        if not self.direct:
            given = {"--dialect": self.dialect, "--map": self.maps, "--strict": self.strict}
            for option in [name for name, value in given.items() if value]:
                raise BadSettingsError(f"{option}: only with --direct, which reads files")
        if self.files.count(STDIN) > 1:
            raise BadSettingsError("-: standard input can be read once")
        if self.policy is not None and self.policy not in SERVICE_LEVELS:
            hint = guess(self.policy, SERVICE_LEVELS)
            those = f"; there are {', '.join(SERVICE_LEVELS)}"
            raise BadSettingsError(f"--policy: no policy is called {self.policy!r}{hint}{those}")
        says = ENDINGS.get(self._ending, self.form)
        if says != self.form and "parquet" in {says, self.form}:
            raise BadSettingsError(f"--format: {self.form} is not what is in a file called *{self._ending}")
        if self.form in IMPORTS and self.interval not in IMPORTED_INTERVALS:
            raise BadSettingsError(
                f"--interval: {self.form} takes rows of {' or '.join(IMPORTED_INTERVALS)} only"
            )

    def range(self) -> tuple[int | None, int | None]:
        """When rows begin, ms: at or after the first, before the second, as far as somebody said so.

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
            raise BadSettingsError("--to: must be later than --from")
        return start, end


def _as_option(error: BadQueryError) -> str:
    """What the route says of a parameter, said of an option, with what would be right."""
    detail = error.detail.replace("in tz,", "in --tz,")
    right = [example.replace("with tz", "with --tz") for example in error.allowed]
    if right and "did you mean" not in detail:
        detail += ": " if "; write" in detail else "; for example " if error.parameter == "tz" else "; write "
        detail += " or ".join(right)
    return f"{_OPTIONS[error.parameter]}: {detail}"


def export(wishes: Wishes) -> None:
    """Write the rows that are wished for, and say on stderr what became of the records.

    Raises:
        BadSettingsError: a wrong option or setting.
        SystemExit: 65 for a file without events or, with ``--strict``, a line that is none; 130 or 143 for a signal.
    """
    wishes.check()
    wishes.range()
    output = Output(wishes.form, wishes.out, wishes.tz or "UTC")
    output.check()
    Interrupts(wait=False)
    try:
        rows, targets = asyncio.run(_gather(wishes))
        chosen = [row for row in rows if wanted(row, wishes.form)]
        output.write(chosen, targets.external_id)
    except FileError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(EX_DATAERR) from None
    except InterruptedByError as interruption:
        sys.stderr.write("stream-app: interrupted\n")
        raise SystemExit(128 + interruption.number) from None
    sys.stderr.write(f"intervals: {_account(rows, chosen, wishes)}\n")


async def _gather(wishes: Wishes) -> tuple[list[IntervalsRow], Targets]:
    """The rows that are wished for, and the settings by which they were made."""
    asked = None if wishes.settings is None else config.asked_for(wishes.settings, "--settings")
    if wishes.direct:
        targets = asked or Targets()
        return await _rows(_folded(wishes, targets), wishes, targets, all_of_it=True), targets
    settings = load()
    if wishes.from_topic:
        source, targets = await from_topic(settings, wishes.queues, wishes.channels), asked or Targets()
        return await _rows(source, wishes, targets, all_of_it=True), targets
    async with stored(settings) as (reader, in_force):
        targets = asked or in_force
        return await _rows(reader, wishes, targets, all_of_it=False), targets


def _folded(wishes: Wishes, targets: Targets) -> Folded:
    """Rows of files, with the account of their records on stderr.

    Raises:
        SystemExit: 65, not one line is an event.
    """
    dialect = wishes.dialect or "canonical"
    layout = Layout(dialect=dialect, columns=parse_columns(wishes.maps))
    layout.check()
    run = Run(decoder(dialect), strict=wishes.strict)  # of all queues: names are compared with theirs
    gc.set_threshold(400_000, 50, 100)  # as in a worker: events make no cycles
    files = [RecordFile(path, layout) for path in wishes.files]
    began = time.monotonic()
    try:
        readable(wishes.files)
        with progress(files, run):
            found = Folded(interval_rows(files, targets, run))
    finally:  # also of a file that breaks off
        if run.account.read:
            seconds = time.monotonic() - began
            told = summary(
                files, run, seconds, dialect, name="intervals", command="intervals --direct", options="--map"
            )
            sys.stderr.write(told)
    if unreadable(run.account):  # nothing is no answer: what was exported before stays
        raise SystemExit(EX_DATAERR)
    return found


async def _rows(source: Source, wishes: Wishes, targets: Targets, *, all_of_it: bool) -> list[IntervalsRow]:
    """What was wished for. Where nobody named a range it is all that there is, or the last day of that."""
    start, end = wishes.range()
    tz = wishes.tz or "UTC"
    clock = Clock(wishes.interval, ZoneInfo(tz))
    await _check_names(source, wishes)
    stretch = await source.stretch()
    if not all_of_it:
        last = min(stretch[1], wall_ms(), end or stretch[1])
        stretch = (last - DAY if start is None else stretch[0], stretch[1])
    # No further than there are rows; the first one's interval from its beginning.
    first = clock.first_of(moment(stretch[0], clock.zone).date()) if all_of_it else stretch[0]
    query = Query(
        interval=wishes.interval,
        tz=tz,
        start=first if start is None else max(start, first),
        end=stretch[1] if end is None else min(end, stretch[1]),
        queues=frozenset(wishes.queues) or None,
        channels=frozenset(wishes.channels) or None,
        policy=wishes.policy,
        outages=wishes.outages,
    )
    wire = wired(query.zone, targets, query.policy)
    return [row async for _, row in every(source, query, wire, now=wall_ms())]


async def _check_names(source: Source, wishes: Wishes) -> None:
    """Say which names nobody has: they may be of a queue that is yet to come, and so are no error."""
    if not wishes.queues and not wishes.channels:
        return
    queues, channels = await source.names()
    for what, asked, known in (("queue", wishes.queues, queues), ("channel", wishes.channels, channels)):
        for name in dict.fromkeys(asked):
            if name not in known:
                sys.stderr.write(f"intervals: no {what} is called {name!r}{guess(name, sorted(known))}\n")


def _account(rows: Sequence[IntervalsRow], chosen: Sequence[IntervalsRow], wishes: Wishes) -> str:
    places = len({(row.queue, row.channel) for row in chosen})
    parts = [
        f"{_count(len(chosen), 'row')} of {wishes.interval} in {wishes.tz or 'UTC'}, {_count(places, 'queue-channel')}"
    ]
    if wishes.form in IMPORTS and len(chosen) < len(rows):
        unfinished = sum(not row.final for row in rows)
        outages = sum(row.final and row.outage is not None for row in rows)
        strange = len(rows) - len(chosen) - unfinished - outages
        parts.append(
            f"not for {wishes.form}: {unfinished} not final, {outages} of outages, {strange} of other queues"
        )
    elif unfinished := sum(not row.final for row in chosen):
        parts.append(f"{unfinished:,} not final")
    return "; ".join(parts)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
