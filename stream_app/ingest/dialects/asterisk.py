"""Asterisk's queue log: a line a record, or a row of its database form as JSON.

A line is ``epoch|call|queue|agent|EVENT|data1|…``; the database form has ``time``, ``callid``, ``queuename``, ``agent``,
``event`` and ``data1`` … ``data5`` (or ``data``). Times are epoch seconds, or ``YYYY-MM-DD hh:mm:ss`` in UTC unless they say
otherwise. Field meanings: Asterisk's documentation of queue logs; ``FULL`` … ``WRAPUPSTART`` are Wazo's and XiVO's.
docs/dialects.md has the table of what becomes what.
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

from . import Headers
from ._making import State, cut, digest, duration, make, milliseconds, not_ready
from ._reading import check_utf8, lowered, read_json

_EPOCH: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]*))?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)
_NOBODY: Final = frozenset({"", "NONE"})
_NO_CALL: Final = frozenset({"", "NONE", "REALTIME"})


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
        """A duration; clocks that ran backwards and fields left empty did not state one."""
        text = self.field(n).strip()
        return duration(float(text)) if _NUMBER.fullmatch(text) else None


def decode(value: bytes, headers: Headers = ()) -> Sequence[e.Event]:  # noqa: ARG001 - see the protocol
    """The events that a line tells.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``.
        UnknownTypeError: the line's event is not one of Asterisk's (dialplans may write their own).
    """
    line = _row(value) if value.lstrip()[:1] == b"{" else _fields(value)
    if tell := EVENTS.get(line.name):
        return tell(line)
    if line.name.startswith("DIVERT_"):
        return _refused(line, line.name.lower())
    raise UnknownTypeError(line.name)


# --- reading ---


def _fields(value: bytes) -> _Line:
    check_utf8(value)
    text = value.decode().strip("\r\n")
    if "\n" in text:
        raise UnreadableError("invalid", "more than one line in a record")
    fields = text.split("|")
    if len(fields) < 5:
        raise UnreadableError("invalid", f"{len(fields)} fields; a line has time|call|queue|agent|event")
    return _line(fields[:5], "|".join(fields[5:]))


def _row(value: bytes) -> _Line:
    row = lowered(read_json(value))
    if "event" not in row:
        raise UnreadableError("invalid", "a row names its `event`")
    data = [_text(row, f"data{n}") for n in range(1, 6)] if "data" not in row else [_text(row, "data")]
    queue = _text(row, "queuename") or _text(row, "queue")
    first = [_text(row, "time"), _text(row, "callid"), queue, _text(row, "agent"), _text(row, "event")]
    return _line(first, "|".join(data))


def _text(row: Mapping[str, Any], name: str) -> str:
    field = row.get(name, "")
    if type(field) in (int, float):
        return str(field)
    if type(field) is not str:
        raise UnreadableError("invalid", f"Expected text or a number - at `$.{name}`")
    return field


def _line(first: Sequence[str], data: str) -> _Line:
    """A line from its first five fields and the others, joined: what a row packs into one of them has its place again."""
    time, call, queue, agent, name = (field.strip() for field in first)
    return _Line(_at(time), call, queue, agent, name, data.rstrip("|").split("|"))


def _at(text: str) -> int:
    if found := _EPOCH.fullmatch(text):
        return int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")[:3])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError(
            "invalid", "the time is neither epoch seconds nor YYYY-MM-DD hh:mm:ss"
        ) from None
    return milliseconds(at if at.tzinfo else at.replace(tzinfo=UTC))


# --- telling ---


def _id(line: _Line, n: int = 0) -> str:
    """A line that is repeated gives the same ids."""
    return digest("|".join((str(line.at), line.call, line.queue, line.agent, line.name, *line.data, str(n))))


def _of_call(
    line: _Line, event: type[e.ContactEvent], n: int = 0, how: str | None = None, **fields: Any
) -> e.ContactEvent:
    if line.call in _NO_CALL:
        raise UnreadableError("invalid", f"{line.name} names no call")
    if line.queue in _NOBODY:
        raise UnreadableError("invalid", f"{line.name} names no queue")
    agent = None if line.agent in _NOBODY else line.agent
    return make(
        event,
        id=_id(line, n),
        at=line.at,
        contact_id=line.call,
        queue=line.queue,
        channel="voice",
        agent=agent,
        kind=how,
        **fields,
    )


def _nothing(_: _Line) -> Sequence[e.Event]:
    return ()


def _queued(line: _Line) -> Sequence[e.Event]:
    return (_of_call(line, e.Queued),)


def _began(line: _Line, wait: float | None, talk: float | None = None) -> dict[str, Any] | None:
    """When the call entered the queue, counted back from the line, for the case that its ENTERQUEUE is missing."""
    if wait is None:
        return None
    answered = line.at - round((talk or 0) * 1000)
    queued = answered - round(wait * 1000)
    if queued < e.EARLIEST_MS:
        return None
    began = {"id": _id(line), "at": queued}
    return began if talk is None else {**began, "answered_at": answered}


def _connect(line: _Line) -> Sequence[e.Event]:
    wait = line.seconds(0)
    return (_of_call(line, e.Answered, wait_s=wait, beginning=_began(line, wait)),)


def _complete(line: _Line, by: str) -> Sequence[e.Event]:
    return _ended(line, e.Ended, line.seconds(0), line.seconds(1), by=by)


def _ended(
    line: _Line, kind: type[e.ContactEvent], wait: float | None, talk: float | None, **fields: Any
) -> Sequence[e.Event]:
    """A conversation is over, and so is all work: Asterisk knows no wrap-up."""
    began = None if talk is None else _began(line, wait, talk)
    ended = _of_call(line, kind, wait_s=wait, talk_s=talk, beginning=began, **fields)
    return ended, _of_call(line, e.Wrapped, 1, wrap_s=0, beginning=began)


def _transfer(line: _Line, kind: str) -> Sequence[e.Event]:
    """Two fields say where to, then wait and talk; a link of two bridges needs a third one."""
    first = 3 if line.field(0) == "LINK" and kind == "attended" else 2
    return _ended(line, e.Transferred, line.seconds(first), line.seconds(first + 1), how=kind)


def _abandon(line: _Line) -> Sequence[e.Event]:
    wait = line.seconds(2)
    return (_of_call(line, e.Abandoned, wait_s=wait, beginning=_began(line, wait)),)


def _left(line: _Line, reason: str, wait: int | None = 2) -> Sequence[e.Event]:
    """``wait``: the field that states it."""
    waited = None if wait is None else line.seconds(wait)
    return (_of_call(line, e.LeftQueue, reason=reason, wait_s=waited, beginning=_began(line, waited)),)


def _refused(line: _Line, reason: str) -> Sequence[e.Event]:
    return (_of_call(line, e.Refused, reason=reason),)


def _missed(line: _Line) -> Sequence[e.Event]:
    return (_of_call(line, e.Missed),)


def _agent(line: _Line, state: State) -> Sequence[e.Event]:
    if line.agent in _NOBODY:
        return ()
    return (make(e.AgentState, id=_id(line), at=line.at, agent=line.agent, state=state),)


def _paused(line: _Line) -> Sequence[e.Event]:
    if line.agent in _NOBODY:
        return ()
    why = line.field(0)
    fields = {"agent": line.agent, "state": not_ready(why), "reason": cut(why)}
    return (make(e.AgentState, id=_id(line), at=line.at, **fields),)


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
    "SYSCOMPAT": partial(_left, reason="incompatible", wait=None),
    "FULL": partial(_refused, reason="full"),
    "JOINEMPTY": partial(_refused, reason="empty"),
    "CLOSED": partial(_refused, reason="closed"),
    "RINGNOANSWER": _missed,
    "AGENTDUMP": _missed,  # hung up on the announcement; the caller waits on
    "RINGCANCELED": _nothing,  # the caller hung up meanwhile: not the agent's doing
    "PAUSE": _paused,
    "PAUSEALL": _paused,
    "UNPAUSE": partial(_agent, state="available"),
    "UNPAUSEALL": partial(_agent, state="available"),
    "ADDMEMBER": partial(_agent, state="available"),
    "REMOVEMEMBER": partial(_agent, state="offline"),
    "AGENTLOGIN": partial(_agent, state="available"),
    "AGENTLOGOFF": partial(_agent, state="offline"),
    "AGENTCALLBACKLOGIN": partial(_agent, state="available"),
    "AGENTCALLBACKLOGOFF": partial(_agent, state="offline"),
    "WRAPUPSTART": partial(_agent, state="wrap"),
    "CONFIGRELOAD": _nothing,
    "QUEUESTART": _nothing,
    "DID": _nothing,
}
"""What each event of the log tells; `DIVERT_…` is refused, whatever for."""
