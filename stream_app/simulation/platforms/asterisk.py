"""The simulated centre's calls as lines of Asterisk's queue log, in whole seconds; other channels are left out."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from stream_app.model import events as e
from stream_app.model.presence import WORK

_REFUSALS = {"full": "FULL", "closed": "CLOSED"}
_EXITS: Final[dict[type[e.Event], list[str]]] = {
    e.Abandoned: ["ABANDON", "1", "1"],
    e.LeftQueue: ["EXITWITHTIMEOUT", "1", "1"],
    e.CallbackScheduled: ["EXITWITHKEY", "1", "1", "1"],
}
_LAST: Final = (e.Ended, e.Transferred, e.Abandoned, e.LeftQueue, e.CallbackScheduled)


class _Call(Struct):
    """A visit so far; times in seconds since the epoch, ``None`` if not seen."""

    entered: int | None = None
    connected: int | None = None

    def waited(self, at: int) -> str:
        """Return the seconds in the queue, until the answer or until now."""
        until = at if self.connected is None else self.connected
        return "" if self.entered is None else str(until - self.entered)

    def talked(self, at: int) -> str:
        """Return the seconds since the answer; Asterisk includes those on hold."""
        return "" if self.connected is None else str(at - self.connected)


class _Member(Struct):
    """A member of queues."""

    queues: tuple[str, ...]
    paused: bool


class QueueLog:
    """Writes ``epoch|call|queue|agent|EVENT|data…``; the key is the call, or the agent."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, int | None], _Call] = {}
        self._members: dict[str, _Member] = {}

    def encode(self, event: e.Event) -> list[tuple[str, bytes]]:
        """Return the lines of an event: one, several for an agent, or none."""
        if isinstance(event, e.AgentState):
            return [(event.agent, _line(event.at, line)) for line in self._agent(event)]
        if not isinstance(event, e.ContactEvent) or event.channel != "voice":
            return []
        said = self._call(event, event.at // 1000)
        by = event.agent if isinstance(event, (e.Answered, e.Missed, e.Ended, e.Transferred)) else None
        line = [event.contact_id, event.queue or "NONE", by or "NONE", *said]
        return [(event.contact_id, _line(event.at, line))] if said else []

    def _call(self, event: e.ContactEvent, at: int) -> list[str]:
        place = event.contact_id, event.visit
        if isinstance(event, e.Queued):
            self._calls[place] = _Call(at)
            return ["ENTERQUEUE", "", "", "1"]
        if isinstance(event, e.Refused):
            return [_REFUSALS.get(event.reason or "", "JOINEMPTY")]
        if isinstance(event, e.Missed):
            return ["RINGNOANSWER", "12000"]
        if isinstance(event, e.Answered):
            call = self._calls.setdefault(place, _Call())
            call.connected = at
            return ["CONNECT", call.waited(at), f"{event.contact_id}-1", "0"]
        return self._over(event, at)

    def _over(self, event: e.ContactEvent, at: int) -> list[str]:
        if not isinstance(event, _LAST):
            return []
        call = self._calls.pop((event.contact_id, event.visit), _Call())
        wait, talk = call.waited(at), call.talked(at)
        if isinstance(event, e.Ended):
            return ["COMPLETEAGENT" if event.by == "agent" else "COMPLETECALLER", wait, talk, "1"]
        if isinstance(event, e.Transferred):
            if event.kind == "warm":
                return ["ATTENDEDTRANSFER", "BRIDGE", f"{event.contact_id}-2", wait, talk, "1"]
            return ["BLINDTRANSFER", event.to_queue or "", "queues", wait, talk, "1"]
        return [*_EXITS[type(event)], wait]

    def _agent(self, event: e.AgentState) -> Iterator[list[str]]:
        """Yield the lines of a member of queues: one for each queue, with the member's name."""
        if event.state in WORK:
            return
        if event.agent not in self._members:
            if event.queues is None or "voice" not in (event.slots or {}):
                return  # who takes no calls is no member
            self._members[event.agent] = _Member(event.queues, paused=False)
            for queue in event.queues:
                yield ["MANAGER", queue, event.agent, "ADDMEMBER", ""]
        member = self._members[event.agent]
        if event.state == "offline":
            del self._members[event.agent]
            for queue in member.queues:
                yield ["MANAGER", queue, event.agent, "REMOVEMEMBER", ""]
            return
        pauses = event.state != "available"
        if pauses != member.paused:
            member.paused = pauses
            word, why = ("PAUSE", event.reason or event.state) if pauses else ("UNPAUSE", "")
            yield ["NONE", "NONE", f"Local/{event.agent}", f"{word}ALL", ""]
            for queue in member.queues:
                yield ["NONE", queue, event.agent, word, why]


def _line(at: int, fields: list[str]) -> bytes:
    return "|".join([str(at // 1000), *fields]).encode()
