"""What is known of the data besides the data: how old, and what is wrong with it."""

from msgspec import Struct


class Status(Struct, frozen=True, kw_only=True):
    """Said beside every number, so that stale ones never look fresh.

    Attributes:
        age_s: how far behind the truth the numbers may be; ``None`` where that can't be told.
        max_age_s: older than this is stale.
        reasons: why the store can't be trusted now, for people; empty if it can.
        partitions: how many are followed.
        unread: records that wait in them.
        rollbacks: times that the store was found to have stepped back.
        results: what became of all records: result → how many.
    """

    age_s: float | None
    max_age_s: float
    reasons: tuple[str, ...] = ()
    partitions: int = 0
    unread: int = 0
    rollbacks: int = 0
    results: dict[str, int] = {}

    @property
    def problems(self) -> list[str]:
        """Everything that stands against the numbers, for people."""
        out = list(self.reasons)
        if self.age_s is None and not out:
            out.append("no heartbeat has come yet, so the age of the data is unknown")
        if self.age_s is not None and self.age_s > self.max_age_s:
            out.append(f"the data is {self.age_s:.1f} s old, more than {self.max_age_s:g} s")
        return out

    @property
    def stale(self) -> bool:
        """Whether people must not act on the numbers."""
        return bool(self.problems)
