"""Which visit an event belongs to, and whether it may change it: duplicate, illegal or applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .beginnings import Beginnings, stated
from .counters import HOUR, MINUTE
from .currencies import CURRENCIES
from .facts import Asked, Review, Sale, Survey
from .history import Scored, Sold
from .ledger import REFUSED_WHY, counted_as
from .memory import fingerprint
from .visits import Visit
from .vocabulary import REPEATABLE, VISIT_EVENTS

if TYPE_CHECKING:
    from .agents import Agents
    from .books import Books
    from .memory import Memory
    from .records import Beginning, Event
    from .steps import Steps
    from .surveys import Surveys

NO_QUEUE = "unassigned"
REOPENS_WITHIN_MS = 10 * MINUTE
LONGEST_RETURN_MS = 48 * HOUR

Result = tuple[str, str]  # and the reason
APPLIED, DUPLICATE, LATE = ("applied", ""), ("duplicate", ""), ("late", "")
NO_VISIT, STATE = ("illegal", "no_visit"), ("illegal", "state")


class Judge:
    """Judges the events that are neither of the future nor late."""

    def __init__(self, memory: Memory, books: Books, steps: Steps, surveys: Surveys, agents: Agents) -> None:
        self._memory, self._books, self._steps, self._surveys = memory, books, steps, surveys
        self._agents = agents
        self._policy = books.policy
        self._beginnings = Beginnings(memory, steps, self._begin)

    def judge(self, event: Event) -> Result:
        if event.type == "contact.queued":
            return self._queue(event)
        if event.type == "contact.answered" and event.outbound:
            return self._call_out(event)
        return self._follow(event)

    # Visits open ---------------------------------------------------------------------------------------

    def _visit(self, event: Event, at: int, opener: bytes) -> Visit:
        rules = self._policy.of(event.place)
        return Visit(event, at, opener, rules, number=event.visit, priority=event.priority)

    def _here(self, event: Event) -> list[Visit]:
        """The contact's visits in this queue and channel."""
        return [v for v in self._memory.newest_first(event.contact) if v.place == event.place]

    def _asks(self, event: Event) -> bool:
        """Whether the contact waits there already, or is with a bot."""
        return any(v.state in ("waiting", "with_bot") for v in self._here(event))

    def _queue(self, event: Event) -> Result:
        name = fingerprint(event.id)
        recurred = event.recurs and self._memory.recurred(name, event.at)
        if recurred or self._memory.knows_opener(event.contact, name):
            return DUPLICATE
        if event.outbound:
            return self._out(event, name)
        if self._asks(event):
            return STATE
        self._come_back(event, event.at)
        if any(_soon(v.case_at, event.at) for v in self._here(event)):
            self._memory.remember(name)
            return APPLIED
        abandoned = next((v for v in self._here(event) if v.state == "abandoned" and v.fits(event)), None)
        if event.resumes and abandoned:
            self._steps.resume(abandoned, event.at)
            abandoned.life.learn(event)
            self._memory.remember(name)
        elif event.reopens or any(_soon(at, event.at) for at in self._memory.case_reopenings(event.contact)):
            self._steps.open_reopened(self._visit(event, event.at, name))
        else:
            self._steps.open(self._visit(event, event.at, name))
        return APPLIED

    def _come_back(self, event: Event, at: int) -> None:
        """Whom the bot had settled asks again: it was not settled."""
        for visit in self._memory.newest_first(event.contact):
            longest = min(self._policy.of(visit.place).containment_return, LONGEST_RETURN_MS)
            if visit.state == "contained" and at - visit.since <= longest:
                self._steps.undo_containment(visit)

    def _begin(self, event: Event, at: int, opener: bytes) -> None:
        """A visit opens whose `contact.queued` was lost."""
        self._come_back(event, at)
        self._steps.open(self._visit(event, at, opener))

    def _call_out(self, event: Event) -> Result:
        """Somebody was called and answered."""
        name = fingerprint(event.id)
        return DUPLICATE if self._memory.knows_opener(event.contact, name) else self._out(event, name)

    def _out(self, event: Event, name: bytes) -> Result:
        """We call or write first."""
        if not event.queue:
            return NO_VISIT
        if any(v.outbound and v.state in ("talking", "held") for v in self._here(event)):
            return STATE
        if event.type == "contact.queued":
            self._come_back(event, event.at)
        self._steps.open_outbound(self._visit(event, event.at, name), event)
        return APPLIED

    def _reopen(self, event: Event, name: bytes) -> None:
        """A case is open again, and with it, where it is told, the visit in a queue."""
        self._memory.case_reopened(event.contact, event.at)
        if event.queue and not self._asks(event):
            visit = self._visit(event, event.at, name)
            visit.case_at = event.at
            self._steps.open_reopened(visit)

    # All other events ----------------------------------------------------------------------------------

    def _follow(self, event: Event) -> Result:
        name, beginning = fingerprint(event.id), stated(event)
        if self._told_before(event, name, beginning):
            return DUPLICATE
        meant = self._beginnings.meant(event, beginning) if beginning and beginning.exact else []
        if meant is None:
            return DUPLICATE
        if beginning and not self._beginnings.make_up(event, beginning, meant):
            return DUPLICATE
        if event.telling and not self._agents.tell(event.agent, event.telling):
            return LATE
        if event.type in VISIT_EVENTS:
            return self._move(event, name, beginning, meant)
        self._books.history.told(event)
        if event.type == "platform.restarted":
            self._restart(event)
        elif event.type == "case.reopened" and event.contact:
            self._reopen(event, name)
        else:
            self._count(event)
        self._memory.remember(name)
        return APPLIED

    def _told_before(self, event: Event, name: bytes, beginning: Beginning | None) -> bool:
        """Whether its own id says that it is a duplicate."""
        if event.type in REPEATABLE and self._memory.knows(name):
            return True
        if event.opener:
            return self._memory.knows_opener(event.contact, name)
        if event.type != "contact.answered" or not self._memory.knows(name):
            return False
        visit = self._choose(event, self._memory.newest_first(event.contact))
        if visit is None:
            return beginning is not None and self._policy.of(event.place).answer == "message"
        return visit.assigns(event)

    def _choose(self, event: Event, visits: list[Visit]) -> Visit | None:
        """Of the visits, newest first, that allow the event: that of its agent, else the first."""
        allowing = [v for v in visits if v.allows(event)]
        return next(
            (v for v in allowing if event.agent and v.agent == event.agent), next(iter(allowing), None)
        )

    def _move(self, event: Event, name: bytes, beginning: Beginning | None, meant: list[Visit]) -> Result:
        visits = meant or self._memory.newest_first(event.contact)
        visit = self._choose(event, visits)
        if visit is not None:
            return self._take(visit, event, name, beginning)
        if event.opener:
            self._steps.open_outbound(self._visit(event, event.at, name), event)
            return APPLIED
        if event.type not in REPEATABLE and any(v.has_taken(event) for v in visits):
            return DUPLICATE
        return STATE if visits else NO_VISIT

    def _take(self, visit: Visit, event: Event, name: bytes, beginning: Beginning | None) -> Result:
        once = (visit.state, event.type) == ("wrapping", "contact.transferred") or (
            visit.state in ("abandoned", "unanswered", "contained") and event.type == "contact.wrapped"
        )
        if once and event.type in visit.taken:
            return DUPLICATE
        assigned = visit.assigns(event)
        if assigned and self._memory.knows(name):
            return DUPLICATE
        visit.exact = visit.exact or bool(beginning and beginning.exact)
        self._steps.take(visit, event)
        if beginning and fingerprint(beginning.id) != visit.opener:
            self._memory.remember(fingerprint(beginning.id))
        if event.type in REPEATABLE or assigned:
            self._memory.remember(name)
        return APPLIED

    def _restart(self, event: Event) -> None:
        """A platform forgot its calls."""
        for visit in list(self._memory):
            named = not event.source or visit.contact.startswith(event.source + "-")
            over = visit.state in ("abandoned", "contained")
            if named and visit.channel == "voice" and not over and visit.since <= event.at:
                self._steps.give_up(visit, event.at)

    def _count(self, event: Event) -> None:
        """An event that belongs to no visit."""
        if event.type == "contact.refused":
            counted = {"refused": 1, **counted_as(REFUSED_WHY, event.reason)}
            self._books.live(event.place, event.at, **counted)
            self._books.in_row(event.place, event.at, **counted)
        if event.fact is None:
            return
        visits = self._memory.newest_first(event.contact)
        queue = event.queue or next((v.queue for v in visits), NO_QUEUE)
        channel = event.channel or next((v.channel for v in visits if v.queue == queue), "voice")
        place, fact = (queue, channel), event.fact
        if isinstance(fact, Asked):
            self._surveys.sent(event.contact, fact.kind, place, event.at)
        elif isinstance(fact, Survey):
            self._surveys.answered(event.contact, fact, place, event.at)
        else:
            self._books.live(place, event.at, **fact.counts())
        if isinstance(fact, Review):
            self._books.history.criteria += [
                Scored(event.contact, place, event.at, name, score, fact.automatic)
                for name, score in fact.criteria.items()
            ]
        if isinstance(fact, Sale):
            self._books.counters.take(place, event.at, "revenue", fact.place, fact.amount)
            sold = Sold(event.contact, place, event.at, fact.kind, CURRENCIES[fact.place], fact.amount)
            self._books.history.sales.append(sold)


def _soon(reopened_at: int | None, at: int) -> bool:
    """Whether a case was reopened at most ten minutes before."""
    return reopened_at is not None and at - reopened_at <= REOPENS_WITHIN_MS
