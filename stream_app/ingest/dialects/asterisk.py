"""Asterisk's queue log: one line per record, or a row of its database form as JSON.

A line is ``epoch|call|queue|agent|EVENT|data1|…``; the database form has ``time``, ``callid``, ``queuename``, ``agent``,
``event`` and ``data1`` … ``data5`` (or ``data``), or QueueMetrics' names of these. Times are epoch seconds, or
``YYYY-MM-DD hh:mm:ss``, local in the source's zone unless they have an offset. Field meanings: Asterisk's documentation of
queue logs; ``FULL`` … ``WRAPUPSTART`` are Wazo's and XiVO's. docs/dialects.md has the mapping as a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from msgspec import Struct

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model import events as e

from . import Headers, Local
from ._making import cut, digest, duration, make, milliseconds, not_ready
from ._reading import lowered, read_json

_EPOCH: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]*))?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)
_NOBODY: Final = frozenset({"", "NONE"})
_NO_CALL: Final = frozenset({"", "NONE", "REALTIME"})
_COLUMNS: Final = {
    "time": ("time", "time_id"),
    "call": ("callid", "call_id"),
    "queue": ("queuename", "queue"),
    "agent": ("agent",),
    "event": ("event", "verb"),
}
"""A field → its columns in the database form: Asterisk's and QueueMetrics'. The first one that is not empty counts."""


FILE_FORMAT: Final = "queue_log"
TELLS_MESSAGES: Final = False
KEY: Final = "asterisk"
"""One partition a server: calls change their ids there, and a restart ends them all."""
_ROW: Final = frozenset({"time", "call", "event"})
"""Fields without which a table holds no rows of a queue log."""
_QUEUE_LOG: Final = re.compile(rb"\d{9,}(\.\d+)?\|[^|]*\|[^|]*\|[^|]*\|[A-Z]+")


class _Line(Struct):
    """A line's fields; ``data`` without empty fields at its end."""

    at: int
    call: str
    queue: str
    agent: str
    name: str
    data: list[str]

    def field(self, n: int) -> str:
        return self.data[n] if n < len(self.data) else ""

    def seconds(self, n: int) -> float | None:
        """Read a duration; ``None`` for an empty field, or where the clock ran backwards."""
        text = self.field(n).strip()
        return duration(float(text)) if _NUMBER.fullmatch(text) else None


def is_line(line: bytes) -> bool:
    """Return whether a line of some file is one of a queue log."""
    return _QUEUE_LOG.match(line) is not None


def is_header(cells: Sequence[str]) -> bool:
    """Return whether the cells of a table's first line are columns of the database form."""
    names = {cell.lower() for cell in cells}
    return all(names & {*_COLUMNS[field]} for field in _ROW)


def is_row(cells: Sequence[str]) -> bool:
    """Return whether the cells of a table's line are a row of the database form."""
    return any(cell in EVENTS for cell in cells)


def _utc(stamp: datetime) -> datetime:
    return stamp.replace(tzinfo=UTC)


def decode(
    value: bytes,
    headers: Headers = (),  # noqa: ARG001 - see the protocol
    local: Local = _utc,
) -> Sequence[e.Event]:
    """Return the events in a line; ``local`` is what times without an offset are read by.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``.
        UnknownTypeError: the line's event is not one of Asterisk's (dialplans may write their own).
    """
    line = _row(value, local) if value.lstrip()[:1] == b"{" else _fields(value, local)
    if tell := EVENTS.get(line.name):
        return tell(line)
    if line.name.startswith("DIVERT_"):
        return _refused(line, line.name.lower())
    raise UnknownTypeError(line.name)


# --- reading ---


def _fields(value: bytes, local: Local) -> _Line:
    try:
        text = value.decode().strip("\r\n")
    except UnicodeDecodeError:  # a name in another encoding is no reason to lose a call
        text = value.decode("latin-1").strip("\r\n")
    if "\n" in text:
        raise UnreadableError("invalid", "more than one line in a record")
    fields = text.split("|")
    if len(fields) < 5:
        raise UnreadableError("invalid", f"{len(fields)} fields; a line has time|call|queue|agent|event")
    return _line(fields[:5], "|".join(fields[5:]), local)


def _row(value: bytes, local: Local) -> _Line:
    row = lowered(read_json(value))
    first = [next(filter(None, (_text(row, name) for name in names)), "") for names in _COLUMNS.values()]
    if not first[-1]:
        raise UnreadableError("invalid", "a row names its `event`")
    data = _text(row, "data") or "|".join(_text(row, f"data{n}") for n in range(1, 6))
    return _line(first, data, local)


