"""Plans as the HTTP interface says them; types as in ``views.wire``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream_app.views.wire import Problem, Time

Contacts = Annotated[float | None, Meta(description="A mean to expect; null: nothing is said of this time")]
Within80 = Annotated[int | None, Meta(description="Whole contacts, within: four of five end in 80 %")]
Within95 = Annotated[int | None, Meta(description="Whole contacts, within: 19 of 20 end in 95 %")]


class MadeFrom(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """The rows that a forecast was made from: final ones, and no outages."""

    begin: Annotated[Time, Meta(description="Start of the first")]
    end: Annotated[Time, Meta(description="End of the last")]
    intervals: int


class Backtest(Struct, frozen=True):
    """How good such forecasts would have been, up to six weeks ahead, on a rolling origin; closed times are not counted."""

    origins: Annotated[
        int, Meta(description="Forecasts that were compared, each made a week before the next")
    ]
    weeks: Annotated[
        int, Meta(description="So many weeks ahead there was something to compare with, up to 6")
    ]
    intervals: Annotated[int, Meta(description="That were compared, of all origins")]
    wape: Annotated[float | None, Meta(description="Sum of absolute errors over the sum of contacts")]
    seasonal_naive_wape: Annotated[float | None, Meta(description="The same of the week before")]
    ratio: Annotated[float | None, Meta(description="The one over the other: below 1 is better")]
    coverage_80: Annotated[float | None, Meta(description="Share of intervals that ended within the 80 %")]
    coverage_95: Annotated[float | None, Meta(description="Share of intervals that ended within the 95 %")]


class ForecastRow(Struct, frozen=True):
    """One interval."""

    start: Time
    minutes: int
    offered: Contacts
    low_80: Within80
    high_80: Within80
    low_95: Within95
    high_95: Within95
    average_handle_time_s: Annotated[float | None, Meta(description="To expect")]
    actual: Annotated[int | None, Meta(description="Contacts that came; null until the interval is final")]
    reforecast: Annotated[
        float | None, Meta(description="Of the rest of today, by what came so far; null elsewhere")
    ]


class Forecast(Struct, frozen=True):
    """Contacts to expect, from the start of today on."""

    at: Time
    queue: str
    channel: str
    tz: Annotated[str, Meta(description="The zone of the times, and of today")]
    method: str
    made_from: MadeFrom
    backtest: Annotated[Backtest | None, Meta(description="null: the history is too short to tell")]
    rows: list[ForecastRow]


class Assumptions(Struct, frozen=True):
    """What a plan rests on."""

    answer_target_s: float
    service_level: Annotated[float | None, Meta(description="At least this share, by the policy")]
    policy: Annotated[str, Meta(description="The named formula of the service level")]
    short_abandon_s: float
    abandonment: Annotated[float | None, Meta(description="At most this share gives up; null: any")]
    occupancy_max: Annotated[float | None, Meta(description="People are busy for at most this share")]
    shrinkage: Annotated[float, Meta(description="Share of scheduled time that is not work on contacts")]
    patience_s: Annotated[float | None, Meta(description="Mean; null: nobody gives up")]
    concurrency: Annotated[float, Meta(description="Contacts that one person handles at once")]


class StaffingRow(Struct, frozen=True):
    """One interval. People are on the roster, so that with shrinkage enough are at work."""

    start: Time
    minutes: int
    offered: Annotated[float | None, Meta(description="That came, or are expected")]
    average_handle_time_s: float | None
    source: Annotated[
        Literal["forecast", "actual"],
        Meta(
            description="actual: the interval is final. Else forecast, by what came so far where that is known"
        ),
    ]
    required: Annotated[int | None, Meta(description="People to be on the roster; null: not known")]
    required_at_work: Annotated[int | None, Meta(description="Of these, at work at the same time")]
    staffed: Annotated[
        float | None,
        Meta(description="People on the roster, mean over the interval; null: none was imported"),
    ]
    gap: Annotated[float | None, Meta(description="staffed less required: too few is negative")]
    service_level: Annotated[float | None, Meta(description="What those scheduled reach; null: not known")]
    asa_s: Annotated[float | None, Meta(description="The same: mean wait of the answered")]
    abandonment: Annotated[
        float | None,
        Meta(
            description="The same: share that gives up after the short threshold; null also for work that waits"
        ),
    ]
    occupancy: Annotated[float | None, Meta(description="The same: share of their time that is handling")]


class Staffing(Struct, frozen=True):
    """People whom a day needs, and what those scheduled reach."""

    at: Time
    queue: str
    channel: str
    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    tz: Annotated[str, Meta(description="The zone of the date and the times")]
    model: Annotated[str, Meta(description="erlang-a, erlang-c or deferred")]
    assumptions: Assumptions
    schedules: Annotated[int | None, Meta(description="Version of the imported roster; null: there is none")]
    rows: list[StaffingRow]


class TooLittleHistory(Problem, frozen=True, kw_only=True, omit_defaults=True):
    """There is no forecast yet, and what it takes."""

    queue: str
    channel: str
    history_days: Annotated[int, Meta(description="Local days of which there are final rows")]
    more_days: Annotated[int | None, Meta(description="Days with rows that are still needed")] = None
