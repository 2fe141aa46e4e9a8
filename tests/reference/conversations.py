"""The rows of the state table of visits that people have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .memory import Memory
    from .records import Event
    from .visits import Visit
    from .work import Work


class Conversations:
    """What happens to visits from the answer to the end of wrap-up."""

    def __init__(self, memory: Memory, work: Work) -> None:
        self._memory, self._work = memory, work

    def under_way(self, visit: Visit, event: Event) -> None:
        at = event.at
        match event.type:
            case "contact.held":
                visit.change("held", at)
            case "contact.resumed":
                if visit.state == "held":
                    visit.change("talking", at)
            case "message.received" | "message.sent":
                self._message(visit, event)
            case "contact.answered":
                visit.assign(event)
            case "contact.transferred" | "contact.ended":
                self._end(visit, event)
            case "contact.wrapped":
                visit.over_at = at - event.stated.get("wrap", 0)
                visit.change("closed", visit.over_at)
                visit.state_durations(event)
                self.handled(visit, at)

    def _message(self, visit: Visit, event: Event) -> None:
        if event.type == "message.received":
            visit.ask(event.at)
        elif event.by_person:
            self.write(visit, event, answers=False)
        elif visit.rules.bot == "talks" and (visit.written_to or not visit.handed_off):
            visit.clock = None

    def wrapping(self, visit: Visit, event: Event) -> None:
        match event.type:
            case "message.received":
                visit.ask(event.at)
            case "message.sent" if event.by_person:
                if visit.clock is not None and not visit.was_reopened:
                    visit.was_reopened = True
                    self._work.reopened(visit, event.at)
                self.write(visit, event, answers=False)
            case "contact.transferred":
                self._end(visit, event)
            case "contact.wrapped":
                visit.change("closed", event.at)
                visit.state_durations(event)
                self.handled(visit, event.at)

    def write(self, visit: Visit, event: Event, *, answers: bool) -> None:
        """A person writes: a reply, if the customer waits for one."""
        at = event.at
        self._work.queue_responded(visit, at, visit.waited(at))
        if visit.clock is not None:
            gap = max(0, at - visit.clock)
            self._work.replied(visit, at, gap, answers=answers)
            if visit.outbound and not visit.responded:
                visit.responded = True
                self._work.responded(visit, at, gap)
        visit.clock = None
        visit.write(event.agent, at)

    def _end(self, visit: Visit, event: Event) -> None:
        if event.type == "contact.transferred":
            self._work.transferred(visit, event.at)
        if visit.state != "wrapping":
            visit.over_at = event.at
            visit.change("wrapping", event.at)
        visit.state_durations(event)

    def handled(self, visit: Visit, at: int, *, timed_out: bool = False) -> None:
        """The work is done; another visit may go on with what was passed on."""
        self._work.handled(visit, at, timed_out=timed_out)
        self._memory.close(visit)
        if "contact.transferred" in visit.taken and not visit.outbound and visit.over_at is not None:
            self._memory.keep_request(visit, visit.over_at)
