"""Worked examples of every KPI: what was told, when somebody looks, and what a person with a pencil gets."""

from typing import Any, NamedTuple

from stream_app.model.targets import Targets

Told = tuple[float, str, str, dict[str, Any]]  # seconds after T0, contact, type, the other fields


class Example(NamedTuple):
    """``value`` is a number, or for money the amount by currency; ``where`` is the queue and channel that is looked at."""

    told: list[Told]
    look_s: float
    value: float | dict[str, str] | None
    samples: int | None = None
    channel: str = "voice"
    targets: Targets | None = None


def call(
    contact: str, at: float, *then: tuple[float, str], channel: str = "voice", **last: Any
) -> list[Told]:
    """A visit that begins at `at`; what follows is given by seconds after that, and `last` belongs to the last event."""
    told: list[Told] = [(at, contact, "contact.queued", {"queue": "sales", "channel": channel})]
    told += [(at + after, contact, kind, {}) for after, kind in then]
    told[-1][3].update(last)
    return told


def answered(contact: str, wait: float) -> list[Told]:
    return call(contact, 0, (wait, "contact.answered"))


def abandoned(contact: str, wait: float) -> list[Told]:
    return call(contact, 0, (wait, "contact.abandoned"))


def handled(contact: str, talk: float = 60, *between: tuple[float, str]) -> list[Told]:
    """Answered after 10 s and talked to for so long; no wrap-up."""
    return call(contact, 0, (10, "contact.answered"), *between, (10 + talk, "contact.wrapped"))


def about(n: int, at: float, what: str, /, **fields: Any) -> Told:
    """What somebody says of a contact of sales that is over."""
    return (at, f"s{n}", what, {"queue": "sales", **fields})


def many(n: int, what: str, first: int = 0, /, **fields: Any) -> list[Told]:
    """So many of them."""
    return [about(first + i, 30, what, **fields) for i in range(n)]


HOURS = Targets.of(
    {
        "queues": {"sales": {"calendar": "office"}},
        # T0 is 2025-11-22 08:30 UTC, a Saturday: open until 08:31, and again from 08:34
        "calendars": {"office": {"zone": "UTC", "hours": {"sat": ["08:00-08:31", "08:34-18:00"]}}},
    }
)
EASY_IS_HIGH = Targets.of({"queues": {"sales": {"ces_easy": "high"}}})
PRICED = Targets.of({"queues": {"sales": {"cost_per_hour": 30, "cost_per_contact": 0.5, "currency": "EUR"}}})

A_CHAT = call(
    "a",
    0,
    (0, "message.received"),
    (30, "bot.handed_off"),
    (90, "message.sent"),  # 60 s after the hand-off
    (100, "message.sent"),  # nobody asked
    (200, "message.received"),
    (210, "message.received"),
    (260, "message.sent"),  # 60 s after the first message that had no reply
    channel="chat",
)
A_HELD_CALL = call(
    "a",
    0,
    (10, "contact.answered"),
    (70, "contact.held"),
    (100, "contact.resumed"),
    (130, "contact.ended"),
    (170, "contact.wrapped"),
)
"""Talk 60 + 30, hold 30, wrap-up 40."""
A_CALL = call("b", 0, (10, "contact.answered"), (110, "contact.wrapped"))
"""Talk 100."""

