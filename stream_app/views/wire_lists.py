"""Lists of contacts, the last hours, and the dictionary of KPIs, as the HTTP interface sends them; types as in ``wire``."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model import kpis
from stream_app.model.fold.visit import VisitState
from stream_app.model.kpis.bands import BANDS, Bands
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Choice
from stream_app.model.ledger_numbers import LEDGER_WINDOWS
from stream_app.model.live import running as lists, trend as trends
from stream_app.model.live.callbacks import Callbacks, Taken
from stream_app.model.live.next_wait import InLine

from . import dictionary
from .stamping import Time, stamp
from .status import Status
from .wire import CARRIED, Some, tenths
from .wire_agents import NextWait, next_wait

SHORT: Final = ("yes", "no")
"""Whether the list should include short abandonments."""


class WaitingContact(Struct, frozen=True):
    """A contact that waits."""

    contact_id: str
    queue: str
    channel: str
    since: Time
    place: Annotated[
        int, Meta(description="Its place in line: 1 is next. Channels that agents share have one line")
    ]
    wait: Annotated[NextWait | None, Meta(description="How long it has yet to wait; null: it is not known")]
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")] = None


class WaitingList(Struct, frozen=True):
    """Contacts that wait now, line by line, who came first first."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    contacts: list[WaitingContact]
    total: Annotated[int, Meta(description="Number of contacts")]


class AtRiskContact(Struct, frozen=True):
    """An open contact whose predicted satisfaction is below its queue's limit."""

    contact_id: str
    queue: str
    channel: str
    predicted_csat: Annotated[float, Meta(description="1 to 5")]
    since: Time
    state: Annotated[str, Meta(description="waiting, talking, held or wrapping")]
    agent: str | None
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")] = None


