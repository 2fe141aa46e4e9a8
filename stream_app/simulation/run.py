"""One run of a centre: a heap of future events, and their consequences.

Waits are not a setting: they emerge from arrivals, handle times and patience.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count

from stream_app.model import events as e
from stream_app.model.durations import MINUTE

from . import books
from .aftermath import follow
from .attendance import Attendance
from .conversation import converse, with_bot
from .desk import Desk, SimulatedVisit
from .floor import Agent
from .incidents import Incident
from .ledger import Ledger
from .settings import CentreSettings
from .stage import Then

RING = 12_000
"""How long a call rings at an agent who does not take it."""
COOL_DOWN = 60_000
"""How long that agent then gets no other contact."""


class Simulation:
    """Plays a centre from ``start`` on. Events come in the order of their stamps."""

    def __init__(
        self, settings: CentreSettings, seed: int, incidents: Sequence[Incident], start: int, ledger: Ledger
    ) -> None:
        # Part of every id: a second run has different contacts, a repeated run the same.
        self._tag = blake2b(f"{seed}:{start}".encode(), digest_size=5).hexdigest()
        self._settings = settings
        self._ledger = ledger
        self._heap: list[tuple[int, int, e.Event | None, Then | None]] = []
        self._now: list[e.Event] = []
        self._turn = count()
        self._ids = count(1)
        self._contacts = count(1)
        self.desks = [
            Desk(q, settings, seed=str(seed), incidents=incidents, start=start, ledger=ledger)
            for q in settings.queues
        ]
        self._by_name = {(desk.name, desk.channel): desk for desk in self.desks}
        for desk in self.desks:
            Attendance(self, desk, say=settings.presence).begin(start)
            for outage in desk.outages:
                self.later(outage.begin, None, partial(self._outage, desk))
                self.later(outage.end, None, partial(self._outage, desk))
            self._next_arrival(desk)

    def events(self, end: int | None) -> Iterator[e.Event]:
        """Yield everything that happens before ``end``, or for ever."""
        heap, now, ledger = self._heap, self._now, self._ledger
        while heap and (end is None or heap[0][0] < end):
            at, _, event, then = heappop(heap)
            if then is not None:
                then(at)
            if event is not None:
                ledger.events += 1
                yield event
            if now:
                for event in now:
                    ledger.events += 1
                    yield event
                now.clear()

    # --- the stage ---

    def id(self) -> str:
        """Return a new event id."""
        return f"{self._tag}e{next(self._ids):x}"

    def later(self, at: int, event: e.Event | None, then: Then | None = None) -> None:
        """Emit an event at its time, and do something right after it."""
        heappush(self._heap, (at, next(self._turn), event, then))

    def say(self, event: e.Event) -> None:
        """Emit an event now."""
        self._now.append(event)

    # --- arrivals ---

    def _next_arrival(self, desk: Desk) -> None:
        at = desk.arrivals.next()
        if at is not None:
            self.later(at, None, partial(self._arrive, desk))

    def _arrive(self, desk: Desk, at: int) -> None:
        self._next_arrival(desk)
        desk.row.arrivals += 1
        contact = f"{self._tag}-{next(self._contacts):x}"
        customer = f"u{int(desk.customers.random() * self._settings.customers)}"
        queue = desk.queue
        full = queue.room is not None and desk.line.length >= queue.room
        if full or not desk.is_open(at):
            desk.row.refused += 1
            reason = "full" if full else "closed"
            event = e.Refused(
                id=self.id(),
                at=at,
                contact_id=contact,
                queue=desk.name,
                channel=desk.channel,
                customer=customer,
                reason=reason,
            )
            self.say(event)
            return
        visit = SimulatedVisit(desk, contact, customer, 1, at)
        self._queue(visit, at)
        if not queue.by_message:
            self.wait(visit, at)
        elif queue.bot_share and desk.waits.random() < queue.bot_share:
            until = at + desk.bot()
            settles = bool(queue.bot_settles) and desk.waits.random() < queue.bot_settles
            with_bot(self, visit, at, until, settles=settles)
        else:
            self.say(visit.event(e.MessageReceived, self.id(), at))
            if desk.chance(queue.writing.acknowledged):
                self.say(visit.event(e.MessageSent, self.id(), at, auto=True))
            self.wait(visit, at)

    def _queue(self, visit: SimulatedVisit, at: int, priority: int = 0) -> None:
        books.queued(visit)
        event = visit.event(e.Queued, self.id(), at, customer=visit.customer, priority=priority)
        self.say(event)

    # --- waiting ---

    def wait(self, visit: SimulatedVisit, at: int, *, front: bool = False) -> None:
        """Connect the contact at once, or let it join the queue and draw how long it will wait."""
        desk = visit.desk
        queue = desk.queue
        agent = None if desk.down or desk.line.length else desk.pool.take()
        if visit.reopened:  # whoever was served before is not lost
            if agent is not None:
                self._offer(visit, agent, at)
            else:
                desk.line.join(visit)
            return
        # Drawn for every contact, so that a different wait of one does not change the patience of others.
        patience = desk.patience() if desk.patience else None
        if agent is not None:
            self._offer(visit, agent, at)
            if not visit.waiting:
                return
        else:
            desk.line.join(visit, front=front)
        over: list[tuple[float, str]] = []
        if visit.number == 1 and desk.chance(queue.writing.junk):
            over.append(
                (MINUTE * (0.2 + 5 * desk.writing.random()), "spam" if desk.chance(0.5) else "merged")
            )
        if patience is not None:
            over.append((patience, "gave_up"))
        if queue.longest_wait_s is not None:
            over.append((queue.longest_wait_s * 1000, "voicemail"))
        if (
            queue.callback_after_s is not None
            and desk.waits.random() < queue.callback_share
            and visit.number == 1
        ):
            over.append((queue.callback_after_s * 1000, "callback"))
        if over:
            after, how = min(over)
            self.later(at + int(after), None, partial(self._stop_waiting, visit, how))

    def _stop_waiting(self, visit: SimulatedVisit, how: str, at: int) -> None:
        if not visit.waiting:
            return
        visit.waiting = False
        desk = visit.desk
        if visit.agent is None:  # otherwise it is ringing somewhere, and in no queue
            desk.line.leave()
        visit.agent = None
        event: e.Event
        due = at + int(MINUTE * (10 + 30 * desk.waits.random()))
        if how == "gave_up":
            books.gave_up(visit, at)
            event = visit.event(e.Abandoned, self.id(), at)
        elif how == "callback" and desk.is_open(due):
            books.left(visit, at)
            event = visit.event(e.CallbackScheduled, self.id(), at, due=due)
            self.later(due, None, partial(self._come_back, visit))
        else:
            books.left(visit, at)
            reason = "voicemail" if how == "callback" else how
            event = visit.event(e.LeftQueue, self.id(), at, reason=reason)
        self.say(event)

    def _come_back(self, former: SimulatedVisit, at: int) -> None:
        visit = SimulatedVisit(former.desk, former.contact, former.customer, former.number + 1, at)
        self._queue(visit, at, priority=1)
        self.wait(visit, at, front=True)

    def _outage(self, desk: Desk, at: int) -> None:
        desk.down = any(outage.begin <= at < outage.end for outage in desk.outages)
        self.serve(desk, at)

    # --- service ---

    def serve(self, desk: Desk, at: int) -> None:
        """Connect waiting contacts with free agents."""
        while desk.line.length and not desk.down:
            agent = desk.pool.take()
            if agent is None:
                return
            visit = desk.line.first()
            assert visit is not None  # noqa: S101 - the queue has its stated length
            self._offer(visit, agent, at)

    def _offer(self, visit: SimulatedVisit, agent: Agent, at: int) -> None:
        queue = visit.desk.queue
        visit.agent = agent
        if queue.missed_share and visit.desk.waits.random() < queue.missed_share:
            agent.ringing = True
            visit.desk.pool.drop(agent)
            self.later(at + RING, None, partial(self._miss, visit, agent))
        else:
            self._answer(visit, agent, at)

    def _miss(self, visit: SimulatedVisit, agent: Agent, at: int) -> None:
        desk = visit.desk
        if visit.waiting:
            desk.row.missed += 1
            event = visit.event(e.Missed, self.id(), at)
            self.say(event)
            visit.agent = None
            desk.line.join(visit, front=True)
        self.later(at + COOL_DOWN, None, partial(self._recover, desk, agent))
        self.serve(desk, at)

    def _recover(self, desk: Desk, agent: Agent, at: int) -> None:
        agent.ringing = False
        self.release(desk, agent, at)

    def _answer(self, visit: SimulatedVisit, agent: Agent, at: int) -> None:
        visit.waiting = False
        books.assigned(visit, at)
        if visit.desk.queue.writing.assigns:
            self.say(visit.event(e.Answered, self.id(), at, team=agent.team, site=agent.site))
        converse(self, visit, at)

    def transfer_target(self, visit: SimulatedVisit, at: int) -> Desk | None:
        """Return the target if the conversation ends in a transfer at that time, otherwise ``None``."""
        queue, random = visit.desk.queue, visit.desk.talks.random
        if random() >= queue.transfer_share:
            return None
        target = self._by_name[queue.transfer_to[int(random() * len(queue.transfer_to))], queue.channel]
        return target if target.is_open(at) else None

    def hang_up(self, visit: SimulatedVisit, at: int) -> None:
        """End a conversation; its agent wraps up."""
        books.ended(visit, at)
        self._tell_work(visit, "wrap", at)

    def _tell_work(self, visit: SimulatedVisit, state: e.AgentStatus, at: int) -> None:
        """Tell that wrap-up begins or ends, where the platform does."""
        agent = visit.agent
        if agent is not None and self._settings.presence and visit.desk.queue.habits.tells_wrap:
            self.say(
                e.AgentState(
                    id=self.id(), at=at, agent=agent.id, state=state, team=agent.team, site=agent.site
                )
            )

    def pass_on(self, visit: SimulatedVisit, target: Desk, at: int) -> None:
        """Begin the next visit of a contact that was just transferred, even if the queue is full."""
        visit.desk.row.transferred += 1
        visit.moved = True
        self.hang_up(visit, at)
        following = SimulatedVisit(
            target, visit.contact, visit.customer, visit.number + 1, at, request=visit.request
        )
        following.clock = visit.clock
        following.before = visit.before + visit.desk.at_work(visit.since, at)
        self._queue(following, at)
        self.wait(following, at)

    def finish(self, visit: SimulatedVisit, at: int) -> None:
        """Complete a visit whose wrap-up has just ended."""
        desk, agent = visit.desk, visit.agent
        books.handled(visit)
        self._tell_work(visit, "available", at)
        assert agent is not None  # noqa: S101 - an agent had the contact
        if not visit.moved and not visit.unanswered:
            follow(self, visit, at)
        if not visit.set_aside:
            self.release(desk, agent, at)

    def come_again(self, former: SimulatedVisit, at: int) -> None:
        """Begin the visit of a contact whose case was reopened."""
        number = former.number + 1
        visit = SimulatedVisit(former.desk, former.contact, former.customer, number, at, reopened=True)
        self._queue(visit, at)
        self.wait(visit, at)

    def set_aside(self, visit: SimulatedVisit, at: int) -> None:
        """Let the agent of a conversation that waits for its customer take another contact."""
        assert visit.agent is not None  # noqa: S101 - an agent had the contact
        visit.set_aside = True
        self.release(visit.desk, visit.agent, at)

    def release(self, desk: Desk, agent: Agent, at: int) -> None:
        """Release an agent from a contact: for the next one, a break, or the end of the shift."""
        desk.pool.done(agent)
        if agent.wanted is not None and agent.load == 0:
            if agent.wanted == "offline" and desk.line.length and not desk.is_open(at) and not desk.down:
                visit = desk.line.first()  # after hours, the last agents serve the contacts still waiting
                assert visit is not None  # noqa: S101 - the queue has its stated length
                agent.load = 1
                self._offer(visit, agent, at)
                return
            Attendance.settle(self, desk, agent, at, say=self._settings.presence)
        self.serve(desk, at)
