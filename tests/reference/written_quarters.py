"""Interval rows of chats and mails, worked out with a pencil from docs/semantics.md."""

from __future__ import annotations

from .pencil import CHAT, DAY_MS, MAIL, MIN_MS, Case, Told, clock, of, reply, response, tell

_NINE = clock("9:00")
_HALF_A_YEAR = _NINE + 186 * DAY_MS  # an outcome at this moment counts, and a millisecond later it does not
_HELD_UP: list[Told] = [
    tell("9:00", "contact.queued", channel="chat"),
    tell(clock("9:00", 20), "contact.abandoned"),
    tell(clock("9:01", 20), "contact.queued", channel="chat", resumes=True),
]
_TWENTY_DAYS = 20 * DAY_MS

WRITTEN: dict[str, Case] = {
    "an e-mail is answered after five days": Case(
        [
            tell("9:07", "contact.queued", channel="email"),
            tell(clock("9:07", 5), "message.sent"),
        ],
        {
            of("9:00", MAIL): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 5 * DAY_MS,
                "longest_wait_ms": 5 * DAY_MS,
            },
            of("9:00", MAIL, day=5): reply(5 * DAY_MS),
        },
        {
            of("9:00", MAIL): (0, 1),
            of("12:00", MAIL, day=3): (1, 1),
            of("9:00", MAIL, day=5): (1, 1),
            of("9:15", MAIL, day=5): (0, 0),
        },
    ),
    "an outcome after 186 days counts": Case(
        [*_HELD_UP, tell(_HALF_A_YEAR, "message.sent")],
        {
            of("9:00", CHAT): {
                "offered": 1,
                "answered": 1,
                "wait_ms": 186 * DAY_MS,
                "longest_wait_ms": 186 * DAY_MS,
            },
            of("9:00", CHAT, day=186): reply(186 * DAY_MS),
        },
        {of("9:00", CHAT, day=186): (1, 1), of("9:15", CHAT, day=186): (0, 0)},
    ),
    "an outcome a millisecond later changes no row, and who waited still leaves the backlog": Case(
        [*_HELD_UP, tell(_HALF_A_YEAR + 1, "message.sent")],
        {
            of("9:00", CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": _TWENTY_DAYS},
            of("9:00", CHAT, day=186): reply(186 * DAY_MS + 1),
        },
        {of("9:00", CHAT, day=186): (1, 1), of("9:15", CHAT, day=186): (0, 0)},
    ),
    "of an abandonment that came too late nothing is taken back": Case(
        [
            *_HELD_UP,
            tell(_HALF_A_YEAR + 1, "contact.abandoned"),
            tell(_HALF_A_YEAR + MIN_MS, "contact.left_queue"),
        ],
        {of("9:00", CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": _TWENTY_DAYS}},
        {of("9:00", CHAT, day=186): (1, 1), of("9:15", CHAT, day=186): (0, 0)},
    ),
    "an abandonment that counted is taken back however late": Case(
        [
            *_HELD_UP,
            tell(_HALF_A_YEAR, "contact.abandoned"),
            tell(_HALF_A_YEAR + MIN_MS, "contact.left_queue"),
        ],
        {of("9:00", CHAT): {"offered": 1, "waiting": 1, "longest_wait_ms": 186 * DAY_MS}},
        {of("9:00", CHAT, day=186): (1, 1), of("9:15", CHAT, day=186): (0, 0)},
    ),
    "who is handed off waits since then": Case(
        [
            tell("9:10", "contact.queued", channel="chat"),
            tell("9:10:30", "bot.started"),
            tell("9:20", "bot.handed_off"),
            tell("9:31", "message.sent", agent="g"),
        ],
        {
            of("9:00", CHAT): {"offered": 1, "to_bot": 1},
            of("9:15", CHAT): {
                "from_bot": 1,
                "answered": 1,
                "wait_ms": 11 * MIN_MS,
                "longest_wait_ms": 11 * MIN_MS,
            },
            of("9:30", CHAT): reply(11 * MIN_MS),
        },
        {
            of("9:00", CHAT): (0, 0),
            of("9:15", CHAT): (0, 1),
            of("9:30", CHAT): (1, 1),
            of("9:45", CHAT): (0, 0),
        },
    ),
    "who comes back was not settled by the bot": Case(
        [
            tell("9:14", "contact.queued", "a", channel="chat"),
            tell("9:14:10", "message.sent", "a", bot=True),
            tell("9:16", "contact.ended", "a", by="bot"),
            tell("9:16", "contact.queued", "b", channel="chat"),
            tell("9:17", "contact.ended", "b", by="bot"),
            tell("9:50", "contact.queued", "a", channel="chat"),
        ],
        {
            of("9:00", CHAT): {"offered": 1, "to_bot": 1},
            of("9:15", CHAT): {"offered": 1, "to_bot": 1, "bot_contained": 1, "containments_undone": 1},
            of("9:45", CHAT): {"offered": 1, "waiting": 1},
        },
        {of("9:00", CHAT): (0, 0), of("9:15", CHAT): (0, 0), of("9:45", CHAT): (0, 1)},
    ),
    "who is with a bot, or leaves it, waits for nobody": Case(
        [
            tell("9:14", "contact.queued", "a", channel="chat"),
            tell("9:14:10", "bot.started", "a"),
            tell("9:14", "contact.queued", "b", channel="chat"),
            tell("9:14:10", "bot.started", "b"),
            tell("9:20", "contact.abandoned", "b"),
        ],
        {of("9:00", CHAT): {"offered": 2, "to_bot": 2}, of("9:15", CHAT): {"bot_abandoned": 1}},
        {of("9:00", CHAT): (0, 0), of("9:15", CHAT): (0, 0)},
    ),
    "the row of a wait that was taken up again by a bot keeps the longest": Case(
        [
            tell("9:00", "contact.queued", channel="chat"),
            tell("9:05", "contact.abandoned"),
            tell("9:06", "contact.queued", channel="chat", resumes=True),
            tell("9:17", "bot.handed_off"),
            tell("9:19", "contact.left_queue", reason="spam"),
        ],
        {
            of("9:00", CHAT): {"offered": 1, "to_bot": 1, "longest_wait_ms": 5 * MIN_MS},
            of("9:15", CHAT): {
                "from_bot": 1,
                "left": 1,
                "left_not_demand": 1,
                "left_wait_ms": 2 * MIN_MS,
                "longest_wait_ms": 2 * MIN_MS,
            },
        },
        {of("9:00", CHAT): (0, 0), of("9:15", CHAT): (0, 1), of("9:30", CHAT): (0, 0)},
    ),
    "closed without a reply, in time and too late": Case(
        [
            tell("9:00", "contact.queued", "a", channel="email"),
            tell("9:00", "contact.queued", "b", channel="email"),
            tell("9:20", "contact.ended", "a", by="agent"),
            tell("10:01", "contact.wrapped", "b"),
        ],
        {
            of("9:00", MAIL): {
                "offered": 2,
                "left": 2,
                "closed_unanswered": 2,
                "left_not_demand": 1,
                "left_wait_ms": 81 * MIN_MS,
                "longest_wait_ms": 61 * MIN_MS,
            },
        },
        {of("9:00", MAIL): (0, 2), of("9:15", MAIL): (2, 2), of("9:30", MAIL): (1, 1)},
    ),
    "a reopened mail is offered to nobody": Case(
        [
            tell("9:00", "case.reopened", queue="billing", channel="email", case="k"),
            tell("9:05", "contact.held"),
            tell("9:16", "contact.resumed"),
            tell("9:16", "message.sent", agent="g"),
            tell("9:31", "contact.wrapped"),
        ],
        {
            of("9:00", MAIL): {"reopened": 1},
            of("9:15", MAIL): {"replies": 1, "reply_ms": 16 * MIN_MS},
            of("9:30", MAIL): {
                "handled": 1,
                "talk_ms": 10 * MIN_MS,
                "handled_estimated": 1,
                "estimated_ms": 10 * MIN_MS,
                "pending_ms": 11 * MIN_MS,
            },
        },
        {of("9:00", MAIL): (0, 0), of("9:15", MAIL): (0, 0)},
    ),
    "of outbound conversations a row has what people did": Case(
        [
            tell("9:00", "message.sent", queue="billing", channel="chat", direction="outbound"),
            tell("9:01", "message.received"),
            tell("9:02", "message.sent"),
            tell("9:03", "contact.ended"),
            tell("9:04", "message.received"),
            tell("9:05", "message.sent"),
            tell("9:06", "contact.wrapped"),
        ],
        {of("9:00", CHAT): {"reopened": 1, **response(MIN_MS), "replies": 2, "reply_ms": 2 * MIN_MS}},
        {of("9:00", CHAT): (0, 0)},
    ),
}
