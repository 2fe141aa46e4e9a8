"""The work of ``skills``: from files to a simulated day, and its result."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from stream_app.commands.config import document as targets_document
from stream_app.commands.terminal import STDIN, column_map
from stream_app.errors import BadSettingsError, InputError
from stream_app.workforce import teams, volumes
from stream_app.workforce.assumptions import Assumptions
from stream_app.workforce.day import Repetitions, SkillGroup
from stream_app.workforce.schedules import check_zone
from stream_app.workforce.skills import Reached, simulate, staffed

_DASH: Final = "–"  # noqa: RUF001 - no data, not a minus


class SkillsOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    volumes: Path
    groups: Path
    at: str | None = None
    add: bool = False
    targets: Path | None = None
    tz: str | None = None
    mapping: list[str] = []
    seed: int = 1
    form: Literal["table", "json"] = "table"


def show(options: SkillsOptions) -> None:
    """Simulate, and print the result.

    Raises:
        BadSettingsError: a wrong option, or a target that can't be met.
        SystemExit: 65 for an invalid file.
    """
    if options.volumes == options.groups == STDIN:
        raise BadSettingsError("-: standard input can be read only once")
    targets = targets_document.asked_for(options.targets)
    mapping = column_map(options.mapping, volumes.KNOWN)
    if options.tz is not None:
        try:
            check_zone(options.tz)
        except ValueError as error:
            raise BadSettingsError(f"--tz: {error}") from None
    try:
        content = _content(options.volumes)
        rows = volumes.load(str(options.volumes), content, options.tz, mapping, deferred=()).rows
        groups = teams.read(str(options.groups), _content(options.groups))
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    shared = teams.queues_at(rows, _moment(options, rows), targets, Assumptions())
    for line in shared.left_out:
        sys.stderr.write(f"stream-app: left out: {line}\n")
    if not shared.queues:
        raise BadSettingsError("--at: no queue has contacts at that time that can be simulated")
    days = Repetitions(seed=options.seed)
    try:
        if options.add:
            needed, reached = staffed(groups, shared.queues, days)
        else:
            needed, reached = groups, simulate(groups, shared.queues, days)
    except ValueError as error:
        raise BadSettingsError(f"{options.groups}: {error}") from None
    start = shared.at if options.tz is None else shared.at.astimezone(ZoneInfo(options.tz))
    queues = [
        _of_queue(one, queue.per_hour, queue.target)
        for one, queue in zip(reached, shared.queues, strict=True)
    ]
    if options.form == "json":
        teams_found = [_of_group(before, after) for before, after in zip(groups, needed, strict=True)]
        whole = {"start": start.isoformat(), "queues": queues, "groups": teams_found}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n")
        return
    _print(start, queues, groups, needed)


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}:1: {error.strerror}") from None


def _moment(options: SkillsOptions, rows: Sequence[volumes.Volume]) -> datetime:
    if options.at is None:
        return teams.busiest(rows)
    try:
        found = datetime.fromisoformat(options.at)
    except ValueError:
        raise BadSettingsError(
            f"--at: expected a time like 2026-01-05T09:00+01:00, got {options.at!r}"
        ) from None
    if found.tzinfo is None:
        if options.tz is None:
            raise BadSettingsError(f"--at: {options.at!r} has no offset; write one, or use --tz")
        found = found.replace(tzinfo=ZoneInfo(options.tz))
    return found


def _of_queue(one: Reached, per_hour: float, target: float) -> dict[str, Any]:
    return {
        "queue": one.queue,
        "per_hour": round(per_hour, 1),
        "target": target,
        "service_level": _rounded(one.service_level, 4),
        "low_95": _rounded(one.low, 4),
        "high_95": _rounded(one.high, 4),
        "abandonment": _rounded(one.abandonment, 4),
        "wait_s": _rounded(one.wait_s, 1),
    }


def _of_group(before: SkillGroup, after: SkillGroup) -> dict[str, Any]:
    return {
        "group": before.name,
        "skills": sorted(before.skills),
        "people": after.people,
        "added": after.people - before.people,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _print(
    start: datetime,
    queues: Sequence[dict[str, Any]],
    groups: Sequence[SkillGroup],
    needed: Sequence[SkillGroup],
) -> None:
    table = Table(box=None, pad_edge=False, title=f"From {start.isoformat()} on", title_justify="left")
    heads = ("queue", "an hour", "service level", "95 % range", "target", "", "abandoned", "mean wait s")
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    for row in queues:
        known = row["low_95"] is not None
        verdict = ("met" if row["low_95"] >= row["target"] else "not met") if known else _DASH
        table.add_row(
            row["queue"],
            f"{row['per_hour']:g}",
            _percent(row["service_level"]),
            f"{_percent(row['low_95'])} to {_percent(row['high_95'])}" if known else _DASH,
            _percent(row["target"]),
            verdict,
            _percent(row["abandonment"]),
            _DASH if row["wait_s"] is None else f"{row['wait_s']:g}",
        )
    console = Console()
    if not console.is_terminal:
        console.width = 160  # in a file, nothing is truncated
    console.print(table)
    for before, after in zip(groups, needed, strict=True):
        more = f" (+{after.people - before.people})" if after.people > before.people else ""
        console.print(
            f"{before.name}: {after.people} at work{more}, {' + '.join(sorted(before.skills))}", markup=False
        )


def _percent(value: float | None) -> str:
    return _DASH if value is None else f"{value:.1%}"
