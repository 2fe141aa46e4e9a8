"""Weeks of a few customers who call, write, come again and leave: few ids, so that all of it meets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from tests.model.kept import Line

T0 = 1_763_800_200_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
WEEKS = 6 * 7 * DAY

Told = tuple[str, dict[str, Any]]
_EDGES: Final = (10 * MINUTE, 30 * MINUTE, HOUR, DAY, 7 * DAY)
"""What the definitions measure against."""
_PLACES: Final = (("x", "voice"), ("y", "voice"), ("x", "chat"), ("y", "email"))
_REPLY: Final[Told] = ("message.sent", {"agent": "ann"})
_ANSWERED: Final[Told] = ("contact.answered", {"agent": "bob", "team": "t1", "site": "s1"})
_TALKED: Final[tuple[tuple[Told, ...], ...]] = (
    (_ANSWERED, ("contact.wrapped", {"contact_reason": "bill"})),
    (_ANSWERED, ("contact.ended", {}), ("contact.wrapped", {})),
    (
        ("contact.answered", {"agent": "ann"}),
        ("contact.held", {}),
        ("contact.resumed", {}),
        ("contact.wrapped", {}),
    ),
    (_REPLY, ("contact.wrapped", {"talk_s": 90})),
    (_REPLY, ("contact.held", {}), ("message.received", {}), _REPLY, ("contact.wrapped", {})),
    (("bot.started", {}), ("bot.handed_off", {}), _ANSWERED, _REPLY, ("contact.wrapped", {})),
)
_PASSED: Final[tuple[tuple[Told, ...], ...]] = (
    (_ANSWERED, _REPLY, ("contact.transferred", {}), ("contact.wrapped", {})),
    (_ANSWERED, ("contact.transferred", {}), ("contact.wrapped", {})),
    (("contact.left_queue", {"reason": "overflow"}),),
    (("contact.transferred", {}),),
)
_OTHER: Final[tuple[tuple[Told, ...], ...]] = (
    (("bot.started", {}), ("contact.ended", {"by": "bot"})),
    (("bot.started", {}), ("contact.ended", {})),
    (("contact.abandoned", {}),),
    (("contact.abandoned", {}), ("contact.transferred", {})),
    (("contact.left_queue", {"reason": "spam"}),),
    (("callback.scheduled", {}),),
    (_ANSWERED,),
    (),
)


class Weeks:
    """Tells events, one after the other and no two at the same moment."""

    def __init__(self, seed: int) -> None:
        self.lines: list[Line] = []
        self._random, self._of_agents, self._at = Random(seed), Random(seed + 1), T0
        self._exactly = False

    def tell(self, units: int) -> list[Line]:
        kinds: list[Callable[[], None]] = [
            *[self._contact] * 5,
            *[self._case] * 4,
            self._warm_transfer,
            self._customer,
            self._opinion,
        ]
        asides = [self._sale, self._review, self._training, self._opinion, *[self._customer] * 3]
        for _ in range(units):
            if self._chance(0.5):
                self._wait(self._random.choice(_EDGES))
            else:
                self._at += self._random.randrange(1, 20 * HOUR)
            self._random.choice(kinds)()
            if self._chance(0.6):
                self._random.choice(asides)()
            if self._of_agents.random() < 0.4:
                self._state()
        return self.lines

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _wait(self, for_ms: int) -> None:
        """Let the next event come so much later, or a millisecond earlier or later than that."""
        self._at += for_ms + self._random.choice((-1, 0, 0, 1))
        self._exactly = True

    def _say(self, kind: str, /, **fields: Any) -> None:
        if not self._exactly:
            self._at += 1 + self._random.randrange(20 * SECOND) * self._chance(0.7)
        self._exactly = False
        said = {name: value for name, value in fields.items() if value is not None}
        event = {"id": f"e{len(self.lines)}", "type": kind, "at": self._at, **said}
        self.lines.append(Line(len(self.lines), json.dumps(event).encode(), self._at, timestamp_type=1))

    def _state(self) -> None:
        """What somebody does from now on."""
        pick = self._of_agents.choice
        state = pick(("available", "available", "break", "offline"))
        self._exactly = True
        self._at += 1
        self._say(
            "agent.state", agent=pick(("ann", "bob")), state=state, team=pick((None, "t1")), queues=["x"]
        )

    def _contact(self) -> None:
        """A contact, which may be passed on to another queue, under its id or another one."""
        pick = self._random.choice
        contact, customer, case = (
            pick("abcdef"),
            pick(("u1", "u1", "u2", "u3", None)),
            pick(("k1", "k2", None)),
        )
        for story in self._stories():
            queue, channel = pick(_PLACES)
            self._say(
                "contact.queued",
                contact_id=contact,
                queue=queue,
                channel=channel,
                customer=customer,
                case=case,
                contact_reason=pick((None, "bill", "fault")),
                reopens=True if self._chance(0.1) else None,
                direction="outbound" if self._chance(0.1) else None,
            )
            for kind, told in story:
                self._say(kind, contact_id=contact, **told)
                if kind == "contact.transferred" and self._chance(0.2):
                    break
            if self._chance(0.4):
                self._wait(pick((5 * MINUTE, 30 * MINUTE, 30 * MINUTE)))
            if self._chance(0.3):
                contact = pick("abcdef")

    def _stories(self) -> Iterator[tuple[Told, ...]]:
        while self._chance(0.4):
            yield self._random.choice(_PASSED)
        yield self._random.choice(_TALKED if self._chance(0.7) else _OTHER)

    def _warm_transfer(self) -> None:
        """A contact that is passed on only after the customer waits in the next queue."""
        pick = self._random.choice
        customer = pick(("u1", "u2", None))
        for contact in ("g", "h"):
            self._say("contact.queued", contact_id=contact, queue=pick("xy"), customer=customer)
        self._wait(10 * MINUTE)
        for contact, kind in (
            ("g", "contact.transferred"),
            ("h", "contact.answered"),
            ("h", "contact.wrapped"),
        ):
            self._say(kind, contact_id=contact, agent="ann")

    def _case(self) -> None:
        pick = self._random.choice
        queue, channel = pick(((None, None), (None, None), ("x", "voice"), ("y", None)))
        self._say(
            pick(("case.opened", "case.resolved", "case.resolved", "case.reopened", "case.escalated")),
            case=pick(("k1", "k2", "k3", "k4", "k5", "k6", "k7")),
            contact_id=pick((None, *"abcdef")),
            queue=queue,
            channel=channel,
            agent=pick((None, "ann")),
            customer=pick((None, "u1")),
            tier=pick((None, 1, 2, 3, 4)),
            opened_at=pick((None, None, None, self._at - DAY, self._at + HOUR)),
        )

    def _customer(self) -> None:
        pick = self._random.choice
        customer = pick(("u1", "u2", "u3", "u4"))
        if self._chance(0.4):
            price = pick((50, 19.99, None))
            self._say(
                "customer.valued", customer=customer, purchase_value=price, purchases_per_year=4, years=2.5
            )
        elif self._chance(0.6):
            self._say("customer.joined", customer=customer, segment=pick((None, "gold", "basic")))
        else:
            self._say("customer.left", customer=customer)

    def _opinion(self) -> None:
        pick = self._random.choice
        kind, score, scale = pick(
            (
                ("csat", 1, 5),
                ("csat", 3, None),
                ("csat", 5, 5),
                ("csat", 3, 10),
                ("nps", 6, None),
                ("nps", 8, None),
                ("nps", 9, None),
                ("fcr", 0, None),
                ("fcr", 1, None),
            )
        )
        if self._chance(0.4):
            self._say("survey.sent", contact_id=pick("abcdef"), kind=kind)
        for _ in range(pick((1, 1, 2))):
            self._say("survey.answered", contact_id=pick("abcdef"), kind=kind, score=score, scale=scale)

    def _sale(self) -> None:
        pick = self._random.choice
        kind = pick((None, "New", "upsell", "saved_sale", "UPGRADE", "renewal"))
        place = pick(({}, {"queue": "x"}, {"queue": "y", "channel": "email"}))
        amount, currency = pick(("9.90", 20, 0)), pick(("EUR", "USD"))
        self._say(
            "sale.recorded", contact_id=pick("abcdef"), amount=amount, currency=currency, kind=kind, **place
        )

    def _review(self) -> None:
        pick = self._random.choice
        criteria = pick((None, {}, {"empathy": 0.5}, {"empathy": 0.3333, "accuracy": 1}))
        place = pick(({}, {"queue": "x"}, {"queue": "y", "channel": "email"}))
        self._say(
            "quality.scored",
            contact_id=pick("abcdef"),
            score=0.8,
            automatic=pick((None, True)),
            criteria=criteria,
            **place,
        )

    def _training(self) -> None:
        pick = self._random.choice
        who = {"agent": pick(("ann", "bob", "cy")), "course": pick(("privacy", "tone"))}
        if self._chance(0.5):
            self._say("training.completed", **who)
            return
        due = T0 + pick((1, 2, 3)) * 7 * DAY
        self._say("training.assigned", **who, due_at=due, team=pick((None, "t1")), site=pick((None, "s1")))
        if self._chance(0.3):
            self._at = max(self._at, due + pick((-1, 0, 1)))
            self._exactly = True
            self._say("training.completed", **who)
