"""What ``staffing`` runs: from files to a plan, and the plan as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from stream_app.errors import BadSettingsError, InputError
from stream_app.workforce import schedules, volumes
from stream_app.workforce.concurrency import Concurrency
from stream_app.workforce.plan import DEFERRED, Assumptions, Line, plan, totals, unknown
from stream_app.workforce.required import Model
from stream_app.workforce.schedules import check_zone

from . import config

EX_DATAERR: Final = 65
STDIN: Final = Path("-")
_UNITS: Final = {"s": 1, "": 1, "m": 60, "min": 60, "h": 3600}


class Wishes(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    volumes: Path
    schedule: Path | None = None
    targets: Path | None = None
    model: Model = "erlang-a"
    patience: str = "120s"
    asa: str | None = None
    occupancy: float = 0.85
    shrinkage: float = 0.3
    concurrency: float = 1.0
    deferred: list[str] | None = None
    tz: str | None = None
    form: Literal["table", "csv", "json"] = "table"


def show(wishes: Wishes) -> None:
    """Print the plan.

    Raises:
        BadSettingsError: a wrong option or target.
        SystemExit: 65 for a file that is not what it should be.
    """
    if wishes.volumes == STDIN and wishes.schedule == STDIN:
        raise BadSettingsError("-: standard input can be read once")
    if wishes.tz is not None:
        try:
            check_zone(wishes.tz)
        except ValueError as error:
            raise BadSettingsError(f"--tz: {error}") from None
    assumptions = Assumptions(
        model=wishes.model,
        shrinkage=wishes.shrinkage,
        occupancy=wishes.occupancy,
        patience_s=_seconds("--patience", wishes.patience),
        asa_s=None if wishes.asa is None else _seconds("--asa", wishes.asa),
        concurrency=Concurrency(wishes.concurrency),
        deferred=DEFERRED if wishes.deferred is None else frozenset(wishes.deferred),
    )
    targets = config.asked_for(wishes.targets)
    try:
        found = volumes.load(str(wishes.volumes), _content(wishes.volumes))
        shifts = None
        if wishes.schedule is not None:
            shifts = schedules.read(str(wishes.schedule), _content(wishes.schedule), wishes.tz)
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(EX_DATAERR) from None
    try:
        lines = plan(found.rows, targets, assumptions, shifts)
    except ValueError as error:
        raise BadSettingsError(str(error)) from None
    _print(lines, wishes)
    for note in (
        _passed_over(found) + _nowhere(wishes.deferred or (), found.rows) + _notes(lines, shifts, assumptions)
    ):
        sys.stderr.write(f"stream-app: {note}\n")


def _passed_over(found: volumes.Volumes) -> list[str]:
    notes = []
    if found.unfinished:
        notes.append(f"rows that are not final: {found.unfinished:,}; they were passed over")
    if found.left_out:
        notes.append(f"rows of which the forecast says nothing: {found.left_out:,}; they were passed over")
    return notes


def _nowhere(deferred: Sequence[str], rows: Sequence[volumes.Volume]) -> list[str]:
    """Channels that were asked to be deferred, and that no row has."""
    channels = {row.channel for row in rows}
    return [
        f"--deferred: no row has the channel {channel!r}; {schedules.guess(channel, channels)}"
        for channel in deferred
        if channel not in channels
    ]


def _notes(
    lines: Sequence[Line], shifts: Sequence[schedules.Shift] | None, assumptions: Assumptions
) -> list[str]:
    """What somebody who reads the plan must know of it."""
    rows = [line.volume for line in lines]
    notes = [
        f"{queue} ({channel}) is on the schedule, but no row of the volumes has it"
        for queue, channel in unknown(shifts or (), rows)
    ]
    blind = sorted(
        {(v.queue, v.channel) for v, line in zip(rows, lines, strict=True) if line.required is None}
    )
    notes += [f"{queue} ({channel}) has no handle time in any row: no plan" for queue, channel in blind]
    guessed = {
        (line.volume.queue, line.volume.channel)
        for line in lines
        if line.model == "erlang-a" and line.volume.patience_s is None
    }
    if guessed:
        notes.append(
            f"queues with rows that have no patience_s: {len(guessed)}; {assumptions.patience_s:g} s were assumed there"
        )
    return notes


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}:1: {error.strerror}") from None


def _seconds(option: str, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|min|h|)", text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        raise BadSettingsError(f"{option}: {text!r} is no time like 90s or 2m")
    return seconds


# --- printing ---


def cells(line: Line, tz: str | None) -> dict[str, Any]:
    """One line of the plan with the names that programs read. Ratios and seconds are rounded to what they are worth."""
    volume = line.volume
    start = volume.start if tz is None else volume.start.astimezone(ZoneInfo(tz))
    return {
        "start": start.isoformat(),
        "minutes": _whole(volume.minutes),
        "queue": volume.queue,
        "channel": volume.channel,
        "offered": _whole(volume.offered),
        "handle_s": _rounded(line.handle_s, 1),
        "erlang": _rounded(line.load, 3),
        "model": line.model,
        "required": line.required,
        "to_schedule": line.to_schedule,
        "scheduled": _rounded(line.scheduled, 2),
        "gap": _rounded(line.gap, 2),
        "service_level": _rounded(line.service_level, 4),
        "policy": line.policy,
        "asa_s": _rounded(line.asa_s, 1),
        "abandonment": _rounded(line.abandonment, 4),
        "occupancy": _rounded(line.occupancy, 4),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def _print(lines: Sequence[Line], wishes: Wishes) -> None:
    if wishes.form == "table":
        _table(lines, wishes.tz)
        return
    rows = [cells(line, wishes.tz) for line in lines]
    if wishes.form == "json":
        text = "[" + ",\n ".join(msgspec.json.encode(row).decode() for row in rows) + "]\n"
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = out.getvalue()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


_HEADS: Final = (
    ("offered", "offered"),
    ("handle_s", "handle s"),
    ("required", "required"),
    ("to_schedule", "to schedule"),
    ("scheduled", "scheduled"),
    ("gap", "gap"),
    ("service_level", "service level"),
    ("asa_s", "asa s"),
    ("abandonment", "abandoned"),
    ("occupancy", "occupancy"),
)


def _table(lines: Sequence[Line], tz: str | None) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a table needs it
    from rich.table import Table  # noqa: PLC0415 - same

    roster = any(line.scheduled is not None for line in lines)
    heads = [head for head in _HEADS if roster or head[0] not in {"scheduled", "gap"}]
    console = Console()
    if not console.is_terminal:
        console.width = 160  # in a file nothing is cut
    hours = totals(lines)
    for key, total in hours.items():
        table = Table(
            box=None,
            pad_edge=False,
            title=f"{key[0]} ({key[1]}): {total:,.1f} hours to schedule",
            title_justify="left",
        )
        table.add_column("start", no_wrap=True)
        for _, head in heads:
            table.add_column(head, justify="right")
        for line in lines:
            if (line.volume.queue, line.volume.channel) == key:
                row = cells(line, tz)
                short = line.gap is not None and line.gap < 0
                table.add_row(
                    row["start"],
                    *(_cell(name, row[name]) for name, _ in heads),
                    style="bold" if short else "",
                )
        console.print(table)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - no data, and no minus
    if name in {"service_level", "abandonment", "occupancy"}:
        return f"{value:.1%}"
    if name == "gap":
        return f"{value:+g}"
    return f"{value:g}"
