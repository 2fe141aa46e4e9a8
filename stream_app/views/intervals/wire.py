"""An interval row as it is written, in every format that is ours. The order of the fields is that of CSV's columns.

Counts are contacts, times seconds with all of their milliseconds, ratios 0…1, and ``null`` is "no data". What is summed up has
no policy in it but the thresholds under which the contacts were queued. The service level has a named one, over the row's own
contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import NUMBERS
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.views.wire import Time, stamp

from .spans import moment

QUEUED: Final = "queued"
COMPLETED: Final = "completed"

Seconds = Annotated[float, Meta(description="Seconds, summed up")]
Mean = Annotated[float | None, Meta(description="Seconds, mean; null without data")]
Share = Annotated[float | None, Meta(description="0…1; null without data")]
Depth = Annotated[int | None, Meta(description="Contacts in the queue; null where that is not known")]


class IntervalsRow(Struct, frozen=True, gc=False):
    """One interval of one queue and channel. answered + abandoned + left + lost + waiting = offered."""

    start: Time
    minutes: Annotated[
        int, Meta(description="Its true length: 1380 and 1500 too, for days on which clocks change")
    ]
    queue: str
    channel: str
    offered: Annotated[int, Meta(description="Contacts queued in it")]
    answered: Annotated[int, Meta(description="Of these, answered, whenever that was")]
    answered_in_target: Annotated[int, Meta(description="Of these, within the answer target")]
    abandoned: Annotated[int, Meta(description="Of those offered, gave up")]
    abandoned_in_target: Annotated[int, Meta(description="Of these, within the answer target")]
    abandoned_short: Annotated[
        int, Meta(description="Of those who gave up, within the short-abandon threshold")
    ]
    left: Annotated[
        int, Meta(description="Of those offered, left the queue by another way: a transfer, a callback")
    ]
    left_in_target: Annotated[int, Meta(description="Of these, within the answer target")]
    lost: Annotated[int, Meta(description="Of those offered, whose end was never told")]
    waiting: Annotated[int, Meta(description="Of those offered, still in the queue")]
    refused: Annotated[int, Meta(description="Contacts that never got in")]
    handled: Annotated[int, Meta(description="Contacts whose work was completed in it")]
    talk_s: Seconds
    hold_s: Seconds
    wrap_s: Seconds
    wait_s: Annotated[float, Meta(description="Waits of those answered, seconds, summed up")]
    abandon_wait_s: Annotated[float, Meta(description="Waits of those who gave up, seconds, summed up")]
    longest_wait_s: Annotated[
        float, Meta(description="The longest wait that is over of a contact queued in it")
    ]
    backlog_start: Depth
    backlog_max: Depth
    service_level: Share
    abandonment: Share
    average_speed_of_answer_s: Mean
    average_abandon_wait_s: Mean
    average_handle_time_s: Mean
    final: Annotated[bool, Meta(description="Complete, but for what comes late")]
    revision: Annotated[int, Meta(description="Numbers every change of every final row; 0 while it is open")]
    version: Annotated[
        int, Meta(description="1 when it became final, one more at each change; 0 while it is open")
    ]
    revised_at: Annotated[
        Time | None, Meta(description="When its last change was published; null while it is open")
    ]
    missing: Annotated[
        int, Meta(description="Quarters of an hour in it that have begun and of which nothing is known")
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
    """What writes rows.

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
    """A row as it is written; ``policy`` is that of its service level."""
    return IntervalsRow(
        start=moment(row.start, zone).isoformat(timespec="seconds"),
        minutes=row.minutes,
        queue=row.queue,
        channel=row.channel,
        offered=row.offered,
        answered=row.answered,
        answered_in_target=row.answered_in_target,
        abandoned=row.abandoned,
        abandoned_in_target=row.abandoned_in_target,
        abandoned_short=row.abandoned_short,
        left=row.left,
        left_in_target=row.left_in_target,
        lost=row.lost,
        waiting=row.waiting,
        refused=row.refused,
        handled=row.handled,
        talk_s=row.talk_ms / 1000,
        hold_s=row.hold_ms / 1000,
        wrap_s=row.wrap_ms / 1000,
        wait_s=row.wait_ms / 1000,
        abandon_wait_s=row.abandon_wait_ms / 1000,
        longest_wait_s=row.longest_wait_ms / 1000,
        backlog_start=row.backlog_start,
        backlog_max=row.backlog_max,
        service_level=_share(service_level(row, policy)),
        abandonment=_share(_over(row.abandoned - row.abandoned_short, row.offered - row.abandoned_short)),
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
        "decided": row.offered,
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
