"""The lives of contacts who write: bots, assignments, notes, pending, transfers, and what is reopened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .opinions import mood
from .stories import Story

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from .stories import Told

WRITTEN = frozenset({"chat", "email", "messaging", "social"})
_REASONS = ("spam", "merged", "closed", "overflow", "timeout", "voicemail", "callback", "Spam")
_PRIORITIES = ("high", "low", 1, 0)


class WrittenStory(Story):
    """One contact who writes."""

    # In the queue ------------------------------------------------------------------------------------

    def visit(self, queue: str, depth: int = 0, **fields: Any) -> None:
        if not fields.get("resumes"):
            self.visits += 1
        if self.chance(0.02):
            self.tell("contact.refused", queue, channel=self.channel, reason="full")
            return
        if self.chance(0.1):
            fields["priority"] = self.rng.choice(_PRIORITIES)
        queued_at = self.now
        self.enqueue(queue, {"channel": self.channel, **fields})
        if self.chance(0.7):
            self.tell("message.received", queue)
        if fields.get("reopens"):
            self.converse(queue, self.agent(), depth)
        elif not (self.chance(0.4) and self.with_bot(queue, depth)):
            self.ring(queue)
            self.wait_for_people(queue)
            self.outcomes(queue, queued_at, depth)

    def with_bot(self, queue: str, depth: int) -> bool:
        """A bot has the visit first. Returns whether no person is needed any more."""
        if self.chance(0.3):
            self.tell("bot.started", queue)
        for _ in range(self.rng.randrange(4)):
            self.wait(0.5, 2)
            self.tell("message.sent", queue, bot=True, **({"auto": True} if self.chance(0.1) else {}))
            self.wait(1, 20)
            if self.chance(0.8):
                self.tell("message.received", queue)
        fate = self.rng.random()
        self.wait(1, 30)
        if fate < 0.5:
            self.tell("bot.handed_off", queue)
        elif fate < 0.7:
            return False  # a person takes over without a word
        elif fate < 0.85:
            self.tell("contact.ended", queue, by="bot")
            self.opinions(queue)
            if self.chance(0.4):  # it was not settled
                self.wait(10, 2_000 / self.pace)
                self.again(queue, depth)
        elif fate < 0.9:
            self.tell("contact.transferred", queue)
            self.again(self.rng.choice(self.queues), depth)
        else:
            kind = self.rng.choice(("contact.abandoned", "contact.left_queue", "contact.ended"))
            self.tell(kind, queue, by="customer")
        return fate >= 0.5

    def wait_for_people(self, queue: str) -> None:
        """What happens while nobody has answered yet."""
        for _ in range(self.rng.randrange(4)):
            self.wait(1, 15)
            kind = self.rng.randrange(6)
            if kind == 0:
                self.tell("contact.answered", queue, agent=self.agent())  # assigned
            elif kind == 1:
                self.tell("message.received", queue)  # nags
            elif kind == 2:
                self.tell("message.received", queue, auto=True)  # is out of office
            elif kind == 3:
                self.tell("message.sent", queue, auto=True)  # we thank you for your message
            elif kind == 4:
                self.note(queue)
            else:
                self.tell(self.rng.choice(("contact.held", "contact.resumed")), queue)

    def note(self, queue: str) -> None:
        self.tell("message.sent", queue, agent=self.agent(), private=True)

    def outcomes(self, queue: str, queued_at: int, depth: int) -> None:
        """Answered most of the time; else given up, closed, moved on, or never heard of again."""
        fate = self.rng.random()
        if fate < 0.1:
            self.give_up(queue, queued_at, depth)
        elif fate < 0.13:
            self.wait(2, 60)
            self.tell("contact.ended", queue, by="customer")
        elif fate < 0.18:
            self.wait(2, 60)
            self.tell("contact.left_queue", queue, reason=self.rng.choice(_REASONS))
            if self.chance(0.3):
                self.again(self.rng.choice(self.queues), depth)
        elif fate < 0.23:
            self.close(queue)
        elif fate < 0.29:
            self.wait(2, 40)
            self.tell("contact.transferred", queue, **self.durations(wait_s=(2, 40)))
            self.again(self.rng.choice(self.queues), depth)
        elif fate < 0.995:
            self.answer(queue, depth)

    def close(self, queue: str) -> None:
        """Nobody needs an answer."""
        self.wait(2, 90)
        if self.chance(0.8):
            self.tell("contact.ended", queue, by="agent")
        if self.chance(0.7):
            self.tell("contact.wrapped", queue)

    # With people -------------------------------------------------------------------------------------

    def answer(self, queue: str, depth: int) -> None:
        agent = self.agent()
        self.wait(*self.rng.choice(((0.5, 20), (0.5, 20), (20, 90), (60, 60))))
        self.tell("message.sent", queue, agent=agent)
        if self.beginning:
            self.beginning["answered_at"] = self.now
        self.converse(queue, agent, depth)

    def call_out(self, queue: str) -> None:
        """We write first; not every platform knows for which queue."""
        self.visits += 1
        agent = self.agent()
        place: dict[str, Any] = {"channel": self.channel, "direction": "outbound"}
        if self.chance(0.95):
            place["queue"] = queue
        kind = self.rng.randrange(4)
        if kind == 0:
            self.tell("contact.answered", agent=agent, **place)
        elif kind == 1:
            self.tell("contact.queued", queue, agent=agent, **{**place, "queue": queue})
            self.tell("message.sent", queue, agent=agent, direction="outbound")
        elif kind == 2:
            self.tell("message.sent", agent=agent, **place)
        else:
            self.tell("message.sent", bot=True, **place)
        if self.chance(0.7):
            self.wait(5, 300)
            self.tell("message.received", queue)
            self.converse(queue, agent, 0)

    def talk(self, queue: str, agent: str) -> None:
        """Both sides write, and in between it is pending, passed to a colleague, or a bot's."""
        for _ in range(self.rng.randrange(1, 6)):
            self.wait(1, 30)
            kind = self.rng.random()
            if kind < 0.4:
                self.tell("message.received", queue)
            elif kind < 0.75:
                self.tell("message.sent", queue, agent=agent)
            elif kind < 0.82:
                self.tell("message.sent", queue, bot=True)
            elif kind < 0.86:
                self.note(queue)
            elif kind < 0.9:
                agent = self.agent()
                self.tell("contact.answered", queue, agent=agent)
            elif kind < 0.92:
                self.tell(self.rng.choice(("bot.started", "bot.handed_off")), queue)
            elif kind < 0.94:
                self.tell("sentiment.scored", queue, **mood(self.rng))
            else:
                self.tell("contact.held", queue)
                self.wait(3, 90)
                if self.chance(0.9):
                    self.tell("contact.resumed", queue)

    def wrap_up(self, queue: str, agent: str, at: int) -> None:
        """Some customers have another question after all."""
        if self.chance(0.15):
            self.tell("message.received", queue, at=at - 900)
            self.tell("message.sent", queue, at=at - 500, agent=agent)
        super().wrap_up(queue, agent, at)

    def aftermath(self, queue: str) -> None:
        super().aftermath(queue)
        if self.chance(0.1):
            self.wait(30, 600)
            self.reopen(queue)

    def reopen(self, queue: str) -> None:
        """It was not settled; platforms say so in different ways."""
        kind = self.rng.randrange(3)
        if kind == 0:
            self.again(queue, 2, reopens=True)
            return
        place: dict[str, Any] = {"queue": queue, "channel": self.channel} if kind == 1 else {}
        self.tell("case.reopened", case=f"k{self.contact}", **place)
        self.wait(0, 5)
        if self.chance(0.6):
            self.again(queue, 2)


def tell_story(
    rng: Random, number: int, now: int, queues: Sequence[str], channels: Sequence[str]
) -> list[Told]:
    """All events of contact `number`, which arrives `now`; not quite in order of time."""
    channel = rng.choice(channels)
    kind = WrittenStory if channel in WRITTEN else Story
    story = kind(rng, number, now, queues, channel)
    if rng.random() < 0.06:
        story.call_out(rng.choice(queues))
    else:
        story.visit(rng.choice(queues))
    story.bystanders()
    return story.told