class AtRiskList(Struct, frozen=True):
    """Contacts at risk now, worst first."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    contacts: list[AtRiskContact]
    total: Annotated[int, Meta(description="Number of contacts")]


class TakenBy(Struct, frozen=True):
    """Somebody calls a contact back."""

    by: Annotated[str, Meta(description="The name that somebody typed")]
    at: Time


class TakenAnswer(Struct, frozen=True):
    """Who calls the contact back now; null: nobody."""

    taken: TakenBy | None


class AbandonedContact(Struct, frozen=True):
    """A contact that abandoned and did not return to the same visit."""

    contact_id: str
    queue: str
    channel: str
    abandoned_at: Time
    waited_s: Annotated[float, Meta(description="How long it waited")]
    short: Annotated[bool, Meta(description="Within the short-abandon threshold")]
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")] = None
    taken: Annotated[
        TakenBy | None, Meta(description="Who calls it back; null: nobody, as far as is known")
    ] = None


class AbandonedList(Struct, frozen=True):
    """Contacts abandoned within the last hour, newest first."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    contacts: Annotated[list[AbandonedContact], Meta(description="The newest, 200 at most")]
    total: Annotated[int, Meta(description="Number of contacts, including those beyond the list's 200")]
    short: Annotated[
        int, Meta(description="Number of short abandonments in these queues, in the list or not")
    ]
    takes: Annotated[bool, Meta(description="Whether /v1/abandoned/taken is answered")] = False


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
    """The last six hours by 15-minute interval; the last step is the current interval."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    starts: Annotated[list[Time], Meta(description="Start of each step; levels are as of its end")]
    rows: list[TrendRow]


Link = Callable[[str], str | None]
"""Contact → its address in the platform."""


def taken_by(taken: Taken | None) -> TakenBy | None:
    """Say who calls a contact back."""
    return TakenBy(taken.by, stamp(taken.at)) if taken else None


def waiting_contact(one: InLine, url: str | None = None) -> WaitingContact:
    """Make the entry of a contact that waits."""
    wait = None if one.wait is None else next_wait(one.wait)
    return WaitingContact(one.contact, one.queue, one.channel, stamp(one.queued_at), one.place, wait, url)


def waiting(at: int, status: Status, total: int) -> WaitingList:
    """Make the list without its contacts."""
    return WaitingList(stamp(at), tenths(status.age_s), status.stale, [], total)


def at_risk_contact(one: lists.AtRisk, url: str | None = None) -> AtRiskContact:
    """Make the entry of a contact at risk."""
    return AtRiskContact(
        one.contact,
        one.queue,
        one.channel,
        one.predicted / 1000,
        stamp(one.queued_at),
        VisitState(one.state).name.lower(),
        one.agent,
        url,
    )


def at_risk(at: int, status: Status, total: int) -> AtRiskList:
    """Make the list without its contacts."""
    return AtRiskList(stamp(at), tenths(status.age_s), status.stale, [], total)


def abandoned(
    at: int,
    status: Status,
    contacts: list[lists.GaveUp],
    *,
    total: int,
    short: int,
    link: Link,
    callbacks: Callbacks,
) -> AbandonedList:
    """Make the list, and count the contacts beyond it."""
    found = [
        AbandonedContact(
            one.contact,
            one.queue,
            one.channel,
            stamp(one.at),
            one.waited / 1000,
            one.short,
            link(one.contact),
            taken_by(callbacks.taken(one.contact, one.at)),
        )
        for one in contacts
    ]
    age = tenths(status.age_s)
    return AbandonedList(stamp(at), age, status.stale, found, total, short, callbacks.takes)


def trend_row(row: trends.QueueTrend, only: Some = None) -> TrendRow:
    """Make a row with all KPIs or some; four decimals are more than a line can show."""
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
    """Make the whole answer."""
    return Trend(stamp(at), tenths(status.age_s), status.stale, [stamp(start) for start in starts], rows)


class KpiEntry(Struct, frozen=True, kw_only=True):
    """One KPI of the dictionary."""

    name: str
    title: str
    doc: str
    formula: str
    unit: Annotated[str, Meta(description="ratio (1 is 100 %), seconds, contacts, points, score or amount")]
    better: Annotated[str, Meta(description="higher or lower")]
    target: Annotated[
        float | dict[str, float] | None, Meta(description='Default; if by channel, "" is all other channels')
    ]
    tolerance: Annotated[float | None, Meta(description="How far past the target still counts as near it")]
    tolerance_relative: Annotated[bool, Meta(description="The tolerance is a share of the target")]
    tier: str
    leading: bool
    source: str
    pairs: Annotated[list[str], Meta(description="KPIs to read with it")]
    bands: Annotated[
        Bands | None, Meta(description="What is average, good and world class, of all industries together")
    ] = None
    misleads: Annotated[str, Meta(description="How it is easily misread")]
    level: Annotated[bool, Meta(description="A current value, without a window")]
    headline: Annotated[bool, Meta(description="One of the few to look at first")]
    headline_written: Annotated[
        bool, Meta(description="One of the few to look at first in channels in which people write")
    ]
    carried: Annotated[bool, Meta(description="The stream has it: it has only what is looked at first")]
    twin: Annotated[
        str | None,
        Meta(description="The same by business hours: it has the target where a queue promised these"),
    ]
    windows: Annotated[list[str], Meta(description="Windows of the metrics; the API has all of them")]
    policies: Annotated[
        dict[str, str], Meta(description="Where a queue's policy names the formula: policy → formula")
    ] = {}
    ledger: Annotated[
        bool,
        Meta(description="It is computed from the ledger: /v1/ledger and /v1/history have it, not /v1/now"),
    ] = False


def kpi_entries() -> list[KpiEntry]:
    """Return the dictionary."""
    return [*map(_kpi_entry, kpis.KPIS), *map(_ledger_entry, FROM_LEDGER)]


def _ledger_entry(kpi: FromLedger) -> KpiEntry:
    known: dict[str, Any] = dictionary.ledger_entry(kpi)
    return KpiEntry(
        **known,
        doc=kpi.doc,
        misleads=kpi.misleads,
        tolerance=None,
        tolerance_relative=False,
        level=kpi.is_level,
        headline=False,
        headline_written=False,
        carried=False,
        twin=None,
        windows=[] if kpi.is_level else [*LEDGER_WINDOWS],
        policies={
            name: dictionary.formula(measure) for name, measure in kpi.measures.items() if kpi.policies
        },
        ledger=True,
    )


def _kpi_entry(kpi: Kpi) -> KpiEntry:
    known: dict[str, Any] = dictionary.entry(kpi) | {"bands": BANDS.get(kpi.name)}
    return KpiEntry(
        **known,
        doc=kpi.doc,
        misleads=kpi.misleads,
        tolerance=kpi.threshold.tolerance if kpi.threshold else None,
        tolerance_relative=bool(kpi.threshold and kpi.threshold.relative),
        level=kpi.is_level,
        headline=kpi.headline,
        headline_written=kpi.headline_written,
        carried=kpi.name in CARRIED,
        twin=kpi.twin,
        windows=list(kpi.windows),
        policies=_policies(kpi),
    )


def _policies(kpi: Kpi) -> dict[str, str]:
    if not isinstance(kpi.measure, Choice):
        return {}
    return {name: dictionary.formula(ratio) for name, ratio in kpi.measure.options.items()}
