"""What an `agent.state` event tells of an agent, and the agent's status after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .checks import ID, NAME, Fields, Refused, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

WORK = ("on_contact", "wrap")
STATES = (*WORK, "available", "break", "training", "meeting", "offline")
OF_CONTACTS = ("offered", "connected", "held", "wrap")
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000  # 2000-01-01 and 2100-01-01, inclusive
LONGEST_S = 365 * 86_400
MOST_SLOTS = 1_000

There = tuple[str, str]
"""A state, and its reason or ""."""


class Hand(NamedTuple):
    """A contact that the platform says the agent has."""

    contact: str
    state: str
    channel: str
    queue: str
    since: int | None


class Telling(NamedTuple):
    """Absent texts are empty; what else is absent is None."""

    at: int
    state: str
    reason: str = ""
    queue: str = ""
    queues: tuple[str, ...] | None = None
    team: str = ""
    site: str = ""
    limit: int | None = None
    slots: Mapping[str, int] | None = None
    hands: tuple[Hand, ...] | None = None
    by_itself: bool = False


class Status(NamedTuple):
    """What an agent does, and where."""

    state: str = "offline"
    reason: str = ""
    work: str = ""
    served: Mapping[str, There] = {}
    team: str = ""
    site: str = ""
    limit: int | None = None
    slots: Mapping[str, int] | None = None
    hands: tuple[Hand, ...] | None = None

    def spell(self) -> tuple[Any, ...]:
        """What stays the same as long as a spell goes on."""
        return self.state, self.reason, self.work, dict(self.served), self.team, self.site


def read_telling(at: int, fields: Fields) -> Telling:
    """What the fields of the event say; raises Refused."""
    if not text(fields, "agent", ID):
        raise Refused("invalid")
    seconds = number(fields, "for_s", 0, LONGEST_S)
    queues, slots, hands = (fields.get(name) for name in ("queues", "slots", "contacts"))
    return Telling(
        at,
        _one_of(fields, STATES),
        text(fields, "reason", NAME),
        text(fields, "queue", NAME),
        None if queues is None else tuple(_required({"": x}, "", NAME) for x in _a(list, queues)),
        text(fields, "team", NAME),
        text(fields, "site", NAME),
        None if seconds is None else at + round(seconds * 1000),
        None if slots is None else _slots(_a(dict, slots)),
        None if hands is None else tuple(_hand(_a(dict, x)) for x in _a(list, hands)),
    )


def _a(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise Refused("invalid")
    return value


def _required(fields: Fields, name: str, longest: int) -> str:
    found = text(fields, name, longest)
    if not found:
        raise Refused("invalid")
    return found


def _one_of(fields: Fields, known: tuple[str, ...]) -> str:
    if fields.get("state") not in known:
        raise Refused("invalid")
    return str(fields["state"])


def _slots(slots: Fields) -> dict[str, int]:
    found = {}
    for channel in slots:
        n = whole(slots, channel, 0, MOST_SLOTS)
        if n is None or not 1 <= len(channel) <= NAME:
            raise Refused("invalid")
        found[channel] = n
    return found


def _hand(fields: Fields) -> Hand:
    return Hand(
        _required(fields, "contact_id", ID),
        _one_of(fields, OF_CONTACTS),
        text(fields, "channel", NAME) or "voice",
        text(fields, "queue", NAME),
        whole(fields, "since", EARLIEST_MS, LATEST_MS),
    )


# What it changes ---------------------------------------------------------------------------------------


def after(now: Status, told: Telling) -> Status:
    """The status after a telling."""
    if told.by_itself and told.state in WORK:
        return now._replace(work="", limit=None)
    now = now._replace(
        team=told.team or now.team,
        site=told.site or now.site,
        slots=now.slots if told.slots is None else told.slots,
        limit=told.limit,
    )
    if told.queues is not None:
        now = now._replace(served={q: now.served.get(q, (now.state, now.reason)) for q in told.queues})
    if told.state in WORK:
        now = _works(now, told)
    elif told.queue:
        now = _in_one_queue(now, told)
    else:
        now = _everywhere(now, told.state, told.reason)._replace(work="")
    if now.state == "offline":
        return now._replace(work="", hands=None)
    if told.hands is not None:
        now = now._replace(hands=told.hands, work=_work(told.hands))
    return now


def _everywhere(now: Status, state: str, reason: str) -> Status:
    served = {} if state == "offline" else dict.fromkeys(now.served, (state, reason))
    return now._replace(state=state, reason=reason, served=served)


def _works(now: Status, told: Telling) -> Status:
    if now.state == "offline":
        now = _everywhere(now, "available", "")
    return now._replace(work=told.state)


def _in_one_queue(now: Status, told: Telling) -> Status:
    others = {queue: there for queue, there in now.served.items() if queue != told.queue}
    if told.state == "offline":
        return now._replace(served=others) if others else _everywhere(now, "offline", told.reason)
    served = {**others, told.queue: (told.state, told.reason)}
    now = now._replace(served=served, work="")
    if now.state == "available" and any(state == "available" for state, _ in served.values()):
        return now
    return now._replace(state=told.state, reason=told.reason)


def _work(hands: tuple[Hand, ...]) -> str:
    states = {hand.state for hand in hands}
    if states & {"connected", "held"}:
        return "on_contact"
    return "wrap" if "wrap" in states else ""
