"""The ledger of truth: what really happened, to compare with what the pipeline says.

Kept by the simulation from its own durations, not read off its events. An entry is made just before its event
is handed out, so that the ledger is right when a reader has taken the last one.
"""

from msgspec import Struct


class Row(Struct):
    """One queue on one channel. Durations are milliseconds.

    Attributes:
        arrivals: contacts that came from outside, refused ones too.
        offered: visits to the queue, by transfer and callback too.
        left: those that left unanswered without giving up.
        handled: visits whose wrap-up is over; only they are in the sums of talk, hold and wrap.
        held: those of them with a hold.
        responded: first replies of people; to pick up the phone is one.
    """

    arrivals: int = 0
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    left: int = 0
    refused: int = 0
    missed: int = 0
    transferred: int = 0
    handled: int = 0
    held: int = 0
    responded: int = 0
    answer_wait_ms: int = 0
    abandon_wait_ms: int = 0
    response_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0

    @property
    def waiting(self) -> int:
        """Visits without an outcome yet."""
        return self.offered - self.answered - self.abandoned - self.left

    @property
    def abandonment(self) -> float:
        """Share of the offered that gave up."""
        return self.abandoned / self.offered

    @property
    def handle_s(self) -> float:
        """Mean handle time in seconds."""
        return (self.talk_ms + self.hold_ms + self.wrap_ms) / self.handled / 1000


class Ledger:
    """Rows by (queue, channel).

    Attributes:
        events: how many were handed out.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.events = 0

    def row(self, queue: str, channel: str) -> Row:
        """The row of a queue and channel."""
        return self.rows.setdefault((queue, channel), Row())
