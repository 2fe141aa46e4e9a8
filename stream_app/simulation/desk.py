"""A queue at work: its settings and its random numbers, its agents, its ledger row, and its waiting visits."""

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any, Final, TypeVar

from stream_app.model.durations import DAY, HOUR
from stream_app.model.events import ContactEvent

from .arrivals import Arrivals
from .floor import Agent, Pool
from .habits import Workday, workday
from .incidents import Incident
from .ledger import Attended, Ledger, LedgerRow
from .settings import HOLIDAY_CLOSED, CentreSettings, Duration, QueueSettings
from .staffing import AgentShift, shifts
from .writing import WorkingHours, weekday

LONGEST_WRAP: Final = 25 * 60_000
"""Shorter than any platform's time-out of wrap-ups."""
LONGEST_REPLY_S: Final = 40.0
_SPARE: Final = 0.08
"""Fewer agents share less well: on quiet days some more come than the contacts alone ask for."""
_GOLDEN: Final = 0.6180339887
_SITES: Final = ("north", "south", "partner")


E = TypeVar("E", bound=ContactEvent)


class Request:
    """What a customer wants, through all visits that it takes.

    Attributes:
        start: when people learned of it.
        answered: whether one of them has answered.
    """

    __slots__ = ("answered", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.answered = False


class SimulatedVisit:
    """A contact's visit to one queue. Times and durations in milliseconds.

    Attributes:
        number: first, second, … visit of the contact.
        request: what the customer wants, which former visits may have begun.
        before: how much of the time since the request began was working time, when this visit was queued.
        reopened: whether it is the same request again, after it was closed.
        since: when the wait for people began.
        clock: since when the customer waits for a reply; ``None`` if not.
        with_bot: whether a bot has it.
        waiting: whether it has no outcome and no agent yet.
        moved: whether it ended in a transfer.
        unanswered: whether an agent closed it without a word.
        stated: whether the platform states the work on it.
        set_aside: whether its agent does other work until the customer replies.
        answered_at, assigned_at, over_at: when it was answered, got its agent, and its conversation ended.
        heard_at: the customer's last message; at first the request.
        wrote_at: the agent's last message; ``None`` if there was none.
        work: on the replies, as far as messages tell it.
        talk, hold, wrap, pending: the durations of the conversation; drawn when an agent takes it.
    """

    __slots__ = (
        "agent", "answered_at", "assigned_at", "before", "clock", "contact", "customer", "desk", "heard_at", "hold", "moved",
        "number", "over_at", "pending", "queued_at", "reopened", "request", "set_aside", "since", "stated", "talk",
        "unanswered", "waiting", "with_bot", "work", "wrap", "wrote_at",
    )  # fmt: skip

    def __init__(
        self,
        desk: "Desk",
        contact: str,
        customer: str,
        number: int,
        at: int,
        *,
        request: Request | None = None,
        reopened: bool = False,
    ) -> None:
        self.desk: Final = desk
        self.contact: Final = contact
        self.customer: Final = customer
        self.number: Final = number
        self.queued_at: Final = at
        self.request = request or Request(at)
        self.reopened: Final = reopened
        self.before = 0
        self.since = self.heard_at = at
        self.clock: int | None = at
        self.with_bot = self.moved = self.unanswered = self.set_aside = self.stated = False
        self.waiting = True
        self.agent: Agent | None = None
        self.answered_at = self.assigned_at = self.over_at = at
        self.wrote_at: int | None = None
        self.talk = self.hold = self.wrap = self.pending = self.work = 0

    @property
    def had(self) -> int:
        """How long its agent had it until its end, without the time in which it waited for its customer."""
        return self.over_at - self.assigned_at - self.pending

    def event(self, kind: type[E], event_id: str, at: int, /, **fields: Any) -> E:
        """Create an event of this visit; its agent is the one who has the contact."""
        agent = self.agent
        return kind(
            id=event_id,
            at=at,
            contact_id=self.contact,
            visit=self.number,
            queue=self.desk.name,
            channel=self.desk.channel,
            agent=None if agent is None else agent.id,
            **fields,
        )


class WaitingLine:
    """Visits that wait for an agent, first come, first served. Visits that gave up are skipped when their turn comes."""

    def __init__(self) -> None:
        self._visits: deque[SimulatedVisit] = deque()
        self.length = 0

    def join(self, visit: SimulatedVisit, *, front: bool = False) -> None:
        """Join the queue."""
        self.length += 1
        if front:
            self._visits.appendleft(visit)
        else:
            self._visits.append(visit)

    def leave(self) -> None:
        """Count a visit that stopped waiting."""
        self.length -= 1

    def first(self) -> SimulatedVisit | None:
        """Take the next visit out of the queue."""
        while self._visits:
            visit = self._visits.popleft()
            if visit.waiting:
                self.length -= 1
                return visit
        return None


class Desk:
    """A queue at work.

    Every queue has separate random generators, one for each purpose, so that a change to one leaves the others as they are.
    """

    def __init__(
        self,
        queue: QueueSettings,
        settings: CentreSettings,
        *,
        seed: str,
        incidents: Sequence[Incident],
        start: int,
        ledger: Ledger,
    ) -> None:
        self.queue: Final = queue
        self.name: Final = queue.name
        self.channel: Final = queue.channel
        self.row: Final = ledger.row(queue.name, queue.channel)
        self._work: Final = ledger.work.setdefault((queue.name, queue.channel), {})
        self.untold: Final = ledger.untold.setdefault((queue.name, queue.channel), LedgerRow())
        self.line: Final = WaitingLine()
        self.pool: Final = Pool(queue.at_once)
        self.offset: Final = settings.clock_offset_s * 1000
        self.outages: Final = [i for i in incidents if i.kind == "outage" and i.queue in (None, queue.name)]
        self.down = False
        self._holidays: Final = settings.holidays
        hours = queue.hours
        self._hours: Final = hours and WorkingHours(*hours, queue.rests, settings.holidays, self.offset)

        def rng(purpose: str) -> Random:
            return Random(f"{seed}:{queue.name}:{queue.channel}:{purpose}")

        spikes = [i for i in incidents if i.kind == "spike"]
        self.arrivals: Final = Arrivals(
            queue, spikes, start, offset=self.offset, rng=rng("arrivals"), holidays=settings.holidays
        )
        self.customers: Final = rng("customers")
        self.waits: Final = rng("waits")
        self.talks: Final = rng("talks")
        self.after: Final = rng("after")
        self.writing: Final = rng("writing")
        self.talk: Final = queue.talk.draw(self.talks)
        self.hold: Final = queue.hold.draw(self.talks)
        self.wrap: Final = queue.wrap.draw(self.talks)
        self.bot: Final = queue.bot.draw(self.waits)
        self.patience: Final = queue.patience.draw(self.waits) if queue.patience else None
        self.pending: Final = Duration(queue.writing.pending_s).draw(self.writing)
        self.reply: Final = _reply(queue).draw(self.talks)
        plan = shifts(queue.staff, queue.longest_shift_h)
        self._people: Final = f"{seed}:{queue.name}:{queue.channel}:people"
        self.agents: Final = [(self._agent(n, ledger), shift) for n, shift in enumerate(plan)]

    def _agent(self, n: int, ledger: Ledger) -> Agent:
        team, name = f"{self.name}-{'abcd'[n % 4]}", f"{self.name}-{self.channel[0]}{n:04}"
        return Agent(name, team, _SITES[n % 7 % 3], ledger.people.setdefault(name, Attended()))

    def is_open(self, at: int) -> bool:
        """Return whether contacts are let in now."""
        local = at + self.offset
        closed = self.queue.opens is not None and local // DAY in self._holidays
        return not closed and self.queue.is_open(local)

    def at_work(self, a: int, b: int) -> int:
        """Return how much of the time from ``a`` to ``b`` the queue was at work."""
        return max(0, b - a) if self._hours is None else self._hours.within(a, b)

    def worked(self, at: int, ms: int) -> None:
        """Enter work that was done by then."""
        day = (at + self.offset) // DAY
        self._work[day] = self._work.get(day, 0) + ms

    def chance(self, share: float) -> bool:
        """Return whether one of the things happens that only written contacts have."""
        return share > 0 and self.writing.random() < share

    def comes(self, n: int, begin: int) -> bool:
        """Return whether the n-th agent works on the day on which a shift begins: on quiet days fewer do, from all shifts."""
        day = (begin + self.offset) // DAY
        if weekday(day) in self.queue.rests:
            return False
        weight = self.queue.of_day(day, holiday=day in self._holidays)
        return n * _GOLDEN % 1 < (weight + _SPARE if weight > HOLIDAY_CLOSED else 0.0)

    def workday(self, n: int, shift: AgentShift, begin: int) -> Workday:
        """Return the n-th agent's day; breaks are spread over the middle of shifts, so that not all go at once."""
        rest_at = begin + round((shift.end - shift.begin) * HOUR * (0.3 + 0.4 * (n * _GOLDEN % 1)))
        rng = Random(f"{self._people}:{n}:{begin // DAY}")
        return workday(self.queue.habits, shift, begin, (rest_at, round(self.queue.break_s * 1000)), rng)


def _reply(queue: QueueSettings) -> Duration:
    """Return how long a first reply takes to write: short if a conversation follows, otherwise everything is in it."""
    return Duration(min(queue.talk.mean_s / 20, LONGEST_REPLY_S), 0.5)
