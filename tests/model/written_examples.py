"""Worked examples of the KPIs of written conversations."""

from stream_app.model.targets import Targets

from .examples import HOURS, Example, call

_TARGET = Targets.of({"queues": {"sales": {"reply_target_s": 60}}})
# a replied to, and writing again; b assigned to somebody who has not written; c settled; d with a bot that has answered
_FOUR = [
    *call("a", 0, (10, "message.sent"), (100, "message.received"), channel="messaging"),
    *call("b", 20, (5, "contact.answered"), channel="messaging"),
    *call("c", 0, (30, "message.sent"), (40, "contact.held"), channel="messaging"),
    *call("d", 0, (3, "bot.started"), (5, "message.received"), channel="messaging"),
]
_A_MAIL = call(
    "m",
    0,
    (60, "message.sent"),  # 60 s of work
    (100, "contact.held"),
    (160, "message.received"),
    (160, "contact.resumed"),  # 60 s pending
    (190, "message.sent"),  # 30 s of work
    (200, "contact.wrapped"),
    channel="email",
)

WRITTEN: dict[str, list[Example]] = {
    "awaiting_reply": [Example(_FOUR, 200, 2, channel="messaging"), Example(call("a", 0), 10, None)],
    "oldest_awaiting_reply": [
        Example(_FOUR, 200, 180.0, channel="messaging"),
        # 08:30:50 to 08:34:10 on the clock that was promised: closed from 08:31 to 08:34
        Example(call("a", 50, channel="email"), 250, 20.0, channel="email", targets=HOURS),
    ],
    "open_conversations": [Example(_FOUR, 200, 3, channel="messaging")],
    "pending": [Example(_FOUR, 200, 1, channel="messaging")],
    "with_bot": [Example(_FOUR, 200, 1, channel="messaging")],
    "oldest_unanswered_by_bot": [Example(_FOUR, 200, 200.0, channel="messaging")],
    "queue_response": [
        # passed on after 100 s, and answered 20 s later: this queue took 20 s
        Example(
            [
                *call("a", 0, (100, "contact.transferred"), channel="email"),
                (100, "a", "contact.queued", {"queue": "sales", "channel": "email"}),
                (120, "a", "message.sent", {}),
            ],
            200,
            20.0,
            1,
            "email",
        ),
    ],
    "queue_response_business": [
        Example(call("a", 50, (200, "message.sent"), channel="chat"), 300, 20.0, 1, "chat", HOURS),
    ],
    "speed_of_answer_business": [
        Example(call("a", 50, (200, "message.sent"), channel="chat"), 300, 20.0, 1, "chat", HOURS),
        Example(call("a", 50, (200, "contact.answered")), 300, 200.0, 1),
    ],
    "reply_service_level": [
        # the first reply has another target; of the next ones, one takes 60 s and one 61 s
        Example(
            call(
                "a",
                0,
                (200, "message.sent"),
                *((300, "message.received"), (360, "message.sent")),
                *((400, "message.received"), (461, "message.sent")),
                channel="email",
            ),
            600,
            0.5,
            2,
            "email",
            _TARGET,
        ),
    ],
    "reopened": [
        Example(
            [
                *call(
                    "a",
                    0,
                    (42, "message.sent"),
                    (60, "contact.ended"),
                    (61, "contact.wrapped"),
                    channel="email",
                ),
                (100, "a", "case.reopened", {"case": "k"}),
                (101, "a", "contact.queued", {"queue": "sales", "channel": "email"}),
            ],
            200,
            1.0,
            1,
            "email",
        ),
    ],
    "conversation_time": [Example(_A_MAIL, 250, 200.0, 1, "email")],
    "pending_time": [Example(_A_MAIL, 250, 60.0, 1, "email")],
    "estimated_work": [
        Example(
            [
                *_A_MAIL,
                *call("n", 0, (60, "message.sent"), (90, "contact.wrapped"), channel="email", talk_s=25),
            ],
            250,
            0.5,
            2,
            "email",
        ),
    ],
    "closed_unanswered": [
        Example(call("a", 0, (60, "contact.ended"), channel="email"), 100, 1.0, 1, "email")
    ],
    "unfinished": [
        Example(
            [*call("a", 0, (10, "contact.answered")), *call("b", 43_300), *call("c", 43_300)], 43_350, 1.0, 1
        ),
    ],
    "lost": [Example([*call("a", 0), *call("b", 14_520), *call("c", 14_520)], 14_600, 1.0, 1)],
}
