"""The stage on which conversations and their aftermath are played: the part of the simulation that they need."""

from collections.abc import Callable
from typing import Protocol

from stream_app.model import events as e

from .desk import Desk, SimulatedVisit

Then = Callable[[int], None]


class Stage(Protocol):
    """The stage of a conversation."""

    def id(self) -> str:
        """Return a new event id."""

    def later(self, at: int, event: e.Event | None, then: Then | None = None) -> None:
        """Do something at its time, and emit an event with it."""

    def hang_up(self, visit: SimulatedVisit, at: int) -> None:
        """End a conversation; its agent wraps up."""

    def pass_on(self, visit: SimulatedVisit, target: Desk, at: int) -> None:
        """Begin the next visit of a contact that was just transferred."""

    def wait(self, visit: SimulatedVisit, at: int) -> None:
        """Let a contact wait for people."""

    def come_again(self, former: SimulatedVisit, at: int) -> None:
        """Begin the visit of a contact whose case was reopened."""

    def set_aside(self, visit: SimulatedVisit, at: int) -> None:
        """Let the agent of a conversation that waits for its customer take another contact."""

    def finish(self, visit: SimulatedVisit, at: int) -> None:
        """Complete a visit whose wrap-up has just ended."""

    def transfer_target(self, visit: SimulatedVisit, at: int) -> Desk | None:
        """Return the target if the conversation ends in a transfer at that time, otherwise ``None``."""
