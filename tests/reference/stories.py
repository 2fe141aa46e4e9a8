"""The lives of single contacts, with everything that real platforms send: the matter of the test traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    Told = tuple[int, str, dict[str, Any]]  # at, key, the other fields

MESSAGE_CHANNELS = frozenset({"chat", "email", "messaging", "social"})


class Story:
    """One contact; `now` (ms) is where its telling has got to, `told` all that happened so far."""

    def __init__(self, rng: Random, number: int, now: int, queues: Sequence[str], channel: str) -> None:
        self.rng, self.now, self.queues, self.channel = rng, now, queues, channel
        self.contact = f"c-{number:09d}"
        self.customer = f"u-{rng.randrange(100_000):05d}"
        self.told: list[Told] = []
        self.numbered = rng.random() < 0.2  # this platform numbers its visits
        self.named = rng.random() < 0.5  # this platform names the queue in every event
        self.states_durations = rng.random() < 0.15
        self.visits = 0
        self.pace = 15 if channel == "email" else 1

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def agent(self) -> str:
        return f"a-{self.rng.randrange(200):03d}"

    def wait(self, low_s: float, high_s: float) -> None:
        self.now += int(self.rng.uniform(low_s, high_s) * 1000) * self.pace

    def tell(self, kind: str, queue: str = "", /, at: int = 0, **fields: Any) -> None:
        """An event of this contact, now or at another time."""
        head: dict[str, Any] = {"type": kind, "contact_id": self.contact}
        if queue and (self.named or kind in ("contact.queued", "contact.refused")):
            head["queue"] = queue
        if self.numbered:
            head["visit"] = self.visits
        self.told.append((at or self.now, self.contact, {**head, **fields, "customer": self.customer}))

    def durations(self, **ranges_s: tuple[float, float]) -> dict[str, Any]:
        """Durations that the platform states itself, if it does: now whole seconds, now fractions."""
        if not self.states_durations:
            return {}
        digits = self.rng.choice((0, 1, 3, 4))
        return {name: round(self.rng.uniform(*limits), digits) for name, limits in ranges_s.items()}

    # In the queue ------------------------------------------------------------------------------------

    def visit(self, queue: str, depth: int = 0, **fields: Any) -> None:
        """A stay in a queue and all that follows from it."""
        self.visits += 1
        if self.chance(0.02):
            self.tell("contact.refused", queue, channel=self.channel, reason="full")
            return
        if self.channel != "voice" or self.chance(0.9):  # without a channel it is voice
            fields["channel"] = self.channel
        self.tell("contact.queued", queue, **fields)
        queued_at = self.now
        if self.channel in MESSAGE_CHANNELS:
            self.greet(queue)
        while self.chance(0.15):
            self.wait(1, 8)
            self.tell("agent.missed", queue, agent=self.agent())
        self.outcomes(queue, queued_at, depth)

    def outcomes(self, queue: str, queued_at: int, depth: int) -> None:
        """Answered most of the time; else given up, called back, moved on, or never heard of again."""
        fate = self.rng.random()
        if fate < 0.12:
            self.give_up(queue, queued_at, depth)
        elif fate < 0.15:
            self.wait(2, 60)
            self.tell(
                "contact.left_queue", queue, reason=self.rng.choice(("overflow", "timeout", "voicemail"))
            )
        elif fate < 0.17:
            self.wait(5, 60)
            self.tell("callback.scheduled", queue, due=self.now + 600_000)
            self.wait(60, 1_500)
            self.again(queue, depth)
        elif fate < 0.19:
            self.wait(2, 40)
            self.tell("contact.transferred", queue, **self.durations(wait_s=(2, 40)))
            self.again(self.rng.choice(self.queues), depth)
        elif fate < 0.995:
            self.answer(queue, depth)

    def again(self, queue: str, depth: int, **fields: Any) -> None:
        if depth < 3:
            self.visit(queue, depth + 1, **fields)

    def give_up(self, queue: str, queued_at: int, depth: int) -> None:
        edge = self.rng.choice((0, 4_999, 5_000, 5_001, 20_000, 20_001, 60_000, 60_001))
        if self.chance(0.3):  # on the bounds of the thresholds
            self.now = max(self.now, queued_at + edge)
        else:
            self.wait(*self.rng.choice(((0.2, 5), (5, 20), (20, 180))))
        self.tell("contact.abandoned", queue, **self.durations(wait_s=(0, 60)))
        if self.chance(0.2):
            self.wait(5, 600)
            self.again(queue, depth, resumes=True)

    def greet(self, queue: str) -> None:
        """The customer writes, a bot may answer and hand over."""
        self.tell("message.received", queue)
        if self.chance(0.4):
            for _ in range(self.rng.randrange(1, 4)):
                self.wait(0.5, 2)
                self.tell("message.sent", queue, bot=True)
                self.wait(1, 20)
                self.tell("message.received", queue)
            self.tell("bot.handed_off", queue)

    # With the agent ----------------------------------------------------------------------------------

    def answer(self, queue: str, depth: int) -> None:
        agent = self.agent()
        self.wait(*self.rng.choice(((0.5, 20), (0.5, 20), (0.5, 20), (20, 90), (20, 20))))
        if self.channel == "voice" or self.chance(0.5):
            self.tell("contact.answered", queue, agent=agent, **self.durations(wait_s=(0, 40)))
        if self.channel in MESSAGE_CHANNELS:
            self.write(queue, agent)
        else:
            self.talk(queue, agent)
        stated = self.durations(talk_s=(20, 400), hold_s=(0, 60))
        if self.chance(0.1):
            to_queue = self.rng.choice(self.queues)  # now and then the same one
            self.tell("contact.transferred", queue, agent=agent, to_queue=to_queue, **stated)
            self.wrap_up(queue, agent, self.now + self.rng.randrange(1_000, 60_000))
            self.wait(0, 2)
            self.again(to_queue, depth)
        elif self.chance(0.05):
            self.tell("contact.wrapped", queue, agent=agent, **stated)
        elif not self.chance(0.003):
            self.tell(
                "contact.ended", queue, agent=agent, by=self.rng.choice(("agent", "customer")), **stated
            )
            self.now += self.rng.randrange(1_000, 90_000)
            self.wrap_up(queue, agent, self.now)
            self.aftermath()

    def wrap_up(self, queue: str, agent: str, at: int) -> None:
        """Most platforms say when wrap-up ends; the others leave it to the time-out."""
        if self.chance(0.93):
            self.tell("contact.wrapped", queue, at=at, agent=agent, **self.durations(wrap_s=(0, 90)))

    def talk(self, queue: str, agent: str) -> None:
        self.wait(10, 300)
        while self.chance(0.25):
            self.tell("contact.held", queue, agent=agent)
            self.wait(3, 90)
            if self.chance(0.05):
                return  # ends while on hold
            self.tell("contact.resumed", queue, agent=agent)
            self.wait(5, 120)

    def write(self, queue: str, agent: str) -> None:
        for _ in range(self.rng.randrange(1, 5)):
            self.wait(1, 30)
            self.tell("message.sent", queue, agent=agent)
            if self.chance(0.6):
                self.wait(2, 60)
                self.tell("message.received", queue)

    def aftermath(self) -> None:
        """Facts about a contact that is over, of types which nothing here counts yet."""
        for kind, probability, fields in (
            ("survey.answered", 0.1, {"kind": "csat", "score": self.rng.randrange(1, 6), "scale": 5}),
            ("quality.scored", 0.03, {"score": 0.875, "compliant": True, "automatic": True}),
            ("sentiment.scored", 0.1, {"score": -0.25, "predicted_csat": 0.5}),
            ("sale.recorded", 0.03, {"amount": 49.9, "currency": "EUR"}),
            ("case.resolved", 0.1, {"case": f"k{self.contact}", "tier": 1}),
            ("case.reopened", 0.02, {"case": f"k{self.contact}"}),
            ("case.escalated", 0.02, {"case": f"k{self.contact}", "tier": 2}),
        ):
            if self.chance(probability):
                self.wait(1, 600)
                self.tell(kind, **fields)

    def bystanders(self) -> None:
        """Events that belong to no contact."""
        if self.chance(0.1):
            agent, state = self.agent(), self.rng.choice(("available", "break", "training", "offline"))
            self.told.append((self.now, agent, {"type": "agent.state", "agent": agent, "state": state}))
        if self.chance(0.03):
            kind = self.rng.choice(("customer.joined", "customer.left", "customer.valued"))
            self.told.append((self.now, self.customer, {"type": kind, "customer": self.customer}))


def tell_story(
    rng: Random, number: int, now: int, queues: Sequence[str], channels: Sequence[str]
) -> list[Told]:
    """All events of contact `number`, which arrives `now`; not quite in order of time."""
    story = Story(rng, number, now, queues, rng.choice(channels))
    story.visit(rng.choice(queues))
    story.bystanders()
    return story.told
