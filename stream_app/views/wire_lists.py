"""Lists of contacts, and the last hours, as the HTTP interface says them; types as in ``wire``."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model import running as lists, trend as trends
from stream_app.model.visit import State

from .status import Status
from .wire import Some, Time, stamp, tenths

SHORT: Final = ("yes", "no")
"""Whether short abandonments are wanted in the list."""


class AtRiskContact(Struct, frozen=True):
    """An open contact whose predicted satisfaction is below its queue's limit."""

    contact_id: str
    queue: str
    channel: str
    predicted_csat: Annotated[float, Meta(description="1 to 5")]
    since: Time
    state: Annotated[str, Meta(description="waiting, talking, held or wrapping")]
    agent: str | None


class AtRisk(Struct, frozen=True):
    """Contacts at risk now, the worst first."""

    at: Time
    age_s: Annotated[float | None, Meta(description="How far behind the truth; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    contacts: list[AtRiskContact]
    total: Annotated[int, Meta(description="How many there are")]


class AbandonedContact(Struct, frozen=True):
    """A contact that gave up and did not come back to the same visit."""

    contact_id: str
    queue: str
    channel: str
    abandoned_at: Time
    waited_s: Annotated[float, Meta(description="How long it had waited")]
    short: Annotated[bool, Meta(description="Within the short-abandon threshold")]


class Abandoned(Struct, frozen=True):
    """Who gave up within the last hour, the newest first."""

    at: Time
    age_s: Annotated[float | None, Meta(description="How far behind the truth; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    contacts: Annotated[list[AbandonedContact], Meta(description="The newest 200 at most")]
    total: Annotated[int, Meta(description="How many there are, with those that the list has no room for")]
    short: Annotated[
        int, Meta(description="How many of those in these queues were short, left out of the list or not")
    ]


class TrendLine(Struct, frozen=True):
    """A KPI's steps, oldest first."""

    values: Annotated[list[float | None], Meta(description="In the KPI's unit; null without data")]
    samples: Annotated[list[int], Meta(description="The denominators; a level has none")] | UnsetType = UNSET


class TrendRow(Struct, frozen=True):
    """One queue and channel."""

    queue: str
    channel: str
    kpis: Annotated[dict[str, TrendLine], Meta(description="KPI → its steps")]


class Trend(Struct, frozen=True):
    """The last six hours by quarters of an hour; the last step is the one that runs."""

    at: Time
    age_s: Annotated[float | None, Meta(description="How far behind the truth; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    starts: Annotated[list[Time], Meta(description="When each step began; levels are those of its end")]
    rows: list[TrendRow]


def at_risk(at: int, status: Status, contacts: list[lists.AtRisk]) -> AtRisk:
    """The whole list."""
    found = [
        AtRiskContact(
            one.contact,
            one.queue,
            one.channel,
            one.predicted / 1000,
            stamp(one.queued_at),
            State(one.state).name.lower(),
            one.agent,
        )
        for one in contacts
    ]
    return AtRisk(stamp(at), tenths(status.age_s), status.stale, found, len(found))


def abandoned(at: int, status: Status, contacts: list[lists.GaveUp], total: int, short: int) -> Abandoned:
    """The list, and how many there are beyond it."""
    found = [
        AbandonedContact(one.contact, one.queue, one.channel, stamp(one.at), one.waited / 1000, one.short)
        for one in contacts
    ]
    return Abandoned(stamp(at), tenths(status.age_s), status.stale, found, total, short)


def trend_row(row: trends.TrendRow, only: Some = None) -> TrendRow:
    """A row, with all KPIs or some; four decimals are more than a line can show."""
    return TrendRow(
        row.queue,
        row.channel,
        {
            name: TrendLine(
                [None if value is None else round(value, 4) for value in line.values],
                UNSET if line.samples is None else line.samples,
            )
            for name, line in row.lines.items()
            if only is None or name in only
        },
    )


def trend(at: int, status: Status, starts: list[int], rows: list[TrendRow]) -> Trend:
    """The whole answer."""
    return Trend(stamp(at), tenths(status.age_s), status.stale, [stamp(start) for start in starts], rows)
