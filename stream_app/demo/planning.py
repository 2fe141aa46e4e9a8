"""What the demo's planner has: the centre's zone, targets with opening hours, and a schedule of two weeks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final

from stream_app.simulation.presets import centre, with_week
from stream_app.simulation.settings import CentreSettings, QueueSettings

SHRINKAGE: Final = 0.3
CALLS_AT, WRITING_AT = "Leeds", "York"
"""The two sites: so that there is something to group and to filter by."""
AFTERNOON_H: Final = 14
"""The hour that the centre's clock is near at the start: it has been open for six, so there is a day to look back on."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKS_AGO: Final = 3
_COMING: Final = 5
_DAYS: Final = 14
_CHANNELS: Final = (
    "[channels.voice]",
    "answer_target_s = 60",
    "targets = { service_level = 0.7, abandonment = 0.12, first_response = 60 }",
    "[channels.chat]",
    "targets = { oldest_awaiting_reply = 3600 }",
    "[channels.messaging]",
    "targets = { handle_time = 1800, oldest_awaiting_reply = 7200 }",
)
"""Few people for what comes, so callers wait longer than by default, messages take longer than most, and who writes a last word
has to wait until the conversation is closed."""
_HANDLE_TIMES: Final = {"support": 480}
"""Queue → target in seconds: its calls take longer than most."""


def zone_at(now: datetime) -> str:
    """Return a time zone in which it is early afternoon: the centre is open whenever the demo is started."""
    hours = AFTERNOON_H - round(now.astimezone(UTC).hour + now.minute / 60)
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # the sign of these names is the other way round


def holidays(today: date) -> tuple[date, ...]:
    """Return a holiday to learn from, and one to plan for."""
    return (today - timedelta(weeks=_WEEKS_AGO, days=1), today + timedelta(days=_COMING))


def week_options(zone: str, days: Iterable[date]) -> list[str]:
    """Return the options with which ``simulate`` plays this centre."""
    return ["--tz", zone, "--week", *(word for day in days for word in ("--holiday", day.isoformat()))]


def targets(settings: CentreSettings, zone: str, days: Iterable[date]) -> str:
    """Return the targets as TOML: opening hours, what this centre can reach, and what planning assumes."""
    closed = ", ".join(day.isoformat() for day in days)
    lines = ["[defaults]", f'zone = "{zone}"', f"shrinkage = {SHRINKAGE}", "", *_CHANNELS, ""]
    for queue in settings.queues:
        lines += [
            f"[queues.{queue.name}]",
            f'site = "{CALLS_AT if queue.channel == "voice" else WRITING_AT}"',
        ]
        opening = queue.hours
        if opening:
            lines.append(f'calendar = "{queue.name}"')
        if queue.patience is not None:
            lines.append(f"patience_s = {queue.patience.mean_s:g}")
        if queue.name in _HANDLE_TIMES:
            lines.append(f"targets = {{ handle_time = {_HANDLE_TIMES[queue.name]} }}")
        if queue.at_once > 1:
            lines.append(f"concurrency = {queue.at_once}")
        lines.append("")
        if opening:
            begin, end = opening
            lines += [
                f"[calendars.{queue.name}]",
                f"hours = {{ {_open(queue, begin, end)} }}",
                f"holidays = [{closed}]",
                "",
            ]
    return "\n".join(lines)


def schedule(settings: CentreSettings, zone: str, today: date) -> str:
    """Return the schedule as CSV: who is at work in the simulated centre, and as many more as shrinkage takes."""
    lines = ["group,people,start,end,tz,activity,queue,channel"]
    for n in range(-1, _DAYS):
        day = today + timedelta(days=n)
        for queue in settings.queues:
            for begin, end, people in _stretches(queue, settings, day):
                start = f"{day}T{begin:02}:00"
                until = f"{day + timedelta(days=end // 24)}T{end % 24:02}:00"
                lines.append(
                    f"{queue.name},{people},{start},{until},{zone},contacts,{queue.name},{queue.channel}"
                )
    return "\n".join(lines) + "\n"


def planned(rate: float, days: Iterable[date]) -> CentreSettings:
    """Return the centre that the demo simulates."""
    return with_week(centre(rate), days)


def _open(queue: QueueSettings, begin: int, end: int) -> str:
    """Return the hours of a week as a TOML table has them."""
    days = [name for n, name in enumerate(WEEKDAYS) if n not in queue.rests]
    names = ["mon-sun"] if len(days) == len(WEEKDAYS) else days
    return ", ".join(f'{name} = ["{begin:02}:00-{end:02}:00"]' for name in names)


def _stretches(queue: QueueSettings, settings: CentreSettings, day: date) -> Iterator[tuple[int, int, int]]:
    """Yield from which hour until which how many are scheduled."""
    number = (day - date(1970, 1, 1)).days
    holiday = number in settings.holidays
    if (holiday and queue.hours) or day.weekday() in queue.rests:
        return
    weight = queue.of_day(number, holiday=holiday)
    counts = [math.ceil(count * weight / (1 - SHRINKAGE)) for count in queue.staff]
    for people, hours in groupby(range(24), key=lambda hour: counts[hour]):
        stretch = list(hours)
        if people:
            yield stretch[0], stretch[-1] + 1, people
