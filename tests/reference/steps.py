"""The rows of the state table: what an event does to the visit that it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .conversations import Conversations
from .ledger import Ledger
from .requests import go_on
from .visits import Request
from .work import Work

if TYPE_CHECKING:
    from .books import Books
    from .memory import Memory
    from .records import Event
    from .visits import Visit


class Steps:
    """What happens to visits."""

    def __init__(self, memory: Memory, books: Books) -> None:
        self._memory, self._policy = memory, books.policy
        self._ledger, self._work = Ledger(books), Work(books)
        self._people = Conversations(memory, self._work)

    # Visits open ---------------------------------------------------------------------------------------

    def open(self, visit: Visit) -> None:
        """The visit waits for people."""
        self._promise(visit)
        self._open(visit)

    def open_reopened(self, visit: Visit) -> None:
        """People have it again: nothing was offered, and the customer waits for a reply."""
        visit.reopened = visit.was_reopened = True
        visit.state = "talking"
        self._open(visit)
        visit.request.answered = True
        visit.clock = visit.started

    def open_outbound(self, visit: Visit, event: Event) -> None:
        """We call or write first; nobody waits yet."""
        visit.outbound, visit.state, visit.clock = True, "talking", None
        if event.type == "message.sent":
            if event.by_person:
                visit.agent = event.agent
                visit.write(event.agent, event.at)
        else:
            visit.agent, visit.answered = event.agent, True
            visit.taken.add(event.type)
        self._open(visit)

    def _open(self, visit: Visit) -> None:
        go_on(visit, self._memory, self._policy)
        self._memory.open(visit)
        self._ledger.opened(visit)

    def _promise(self, visit: Visit) -> None:
        visit.target, visit.short = self._policy.promised(visit.place, visit.queued_at, visit.priority)

    def resume(self, visit: Visit, at: int) -> None:
        """An abandoned visit waits again."""
        self._ledger.taken_back(visit)
        visit.change("waiting", at)

    def undo_containment(self, visit: Visit) -> None:
        """The customer came back: the bot did not settle it."""
        self._ledger.containment_undone(visit)
        self._memory.close(visit)

    # The table -----------------------------------------------------------------------------------------

    def take(self, visit: Visit, event: Event) -> None:
        """The visit allows the event, and this is what follows."""
        visit.life.learn(event)
        if not event.auto:
            visit.stirred = max(visit.stirred, event.at)
        if event.type == "agent.missed":
            self._work.missed(visit, event.at)
        elif not event.no_message:
            match visit.state:
                case "waiting":
                    self._waiting(visit, event)
                case "with_bot":
                    self._with_bot(visit, event)
                case "talking" | "held":
                    self._people.under_way(visit, event)
                case "wrapping":
                    self._people.wrapping(visit, event)
                case "abandoned" if event.type != "contact.wrapped":
                    self._leave(visit, event)
        visit.taken.add(event.type)

    def _waiting(self, visit: Visit, event: Event) -> None:
        match event.type:
            case "contact.answered" if visit.assigns(event):
                visit.assign(event)
            case "contact.answered":
                stated = "wait" in event.stated
                self.answer(visit, event.at, event.agent, visit.wait(event), stated=stated)
            case "message.sent" if event.by_person:
                self._answer_by_message(visit, event)
            case "message.received":
                visit.ask(event.at)
            case "message.sent" | "bot.started" | "bot.handed_off":
                self._meet_bot(visit, event)
            case "contact.abandoned":
                self._abandon(visit, event)
            case "contact.left_queue" | "contact.transferred" | "callback.scheduled":
                self._leave(visit, event)
            case "contact.ended" | "contact.wrapped":
                self._end_waiting(visit, event)

    def _meet_bot(self, visit: Visit, event: Event) -> None:
        """A bot speaks to who waits: the visit becomes the bot's, unless it was handed off already."""
        by_message = event.type == "message.sent"
        if visit.handed_off or (by_message and visit.rules.bot != "talks"):
            return
        self._to_bot(visit, event.at)
        if by_message or (event.type == "bot.started" and not visit.written):
            visit.clock = None
        if event.type == "bot.handed_off":
            self._hand_off(visit, event.at)

    def _end_waiting(self, visit: Visit, event: Event) -> None:
        """It ends although no person answered."""
        if event.type == "contact.ended" and event.by == "bot" and not visit.handed_off:
            self._to_bot(visit, event.at)
            self._contain(visit, event.at)
        elif event.type == "contact.ended" and event.by == "customer":
            self._abandon(visit, event)
        else:
            wait = visit.waited(event.at)
            demand = not self._ledger.is_no_demand(visit, "closed", wait)
            self._ledger.left(visit, event.at, wait, "closed", callback=False, demand=demand)
            visit.change("unanswered", event.at)

    def _with_bot(self, visit: Visit, event: Event) -> None:
        at = event.at
        match event.type:
            case "message.received":
                visit.ask(at)
            case "message.sent" if event.bot:
                visit.clock = None
            case "bot.started" | "contact.held" | "contact.resumed":
                pass
            case "bot.handed_off":
                self._hand_off(visit, at)
            case "message.sent" | "contact.answered":
                self._hand_off(visit, at if visit.clock is None else visit.clock)
                self._waiting(visit, event)
            case "contact.ended" if event.by == "bot":
                self._contain(visit, at)
            case "contact.ended" | "contact.wrapped" if visit.written:
                self._ledger.ended_with_bot(visit, at)
                visit.change("unanswered", at)
            case _:
                self._end_with_bot(visit, at)

    # The bot -------------------------------------------------------------------------------------------

    def _to_bot(self, visit: Visit, at: int) -> None:
        visit.was_bots = True
        visit.change("with_bot", at)
        self._ledger.to_bot(visit)

    def _hand_off(self, visit: Visit, at: int) -> None:
        """The wait for a person begins, for a request of its own."""
        visit.handed_off = True
        visit.queued_at = visit.clock = at
        visit.request = Request(at)
        self._promise(visit)
        visit.change("waiting", at)
        self._ledger.handed_off(visit)

    def _contain(self, visit: Visit, at: int) -> None:
        visit.change("contained", at)
        self._ledger.contained(visit, at)

    def _end_with_bot(self, visit: Visit, at: int) -> None:
        self._ledger.ended_with_bot(visit, at)
        self._memory.close(visit)

    # The wait is over ----------------------------------------------------------------------------------

    def answer(
        self, visit: Visit, at: int, agent: str, wait: int, *, stated: bool, by_message: bool = False
    ) -> None:
        self._ledger.answered(visit, at, wait, stated=stated)
        if not visit.request.answered:
            self._work.answered(visit, at, wait)
        self._memory.answered(visit.contact)
        visit.agent, visit.answered = agent or visit.agent, True
        visit.change("talking", at)
        if not self._policy.by_message(visit.channel):
            self._work.queue_responded(visit, at, wait)
            if not by_message:
                visit.clock = None

    def _answer_by_message(self, visit: Visit, event: Event) -> None:
        wait = visit.waited(event.at)
        self.answer(visit, event.at, event.agent, wait, stated=False, by_message=True)
        self._people.write(visit, event, answers=True)

    def _abandon(self, visit: Visit, event: Event) -> None:
        self._ledger.abandoned(visit, event.at, visit.wait(event))
        visit.change("abandoned", event.at)
        for other in self._memory.newest_first(visit.contact):
            if other is not visit and other.state == "abandoned" and other.place == visit.place:
                self._memory.close(other)

    def _leave(self, visit: Visit, event: Event) -> None:
        """Left the queue, called back or transferred; perhaps after an abandonment that was none."""
        wait, callback = visit.wait(event), event.type == "callback.scheduled"
        if visit.state == "abandoned":
            wait = event.stated.get("wait", visit.abandon_wait)
            self._ledger.taken_back(visit)
        why = {"callback.scheduled": "callback", "contact.transferred": "transfer"}.get(
            event.type, event.reason
        )
        demand = not (event.type == "contact.left_queue" and self._ledger.is_no_demand(visit, why, wait))
        self._ledger.left(visit, event.at, wait, why, callback=callback, demand=demand)
        self._memory.close(visit)
        if demand and why.lower() not in ("callback", "closed"):
            self._memory.keep_request(visit, event.at)

    def give_up(self, visit: Visit, at: int) -> None:
        """Nobody will ever report how it ended."""
        match visit.state:
            case "waiting":
                self._ledger.lost(visit, at)
                self._memory.close(visit)
            case "with_bot":
                self._end_with_bot(visit, at)
            case "talking" | "held":
                self._work.unfinished(visit, at)
                self._memory.close(visit)
            case "wrapping":
                self._people.handled(visit, at, timed_out=True)
            case _:
                self._memory.close(visit)