EXAMPLES: dict[str, list[Example]] = {
    "service_level": [
        # 12 s and exactly 20 s are within 20 s, 21 s is not; who gives up after 3 s does not count
        Example(
            [*answered("a", 12), *answered("b", 20), *answered("c", 21), *abandoned("d", 3)], 60, 2 / 3, 3
        ),
        # nobody answers and nobody gives up: decided when 20 s have passed
        Example(call("a", 0), 19.9, None, 0),
        Example(call("a", 0), 20, 0.0, 1),
    ],
    "abandonment": [
        # of four who count one gave up late; 5 s is short, 6 s is not
        Example(
            [*answered("a", 10), *answered("b", 30), *abandoned("c", 6), *abandoned("d", 5), *call("e", 0)],
            60,
            1 / 4,
            4,
        ),
        Example(abandoned("a", 1), 60, None, 0),
        # who comes back to the same wait has not given up
        Example(
            [
                *abandoned("a", 30),
                (40, "a", "contact.queued", {"queue": "sales", "resumes": True}),
                (50, "a", "contact.answered", {}),
            ],
            60,
            0.0,
            1,
        ),
    ],
    "first_response": [
        Example([*answered("a", 10), *answered("b", 40)], 60, 25.0, 2),
        Example(A_CHAT, 300, 60.0, 1, "chat"),
    ],
    "first_response_business": [
        # asked at 08:30:50, answered at 08:34:10: 10 s before it closed and 10 s after it opened
        Example(call("a", 50, (200, "message.sent"), channel="chat"), 300, 20.0, 1, "chat", HOURS),
        Example(call("a", 50, (200, "message.sent"), channel="chat"), 300, 200.0, 1, "chat"),
    ],
    "average_response": [
        Example(A_CHAT, 300, 60.0, 2, "chat"),
        # 5,000 minutes over 100 replies are 50 minutes
        Example(
            [told for n in range(100) for told in call(f"m{n}", n, (3_000, "message.sent"), channel="email")],
            3_200,
            3_000.0,
            100,
            "email",
        ),
    ],
    "average_response_business": [
        Example(call("a", 50, (200, "message.sent"), channel="chat"), 300, 20.0, 1, "chat", HOURS),
        Example(A_CHAT, 300, 60.0, 2, "chat"),
    ],
    "speed_of_answer": [Example([*answered("a", 10), *answered("b", 40), *abandoned("c", 55)], 60, 25.0, 2)],
    "queue_time": [
        Example(
            [*answered("a", 10), *abandoned("b", 40), *call("c", 0, (25, "contact.left_queue"))], 60, 25.0, 3
        ),
    ],
    "service_level_compliance": [
        # 08:30 to 08:45 has one answered in time and one not: 50 % are not 80 %; 08:45 to 09:00 has one in time
        Example(
            [*answered("a", 10), *answered("b", 30), *call("c", 900, (5, "contact.answered"))], 1_800, 0.5, 2
        ),
        # the quarter that runs is no quarter yet
        Example([*answered("a", 10), *call("c", 900, (5, "contact.answered"))], 1_799, 1.0, 1),
        # who waits past T belongs to the quarter in which T passed
        Example([*answered("a", 10), *call("b", 0)], 900, 0.0, 1),
    ],
    "backlog": [
        Example([*call("a", 0), *call("b", 5), *answered("c", 10)], 60, 2),
        Example(answered("a", 10), 60, 0),
    ],
    "oldest_waiting": [
        Example([*call("a", 7), *call("b", 20)], 60, 53.0),
        Example(answered("a", 10), 60, 0.0),
    ],
    "backlog_work": [
        # two wait, and a contact takes (160 + 100) / 2 s
        Example([*A_HELD_CALL, *A_CALL, *call("c", 0), *call("d", 0)], 200, 260.0),
        Example(A_CALL, 200, 0.0),
        Example(call("c", 0), 200, None),
    ],
    "time_to_clear": [
        # three left the queue in half an hour, and one still waits: ten minutes
        Example([*answered("a", 10), *answered("b", 10), *abandoned("c", 6), *call("d", 0)], 60, 600.0),
        Example(A_CALL, 200, 0.0),
        Example(call("c", 0), 200, None),
    ],
    "missed_offers": [
        Example(
            call("a", 0, (5, "agent.missed"), (9, "agent.missed"), (12, "contact.answered")), 60, 2 / 3, 3
        )
    ],
    "bot_containment": [
        # two have met a bot; one is settled by it, the other goes to an agent, and a third meets an agent only
        Example(
            [
                *call("a", 0, (5, "message.sent"), bot=True),
                (30, "a", "contact.ended", {"by": "bot"}),
                *call("b", 0, (5, "bot.handed_off"), (20, "contact.answered")),
                *answered("c", 10),
            ],
            60,
            0.5,
            2,
        )
    ],
    "handle_time": [
        Example([*A_HELD_CALL, *A_CALL], 180, 130.0, 2),
        # the platform's own numbers win: 90 + 5 + 7
        Example(
            call("a", 0, (10, "contact.answered"), (50, "contact.wrapped"), talk_s=90, hold_s=5, wrap_s=7),
            60,
            102.0,
            1,
        ),
    ],
    "talk_time": [Example([*A_HELD_CALL, *A_CALL], 180, 95.0, 2)],
    "hold_time": [Example([*A_HELD_CALL, *A_CALL], 180, 15.0, 2)],
    "hold_time_held": [Example([*A_HELD_CALL, *A_CALL], 180, 30.0, 1)],
    "wrap_time": [Example([*A_HELD_CALL, *A_CALL], 180, 20.0, 2)],
    "hold": [Example([*A_HELD_CALL, *A_CALL], 180, 0.5, 2)],
    "transfer": [
        Example(
            [
                *call("a", 0, (10, "contact.answered"), (60, "contact.transferred"), (70, "contact.wrapped")),
                *A_CALL,
            ],
            180,
            0.5,
            2,
        )
    ],
    "stated_durations": [
        Example(
            [*A_CALL, *call("a", 0, (10, "contact.answered"), (50, "contact.wrapped"), talk_s=39)],
            180,
            0.5,
            2,
        )
    ],
    "outbound_handle_time": [
        Example(
            [
                (0, "a", "contact.answered", {"queue": "sales", "direction": "outbound", "agent": "g"}),
                (60, "a", "contact.ended", {}),
                (90, "a", "contact.wrapped", {}),
            ],
            180,
            90.0,
            1,
        )
    ],
    "offered": [Example([*call("a", 0), *answered("b", 10), *abandoned("c", 6)], 60, 3, 3)],
    "answered": [Example([*call("a", 0), *answered("b", 10), *abandoned("c", 6)], 60, 1, 1)],
    "left": [
        Example(
            [*call("a", 0, (9, "contact.left_queue")), *call("b", 0, (9, "callback.scheduled"))], 60, 2, 2
        )
    ],
    "callbacks": [
        Example(
            [*call("a", 0, (9, "contact.left_queue")), *call("b", 0, (9, "callback.scheduled"))], 60, 1, 1
        )
    ],
    "refused": [Example([(0, "a", "contact.refused", {"queue": "sales", "reason": "full"})], 60, 1, 1)],
    "handled": [Example([*A_HELD_CALL, *A_CALL, *answered("c", 10)], 180, 2, 2)],
    "transferred": [
        Example(call("a", 0, (10, "contact.answered"), (60, "contact.transferred")), 180, 1, 1),
        # from the queue it left: no agent passed it on
        Example(call("a", 0, (10, "contact.transferred")), 180, 0, 0),
    ],
    "outbound": [
        Example(
            [(0, "a", "contact.answered", {"queue": "sales", "direction": "outbound", "agent": "g"})],
            60,
            1,
            1,
        )
    ],
    "csat": [
        # 70 of 100 say 4 or 5
        Example(
            [
                *many(40, "survey.answered", kind="csat", score=5),
                *many(30, "survey.answered", 40, kind="csat", score=4, scale=5),
                *many(30, "survey.answered", 70, kind="csat", score=3),
            ],
            60,
            0.70,
            100,
        ),
        # thumbs up, thumbs down
        Example(
            [
                *many(1, "survey.answered", kind="csat", score=2, scale=2),
                *many(1, "survey.answered", 1, kind="csat", score=1, scale=2),
            ],
            60,
            0.5,
            2,
        ),
    ],
    "survey_response": [
        Example(
            [*A_CALL, *handled("a"), about(1, 120, "survey.answered", kind="csat", score=4)], 180, 0.5, 2
        ),
        # of three that were sent, one came back; another answer is to a survey that nobody told us of
        Example(
            [
                *handled("a"),
                *many(3, "survey.sent"),
                about(0, 60, "survey.answered", kind="csat", score=2),
                about(9, 70, "survey.answered", kind="csat", score=5),
            ],
            180,
            1 / 3,
            3,
        ),
    ],
    "nps_response": [
        Example(
            [*many(4, "survey.sent", kind="nps"), about(3, 60, "survey.answered", kind="nps", score=9)],
            90,
            0.25,
            4,
        ),
        Example([about(3, 60, "survey.answered", kind="nps", score=9)], 90, None, 0),
    ],
    "ces_response": [
        Example(
            [*many(2, "survey.sent", kind="ces"), about(1, 60, "survey.answered", kind="ces", score=1)],
            90,
            0.5,
            2,
        )
    ],
    "nps": [
        # 120 promoters, 50 in between, 30 detractors: (120 - 30) / 200
        Example(
            [
                *many(60, "survey.answered", kind="nps", score=9),
                *many(60, "survey.answered", 60, kind="nps", score=10),
                *many(50, "survey.answered", 120, kind="nps", score=7),
                *many(30, "survey.answered", 170, kind="nps", score=6),
            ],
            60,
            45.0,
            200,
        )
    ],
    "ces": [
        # seven thirds
        Example([about(n, 9, "survey.answered", kind="ces", score=n) for n in (1, 2, 4)], 60, 7 / 3, 3),
        # the same answers to a survey on which 7 is easy: 7, 6 and 4
        Example(
            [about(n, 9, "survey.answered", kind="ces", score=n) for n in (1, 2, 4)],
            60,
            17 / 3,
            3,
            targets=EASY_IS_HIGH,
        ),
    ],
    "quality_score": [
        Example(
            [
                about(1, 9, "quality.scored", score=0.9, compliant=True),
                about(2, 9, "quality.scored", score=0.8),
                about(3, 9, "quality.scored", score=0.1, automatic=True),
            ],
            60,
            0.85,
            2,
        )
    ],
    "quality_score_automatic": [
        Example(
            [
                about(1, 9, "quality.scored", score=0.9),
                about(2, 9, "quality.scored", score=0.6, automatic=True),
            ],
            60,
            0.6,
            1,
        )
    ],
    "compliance": [
        # of two reviews with a verdict one found a breach
        Example(
            [
                about(1, 9, "quality.scored", score=0.9, compliant=True),
                about(2, 9, "quality.scored", score=0.9, compliant=False),
                about(3, 9, "quality.scored", score=0.9),
            ],
            60,
            0.5,
            2,
        )
    ],
    "compliance_automatic": [
        Example([about(1, 9, "quality.scored", score=0.9, compliant=True, automatic=True)], 60, 1.0, 1)
    ],
    "review_share": [
        Example([*A_CALL, *handled("a"), about(1, 120, "quality.scored", score=0.5)], 180, 0.5, 2)
    ],
    "sentiment": [
        Example(
            [
                about(1, 9, "sentiment.scored", score=0.75),
                about(2, 9, "sentiment.scored", score=-0.25),
            ],
            60,
            0.25,
            2,
        )
    ],
    "predicted_csat": [
        Example(
            [
                about(1, 9, "sentiment.scored", score=0.75, predicted_csat=4.5),
                about(2, 9, "sentiment.scored", score=0, predicted_csat=2.5),
                about(3, 9, "sentiment.scored", score=0),
            ],
            60,
            3.5,
            2,
        )
    ],
    "at_risk": [
        # one is below 2.5, one is not, one is over, and of one nobody knows
        Example(
            [
                *answered("a", 10),
                (20, "a", "sentiment.scored", {"score": -0.5, "predicted_csat": 2.0}),
                *answered("b", 10),
                (20, "b", "sentiment.scored", {"score": -0.1, "predicted_csat": 2.5}),
                *call("c", 0, (5, "contact.answered"), (20, "sentiment.scored"), score=-1, predicted_csat=1),
                (30, "c", "contact.wrapped", {}),
                *call("d", 0),
            ],
            60,
            1,
        )
    ],
    "conversion": [
        Example(
            [*A_CALL, *handled("a"), about(1, 120, "sale.recorded", amount="9.90", currency="EUR")],
            180,
            0.5,
            2,
        )
    ],
    "revenue_per_contact": [
        # 10.01 + 20.02 EUR and 5 USD for two contacts
        Example(
            [
                *A_CALL,
                *handled("a"),
                about(1, 120, "sale.recorded", amount="10.01", currency="EUR"),
                about(2, 120, "sale.recorded", amount=20.02, currency="EUR"),
                about(3, 120, "sale.recorded", amount=5, currency="USD"),
            ],
            180,
            {"EUR": "15.015", "USD": "2.50"},
            2,
        )
    ],
    "cost_per_contact": [
        # 260 s of two contacts at 30 an hour are 2.1667, and 0.50 for each
        Example([*A_HELD_CALL, *A_CALL], 180, {"EUR": "1.5833"}, 2, targets=PRICED),
        Example([*A_HELD_CALL, *A_CALL], 180, {}, 0),
    ],
}
