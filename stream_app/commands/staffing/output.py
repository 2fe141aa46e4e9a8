"""A plan as a table, CSV or JSON: by interval, as totals, or only its gaps."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table

from stream_app.workforce.plan import PlanLine
from stream_app.workforce.totals import PlanTotal, Shortfall, TotalsBy, gaps, totals, whole

Form = Literal["table", "csv", "json"]
_FILE_WIDTH: Final = 160
_DASH: Final = "–"  # noqa: RUF001 - no data, not a minus
_WEEK: Final = 7
_BINDS: Final = {"asa": "ASA", "service_level": "service level"}


def days(lines: Sequence[PlanLine], zone: ZoneInfo | None) -> int:
    """Return the number of local days of a plan."""
    return len({_time(line.volume.start, zone).date() for line in lines})


def write_intervals(lines: Sequence[PlanLine], zone: ZoneInfo | None, form: Form) -> None:
    """Write one row per interval."""
    if form == "table":
        _interval_tables(lines, zone)
    else:
        _write_rows([cells(line, zone) for line in lines], form)


def write_totals(
    lines: Sequence[PlanLine],
    zone: ZoneInfo | None,
    period: TotalsBy,
    form: Form,
    full_time_h: Callable[[str, str], float],
) -> None:
    """Write one row per day or week; ``full_time_h`` returns the weekly hours of a queue's full-time agent."""
    rows = [
        total_cells(one, period, full_time_h(one.queue, one.channel)) for one in totals(lines, period, zone)
    ]
    if form != "table":
        _write_rows(rows, form)
        return
    titles = _titles(lines)
    for key, of_queue in groupby(rows, key=lambda row: (row["queue"], row["channel"])):
        _show(titles[key], _total_heads(list(rows), period), list(of_queue), _total_cell)


def write_gaps(found: Sequence[Shortfall], zone: ZoneInfo | None, form: Form) -> None:
    """Write one row per gap."""
    rows = [gap_cells(gap, zone) for gap in found]
    if form != "table":
        _write_rows(rows, form, tuple(_GAP_FIELDS))
        return
    if not rows:
        _console().print("No gaps: nowhere are fewer scheduled than required.")
        return
    hours = sum(gap.short_hours for gap in found)
    count = f"{len(rows)} gap" + ("" if len(rows) == 1 else "s")
    _show(f"{count}, {hours:,.1f} agent hours short", _GAP_FIELDS, rows, _gap_cell)


# --- cells ---


def cells(line: PlanLine, zone: ZoneInfo | None) -> dict[str, Any]:
    """Return a line of the plan by the names that programs read, with ratios and seconds sensibly rounded."""
    volume = line.volume
    return {
        "start": _time(volume.start, zone).isoformat(),
        "minutes": _whole(volume.minutes),
        "queue": volume.queue,
        "channel": volume.channel,
        "offered": _whole(volume.offered),
        "handle_s": _rounded(line.handle_s, 1),
        "handle_of": line.handle_of,
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
        "open": str(line.open).lower(),
        "binds": line.binds,
    }


def total_cells(one: PlanTotal, period: TotalsBy, full_time_h: float) -> dict[str, Any]:
    """Return a total by the names that programs read."""
    fte = one.fte(full_time_h) if period == "week" and one.days == _WEEK else None
    return {
        period: one.first.isoformat(),
        "days": one.days,
        "queue": one.queue,
        "channel": one.channel,
        "offered": round(one.offered, 1),
        "offered_closed": round(one.offered_closed, 1),
        "without_plan": one.without_plan,
        "hours": _rounded(one.hours, 2),
        "peak": one.peak,
        "peak_at": one.peak_at.isoformat() if one.peak_at else None,
        "fte": _rounded(fte, 1),
        "scheduled_hours": _rounded(one.scheduled_hours, 2),
        "short_hours": _rounded(one.short_hours, 2),
        "short_intervals": one.short_intervals,
    }


_GAP_FIELDS: Final = {
    "start": "from",
    "end": "until",
    "queue": "queue",
    "channel": "channel",
    "short": "most missing",
    "worst_at": "at",
    "short_hours": "hours short",
}


def gap_cells(gap: Shortfall, zone: ZoneInfo | None) -> dict[str, Any]:
    """Return a gap by the names that programs read."""
    return {
        "start": _time(gap.start, zone).isoformat(),
        "end": _time(gap.end, zone).isoformat(),
        "queue": gap.queue,
        "channel": gap.channel,
        "short": _whole(round(gap.short, 2)),
        "worst_at": _time(gap.worst_at, zone).isoformat(),
        "short_hours": round(gap.short_hours, 2),
    }


