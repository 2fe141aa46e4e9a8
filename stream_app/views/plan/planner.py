"""Who is asked for plans, and in which words it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from . import wire

Place = tuple[str, str]
"""Queue and channel."""


class Gauges(Struct, frozen=True):
    """What the running quarter of an hour should look like; ``None``: not known.

    Attributes:
        forecast: contacts in the whole of it.
        required: people on the roster.
        staffed: people on the imported roster, mean over it.
    """

    forecast: float | None = None
    required: int | None = None
    staffed: float | None = None


class PlanError(Exception):
    """There is no answer; the text says why, for people."""


class BadQuestionError(PlanError):
    """A parameter has a value that it can't have.

    Attributes:
        parameter: its name.
        allowed: values that it may have, if these are few.
    """

    def __init__(self, parameter: str, detail: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.allowed = list(allowed)


class TooLittleHistoryError(PlanError):
    """The history can't carry a forecast yet.

    Attributes:
        place: whose.
        days: local days of which there are rows.
        more_days: so many more are needed; ``None``: days alone don't help, for nobody ever came.
    """

    def __init__(self, place: Place, detail: str, days: int, more_days: int | None) -> None:
        super().__init__(detail)
        self.place, self.days, self.more_days = place, days, more_days


class NoPlanError(PlanError):
    """The settings ask for what no number of people reaches."""


class NotInstalledError(PlanError):
    """What computes it is an optional extra, and not here; the text says how to install it."""


class BusyError(PlanError):
    """Not now: the store is away, too many wait, or the computation failed. Ask again."""


class Planner(Protocol):
    """Makes plans. Answers are kept, so that asking again costs little."""

    async def forecast(self, place: Place, days: int, zone: ZoneInfo | None) -> wire.Forecast:
        """Contacts to expect, from the start of today on.

        Args:
            place: whose.
            days: local days, today is the first.
            zone: in which days begin and times are said; ``None``: the queue's own.

        Raises:
            PlanError: one of the above.
        """
        ...

    async def staffing(self, place: Place, day: date | None, zone: ZoneInfo | None) -> wire.Staffing:
        """People whom a day needs, and what those scheduled reach.

        Args:
            place: whose.
            day: a local date; ``None``: today.
            zone: as above.

        Raises:
            PlanError: one of the above.
        """
        ...

    def channels(self, queue: str) -> list[str]:
        """The channels of a queue that are known; none: nobody knows the queue."""
        ...

    def queues(self) -> list[str]:
        """All queues that are known."""
        ...

    def gauges(self) -> Mapping[Place, Gauges]:
        """What was computed for the running quarter of an hour; it is not computed now."""
        ...
