"""Where conversations, and what follows them, are played: the clockwork of the centre as they see it."""

from collections.abc import Callable
from typing import Protocol

from stream_app.model import events as e

from .desk import Desk
from .floor import Visit

Then = Callable[[int], None]


class Stage(Protocol):
    """Where a conversation is played."""

    def id(self) -> str:
        """A new event id."""

    def later(self, at: int, event: e.Event | None, then: Then | None = None) -> None:
        """Do something at its time, and hand out an event with it."""

    def pass_on(self, visit: Visit, target: Desk, at: int) -> None:
        """The visit has just ended in a transfer."""

    def finish(self, visit: Visit, at: int) -> None:
        """The visit's wrap-up has just ended."""

    def transfer_target(self, visit: Visit, at: int) -> Desk | None:
        """Whether the conversation ends in a transfer at that time, and where to."""