def _time(moment: Any, zone: ZoneInfo | None) -> Any:
    return moment if zone is None else moment.astimezone(zone)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


# --- writing ---


def _write_rows(rows: Sequence[Mapping[str, Any]], form: Form, names: Sequence[str] = ()) -> None:
    if form == "json":
        text = "[" + ",\n ".join(msgspec.json.encode(row).decode() for row in rows) + "]\n"
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, names or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = out.getvalue()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


_HEADS: Final = {
    "start": "start",
    "offered": "offered",
    "handle_s": "handle s",
    "required": "required",
    "to_schedule": "to schedule",
    "scheduled": "scheduled",
    "gap": "gap",
    "service_level": "service level",
    "asa_s": "asa s",
    "abandonment": "abandoned",
    "occupancy": "occupancy",
    "binds": "binds",
}


def _interval_tables(lines: Sequence[PlanLine], zone: ZoneInfo | None) -> None:
    schedule = any(line.scheduled is not None for line in lines)
    heads = {name: head for name, head in _HEADS.items() if schedule or name not in {"scheduled", "gap"}}
    titles = _titles(lines)
    rows = [cells(line, zone) for line in lines]
    for key, of_queue in groupby(rows, key=lambda row: (row["queue"], row["channel"])):
        theirs = list(of_queue)
        busy = [row for row in theirs if row["offered"] or row["to_schedule"] or row["scheduled"]]
        _show(titles[key], heads, busy, _cell)
        if hidden := len(theirs) - len(busy):
            _console().print(f"Without contacts and agents, not shown: {hidden:,} intervals")


def _titles(lines: Sequence[PlanLine]) -> dict[tuple[str, str], str]:
    """Return what stands above each queue's table: its total, unless there are intervals without a plan."""
    found = {}
    short = gaps(lines)
    for one in whole(lines):
        name = f"{one.queue} ({one.channel})"
        if one.hours is None:
            found[one.queue, one.channel] = (
                f"{name}: no total, intervals without a plan: {one.without_plan:,}"
            )
            continue
        title = f"{name}: {one.hours:,.1f} hours to schedule"
        if one.short_hours:
            runs = sum((gap.queue, gap.channel) == (one.queue, one.channel) for gap in short)
            title += f", {one.short_hours:,.1f} hours short in {runs} gap" + ("" if runs == 1 else "s")
        found[one.queue, one.channel] = title
    return found


def _total_heads(rows: Sequence[Mapping[str, Any]], period: TotalsBy) -> dict[str, str]:
    heads = {
        period: period if period == "day" else "week of",
        "offered": "contacts",
        "hours": "hours to schedule",
    }
    if period == "week":
        heads = {"week": "week of", "days": "days", **heads, "fte": "FTE"}
    heads |= {"peak": "peak", "peak_at": "at"}
    if any(row["scheduled_hours"] is not None for row in rows):
        heads |= {
            "scheduled_hours": "scheduled",
            "short_hours": "hours short",
            "short_intervals": "understaffed",
        }
    if any(row["offered_closed"] for row in rows):
        heads["offered_closed"] = "when closed"
    if any(row["without_plan"] for row in rows):
        heads["without_plan"] = "without plan"
    return heads


def _show(
    title: str, heads: Mapping[str, str], rows: Sequence[Mapping[str, Any]], cell: Callable[[str, Any], str]
) -> None:
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for n, head in enumerate(heads.values()):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        short = (row.get("gap") or 0) < 0 or bool(row.get("short_intervals"))
        table.add_row(*(cell(name, row[name]) for name in heads), style="bold" if short else "")
    _console().print(table)


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH  # in a file, nothing is truncated
    return console


def _cell(name: str, value: Any) -> str:
    if value is None:
        return _DASH
    if name in {"service_level", "abandonment", "occupancy"}:
        return f"{value:.1%}"
    if name == "gap":
        return f"{value:+g}"
    if name == "binds":
        return _BINDS.get(value, str(value))
    return str(value) if isinstance(value, str) else f"{value:g}"


def _total_cell(name: str, value: Any) -> str:
    if value is None:
        return _DASH
    if name == "peak_at":
        return str(value)[11:16]
    if name in {"day", "week"}:
        return f"{date.fromisoformat(value):%a %d %b %Y}"
    if name in {"offered", "offered_closed", "hours", "scheduled_hours", "short_hours", "fte"}:
        return f"{value:,.1f}"
    return f"{int(value):,}"


def _gap_cell(name: str, value: Any) -> str:
    if name in {"start", "end", "worst_at"}:
        return str(value)[:16].replace("T", " ")
    return str(value) if isinstance(value, str) else f"{value:g}"
