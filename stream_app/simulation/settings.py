"""The settings of a simulated contact centre: plain data, followed to the letter.

Durations are seconds, rates contacts per hour, shares 0…1, hours those of the centre's own clock, which is UTC +
``clock_offset_s``.
"""

import math
from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct, structs

from stream_app.errors import BadSettingsError
from stream_app.model.durations import DAY, HOUR

from .habits import PUNCTUAL, Habits
from .writing import PLAIN, Writing, weekday

HOLIDAY_CLOSED: Final = 0.05
"""The share of a queue's contacts that come on a holiday, to find it closed."""
HOLIDAY_OPEN: Final = 0.5
FLAT: Final = (1.0,) * 24
"""The same rate day and night."""

LETTERS: Final = frozenset({"email", "messaging", "social"})
"""Channels in which nobody waits for the next message in front of the screen."""

Draw = Callable[[], int]
"""Draws one duration in milliseconds, at least 1."""


class Duration(Struct, frozen=True):
    """A lognormal duration.

    Attributes:
        mean_s: its mean, which a long run's average approaches.
        cv: standard deviation / mean; 0 is a constant.
    """

    mean_s: float
    cv: float = 0.8

    def draw(self, rng: Random) -> Draw:
        """Return a source of such durations, in milliseconds."""
        variance = math.log1p(self.cv**2)
        mu, sigma = math.log(self.mean_s * 1000) - variance / 2, math.sqrt(variance)
        gauss, exp = rng.gauss, math.exp
        return lambda: int(exp(gauss(mu, sigma)) + 0.5) or 1


class Patience(Struct, frozen=True):
    """How long a customer waits before giving up: Weibull.

    Attributes:
        mean_s: its mean.
        shape: 1 is exponential (equally likely to give up in every second); above 1 the urge grows with the wait.
    """

    mean_s: float
    shape: float = 1.0

    def draw(self, rng: Random) -> Draw:
        """Return a source of such durations, in milliseconds."""
        inverse = 1 / self.shape
        scale = self.mean_s * 1000 / math.gamma(1 + inverse)
        random, log = rng.random, math.log
        if self.shape == 1.0:
            return lambda: int(-log(1 - random()) * scale) or 1
        return lambda: int((-log(1 - random())) ** inverse * scale) or 1


class After(Struct, frozen=True):
    """The events around a handled contact, as shares of handled contacts.

    Attributes:
        survey: the customer answers a survey, some minutes later.
        sentiment: the sentiment is scored, in the middle of the conversation and after it.
        quality: a reviewer scores it, some minutes later.
        case: the issue is resolved (a tenth of the others is escalated).
        reopened: a resolved case is reopened, an hour or so later.
        sale: a sale is recorded.
        sale_mean: its mean amount, in euros.
    """

    survey: float = 0.12
    sentiment: float = 0.2
    quality: float = 0.02
    case: float = 0.5
    reopened: float = 0.03
    sale: float = 0.0
    sale_mean: float = 60.0

    @property
    def events(self) -> float:
        """The mean number of events that follow a handled contact."""
        case = self.case * (1 + self.reopened) + (1 - self.case) * ESCALATED
        surveys = self.survey * (1 + ASKED_PER_ANSWER)
        return surveys + self.sentiment + self.quality + self.sale + case


ESCALATED: Final = 0.1
"""The share of unresolved issues that is escalated to the next tier."""
ASKED_PER_ANSWER: Final = 4
"""How many surveys are sent for one that is answered."""
NOTHING_AFTER: Final = After(0, 0, 0, 0, 0, 0)


