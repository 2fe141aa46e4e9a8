"""Plans as the HTTP interface sends them; types as in ``views.wire``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream_app.views.stamping import Time
from stream_app.views.wire import Problem

ExpectedContacts = Annotated[float | None, Meta(description="Forecast mean; null: no forecast for this time")]
Within80 = Annotated[int | None, Meta(description="Bound of the 80 % prediction interval, in whole contacts")]
Within95 = Annotated[int | None, Meta(description="Bound of the 95 % prediction interval, in whole contacts")]


class HandleTimeBasis(Struct, frozen=True):
    """How reliable the handle time of a plan is."""

    estimated: Annotated[
        float | None,
        Meta(
            description="Share of the handle time that was estimated from replies, not stated and not measured; null: unknown"
        ),
    ]
    too_high: Annotated[
        float | None,
        Meta(
            description="By which share such an estimate may be too high at worst, where mail waits for hours before anyone "
            "starts on it; null: nothing is estimated, or that is unknown"
        ),
    ]
    doubt: Annotated[
        str | None,
        Meta(
            description="Why this can't be what people did, and what to do; null: nothing speaks against it"
        ),
    ]


class MadeFrom(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """The rows that a forecast was made from: final rows, without outages."""

    begin: Annotated[Time, Meta(description="Start of the first")]
    end: Annotated[Time, Meta(description="End of the last")]
    intervals: int


class Backtest(Struct, frozen=True):
    """The accuracy of such forecasts up to six weeks ahead, on a rolling origin; closed times do not count."""

    origins: Annotated[
        int, Meta(description="Number of forecasts compared, each made a week before the next")
    ]
    weeks: Annotated[int, Meta(description="Number of weeks ahead with actuals to compare with, up to 6")]
    intervals: Annotated[int, Meta(description="Number of intervals compared, over all origins")]
    wape: Annotated[float | None, Meta(description="Sum of absolute errors divided by the sum of contacts")]
    seasonal_naive_wape: Annotated[
        float | None, Meta(description="The same for repeating the last known week")
    ]
    ratio: Annotated[
        float | None, Meta(description="wape divided by seasonal_naive_wape: below 1 the forecast is better")
    ]
    coverage_80: Annotated[
        float | None, Meta(description="Share of intervals whose actual was within the 80 %")
    ]
    coverage_95: Annotated[
        float | None, Meta(description="Share of intervals whose actual was within the 95 %")
    ]


class ForecastRow(Struct, frozen=True):
    """One interval."""

    start: Time
    minutes: int
    offered: ExpectedContacts
    low_80: Within80
    high_80: Within80
    low_95: Within95
    high_95: Within95
    average_handle_time_s: Annotated[float | None, Meta(description="Forecast")]
    actual: Annotated[int | None, Meta(description="Contacts offered; null until the interval is final")]
    reforecast: Annotated[
        float | None,
        Meta(description="Forecast for the rest of today adjusted by the contacts so far; null elsewhere"),
    ]
    average_handle_time_estimated: Annotated[
        float | None, Meta(description="Share of the handle time that is estimated; null: unknown")
    ]


class Forecast(Struct, frozen=True):
    """The forecast of contacts from the start of today."""

    at: Time
    queue: str
    channel: str
    tz: Annotated[str, Meta(description="The time zone of the times, and of today")]
    method: str
    made_from: MadeFrom
    backtest: Annotated[Backtest | None, Meta(description="null: the history is too short for one")]
    handle_time: HandleTimeBasis
    rows: list[ForecastRow]


class PlanAssumptions(Struct, frozen=True):
    """The assumptions of a plan."""

    answer_target_s: float
    service_level: Annotated[float | None, Meta(description="The least share to reach, by the policy")]
    policy: Annotated[str, Meta(description="The named formula of the service level")]
    short_abandon_s: float
    abandonment: Annotated[float | None, Meta(description="The highest share that may abandon; null: any")]
    occupancy_max: Annotated[
        float | None, Meta(description="The highest share of their time that agents may be busy")
    ]
    asa_max_s: Annotated[float | None, Meta(description="The longest average speed of answer; null: any")]
    shrinkage: Annotated[
        float, Meta(description="Share of scheduled time that is not available for contacts")
    ]
    patience_s: Annotated[float | None, Meta(description="Mean; null: nobody abandons")]
    concurrency: Annotated[float, Meta(description="Contacts that one agent handles at once")]
    calendar: Annotated[
        bool, Meta(description="Whether the queue has business hours; else it is always open")
    ]
    full_time_h: Annotated[float, Meta(description="Weekly hours of a full-time agent, for FTE")]


class StaffingRow(Struct, frozen=True):
    """One interval. Agents are counted on the schedule, so that after shrinkage enough are at work."""

    start: Time
    minutes: int
    offered: Annotated[float | None, Meta(description="Contacts: actual or forecast, by source")]
    average_handle_time_s: float | None
    source: Annotated[
        Literal["forecast", "actual"],
        Meta(
            description="actual: the interval is final. Otherwise the forecast, or the reforecast where there is one"
        ),
    ]
    required: Annotated[int | None, Meta(description="Agents required on the schedule; null: unknown")]
    required_at_work: Annotated[
        int | None, Meta(description="How many of them must be at work at the same time")
    ]
    staffed: Annotated[
        float | None,
        Meta(description="Agents on the schedule, mean over the interval; null: no schedule was imported"),
    ]
    gap: Annotated[float | None, Meta(description="staffed minus required: negative is understaffed")]
    service_level: Annotated[float | None, Meta(description="What the scheduled agents reach; null: unknown")]
    asa_s: Annotated[float | None, Meta(description="Likewise: average speed of answer")]
    abandonment: Annotated[
        float | None,
        Meta(
            description="Likewise: share that abandons after the short-abandon threshold; null also for deferred work"
        ),
    ]
    occupancy: Annotated[float | None, Meta(description="Likewise: share of their time spent on contacts")]
    open: Annotated[
        bool | None,
        Meta(description="Within business hours; nobody is required at other times. null: there is no plan"),
    ]
    binds: Annotated[
        str | None,
        Meta(
            description="What one agent fewer would miss: service_level, asa, abandonment, occupancy or deadline; "
            "null where nobody or only one is required"
        ),
    ]


class Staffing(Struct, frozen=True):
    """The agents that a day requires, and the service that the scheduled ones deliver."""

    at: Time
    queue: str
    channel: str
    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    tz: Annotated[str, Meta(description="The time zone of the date and the times")]
    model: Annotated[str, Meta(description="erlang-a, erlang-c or deferred")]
    assumptions: PlanAssumptions
    handle_time: HandleTimeBasis
    schedules: Annotated[
        int | None, Meta(description="Version of the imported schedule; null: none was imported")
    ]
    rows: list[StaffingRow]


class WorkloadTotal(Struct, frozen=True):
    """The total of a queue over a local day, or over the part of a week (from Monday) that is shown."""

    first: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    days: Annotated[int, Meta(description="Days with intervals")]
    offered: Annotated[float, Meta(description="Contacts, forecast or actual")]
    offered_closed: Annotated[
        float, Meta(description="Of them, outside of business hours: nobody is planned for them")
    ]
    without_plan: Annotated[int, Meta(description="Intervals without a plan; if any, the totals are null")]
    hours: Annotated[float | None, Meta(description="Agent hours required on the schedule")]
    peak: Annotated[int | None, Meta(description="The most agents required at the same time")]
    peak_at: Annotated[Time | None, Meta(description="When: start of the first such interval")]
    fte: Annotated[
        float | None,
        Meta(description="Hours divided by those of a full-time agent; null for days and part weeks"),
    ]
    scheduled_hours: Annotated[
        float | None, Meta(description="Agent hours on the schedule; null: no schedule")
    ]
    short_hours: Annotated[
        float | None, Meta(description="Agent hours missing; surplus at other times is not set off")
    ]
    short_intervals: Annotated[int | None, Meta(description="Understaffed intervals")]


class UnderstaffedRun(Struct, frozen=True):
    """Consecutive intervals in which too few are scheduled."""

    start: Time
    end: Time
    short: Annotated[float, Meta(description="The most agents missing at the same time, on the schedule")]
    worst_at: Annotated[Time, Meta(description="When: start of that interval")]
    short_hours: Annotated[float, Meta(description="Agent hours missing")]


class QueueOutlook(Struct, frozen=True):
    """The coming days of one queue and channel."""

    queue: str
    channel: str
    tz: Annotated[str, Meta(description="The time zone of the times and of the days")]
    problem: Annotated[str | None, Meta(description="Why there is no plan; null: there is one")]
    schedules: Annotated[
        int | None, Meta(description="Version of the imported schedule; null: none was imported")
    ]
    covered: Annotated[
        bool, Meta(description="Whether the schedule covers all days; gaps elsewhere are unknown")
    ]
    days: list[WorkloadTotal]
    weeks: list[WorkloadTotal]
    gaps: list[UnderstaffedRun]
    handle_time: Annotated[HandleTimeBasis | None, Meta(description="null: there is no plan")]


class Outlook(Struct, frozen=True):
    """Totals and gaps of the coming days."""

    at: Time
    days: Annotated[int, Meta(description="Local days, today is the first")]
    queues: list[QueueOutlook]
    left_off: Annotated[int, Meta(description="Queues and channels that were left off; ask for one by name")]


class TooLittleHistory(Problem, frozen=True, kw_only=True, omit_defaults=True):
    """There is no forecast yet, and how much history is missing."""

    queue: str
    channel: str
    history_days: Annotated[int, Meta(description="Local days with final rows")]
    more_days: Annotated[int | None, Meta(description="How many more days with rows are needed")] = None
