"""Interval rows of calls, worked out with a pencil from docs/semantics.md; and all cases."""

from __future__ import annotations

from .pencil import CHAT, DAY_MS, MIN_MS, VIDEO, Case, clock, of, response, tell
from .written_quarters import WRITTEN

__all__ = ["CASES", "Case"]

_NINE = clock("9:00")
_OVER_A_MONTH = _NINE + 31 * DAY_MS  # an outcome at this moment counts, and a millisecond later it does not

CASES: dict[str, Case] = {
    **WRITTEN,
    "an answer counts in the quarter of queueing, the work in that of its completion": Case(
        [
            tell("9:14:50", "contact.queued"),
            tell("9:15:10", "contact.answered"),
            tell("9:20:10", "contact.ended"),
            tell("9:31:00", "contact.wrapped"),
        ],
        {
            of("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 20_000,
                "longest_wait_ms": 20_000,
            },
            of("9:15"): response(20_000),
            of("9:30"): {"handled": 1, "talk_ms": 300_000, "wrap_ms": 650_000},
        },
        {of("8:45"): (0, 0), of("9:00"): (0, 1), of("9:15"): (1, 1), of("9:30"): (0, 0)},
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
            of("9:15"): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 60_000,
                "longest_wait_ms": 60_000,
                **response(60_000),
            },
            of("9:30"): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 60_000,
                "longest_wait_ms": 60_000,
                **response(60_000),
                "handled": 1,
                "talk_ms": 16 * MIN_MS,
            },
            of("10:00"): {"handled": 1, "talk_ms": 30 * MIN_MS},
        },
        {of("9:15"): (0, 1), of("9:30"): (0, 1), of("9:45"): (0, 0), of("10:00"): (0, 0)},
    ),
    "who comes back to the wait has not given up, but did wait that long": Case(
        [
            tell("9:00", "contact.queued"),
            tell("9:16", "contact.abandoned"),
            tell("9:17", "contact.queued", resumes=True),
            tell("9:31", "contact.answered", wait_s=18),
        ],
        {
            of("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 18_000,
                "longest_wait_ms": 16 * MIN_MS,
            },
            of("9:30"): response(18_000),
        },
        {of("9:00"): (0, 1), of("9:15"): (1, 1), of("9:30"): (1, 1), of("9:45"): (0, 0)},
    ),
    "who gave up and was passed on has left": Case(
        [
            tell("9:14:30", "contact.queued"),
            tell("9:14:45", "contact.abandoned"),
            tell("9:15:05", "callback.scheduled"),
        ],
        {
            of("9:00"): {
                "offered": 1,
                "left": 1,
                "left_in_target": 1,
                "left_callback": 1,
                "left_wait_ms": 15_000,
                "longest_wait_ms": 15_000,
            },
        },
        {of("9:00"): (0, 1), of("9:15"): (1, 1), of("9:30"): (0, 0)},
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
            of("9:00"): {
                "offered": 4,
                "abandoned": 3,
                "abandoned_in_target": 2,
                "abandoned_short": 1,
                "abandon_wait_ms": 75_000,
                "longest_wait_ms": 50_000,
                "waiting": 1,
            },
        },
        {of("9:00"): (0, 1), of("9:15"): (1, 1), of("9:30"): (1, 1)},
    ),
    "a call that nobody ends is lost": Case(
        [
            tell("9:00", "contact.queued"),
            tell("13:00", "agent.state", "a9", agent="g", state="break"),
            tell("13:16", "agent.state", "a9", agent="g", state="break"),
        ],
        {of("9:00"): {"offered": 1, "lost": 1}},
        {of("13:00"): (1, 1), of("13:15"): (1, 1), of("13:30"): (0, 0)},
    ),
    "a video call of which nobody spoke for 31 days is lost": Case(
        [
            tell("9:00", "contact.queued", channel="video"),
            tell(_OVER_A_MONTH, "agent.state", "a9", agent="g", state="break"),
        ],
        {of("9:00", VIDEO): {"offered": 1, "lost": 1}},
        {of("9:00", VIDEO, day=31): (1, 1), of("9:15", VIDEO, day=31): (0, 0)},
    ),
    "one that is lost later still waits in its row": Case(
        [
            tell("9:00", "contact.queued", channel="video"),
            tell(_OVER_A_MONTH + 1, "agent.state", "a9", agent="g", state="break"),
        ],
        {of("9:00", VIDEO): {"offered": 1, "waiting": 1}},
        {of("9:00", VIDEO, day=31): (1, 1), of("9:15", VIDEO, day=31): (0, 0)},
    ),
    "a stated wait says nothing about when it began": Case(
        [tell("9:14:00", "contact.queued"), tell("9:16:00", "contact.answered", wait_s=20)],
        {
            of("9:00"): {
                "offered": 1,
                "answered": 1,
                "answered_in_target": 1,
                "wait_ms": 20_000,
                "longest_wait_ms": 20_000,
            },
            of("9:15"): response(20_000),
        },
        {of("9:00"): (0, 1), of("9:15"): (1, 1), of("9:30"): (0, 0)},
    ),
    "refused contacts count where they are refused, outbound ones nowhere": Case(
        [
            tell("9:15", "contact.refused", "a", channel="chat"),
            tell("9:16", "contact.answered", "b", queue="billing", direction="outbound"),
            tell("9:20", "contact.wrapped", "b"),
        ],
        {of("9:15", CHAT): {"refused": 1}},
        {of("9:15", CHAT): (0, 0), of("9:15"): (0, 0)},
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
            of("9:00"): {
                "offered": 3,
                "left": 3,
                "left_wait_ms": 180_000,
                "left_timeout": 1,
                "left_transfer": 1,
                "longest_wait_ms": 60_000,
            },
            of("9:15"): {"missed": 1},
            of("9:30"): {"refused": 2, "refused_full": 1},
        },
        {of("9:00"): (0, 3), of("9:15"): (3, 3), of("9:30"): (0, 0)},
    ),
    "the backlog is looked at when minutes end": Case(
        [
            tell("9:00:10", "contact.queued", "a"),
            tell("9:00:40", "contact.queued", "b"),
            tell("9:00:50", "contact.left_queue", "a"),
            tell("9:01:00", "contact.left_queue", "b"),
        ],
        {
            of("9:00"): {
                "offered": 2,
                "left": 2,
                "left_in_target": 1,
                "left_wait_ms": 60_000,
                "longest_wait_ms": 40_000,
            },
        },
        {of("9:00"): (0, 1), of("9:15"): (0, 0)},
    ),
    "a wait that is over before it began is missing in between": Case(
        [tell("9:15:20", "contact.queued"), tell("9:14:30", "contact.answered")],
        {
            of("9:00"): {"responded": 1},
            of("9:15"): {"offered": 1, "answered": 1, "answered_in_target": 1},
        },
        {of("9:00"): (0, 0), of("9:15"): (-1, 0), of("9:30"): (0, 0)},
    ),
}
