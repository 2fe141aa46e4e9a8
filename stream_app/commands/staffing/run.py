"""The work of ``staffing``: from files to a plan, and what its reader must know about it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.commands.config import document as targets_document
from stream_app.commands.terminal import STDIN, column_map
from stream_app.errors import BadSettingsError, InputError
from stream_app.model.targets import Targets
from stream_app.tables.mapping import ColumnMap
from stream_app.workforce import schedules, volumes
from stream_app.workforce.concurrency import Concurrency
from stream_app.workforce.estimated import by_place, trust
from stream_app.workforce.plan import DEFERRED, Assumptions, PlanLine, plan, unknown
from stream_app.workforce.required import Model
from stream_app.workforce.schedules import check_zone
from stream_app.workforce.totals import gaps
from stream_app.workforce.volumes import handle_times

from . import output

_FEW_DAYS: Final = 2
"""A table of more days has a row per day: a person does not read two thousand lines."""
_WORTH_SAYING: Final = 0.5
_QUIET: Final = 0.25
"""Contacts in an interval for which hardly anybody would be scheduled on purpose."""
_SCHEDULE_MAP: Final = "--schedule-map"
_UNITS: Final = {"s": 1, "": 1, "m": 60, "min": 60, "h": 3600}


class StaffingOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    volumes: Path
    schedule: Path | None = None
    targets: Path | None = None
    model: Model = "erlang-a"
    aht: str | None = None
    patience: str | None = None
    asa: str | None = None
    occupancy: float | None = None
    shrinkage: float | None = None
    concurrency: float | None = None
    full_time: float | None = None
    deferred: list[str] | None = None
    tz: str | None = None
    mapping: list[str] = []
    schedule_mapping: list[str] = []
    by: Literal["interval", "day", "week"] | None = None
    gaps: bool = False
    form: output.Form = "table"

    def check(self) -> None:
        """Raise BadSettingsError for options that contradict each other, and for an unknown zone."""
        if self.volumes == STDIN and self.schedule == STDIN:
            raise BadSettingsError("-: standard input can be read only once")
        if self.tz is not None:
            try:
                check_zone(self.tz)
            except ValueError as error:
                raise BadSettingsError(f"--tz: {error}") from None
        if self.gaps and self.schedule is None:
            raise BadSettingsError("--gaps: needs --schedule FILE to compare with")
        if self.gaps and self.by is not None:
            raise BadSettingsError(f"--gaps: has no totals; leave out --by {self.by}, or --gaps")
        if self.schedule_mapping and self.schedule is None:
            raise BadSettingsError("--schedule-map: needs --schedule FILE, whose columns it names")

    def assumptions(self) -> Assumptions:
        """Return what the options assume instead of the targets; raise BadSettingsError for a wrong duration."""
        return Assumptions(
            model=self.model,
            shrinkage=self.shrinkage,
            occupancy=self.occupancy,
            patience_s=None if self.patience is None else _seconds("--patience", self.patience),
            asa_s=None if self.asa is None else _seconds("--asa", self.asa),
            aht_s=None if self.aht is None else _seconds("--aht", self.aht),
            concurrency=None if self.concurrency is None else Concurrency(self.concurrency),
            deferred=DEFERRED if self.deferred is None else frozenset(self.deferred),
        )


def show(options: StaffingOptions) -> None:
    """Print the plan.

    Raises:
        BadSettingsError: a wrong option or target.
        SystemExit: 65 for an invalid file.
    """
    options.check()
    assumptions = options.assumptions()
    mapping = column_map(options.mapping, volumes.KNOWN)
    of_schedule = column_map(options.schedule_mapping, schedules.KNOWN, _SCHEDULE_MAP)
    targets = targets_document.asked_for(options.targets)
    try:
        found = volumes.load(
            str(options.volumes), _content(options.volumes), options.tz, mapping, assumptions.deferred
        )
        shifts = None
        if options.schedule is not None:
            shifts = _scheduled(options.schedule, options.tz, of_schedule)
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    try:
        zone = found.rows[0].start.tzinfo if options.tz is None else ZoneInfo(options.tz)
        lines = plan(found.rows, targets, assumptions, shifts, schedules.coverage(shifts or (), zone))
    except ValueError as error:
        raise BadSettingsError(str(error)) from None
    _print(lines, targets, options)
    for note in (
        _passed_over(found)
        + _nowhere(options.deferred or (), found.rows)
        + _notes(lines, shifts, assumptions, targets)
    ):
        sys.stderr.write(f"stream-app: {note}\n")
    if any(line.required is None for line in lines):
        raise SystemExit(1)


def _scheduled(path: Path, zone: str | None, mapping: ColumnMap | None) -> list[schedules.Shift]:
    content = _content(path)
    try:
        return schedules.read(str(path), content, zone, mapping)
    except InputError as error:  # here, --map is that of the volumes
        raise InputError(str(error).replace("--map ", f"{_SCHEDULE_MAP} ")) from None


def _print(lines: Sequence[PlanLine], targets: Targets, options: StaffingOptions) -> None:
    zone = None if options.tz is None else ZoneInfo(options.tz)
    by = options.by or (
        "day" if options.form == "table" and output.days(lines, zone) > _FEW_DAYS else "interval"
    )
    if options.gaps:
        output.write_gaps(gaps(lines), zone, options.form)
    elif by == "interval":
        output.write_intervals(lines, zone, options.form)
    else:

        def full_time_h(queue: str, channel: str) -> float:
            return options.full_time or targets.rule(queue, channel).full_time_h

        output.write_totals(lines, zone, by, options.form, full_time_h)


def _passed_over(found: volumes.Volumes) -> list[str]:
    notes = []
    if found.unfinished:
        notes.append(f"rows that are not final: {found.unfinished:,}; they were skipped")
    if found.left_out:
        notes.append(f"rows without a forecast: {found.left_out:,}; they were skipped")
    return notes


def _nowhere(deferred: Sequence[str], rows: Sequence[volumes.Volume]) -> list[str]:
    """Return notes on deferred channels that no row has."""
    channels = {row.channel for row in rows}
    return [
        f"--deferred: no row has the channel {channel!r}; {schedules.guess(channel, channels)}"
        for channel in deferred
        if channel not in channels
    ]


def _notes(
    lines: Sequence[PlanLine],
    shifts: Sequence[schedules.Shift] | None,
    assumptions: Assumptions,
    targets: Targets,
) -> list[str]:
    """Return notes that a reader of the plan needs."""
    rows = [line.volume for line in lines]
    notes = [
        f"{queue} ({channel}) is in the schedule, but not in the volumes"
        for queue, channel in unknown(shifts or (), rows)
    ]
    blind = sorted(
        {(v.queue, v.channel) for v, line in zip(rows, lines, strict=True) if line.required is None}
    )
    notes += [
        f"{queue} ({channel}) has no handle time in any row, so it has no plan; provide one with --aht 300s, or in a column "
        "aht_s"
        for queue, channel in blind
    ]
    notes += _stood_in(lines, assumptions)
    for key, of in by_place(rows).items():
        notes += trust(of, targets.rule(*key).reply_work_cap / 1000).notes(*key)
    notes += _uncovered(lines)
    quiet = sum(
        line.to_schedule * line.volume.minutes / 60
        for line in lines
        if line.to_schedule and 0 < line.volume.offered < _QUIET
    )
    if quiet:
        notes.append(
            f"{quiet:,.1f} of the hours to schedule are for intervals with less than a quarter of a contact; "
            "business hours in --targets would leave them out"
        )
    notes += [
        _closed(*key, contacts, waits=key[1] in assumptions.deferred)
        for key, contacts in _outside(lines).items()
    ]
    guessed = {
        (line.volume.queue, line.volume.channel)
        for line in lines
        if line.model == "erlang-a" and line.volume.patience_s is None
    }
    if guessed:
        seconds = {assumptions.of(targets.rule(*key), key[1]).patience_s for key in guessed}
        notes.append(
            f"queues with rows without patience_s: {len(guessed)}; {_listed(seconds)} s was assumed for them"
        )
    return notes


def _stood_in(lines: Sequence[PlanLine], assumptions: Assumptions) -> list[str]:
    """Return which queues have contacts in intervals that measured no handle time, and what was taken for it."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        if line.handle_of == "queue" and line.volume.offered > 0:
            key = (line.volume.queue, line.volume.channel)
            seconds.setdefault(key, []).append(line.handle_s or 0.0)
    known = handle_times(line.volume for line in lines)
    return [
        f"{key[0]} ({key[1]}): {len(times):,} rows with contacts and no handle time; "
        + (f"its mean, {times[0]:,.0f} s," if key in known else f"--aht, {assumptions.aht_s:g} s,")
        + " was taken for them"
        for key, times in seconds.items()
    ]


