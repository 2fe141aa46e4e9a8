"""Interval rows worked out with a pencil from docs/semantics.md: what was told, and the rows and backlogs of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .log import T0, H

MIDNIGHT_MS = T0 - 17 * H * 1000 // 2  # T0 is half past eight
SEC, MIN_MS, DAY_MS = 1_000, 60_000, 86_400_000

Told = tuple[int, str, dict[str, Any]]  # at, type, other fields
Where = tuple[int, str]  # start of the quarter, queue and channel


class Case(NamedTuple):
    """All rows that there are, without zeros; and (backlog_start, backlog_max) of some quarters."""

    told: list[Told]
    rows: dict[Where, dict[str, int]]
    backlogs: dict[Where, tuple[int, int]]


def clock(text: str, day: int = 0) -> int:
    """A time of day (H:MM or H:MM:SS, UTC) in ms since the epoch, so many days later."""
    hours, minutes, seconds = (int(part) for part in f"{text}:00".split(":")[:3])
    return MIDNIGHT_MS + day * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * SEC


def tell(at: str | int, kind: str, contact: str = "c1", **fields: Any) -> Told:
    """An event; times as texts are those of the first day."""
    when = clock(at) if isinstance(at, str) else at
    if kind in ("contact.queued", "contact.refused"):
        fields = {"queue": "billing", **fields}
    return when, kind, {"contact_id": contact, **fields}


def _is(where: str, place: str = "billing/voice", day: int = 0) -> Where:
    return clock(where, day), place


_CHAT, _MAIL = "billing/chat", "billing/email"
_NINE = clock("9:00")
_OVER_A_MONTH = _NINE + 31 * DAY_MS  # an outcome at this moment counts, and a millisecond later it does not
_HELD_UP: list[Told] = [  # a chat cannot wait 31 days at a stretch: it is lost after thirty
    tell("9:00", "contact.queued", channel="chat"),
    tell(clock("9:00", 20), "contact.abandoned"),
    tell(clock("9:01", 20), "contact.queued", channel="chat", resumes=True),
]
_TWENTY_DAYS = 20 * DAY_MS

CASES: dict[str, Case] = {
    "an answer counts in the quarter of queueing, the work in that of its completion": Case(
        [
            tell("9:14:50", "contact.queued"),
            tell("9:15:10", "contact.answered"),
            tell("9:20:10", "contact.ended"),
            tell("9:31:00", "contact.wrapped"),
        ],
        {
            _is("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 20_000,
                "longest_wait_ms": 20_000,
            },
            _is("9:30"): {"handled": 1, "talk_ms": 300_000, "wrap_ms": 650_000},
        },
        {_is("8:45"): (0, 0), _is("9:00"): (0, 1), _is("9:15"): (1, 1), _is("9:30"): (0, 0)},
    ),
    "talks count when they are completed, however long they went": Case(
        [
            tell("9:15", "contact.queued", "a"),
            tell("9:16", "contact.answered", "a"),
            tell("9:32", "contact.wrapped", "a"),
            tell("9:34", "contact.queued", "b"),
            tell("9:35", "contact.answered", "b"),
            tell("10:05", "contact.wrapped", "b"),
        ],
        {
            _is("9:15"): {"offered": 1, "answered": 1, "wait_ms": 60_000, "longest_wait_ms": 60_000},
            _is("9:30"): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 60_000,
                "longest_wait_ms": 60_000,
                "handled": 1,
                "talk_ms": 16 * MIN_MS,
            },
            _is("10:00"): {"handled": 1, "talk_ms": 30 * MIN_MS},
        },
        {_is("9:15"): (0, 1), _is("9:30"): (0, 1), _is("9:45"): (0, 0), _is("10:00"): (0, 0)},
    ),
    "an e-mail is answered after five days": Case(
        [
            tell("9:07", "contact.queued", channel="email"),
            tell(clock("9:07", 5), "message.sent"),
        ],
        {
            _is("9:00", _MAIL): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 5 * DAY_MS,
                "longest_wait_ms": 5 * DAY_MS,
            },
        },
        {
            _is("9:00", _MAIL): (0, 1),
            _is("12:00", _MAIL, day=3): (1, 1),
            _is("9:00", _MAIL, day=5): (1, 1),
            _is("9:15", _MAIL, day=5): (0, 0),
        },
    ),
    "an outcome after 31 days counts": Case(
        [*_HELD_UP, tell(_OVER_A_MONTH, "contact.answered")],
        {
            _is("9:00", _CHAT): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 31 * DAY_MS,
                "longest_wait_ms": 31 * DAY_MS,
            },
        },
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "an outcome a millisecond later changes no row, and who waited still leaves the backlog": Case(
        [*_HELD_UP, tell(_OVER_A_MONTH + 1, "contact.answered")],
        {_is("9:00", _CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": _TWENTY_DAYS}},
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "of an abandonment that came too late nothing is taken back": Case(
        [
            *_HELD_UP,
            tell(_OVER_A_MONTH + 1, "contact.abandoned"),
            tell(_OVER_A_MONTH + MIN_MS, "contact.left_queue"),
        ],
        {_is("9:00", _CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": _TWENTY_DAYS}},
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "an abandonment that counted is taken back however late": Case(
        [
            *_HELD_UP,
            tell(_OVER_A_MONTH, "contact.abandoned"),
            tell(_OVER_A_MONTH + MIN_MS, "contact.left_queue"),
        ],
        {_is("9:00", _CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": 31 * DAY_MS}},
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "who comes back to the wait has not given up, but did wait that long": Case(
        [
            tell("9:00", "contact.queued"),
            tell("9:16", "contact.abandoned"),
            tell("9:17", "contact.queued", resumes=True),
            tell("9:31", "contact.answered", wait_s=18),
        ],
        {
            _is("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 18_000,
                "longest_wait_ms": 16 * MIN_MS,
            },
        },
        {_is("9:00"): (0, 1), _is("9:15"): (1, 1), _is("9:30"): (1, 1), _is("9:45"): (0, 0)},
    ),
    "who gave up and was passed on has left": Case(
        [
            tell("9:14:30", "contact.queued"),
            tell("9:14:45", "contact.abandoned"),
            tell("9:15:05", "callback.scheduled"),
        ],
        {
            _is("9:00"): {
                "offered": 1,
                "left": 1,
                "left_in_target": 1,
                "left_callback": 1,
                "left_wait_ms": 15_000,
                "longest_wait_ms": 15_000,
            },
        },
        {_is("9:00"): (0, 1), _is("9:15"): (1, 1), _is("9:30"): (0, 0)},
    ),
    "abandonments, and the longest of several waits": Case(
        [
            tell("9:00:00", "contact.queued", "a"),
            tell("9:00:05", "contact.abandoned", "a"),
            tell("9:01:00", "contact.queued", "b"),
            tell("9:01:20", "contact.abandoned", "b"),
            tell("9:02:00", "contact.queued", "c"),
            tell("9:02:50", "contact.abandoned", "c"),
            tell("9:14:59", "contact.queued", "d"),
        ],
        {
            _is("9:00"): {
                "offered": 4,
                "abandoned": 3,
                "abandoned_in_target": 2,
                "abandoned_short": 1,
                "abandon_wait_ms": 75_000,
                "longest_wait_ms": 50_000,
                "waiting": 1,
            },
        },
        {_is("9:00"): (0, 1), _is("9:15"): (1, 1), _is("9:30"): (1, 1)},
    ),
    "a call that nobody ends is lost": Case(
        [
            tell("9:00", "contact.queued"),
            tell("13:00", "agent.state", "a9", agent="g", state="break"),
            tell("13:16", "agent.state", "a9", agent="g", state="break"),
        ],
        {_is("9:00"): {"offered": 1, "lost": 1}},
        {_is("13:00"): (1, 1), _is("13:15"): (1, 1), _is("13:30"): (0, 0)},
    ),
    "a chat of which nobody spoke for 31 days is lost": Case(
        [
            tell("9:00", "contact.queued", channel="chat"),
            tell(_OVER_A_MONTH, "agent.state", "a9", agent="g", state="break"),
        ],
        {_is("9:00", _CHAT): {"offered": 1, "lost": 1}},
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "a chat that is lost later still waits in its row": Case(
        [
            tell("9:00", "contact.queued", channel="chat"),
            tell(_OVER_A_MONTH + 1, "agent.state", "a9", agent="g", state="break"),
        ],
        {_is("9:00", _CHAT): {"offered": 1, "waiting": 1}},
        {_is("9:00", _CHAT, day=31): (1, 1), _is("9:15", _CHAT, day=31): (0, 0)},
    ),
    "a stated wait says nothing about when it began": Case(
        [tell("9:14:00", "contact.queued"), tell("9:16:00", "contact.answered", wait_s=20)],
        {
            _is("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 20_000,
                "longest_wait_ms": 20_000,
            },
        },
        {_is("9:00"): (0, 1), _is("9:15"): (1, 1), _is("9:30"): (0, 0)},
    ),
    "refused contacts count where they are refused, outbound ones nowhere": Case(
        [
            tell("9:15", "contact.refused", "a", channel="chat"),
            tell("9:16", "contact.answered", "b", queue="billing", direction="outbound"),
            tell("9:20", "contact.wrapped", "b"),
        ],
        {_is("9:15", _CHAT): {"refused": 1}},
        {_is("9:15", _CHAT): (0, 0), _is("9:15"): (0, 0)},
    ),
    "reasons of those that left count where they were queued, of refused ones and missed offers where they happen": Case(
        [
            tell("9:14:00", "contact.queued", "a"),
            tell("9:14:10", "contact.queued", "b"),
            tell("9:14:20", "contact.queued", "c"),
            tell("9:15:00", "contact.left_queue", "a", reason="timeout"),
            tell("9:15:10", "contact.left_queue", "b", reason="voicemail"),
            tell("9:15:15", "agent.missed", "c", agent="g"),
            tell("9:15:20", "contact.transferred", "c"),
            tell("9:30", "contact.refused", "d", reason="full"),
            tell("9:31", "contact.refused", "e", reason="why not"),
        ],
        {
            _is("9:00"): {
                "offered": 3,
                "left": 3,
                "left_wait_ms": 180_000,
                "left_timeout": 1,
                "left_transfer": 1,
                "longest_wait_ms": 60_000,
            },
            _is("9:15"): {"missed": 1},
            _is("9:30"): {"refused": 2, "refused_full": 1},
        },
        {_is("9:00"): (0, 3), _is("9:15"): (3, 3), _is("9:30"): (0, 0)},
    ),
    "the backlog is looked at when minutes end": Case(
        [
            tell("9:00:10", "contact.queued", "a"),
            tell("9:00:40", "contact.queued", "b"),
            tell("9:00:50", "contact.left_queue", "a"),
            tell("9:01:00", "contact.left_queue", "b"),
        ],
        {
            _is("9:00"): {
                "offered": 2,
                "left": 2,
                "left_in_target": 1,
                "left_wait_ms": 60_000,
                "longest_wait_ms": 40_000,
            },
        },
        {_is("9:00"): (0, 1), _is("9:15"): (0, 0)},
    ),
    "a wait that is over before it began is missing in between": Case(
        [tell("9:15:20", "contact.queued"), tell("9:14:30", "contact.answered")],
        {_is("9:15"): {"offered": 1, "answered": 1, "answered_in_target": 1}},
        {_is("9:00"): (0, 0), _is("9:15"): (-1, 0), _is("9:30"): (0, 0)},
    ),
}