def _text(row: Mapping[str, Any], name: str) -> str:
    field = row.get(name, "")
    if type(field) in (int, float):
        return str(field)
    if type(field) is not str:
        raise UnreadableError("invalid", f"Expected text or a number - at `$.{name}`")
    return field


def _line(first: Sequence[str], data: str, local: Local) -> _Line:
    """Make a line from its first five fields and the joined others, so that fields that a row packs into one are split."""
    time, call, queue, agent, name = (field.strip() for field in first)
    return _Line(_at(time, local), call, queue, agent, name, data.rstrip("|").split("|"))


def _at(text: str, local: Local) -> int:
    if found := _EPOCH.fullmatch(text):
        return int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")[:3])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError(
            "invalid", "the time is neither epoch seconds nor YYYY-MM-DD hh:mm:ss"
        ) from None
    return milliseconds(at if at.tzinfo else local(at))


# --- telling ---


_ENDS: Final = frozenset({e.Ended, e.Transferred, e.Wrapped})
"""Events whose call alone says which visit they end, where the line names no queue."""


def _id(line: _Line, n: int = 0) -> str:
    """Return an event's id: the same for a line that is repeated."""
    return digest("|".join((str(line.at), line.call, line.queue, line.agent, line.name, *line.data, str(n))))


def _visit_id(line: _Line, entered_s: int) -> str:
    """Return the id of the beginning of a call's stay in a queue: what tells its end knows it as well as what told it."""
    return digest("|".join((line.call, line.queue, "ENTERQUEUE", str(entered_s))))


def _of_call(
    line: _Line, event: type[e.ContactEvent], n: int = 0, how: str | None = None, **fields: Any
) -> e.ContactEvent:
    if line.call in _NO_CALL:
        raise UnreadableError("invalid", f"{line.name} names no call")
    queue = None if line.queue in _NOBODY else line.queue
    if queue is None and event not in _ENDS:
        raise UnreadableError("invalid", f"{line.name} names no queue")
    agent = None if line.agent in _NOBODY else line.agent
    return make(
        event,
        id=fields.pop("id", None) or _id(line, n),
        at=line.at,
        contact_id=line.call,
        queue=queue,
        channel="voice",
        agent=agent,
        kind=how,
        **fields,
    )


def _nothing(_: _Line) -> Sequence[e.Event]:
    return ()


