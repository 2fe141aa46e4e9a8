"""The interface that makes plans, and the errors with which it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.model.events import QueueChannel

from . import wire


class Gauges(Struct, frozen=True):
    """The plan for the current 15-minute interval; ``None``: unknown.

    Attributes:
        forecast: contacts in the whole interval.
        required: agents required on the schedule.
        staffed: agents on the imported schedule, mean over the interval.
        at_work: agents required at work at the same time.
    """

    forecast: float | None = None
    required: int | None = None
    staffed: float | None = None
    at_work: int | None = None


class PlanError(Exception):
    """There is no answer; the text gives the reason, for people."""


class BadQuestionError(PlanError):
    """A parameter has an invalid value.

    Attributes:
        parameter: its name.
        allowed: its valid values, if these are few.
    """

    def __init__(self, parameter: str, detail: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.allowed = list(allowed)


class TooLittleHistoryError(PlanError):
    """The history is too short for a forecast.

    Attributes:
        place: its queue and channel.
        days: local days of which there are rows.
        more_days: how many more are needed; ``None``: more days alone don't help, because no contact ever arrived.
    """

    def __init__(self, place: QueueChannel, detail: str, days: int, more_days: int | None) -> None:
        super().__init__(detail)
        self.place, self.days, self.more_days = place, days, more_days


class NoPlanError(PlanError):
    """The targets require what no number of agents can reach."""


class NotInstalledError(PlanError):
    """The optional extra that computes it is not installed; the text says how to install it."""


class BusyError(PlanError):
    """Not now: the store is unavailable, too many requests are waiting, or the computation failed. Try again."""


class Planner(Protocol):
    """A source of plans. Answers are kept, so that asking again costs little."""

    async def forecast(self, place: QueueChannel, days: int, zone: ZoneInfo | None) -> wire.Forecast:
        """Forecast contacts from the start of today.

        Args:
            place: the queue and channel.
            days: local days, today is the first.
            zone: the time zone of days and times; ``None``: the queue's own.

        Raises:
            PlanError: one of the above.
        """
        ...

    async def staffing(self, place: QueueChannel, day: date | None, zone: ZoneInfo | None) -> wire.Staffing:
        """Compute the agents that a day requires, and the service that the scheduled ones deliver.

        Args:
            place: the queue and channel.
            day: a local date; ``None``: today.
            zone: as above.

        Raises:
            PlanError: one of the above.
        """
        ...

    async def outlook(self, places: Sequence[QueueChannel], days: int, zone: ZoneInfo | None) -> wire.Outlook:
        """Total the coming days of queues, and list where too few are scheduled. Too little history of one is in its answer.

        Args:
            places: queues and channels; of too many, the first.
            days: local days, today is the first.
            zone: as above.

        Raises:
            PlanError: one of the above.
        """
        ...

    def channels(self, queue: str) -> list[str]:
        """Return the known channels of a queue; none if the queue is unknown."""
        ...

    def queues(self) -> list[str]:
        """Return all known queues."""
        ...

    def gauges(self) -> Mapping[QueueChannel, Gauges]:
        """Return what was computed for the current 15-minute interval; nothing is computed now."""
        ...
