"""An interval row as it is written, in every format that is ours. The order of the fields is that of CSV's columns.

Counts are contacts, times seconds with all of their milliseconds, ratios 0…1, and ``null`` is "no data". What is summed up has
no policy in it but the thresholds under which the contacts were queued. The service level has a named one, over the row's own
contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, defstruct

from stream_app.model.intervals.columns import COLUMNS, DERIVED, SEQUENCE, IntervalRow, written
from stream_app.model.intervals.counting import NUMBERS
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.views.stamping import Time, stamp

from .spans import moment

QUEUED: Final = "queued"
COMPLETED: Final = "completed"
_START: Final = "With the offset of the zone: the hour that comes twice is told apart by it"
_TRUE_LENGTH: Final = "Its true length: 1380 and 1500 too, for days on which clocks change"


def _field(name: str) -> tuple[str, Any]:
    """Name and type of a count as it is written."""
    column = COLUMNS.get(name)
    if column is None:
        return name, Annotated[int, Meta(description=DERIVED[name])]
    if column.unit == "ms":
        suffix = "seconds" if column.largest else "seconds, summed up"
        return written(name), Annotated[float, Meta(description=f"{column.doc}, {suffix}")]
    return written(name), Annotated[int, Meta(description=column.doc)]


_Counts: Any = defstruct(
    "_Counts",
    [
        ("start", Annotated[Time, Meta(description=_START)]),
        ("minutes", Annotated[int, Meta(description=_TRUE_LENGTH)]),
        ("queue", Annotated[str, Meta(description="Name of the queue")]),
        ("channel", Annotated[str, Meta(description="Name of the channel")]),
        *map(_field, SEQUENCE),
    ],
    frozen=True,
    gc=False,
    module=__name__,
)
_IN_SECONDS: Final = [name in COLUMNS and COLUMNS[name].unit == "ms" for name in SEQUENCE]
_counts: Final = attrgetter(*SEQUENCE)


class IntervalsRow(_Counts, frozen=True, gc=False):  # type: ignore[misc, call-arg] # made from the columns
    """One interval of one queue and channel. answered + abandoned + left + lost + waiting = offered."""

    backlog_start: Annotated[
        int | None, Meta(description="Contacts in the queue when it began; null where that is not known")
    ]
    backlog_max: Annotated[
        int | None,
        Meta(
            description="The most contacts in the queue, of its start and the end of each minute; null: not known"
        ),
    ]
    service_level: Annotated[float | None, Meta(description="By `policy`, 0…1; null without data")]
    abandonment: Annotated[
        float | None,
        Meta(
            description="(abandoned less abandoned_short) / (offered less abandoned_short), 0…1; null without data"
        ),
    ]
    average_speed_of_answer_s: Annotated[
        float | None, Meta(description="wait_s / answered, seconds; null without data")
    ]
    average_abandon_wait_s: Annotated[
        float | None, Meta(description="abandon_wait_s / abandoned, seconds; null without data")
    ]
    average_handle_time_s: Annotated[
        float | None, Meta(description="(talk_s + hold_s + wrap_s) / handled, seconds; null without data")
    ]
    final: Annotated[bool, Meta(description="Complete, but for what comes late")]
    revision: Annotated[int, Meta(description="Numbers every change of every final row; 0 while it is open")]
    version: Annotated[
        int, Meta(description="1 when it became final, one more at each change; 0 while it is open")
    ]
    revised_at: Annotated[
        Time | None, Meta(description="When its last change was published; null while it is open")
    ]
    missing: Annotated[
        int, Meta(description="15-minute intervals in it that have begun and of which nothing is known")
    ]
    policy: Annotated[
        str, Meta(description="The named formula of the service level, with offered in place of decided")
    ]
    waits_by: Annotated[
        str, Meta(description="Waits count in the interval in which the contact was queued")
    ] = QUEUED
    handling_by: Annotated[
        str, Meta(description="Handling counts in the interval in which it was completed")
    ] = COMPLETED
    outage: Annotated[str | None, Meta(description="Why its numbers are not like those of other days")] = None


class IntervalsAnswer(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """Interval rows, a page of them."""

    at: Time
    interval: str
    tz: str
    begin: Annotated[Time | None, Meta(description="Rows begin at or after this; null with `since`")]
    end: Annotated[Time | None, Meta(description="Rows begin before this; null with `since`")]
    rows: Annotated[
        list[IntervalsRow],
        Meta(description="In the order of start, queue and channel; with `since`, of revision"),
    ]
    next: Annotated[str | None, Meta(description="Path of the next page; null: this is the last one")]
    revision: Annotated[
        int, Meta(description="What to ask for `since` next: every later change has a larger revision")
    ]


Wire = Callable[[IntervalRow], IntervalsRow]


def wired(zone: ZoneInfo, targets: Targets, policy: str | None) -> Wire:
    """Make what writes rows.

    Args:
        zone: of ``start``.
        targets: the settings in force: each queue's policy, and the outages.
        policy: a service-level policy instead of the queues' own.
    """
    policies: dict[tuple[str, str], str] = {}

    def wire(row: IntervalRow) -> IntervalsRow:
        place = row.queue, row.channel
        named = policy or policies.get(place)
        if named is None:
            named = policies[place] = targets.rule(*place).policy
        return of(row, zone, named, targets.outage(*place, row.start, row.end))

    return wire


def of(row: IntervalRow, zone: ZoneInfo, policy: str, outage: str | None) -> IntervalsRow:
    """Write a row; ``policy`` is that of its service level."""
    counts = (n / 1000 if seconds else n for n, seconds in zip(_counts(row), _IN_SECONDS, strict=True))
    return IntervalsRow(
        moment(row.start, zone).isoformat(timespec="seconds"),
        row.minutes,
        row.queue,
        row.channel,
        *counts,
        backlog_start=row.backlog_start,
        backlog_max=row.backlog_max,
        service_level=_share(service_level(row, policy)),
        abandonment=_share(_over(row.abandoned - row.abandoned_short, row.demand - row.abandoned_short)),
        average_speed_of_answer_s=_mean(row.wait_ms, row.answered),
        average_abandon_wait_s=_mean(row.abandon_wait_ms, row.abandoned),
        average_handle_time_s=_mean(row.handle_ms, row.handled),
        final=row.final,
        revision=row.revision,
        version=row.version,
        revised_at=stamp(row.revision // NUMBERS) if row.revision else None,
        missing=row.missing,
        policy=policy,
        outage=outage,
    )


def service_level(row: IntervalRow, policy: str) -> float | None:
    """By a policy's formula, over those queued in the row: each of them is decided, or will be."""
    sums = {
        "decided": row.demand,
        "answered": row.answered,
        "answered_in_target": row.answered_in_target,
        "abandoned": row.abandoned,
        "abandoned_in_target": row.abandoned_in_target,
        "abandoned_late": row.abandoned - row.abandoned_in_target,
        "abandoned_short": row.abandoned_short,
        "left_in_target": row.left_in_target,
    }
    return SERVICE_LEVELS[policy].value(sums)


def _over(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _mean(milliseconds: int, n: int) -> float | None:
    return round(milliseconds / n / 1000, 3) if n > 0 else None