def _queued(line: _Line) -> Sequence[e.Event]:
    return (_of_call(line, e.Queued, id=_visit_id(line, line.at // 1000)),)


def _began(line: _Line, wait: float | None, talk: float | None = None) -> dict[str, Any] | None:
    """Return when the call entered the queue, counted back from this line, in case its ENTERQUEUE is missing.

    Asterisk measures waits and conversations in whole seconds of the same clock, so the second is that of the ENTERQUEUE.
    """
    if wait is None or line.queue in _NOBODY:
        return None
    answered = line.at - round((talk or 0) * 1000)
    queued = answered - round(wait * 1000)
    if queued < e.EARLIEST_MS:
        return None
    entered_s = line.at // 1000 - int(talk or 0) - int(wait)
    began = {"id": _visit_id(line, entered_s), "at": queued, "exact": True}
    return began if talk is None else {**began, "answered_at": answered}


def _connect(line: _Line) -> Sequence[e.Event]:
    wait = line.seconds(0)
    return (_of_call(line, e.Answered, wait_s=wait, beginning=_began(line, wait)),)


def _complete(line: _Line, by: str) -> Sequence[e.Event]:
    return _ended(line, e.Ended, line.seconds(0), line.seconds(1), by=by)


def _ended(
    line: _Line, kind: type[e.ContactEvent], wait: float | None, talk: float | None, **fields: Any
) -> Sequence[e.Event]:
    """End a conversation and all work: Asterisk has no wrap-up."""
    began = None if talk is None else _began(line, wait, talk)
    ended = _of_call(line, kind, wait_s=wait, talk_s=talk, beginning=began, **fields)
    return ended, _of_call(line, e.Wrapped, 1, wrap_s=0, beginning=began)


def _transfer(line: _Line, kind: str) -> Sequence[e.Event]:
    """End a transferred call: two fields hold its target, then come wait and talk; linking two bridges needs a third field."""
    first = 3 if line.field(0) == "LINK" and kind == "attended" else 2
    return _ended(line, e.Transferred, line.seconds(first), line.seconds(first + 1), how=kind)


def _abandon(line: _Line) -> Sequence[e.Event]:
    wait = line.seconds(2)
    return (_of_call(line, e.Abandoned, wait_s=wait, beginning=_began(line, wait)),)


def _left(line: _Line, reason: str, wait: int | None = 2) -> Sequence[e.Event]:
    """Leave the queue; ``wait`` is the field that states the wait."""
    waited = None if wait is None else line.seconds(wait)
    return (_of_call(line, e.LeftQueue, reason=reason, wait_s=waited, beginning=_began(line, waited)),)


def _refused(line: _Line, reason: str) -> Sequence[e.Event]:
    return (_of_call(line, e.Refused, reason=reason),)


def _missed(line: _Line) -> Sequence[e.Event]:
    return (_of_call(line, e.Missed),)


def _agent(line: _Line, state: e.AgentStatus, **fields: Any) -> Sequence[e.Event]:
    """Tell an agent's state: of the line's queue alone, where it names one. Who wraps up does so everywhere."""
    if line.agent in _NOBODY:
        return ()
    queue = None if line.queue in _NOBODY or state == "wrap" else line.queue
    return (
        make(e.AgentState, id=_id(line), at=line.at, agent=line.agent, state=state, queue=queue, **fields),
    )


def _wrap_up(line: _Line) -> Sequence[e.Event]:
    return _agent(line, "wrap", for_s=line.seconds(0))


def _added(line: _Line) -> Sequence[e.Event]:
    """Join a queue, which a member may do in a pause."""
    return _agent(line, "break" if line.field(0).upper() == "PAUSED" else "available")


def _paused(line: _Line) -> Sequence[e.Event]:
    why = line.field(0)
    return _agent(line, not_ready(why), reason=cut(why))


def _everywhere(line: _Line, tell: Callable[[_Line], Sequence[e.Event]]) -> Sequence[e.Event]:
    """Pause or go on in all queues, unless Asterisk itself says so.

    It then writes a line for each queue, too, with the member's name and the reason; this one has neither, but the member's
    interface, which would be another agent.
    """
    return () if line.call in _NO_CALL and not line.field(0) else tell(line)


def _restarted(line: _Line) -> Sequence[e.Event]:
    return (make(e.PlatformRestarted, id=_id(line), at=line.at),)


EVENTS: Final[Mapping[str, Callable[[_Line], Sequence[e.Event]]]] = {
    "ENTERQUEUE": _queued,
    "CONNECT": _connect,
    "COMPLETEAGENT": partial(_complete, by="agent"),
    "COMPLETECALLER": partial(_complete, by="customer"),
    "BLINDTRANSFER": partial(_transfer, kind="blind"),
    "ATTENDEDTRANSFER": partial(_transfer, kind="attended"),
    "TRANSFER": partial(_transfer, kind="blind"),  # before Asterisk 12
    "ABANDON": _abandon,
    "EXITWITHTIMEOUT": partial(_left, reason="timeout"),
    "EXITEMPTY": partial(_left, reason="empty"),
    "LEAVEEMPTY": partial(_left, reason="empty"),
    "EXITWITHKEY": partial(_left, reason="key", wait=3),
    "WITHDRAW": partial(_left, reason="withdrawn"),
    "SYSCOMPAT": partial(_left, reason="incompatible", wait=None),
    "FULL": partial(_refused, reason="full"),
    "JOINEMPTY": partial(_refused, reason="empty"),
    "CLOSED": partial(_refused, reason="closed"),
    "RINGNOANSWER": _missed,
    "AGENTDUMP": _missed,  # hung up on the announcement; the caller waits on
    "RINGCANCELED": _nothing,  # the caller hung up meanwhile: not the agent's doing
    "PAUSE": _paused,
    "PAUSEALL": partial(_everywhere, tell=_paused),
    "UNPAUSE": partial(_agent, state="available"),
    "UNPAUSEALL": partial(_everywhere, tell=partial(_agent, state="available")),
    "ADDMEMBER": _added,
    "REMOVEMEMBER": partial(_agent, state="offline"),
    "AGENTLOGIN": partial(_agent, state="available"),
    "AGENTLOGOFF": partial(_agent, state="offline"),
    "AGENTCALLBACKLOGIN": partial(_agent, state="available"),
    "AGENTCALLBACKLOGOFF": partial(_agent, state="offline"),
    "WRAPUPSTART": _wrap_up,
    "QUEUESTART": _restarted,
    **dict.fromkeys(("CALLSTATUS", "CONFIGRELOAD", "DID", "INFO", "PENALTY", "RINGINUSE"), _nothing),
    **dict.fromkeys(
        ("OUTCALL", "CALLOUTBOUND", "DIALRESULT"), _nothing
    ),  # of scripts that dial out, in no queue
    **dict.fromkeys(("ANSWER", "NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL"), _nothing),  # same
}
"""The events of the log; `DIVERT_…` counts as refused, whatever its reason."""
