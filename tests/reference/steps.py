"""What events and the passing of time do to the visit that they concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .counters import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from .ledger import Ledger
    from .memory import Memory
    from .records import Event
    from .visits import Visit

WRAP_TIME_OUT_MS, ABANDONED_MS = 30 * MINUTE, 60 * MINUTE


class Steps:
    """The rows of the state table, and the time-outs."""

    def __init__(self, memory: Memory, ledger: Ledger) -> None:
        self._memory, self._ledger = memory, ledger

    def open(self, visit: Visit) -> None:
        self._memory.open(visit)
        self._ledger.opened(visit)

    def open_outbound(self, visit: Visit, agent: str) -> None:
        """An outbound visit begins with the answer of the one who was called."""
        visit.outbound, visit.state, visit.agent = True, "talking", agent
        visit.taken.add("contact.answered")
        self.open(visit)

    def resume(self, visit: Visit, at: int) -> None:
        """An abandoned visit waits again."""
        self._ledger.taken_back(visit)
        visit.change("waiting", at)

    def take(self, visit: Visit, event: Event) -> None:
        """The visit allows the event, and this is what follows."""
        at = event.at
        match event.type:
            case "contact.answered":
                self.answer(visit, at, event.agent, visit.wait(event), stated="wait" in event.stated)
            case "message.sent":
                self._message(visit, event)
            case "message.received" | "bot.handed_off":
                visit.hear(event)
                visit.met_bot = visit.met_bot or event.type == "bot.handed_off"
            case "agent.missed":
                self._ledger.add(visit.place, at, missed=1)
                self._ledger.in_row(visit.place, at, missed=1)
            case "contact.abandoned":
                self._ledger.abandoned(visit, at, visit.wait(event))
                visit.change("abandoned", at)
                self._close_other_abandoned(visit)
            case "contact.held":
                visit.change("held", at)
            case "contact.resumed":
                visit.change("talking", at)
            case "contact.wrapped":
                self._wrap(visit, event)
            case _ if visit.state in ("waiting", "abandoned"):
                self._leave(visit, event)
            case _:
                self._end(visit, event)
        visit.taken.add(event.type)

    def _close_other_abandoned(self, visit: Visit) -> None:
        for other in self._memory.newest_first(visit.contact):
            if other is not visit and other.state == "abandoned" and other.place == visit.place:
                self._memory.close(other)

    def _wrap(self, visit: Visit, event: Event) -> None:
        """A conversation that nobody ended was over before the wrap-up that is stated."""
        talks = visit.state in ("talking", "held")
        visit.change("closed", event.at - event.stated.get("wrap", 0) if talks else event.at)
        visit.state_durations(event)
        self._handled(visit, event.at)

    def answer(self, visit: Visit, at: int, agent: str, wait: int, *, stated: bool) -> None:
        self._ledger.answered(visit, at, wait, stated=stated)
        visit.agent = agent
        visit.change("talking", at)
        if visit.channel == "voice":
            visit.responded = True
            self._ledger.responded(visit, at, wait)

    def _message(self, visit: Visit, event: Event) -> None:
        """A bot's message only meets the customer; a human's answers who waits, and replies to what was asked."""
        at = event.at
        if event.bot:
            visit.met_bot = visit.met_bot or visit.state == "waiting"
            return
        if visit.state == "waiting":
            self.answer(visit, at, event.agent, visit.waited(at), stated=False)
        asked = visit.clock
        if asked is None and not visit.responded and not visit.outbound:
            asked = visit.queued_at
        if asked is None:
            return
        gap = max(0, at - asked)
        visit.clock = None
        self._ledger.replied(visit, at, gap)
        if not visit.responded:
            visit.responded = True
            self._ledger.responded(visit, at, gap)

    def _leave(self, visit: Visit, event: Event) -> None:
        """Left the queue, called back, transferred or contained; perhaps after an abandonment that was none."""
        wait = visit.wait(event)
        if visit.state == "abandoned":
            wait = event.stated.get("wait", visit.abandon_wait)
            self._ledger.taken_back(visit)
        callback, contained = event.type == "callback.scheduled", event.type == "contact.ended"
        why = {"callback.scheduled": "callback", "contact.transferred": "transfer"}.get(
            event.type, event.reason
        )
        self._ledger.left(visit, event.at, wait, why, callback=callback, contained=contained)
        self._memory.close(visit)

    def _end(self, visit: Visit, event: Event) -> None:
        if event.type == "contact.transferred" and not visit.outbound:
            self._ledger.add(visit.place, event.at, transferred=1)
        if visit.state != "wrapping":
            visit.change("wrapping", event.at)
        visit.state_durations(event)

    def _handled(self, visit: Visit, at: int, *, timed_out: bool = False) -> None:
        self._ledger.handled(visit, at, timed_out=timed_out)
        self._memory.close(visit)

    def time_out(self, visit: Visit) -> None:
        now = self._memory.now
        spoken = visit.channel in ("voice", "callback")
        limits = {
            "waiting": 4 * HOUR if visit.channel == "voice" else 30 * DAY,
            "abandoned": ABANDONED_MS,
            "wrapping": WRAP_TIME_OUT_MS,
        }
        if now - visit.since > limits.get(visit.state, 12 * HOUR if spoken else 30 * DAY):
            self.give_up(visit, now)

    def give_up(self, visit: Visit, at: int) -> None:
        """Nobody will ever report how it ended."""
        if visit.state == "wrapping":
            self._handled(visit, at, timed_out=True)
            return
        if visit.state == "waiting":
            self._ledger.lost(visit, at)
        elif visit.state != "abandoned":
            self._ledger.add(visit.place, at, unfinished=1)
        self._memory.close(visit)
