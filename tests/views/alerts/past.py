"""Some hours of a centre as interval rows, and the metrics that would have been scraped, computed here by hand."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from stream_app.model.intervals.columns import COLUMNS, IntervalRow, written
from stream_app.model.targets import Targets
from stream_app.views import naming

QUARTER = 900
DAY = 86_400
PLACES = (("billing", "voice"), ("sales", "chat"))
MIDNIGHT = 14 * 3600
"""Of the queues' zone, in UTC."""
TARGETS = """
[defaults]
zone = "Etc/GMT-10"
[queues.billing]
calendar = "office"
[queues.sales]
targets = { handle_time = 300 }
[calendars.office]
zone = "UTC"
hours = { mon-sun = ["00:00-09:10", "09:40-24:00"] }
"""

Values = list[float | None]
"""At the end of each interval."""


def rows(begin: int, length: int, missing: Sequence[int] = (), seed: int = 0) -> list[IntervalRow]:
    """Rows of both queues; now and then for hours everything is bad, and some intervals have few contacts."""
    found = []
    for queue, channel in PLACES:
        rng = Random(f"{queue} {seed}")
        bad = 0.0
        depth = 0
        for n in range(length):
            if n % 8 == 0:
                bad = rng.choice((0.0, 0.1, 0.5, 0.9))
            offered = rng.randrange(2, 6) if rng.random() < 0.1 else rng.randrange(15, 60)
            abandoned = sum(rng.random() < bad / 3 for _ in range(offered))
            answered = offered - abandoned
            in_target = sum(rng.random() < 1 - bad for _ in range(answered))
            row = IntervalRow(
                start=(begin + n * QUARTER) * 1000,
                minutes=15,
                queue=queue,
                channel=channel,
                offered=offered,
                answered=answered,
                answered_in_target=in_target,
                abandoned=abandoned,
                abandoned_in_target=abandoned // 2,
                abandoned_short=abandoned // 5,
                handled=answered,
                talk_ms=answered * rng.randrange(150_000, 350_000),
                wrap_ms=answered * rng.randrange(20_000, 200_000),
                wait_ms=answered * rng.randrange(5_000, 60_000),
                abandon_wait_ms=abandoned * 20_000,
                backlog_start=depth,
                final=True,
            )
            depth = round(bad * rng.randrange(20))
            if queue != "sales" or n not in missing:
                found.append(row)
    return found


def export(path: Path, found: Sequence[IntervalRow]) -> Path:
    """Write rows as they are exported."""
    path.write_text("".join(f"{json.dumps(_exported(row))}\n" for row in found))
    return path


def _exported(row: IntervalRow) -> dict[str, Any]:
    counts = {
        written(name): getattr(row, name) / (1000 if column.unit == "ms" else 1)
        if column.unit == "ms"
        else getattr(row, name)
        for name, column in COLUMNS.items()
    }
    start = datetime.fromtimestamp(row.start / 1000, tz=UTC).isoformat()
    rest = {"backlog_start": row.backlog_start, "final": row.final}
    return {"start": start, "minutes": 15, "queue": row.queue, "channel": row.channel, **counts, **rest}


def scraped(found: Sequence[IntervalRow], begin: int, length: int, targets: Targets) -> dict[str, Values]:
    """Series → its value at the end of each interval; what is not known there has none."""
    series: dict[str, Values] = {naming.DATA_AGE: [1.0] * length}
    for queue, channel in PLACES:
        mine = {row.start // 1000: row for row in found if (row.queue, row.channel) == (queue, channel)}
        labels = f'queue="{queue}",channel="{channel}"'
        for window in ("30m", "today"):
            sums = [_sum(mine, begin, begin + (n + 1) * QUARTER, window) for n in range(length)]
            for metric, read in _METRICS.items():
                series[f'{metric}{{{labels},window="{window}"}}'] = [
                    None if s is None else read(s) for s in sums
                ]
        after = [mine.get(begin + (n + 1) * QUARTER) for n in range(length)]
        series[f"cc_backlog_contacts{{{labels}}}"] = [
            None if row is None else row.backlog_start for row in after
        ]
        for kpi, target in targets.rule(queue, channel).targets.items():
            if any(metric.startswith(f"cc_{kpi}_") for metric in _METRICS):
                series[f"cc_{kpi}_target{{{labels}}}"] = [target] * length
    return series


def _sum(mine: Mapping[int, IntervalRow], begin: int, end: int, window: str) -> dict[str, int] | None:
    first = end - 1800 if window == "30m" else (end - MIDNIGHT) // DAY * DAY + MIDNIGHT
    starts = range(first, end, QUARTER)
    if first < begin or any(start not in mine for start in starts):
        return None
    return {name: sum(getattr(mine[start], name) for start in starts) for name in COLUMNS}


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole else None


_METRICS: dict[str, Callable[[Mapping[str, int]], float | None]] = {
    "cc_service_level_ratio": lambda s: _over(s["answered_in_target"], s["offered"] - s["abandoned_short"]),
    "cc_service_level_samples": lambda s: s["offered"] - s["abandoned_short"],
    "cc_abandonment_ratio": lambda s: _over(
        s["abandoned"] - s["abandoned_short"], s["offered"] - s["abandoned_short"]
    ),
    "cc_abandonment_samples": lambda s: s["offered"] - s["abandoned_short"],
    "cc_handle_time_seconds": lambda s: _over(
        s["talk_ms"] + s["hold_ms"] + s["wrap_ms"], s["handled"] * 1000
    ),
    "cc_handle_time_samples": lambda s: s["handled"],
    "cc_speed_of_answer_seconds": lambda s: _over(s["wait_ms"], s["answered"] * 1000),
    "cc_speed_of_answer_samples": lambda s: s["answered"],
    "cc_offered_contacts": lambda s: s["offered"],
}


def is_open(queue: str, minute: int) -> bool:
    """Whether a queue is open in a minute of UTC's day."""
    return queue != "billing" or not 550 <= minute < 580


def by_minutes(
    series: Mapping[str, Values], begin: int, length: int
) -> Iterator[tuple[str, list[float | None]]]:
    """Yield series with a sample each minute, from the first interval's beginning to the last one's end."""
    for name, values in series.items():
        yield name, [None] * 15 + [value for value in values[:-1] for _ in range(15)] + [values[-1]]
    for queue, channel in PLACES:
        minutes = range(begin // 60, begin // 60 + 15 * length + 1)
        yield (
            f'cc_open{{queue="{queue}",channel="{channel}"}}',
            [float(is_open(queue, m % 1440)) for m in minutes],
        )
