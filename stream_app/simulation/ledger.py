"""The ledger of truth: what really happened, to compare with the results of the pipeline.

Kept by the simulation from its own durations, not derived from its events. An entry is made just before its event is emitted,
so that the ledger is right when a reader has taken the last event.
"""

from msgspec import Struct


class LedgerRow(Struct):
    """The truth about one queue and channel. Durations are milliseconds.

    Attributes:
        arrivals: contacts that came from outside, blocked ones included.
        offered: visits to the queue, also by transfer and callback.
        left: those that left unanswered without giving up.
        handled: visits whose wrap-up is over; the sums of talk, hold and wrap contain only these.
        held: the handled visits with a hold.
        responded: first replies by people; answering a call is one.
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
        """The visits without an outcome yet."""
        return self.offered - self.answered - self.abandoned - self.left

    @property
    def abandonment(self) -> float:
        """The share of the offered that gave up."""
        return self.abandoned / self.offered

    @property
    def handle_s(self) -> float:
        """The mean handle time in seconds."""
        return (self.talk_ms + self.hold_ms + self.wrap_ms) / self.handled / 1000


class Ledger:
    """The ledger's rows by (queue, channel).

    Attributes:
        events: the number of emitted events.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], LedgerRow] = {}
        self.events = 0

    def row(self, queue: str, channel: str) -> LedgerRow:
        """Return the row of a queue and channel."""
        return self.rows.setdefault((queue, channel), LedgerRow())
