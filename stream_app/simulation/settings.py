"""What a simulated contact centre is like: plain data, true to the letter.

Durations are seconds, rates contacts per hour, shares 0…1, hours those of the centre's own clock, which is
UTC + ``clock_offset_s``.
"""

import math
from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct, structs

from stream_app.errors import BadSettingsError

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
FLAT: Final = (1.0,) * 24
"""The same rate day and night."""

Draw = Callable[[], int]
"""Draws one duration in milliseconds, at least 1."""


class Duration(Struct, frozen=True):
    """A lognormal duration.

    Attributes:
        mean_s: its mean: what a long run's average comes to.
        cv: standard deviation / mean; 0 is a constant.
    """

    mean_s: float
    cv: float = 0.8

    def draw(self, rng: Random) -> Draw:
        """A source of such durations, in milliseconds."""
        variance = math.log1p(self.cv**2)
        mu, sigma = math.log(self.mean_s * 1000) - variance / 2, math.sqrt(variance)
        gauss, exp = rng.gauss, math.exp
        return lambda: int(exp(gauss(mu, sigma)) + 0.5) or 1


class Patience(Struct, frozen=True):
    """How long a customer waits before giving up: Weibull.

    Attributes:
        mean_s: its mean.
        shape: 1 is exponential (as likely to give up in every second), above 1 the urge grows with the wait.
    """

    mean_s: float
    shape: float = 1.0

    def draw(self, rng: Random) -> Draw:
        """A source of such durations, in milliseconds."""
        inverse = 1 / self.shape
        scale = self.mean_s * 1000 / math.gamma(1 + inverse)
        random, log = rng.random, math.log
        if self.shape == 1.0:
            return lambda: int(-log(1 - random()) * scale) or 1
        return lambda: int((-log(1 - random())) ** inverse * scale) or 1


class After(Struct, frozen=True):
    """What happens around a handled contact, as shares of those.

    Attributes:
        survey: the customer answers a survey, some minutes later.
        sentiment: the mood is scored, in the middle of the conversation and after it.
        quality: a reviewer scores it, some minutes later.
        case: the issue is resolved by it (and a tenth of the others goes to the next tier).
        reopened: a resolved case is opened again, an hour or so later.
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
        """Mean number of events that follow a handled contact."""
        case = self.case * (1 + self.reopened) + (1 - self.case) * ESCALATED
        return self.survey + self.sentiment + self.quality + self.sale + case


ESCALATED: Final = 0.1
"""Share of the issues that were not resolved which go to the next tier."""
NOTHING_AFTER: Final = After(0, 0, 0, 0, 0, 0)


class Queue(Struct, frozen=True, kw_only=True):
    """One queue on one channel, with agents of its own.

    Attributes:
        per_hour: arrivals where the curve is 1.
        curve: 24 weights: the rate at each full hour, straight lines between them.
        noise: standard deviation of a slow random factor on the rate; 0 is pure Poisson.
        staff: 24 numbers: agents wanted at work in each hour.
        longest_shift_h: after this long an agent is relieved by another; 24 is never.
        break_s: each agent's break, somewhere in the middle of the shift; 0 is none.
        at_once: contacts that an agent looks after at the same time.
        opens: the hour at which the doors open; contacts outside are refused (``None``: always open).
        closes: the hour at which they close.
        room: waiting places, more are refused as ``full``; ``None`` is no limit.
        talk: time in conversation, holds apart.
        hold_share: share of conversations with a hold.
        hold: the length of a hold.
        wrap: time after the conversation; cut at 25 minutes.
        patience: ``None`` never gives up.
        longest_wait_s: then the contact is asked to leave a message.
        callback_after_s: when waiting contacts are offered a callback; ``callback_share`` of them accept.
        missed_share: share of rings that the agent does not take.
        transfer_share: share of conversations that end in a transfer to one of ``transfer_to``.
        bot_share: share of contacts that talk to a bot first, for ``bot`` seconds; ``bot_settles`` of them need nobody else.
        messages: mean number of messages after the first reply; 0 where the channel has none.
    """

    name: str
    channel: str
    per_hour: float
    curve: tuple[float, ...] = FLAT
    noise: float = 0.0
    staff: tuple[int, ...] = (1,) * 24
    longest_shift_h: int = 24
    break_s: float = 0.0
    at_once: int = 1
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
    after: After = NOTHING_AFTER

    @property
    def handle_s(self) -> float:
        """The handle time that a long run's average comes to: talk + hold + wrap."""
        return self.talk.mean_s + self.hold_share * self.hold.mean_s + self.wrap.mean_s

    @property
    def by_message(self) -> bool:
        """Whether people write to each other here."""
        return self.channel != "voice"

    def weight(self, ms_of_day: int) -> float:
        """The curve at a time of day."""
        hour, rest = divmod(ms_of_day % DAY, HOUR)
        here, there = self.curve[hour], self.curve[(hour + 1) % 24]
        return here + (there - here) * rest / HOUR

    def is_open(self, ms_of_day: int) -> bool:
        """Whether contacts get in at a time of day."""
        if self.opens is None or self.closes is None:
            return True
        return self.opens * HOUR <= ms_of_day % DAY < self.closes * HOUR

    def check(self) -> None:
        """Refuse what can't be simulated.

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
                raise BadSettingsError(f"queue {self.name}: {name} lies in 0…1")
        if len(self.curve) != 24 or min(self.curve) < 0 or not math.isfinite(sum(self.curve)):
            raise BadSettingsError(f"queue {self.name}: curve has 24 weights, none below 0")
        if len(self.staff) != 24 or min(self.staff) < 0:
            raise BadSettingsError(f"queue {self.name}: staff has 24 numbers, none below 0")
        if not 1 <= self.longest_shift_h <= 24 or self.at_once < 1 or self.per_hour < 0:
            raise BadSettingsError(f"queue {self.name}: longest_shift_h is 1…24, at_once ≥ 1, per_hour ≥ 0")
        if self.transfer_share == 1 or (self.transfer_share and not self.transfer_to):
            raise BadSettingsError(f"queue {self.name}: a transfer needs somewhere to go, and an end")


class Settings(Struct, frozen=True):
    """A contact centre.

    Attributes:
        queues: what it consists of; (name, channel) is unique, and a name is a transfer's target.
        clock_offset_s: the centre's clock less UTC.
        customers: how many different customers there are.
        presence: agents say when they come, pause and leave.
    """

    queues: tuple[Queue, ...]
    clock_offset_s: int = 0
    customers: int = 200_000
    presence: bool = True

    def check(self) -> None:
        """Refuse what can't be simulated.

        Raises:
            BadSettingsError: one line that names the place.
        """
        places = {(queue.name, queue.channel) for queue in self.queues}
        if len(places) != len(self.queues):
            raise BadSettingsError("queues: a name and channel stands there twice")
        for queue in self.queues:
            queue.check()
            for target in queue.transfer_to:
                if target == queue.name or (target, queue.channel) not in places:
                    raise BadSettingsError(
                        f"queue {queue.name}: transfer_to {target!r} is no other queue of its channel"
                    )

    def queue(self, name: str) -> Queue:
        """A queue by its name."""
        return next(queue for queue in self.queues if queue.name == name)

    def with_queue(self, name: str, **changes: object) -> "Settings":
        """A copy in which one queue is different."""
        queues = tuple(structs.replace(q, **changes) if q.name == name else q for q in self.queues)
        return structs.replace(self, queues=queues)
