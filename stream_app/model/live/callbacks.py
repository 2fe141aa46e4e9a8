"""Who calls an abandoned contact back, so that two people don't ring one customer."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Taken(Struct, frozen=True):
    """Somebody calls a contact back: who, by the name that they typed, and since when (ms)."""

    by: str
    at: int


class Callbacks(Protocol):
    """The shared list of who calls whom back; an abandonment is a contact and the moment at which it gave up.

    Attributes:
        takes: whether contacts can be taken here.
    """

    takes: bool

    def taken(self, contact: str, abandoned_at: int) -> Taken | None:
        """Return who calls, as far as is known here; it may be a second old."""
        ...

    async def take(self, contact: str, abandoned_at: int, taken: Taken) -> Taken:
        """Take it, unless somebody else has; return who has it now.

        Raises:
            StoreUnavailableError: no answer, or no right to write.
        """
        ...

    async def give_back(self, contact: str, abandoned_at: int, by: str) -> None:
        """Give it back, if this person has it.

        Raises:
            StoreUnavailableError: no answer, or no right to write.
        """
        ...


class NoCallbacks:
    """A list that nobody can be put on."""

    takes = False

    def taken(self, contact: str, abandoned_at: int) -> Taken | None:  # noqa: ARG002 - see the protocol
        """See ``Callbacks.taken``."""
        return None

    async def take(self, contact: str, abandoned_at: int, taken: Taken) -> Taken:  # noqa: ARG002 - see the protocol
        """See ``Callbacks.take``; nobody asks."""
        return taken

    async def give_back(self, contact: str, abandoned_at: int, by: str) -> None:
        """See ``Callbacks.give_back``; nobody asks."""
