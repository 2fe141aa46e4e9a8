"""The lives of single contacts, with everything that real platforms send: the matter of the test traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .opinions import mood, review, sale, survey
from .records import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    Told = tuple[int, str, dict[str, Any]]  # at, key, the other fields


_SAID: tuple[dict[str, Any], ...] = (
    {},
    {"queues": ["billing", "sales"], "slots": {"chat": 3}},
    {"queue": "sales", "reason": "coaching"},
    {"state": "on_contact", "contacts": [{"contact_id": "c-000000001", "state": "connected"}]},
    {"state": "wrap", "for_s": 30, "team": "red"},
    {"queues": [], "site": "Porto", "contacts": []},
    {"state": "available", "queues": ["billing", "sales"]},
)
"""What an agent's state says besides, or instead."""


class Story:
    """One contact; `now` (ms) is where its telling has got to, `told` all that happened so far."""

    def __init__(self, rng: Random, number: int, now: int, queues: Sequence[str], channel: str) -> None:
        self.rng, self.now, self.queues, self.channel = rng, now, queues, channel
        self.contact = f"c-{number:09d}"
        self.customer = f"u-{rng.randrange(100_000):05d}"
        self.told: list[Told] = []
        self.numbered = rng.random() < 0.2  # this platform numbers its visits
        self.says_beginnings = rng.random() < 0.15  # this platform says in every outcome how it began
        self.recurs = number % 3 == 0  # it repeats for weeks how they began
        self.named = self.says_beginnings or rng.random() < 0.5  # it names the queue in every event
        self.states_durations = rng.random() < 0.15
        self.visits = 0
        self.beginning: dict[str, Any] = {}
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
        if self.beginning and "queue" in head and kind in OUTCOMES:
            head |= {"channel": self.channel, "beginning": dict(self.beginning)}
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
        if not fields.get("resumes"):
            self.visits += 1
        if self.chance(0.02):
            self.tell("contact.refused", queue, channel=self.channel, reason="full")
            return
        if self.channel != "voice" or self.chance(0.9):  # without a channel it is voice
            fields["channel"] = self.channel
        queued_at = self.now
        self.enqueue(queue, fields)
        if self.chance(0.05) and self.contained(queue):
            return
        self.ring(queue)
        self.outcomes(queue, queued_at, depth)

    def contained(self, queue: str) -> bool:
        """Callers may speak with a bot first. Returns whether that was all."""
        if self.chance(0.6):
            self.tell("bot.started", queue)
        self.wait(1, 60)
        if self.chance(0.7):
            self.tell("bot.handed_off", queue)
            return False
        self.tell("contact.ended", queue, by="bot")
        self.opinions(queue)
        return True

    def ring(self, queue: str) -> None:
        """Agents do not always take what they are offered."""
        while self.chance(0.15):
            self.wait(1, 8)
            self.tell("agent.missed", queue, agent=self.agent())

    def enqueue(self, queue: str, fields: dict[str, Any]) -> None:
        """A platform that says in its outcomes how they began may well not send the beginning itself."""
        if self.recurs and not fields.get("resumes"):
            fields["recurs"] = True
        if not self.says_beginnings or fields.get("resumes"):
            self.tell("contact.queued", queue, **fields)
            return
        name = f"b-{self.contact}-{len(self.told)}"
        self.beginning = {"id": name, "at": self.now}
        if self.chance(0.6):
            self.tell("contact.queued", queue, id=name, **fields)

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
        fate = self.rng.random()
        if fate < 0.3:  # most come back in time to be the same visit
            self.wait(5, 800 / self.pace)
            self.again(queue, depth, resumes=True)
        elif fate < 0.45:  # it was no abandonment
            self.wait(1, 660 / self.pace)
            kind = self.rng.choice(("contact.left_queue", "contact.transferred", "callback.scheduled"))
            self.tell(kind, queue, **self.durations(wait_s=(0, 60)))

    def call_out(self, queue: str) -> None:
        """An agent calls or writes first. Such an event must name its queue, which not every platform knows."""
        self.visits += 1
        agent = self.agent()
        place: dict[str, Any] = {"channel": self.channel, **({"queue": queue} if self.chance(0.95) else {})}
        self.tell("contact.answered", agent=agent, direction="outbound", **place)
        self.converse(queue, agent, 0)

    # With the agent ----------------------------------------------------------------------------------

    def answer(self, queue: str, depth: int) -> None:
        agent = self.agent()
        self.wait(*self.rng.choice(((0.5, 20), (0.5, 20), (0.5, 20), (20, 90), (20, 20))))
        if not self.says_beginnings or self.chance(0.7):
            self.tell("contact.answered", queue, agent=agent, **self.durations(wait_s=(0, 40)))
        if self.beginning:
            self.beginning["answered_at"] = self.now
        self.converse(queue, agent, depth)

    def converse(self, queue: str, agent: str, depth: int) -> None:
        """From the answer to the end of wrap-up."""
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
            self.aftermath(queue)

    def wrap_up(self, queue: str, agent: str, at: int) -> None:
        """Most platforms say when wrap-up ends; the others leave it to the time-out."""
        if self.chance(0.93):
            self.tell("contact.wrapped", queue, at=at, agent=agent, **self.durations(wrap_s=(0, 90)))

    def talk(self, queue: str, agent: str) -> None:
        self.wait(10, 300)
        if self.chance(0.1):
            self.tell("sentiment.scored", queue, **mood(self.rng))
        while self.chance(0.25):
            self.tell("contact.held", queue, agent=agent)
            self.wait(3, 90)
            if self.chance(0.05):
                return  # ends while on hold
            self.tell("contact.resumed", queue, agent=agent)
            self.wait(5, 120)

    def aftermath(self, queue: str) -> None:
        """Facts about a contact that is over."""
        self.opinions(queue)
        for kind, probability, fields in (
            ("case.resolved", 0.1, {"case": f"k{self.contact}", "tier": 1}),
            ("case.reopened", 0.02, {"case": f"k{self.contact}"}),
            ("case.escalated", 0.02, {"case": f"k{self.contact}", "tier": 2}),
        ):
            if self.chance(probability):
                self.wait(1, 600)
                if kind == "case.resolved":
                    self.tell("case.opened", **fields)
                self.tell(kind, **fields)

    def opinions(self, queue: str) -> None:
        """Surveys and the like; some say which queue they are about, some the channel as well."""
        for kind, probability, matter in (
            ("survey.answered", 0.15, survey),
            ("quality.scored", 0.08, review),
            ("sentiment.scored", 0.1, mood),
            ("sale.recorded", 0.08, sale),
        ):
            if self.chance(probability):
                self.wait(1, 600)
                fields = matter(self.rng)
                if self.chance(0.5):
                    fields["queue"] = queue
                if self.chance(0.5):
                    fields["channel"] = self.channel
                self.tell(kind, **fields)

    def bystanders(self) -> None:
        """Events that belong to no contact."""
        if self.chance(0.1):
            agent, state = self.agent(), self.rng.choice(("available", "break", "training", "offline"))
            # By the time, not by chance: what else happens is the same with what agents say besides.
            fields = {"agent": agent, "state": state, **_SAID[self.now % len(_SAID)]}
            self.told.append((self.now, agent, {"type": "agent.state", **fields}))
            if state == "training":
                about = {"agent": agent, "course": "tone"}
                due = self.now + 86_400_000
                self.told.append((self.now, agent, {"type": "training.assigned", **about, "due_at": due}))
                self.told.append((self.now, agent, {"type": "training.completed", **about}))
        if self.chance(0.03):
            kind = self.rng.choice(("customer.joined", "customer.left", "customer.valued"))
            self.told.append((self.now, self.customer, {"type": kind, "customer": self.customer}))
        if self.chance(0.02):  # of a server that has no contact here: which partition is told would matter
            restarted = {"type": "platform.restarted", "source": "pbx"}
            self.told.append((self.now, "pbx", restarted))