class QueueSettings(Struct, frozen=True, kw_only=True):
    """One queue on one channel, with agents of its own.

    Attributes:
        per_hour: arrivals where the curve is 1.
        curve: 24 weights: the rate at each full hour, interpolated linearly.
        week: 7 weights, Monday first: the rate of a whole day, and the share of the agents who come.
        noise: standard deviation of a slow random factor on the rate; 0 is pure Poisson.
        staff: 24 numbers: agents wanted at work in each hour.
        longest_shift_h: after this long an agent is relieved by another; 24 is never.
        break_s: each agent's break, around the middle of the shift; 0 is none.
        habits: how agents keep to their shifts.
        at_once: contacts that an agent handles at the same time.
        rests: weekdays, Monday 0, on which nobody works; who writes then waits.
        opens: the hour at which the queue opens; contacts at other times are blocked (``None``: always open).
        closes: the hour at which it closes.
        room: waiting places; further contacts are blocked as ``full``; ``None`` is no limit.
        talk: time in conversation, holds excluded.
        hold_share: share of conversations with a hold.
        hold: the length of a hold.
        wrap: wrap-up time; capped at 25 minutes.
        patience: ``None``: customers never give up.
        longest_wait_s: after this wait the contact is asked to leave a message.
        callback_after_s: when waiting contacts are offered a callback; ``callback_share`` of them accept.
        missed_share: share of offers that the agent does not take (ring no answer).
        transfer_share: share of conversations that end in a transfer to one of ``transfer_to``.
        bot_share: share of contacts that talk to a bot first, for ``bot`` seconds; it resolves ``bot_settles`` of them.
        messages: mean number of messages after the first reply; 0 where the channel has none.
        writing: what else happens in written channels.
    """

    name: str
    channel: str
    per_hour: float
    curve: tuple[float, ...] = FLAT
    week: tuple[float, ...] = (1.0,) * 7
    noise: float = 0.0
    staff: tuple[int, ...] = (1,) * 24
    longest_shift_h: int = 24
    break_s: float = 0.0
    habits: Habits = PUNCTUAL
    at_once: int = 1
    rests: tuple[int, ...] = ()
    opens: int | None = None
    closes: int | None = None
    room: int | None = None
    talk: Duration = Duration(240.0)
    hold_share: float = 0.0
    hold: Duration = Duration(45.0)
    wrap: Duration = Duration(45.0, 0.5)
    patience: Patience | None = Patience(180.0)
    longest_wait_s: float | None = None
    callback_after_s: float | None = None
    callback_share: float = 0.0
    missed_share: float = 0.0
    transfer_share: float = 0.0
    transfer_to: tuple[str, ...] = ()
    bot_share: float = 0.0
    bot_settles: float = 0.0
    bot: Duration = Duration(12.0, 0.4)
    messages: float = 0.0
    writing: Writing = PLAIN
    after: After = NOTHING_AFTER

    @property
    def handle_s(self) -> float:
        """The handle time that a long run's average approaches: talk + hold + wrap."""
        return self.talk.mean_s + self.hold_share * self.hold.mean_s + self.wrap.mean_s

    @property
    def by_message(self) -> bool:
        """Whether the channel uses messages."""
        return self.channel != "voice"

    @property
    def by_replies(self) -> bool:
        """Whether messages tell the work: nobody sits in front of one conversation for as long as it lasts."""
        return self.channel in LETTERS

    def weight(self, ms_of_day: int) -> float:
        """Return the curve at a time of day."""
        hour, rest = divmod(ms_of_day % DAY, HOUR)
        here, there = self.curve[hour], self.curve[(hour + 1) % 24]
        return here + (there - here) * rest / HOUR

    def of_day(self, day: int, *, holiday: bool) -> float:
        """Return the weight of a day, counted from 1970-01-01. On holidays only queues that are always open have contacts."""
        if holiday:
            return HOLIDAY_CLOSED if self.opens is not None else HOLIDAY_OPEN
        return self.week[weekday(day)]

    @property
    def hours(self) -> tuple[int, int] | None:
        """The opening hours; of work that can wait, the hours in which it is done. ``None``: day and night."""
        if self.opens is not None and self.closes is not None:
            return self.opens, self.closes
        at_work = [hour for hour, count in enumerate(self.staff) if count]
        if self.patience is None and 0 < len(at_work) < 24:
            return at_work[0], at_work[-1] + 1
        return None

    def is_open(self, ms_of_day: int) -> bool:
        """Return whether contacts are let in at a time of day."""
        if self.opens is None or self.closes is None:
            return True
        return self.opens * HOUR <= ms_of_day % DAY < self.closes * HOUR

    def check(self) -> None:
        """Refuse settings that can't be simulated.

        Raises:
            BadSettingsError: one line that names the queue and the field.
        """
        shares = (
            "hold_share",
            "callback_share",
            "missed_share",
            "transfer_share",
            "bot_share",
            "bot_settles",
        )
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise BadSettingsError(
                    f"queue {self.name}: {name}: expected 0 to 1, got {getattr(self, name)}"
                )
        self._check_writing()
        if wrong := self.habits.wrong():
            raise BadSettingsError(
                f"queue {self.name}: habits.{wrong}: expected shares from 0 to 1 and seconds of 0 or more,"
                f" got {getattr(self.habits, wrong)}"
            )
        if len(self.curve) != 24 or min(self.curve) < 0 or not math.isfinite(sum(self.curve)):
            raise BadSettingsError(f"queue {self.name}: curve: expected 24 finite, non-negative weights")
        if len(self.week) != 7 or min(self.week) < 0 or not math.isfinite(sum(self.week)):
            raise BadSettingsError(f"queue {self.name}: week: expected 7 finite, non-negative weights")
        if len(self.staff) != 24 or min(self.staff) < 0:
            raise BadSettingsError(f"queue {self.name}: staff: expected 24 non-negative numbers")
        if not 1 <= self.longest_shift_h <= 24 or self.at_once < 1 or self.per_hour < 0:
            raise BadSettingsError(
                f"queue {self.name}: expected longest_shift_h from 1 to 24, at_once ≥ 1 and per_hour ≥ 0"
            )
        if self.transfer_share == 1 or (self.transfer_share and not self.transfer_to):
            raise BadSettingsError(
                f"queue {self.name}: expected transfer_share below 1, and transfer_to if it is above 0"
            )

    def _check_writing(self) -> None:
        if self.by_message and self.hold_share:
            raise BadSettingsError(f"queue {self.name}: hold_share: only calls are held; use writing.pending")
        if self.bot_share and self.channel in ("voice", "email"):
            raise BadSettingsError(
                f"queue {self.name}: bot_share: no bot talks in {self.channel}; use chat or messaging"
            )
        if (wrong := self.writing.wrong()) or (not self.by_message and self.writing != PLAIN):
            raise BadSettingsError(
                f"queue {self.name}: writing{f'.{wrong}' if wrong else ''}: expected shares from 0 to 1, returns below 1 and"
                " pending_s above 0, in written channels only"
            )