def _uncovered(lines: Sequence[PlanLine]) -> list[str]:
    """Return which queues the schedule covers only in part: there it is not compared."""
    counts: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        if line.to_schedule:
            known = counts.setdefault((line.volume.queue, line.volume.channel), [0, 0])
            known[line.scheduled is None] += 1
    return [
        f"{queue} ({channel}): {beyond} of {beyond + known} intervals are before or after the schedule; they are not compared"
        for (queue, channel), (known, beyond) in counts.items()
        if known and beyond
    ]


def _outside(lines: Sequence[PlanLine]) -> dict[tuple[str, str], float]:
    """Return the contacts outside of business hours, where there are any worth saying."""
    found: dict[tuple[str, str], float] = {}
    for line in lines:
        if not line.open:
            key = (line.volume.queue, line.volume.channel)
            found[key] = found.get(key, 0.0) + line.volume.offered
    return {key: contacts for key, contacts in found.items() if contacts >= _WORTH_SAYING}


def _closed(queue: str, channel: str, contacts: float, *, waits: bool) -> str:
    then = "their work is planned from the next opening on" if waits else "nobody is planned then"
    return f"{queue} ({channel}): {contacts:,.1f} contacts are outside of its business hours; {then}"


def _listed(numbers: Iterable[float]) -> str:
    return " or ".join(f"{number:g}" for number in sorted(numbers))


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}:1: {error.strerror}") from None


def _seconds(option: str, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|min|h|)", text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        raise BadSettingsError(f"{option}: invalid duration {text!r}; use e.g. 90s or 2m")
    return seconds