class CentreSettings(Struct, frozen=True):
    """A contact centre.

    Attributes:
        queues: its queues; (name, channel) is unique, and a name can be a transfer's target.
        clock_offset_s: the centre's clock minus UTC.
        customers: the number of different customers.
        presence: whether agents report when they come, take a break and leave.
        holidays: days of the centre's clock, counted from 1970-01-01, on which queues with opening hours are closed.
    """

    queues: tuple[QueueSettings, ...]
    clock_offset_s: int = 0
    customers: int = 200_000
    presence: bool = True
    holidays: frozenset[int] = frozenset()

    def check(self) -> None:
        """Refuse settings that can't be simulated.

        Raises:
            BadSettingsError: one line that names the place.
        """
        places = {(queue.name, queue.channel) for queue in self.queues}
        if len(places) != len(self.queues):
            raise BadSettingsError("queues: each name and channel may occur only once")
        for queue in self.queues:
            queue.check()
            for target in queue.transfer_to:
                if target == queue.name or (target, queue.channel) not in places:
                    raise BadSettingsError(
                        f"queue {queue.name}: transfer_to: {target!r} is not another queue of the same channel"
                    )

    def queue(self, name: str) -> QueueSettings:
        """Return a queue by its name."""
        return next(queue for queue in self.queues if queue.name == name)

    def with_queue(self, name: str, **changes: object) -> "CentreSettings":
        """Return a copy in which one queue is different."""
        queues = tuple(structs.replace(q, **changes) if q.name == name else q for q in self.queues)
        return structs.replace(self, queues=queues)
