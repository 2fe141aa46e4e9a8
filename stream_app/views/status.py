"""The state of the data: how old it is, and what is wrong with it."""

from typing import Final

from msgspec import Struct

SKEW_S: Final = 1.0
"""Clocks that differ by more than this should be corrected."""
OURS: Final = "serve"
"""The name of this process among those whose clocks are reported."""


class Skew(Struct, frozen=True):
    """How far the clock of a partition's owner is ahead of Redis's, in seconds."""

    partition: str
    owner: str
    ahead_s: float


class Status(Struct, frozen=True, kw_only=True):
    """The freshness that is shown with every number, so that stale ones never look fresh.

    Attributes:
        age_s: how far behind real time the numbers may be; ``None`` where that is unknown.
        max_age_s: the age beyond which they are stale.
        reasons: why the store can't be trusted now, for people; empty if it can.
        partitions: how many partitions of the topic are followed.
        unread: records in them that were not read yet.
        rollbacks: how often the store was found to have gone back to an older state.
        results: all records by result: result → how many.
        loaded: whether the store was read at least once, so that there is something to show, however old.
        skew_s: how far this machine's clock is ahead of Redis's; ``None`` where that is unknown.
        skews: the same for the partitions' owners that reported it.
        targets_version: the version of the targets in force; 0 where none was ever applied.
        store_bytes: memory that the store uses; ``None`` where that is unknown.
        store_limit_bytes: the most that it may use; ``None`` where there is no limit, or it is unknown.
    """

    age_s: float | None
    max_age_s: float
    reasons: tuple[str, ...] = ()
    partitions: int = 0
    unread: int = 0
    rollbacks: int = 0
    results: dict[str, int] = {}
    loaded: bool = True
    skew_s: float | None = None
    skews: tuple[Skew, ...] = ()
    targets_version: int = 0
    store_bytes: int | None = None
    store_limit_bytes: int | None = None

    @property
    def problems(self) -> list[str]:
        """The reasons not to trust the numbers, for people."""
        out = list(self.reasons)
        if self.age_s is None and not out:
            out.append("no heartbeat yet, so the age of the data is unknown")
        if self.age_s is not None and self.age_s > self.max_age_s:
            out.append(f"the data is {self.age_s:.1f} s old, more than {self.max_age_s:g} s")
        return out

    @property
    def clocks(self) -> dict[str, float]:
        """How far each clock is ahead of Redis's, in seconds: this machine's and each worker's."""
        own = {} if self.skew_s is None else {OURS: self.skew_s}
        return own | {skew.owner: skew.ahead_s for skew in self.skews}

    @property
    def warnings(self) -> list[str]:
        """Things to fix although the numbers are right, for people."""
        return [
            f"the clock of {'this machine' if name == OURS else f'worker {name}'} is {abs(ahead):.1f} s "
            f"{'ahead of' if ahead > 0 else 'behind'} Redis's: synchronise both by NTP"
            for name, ahead in self.clocks.items()
            if abs(ahead) > SKEW_S
        ]

    @property
    def stale(self) -> bool:
        """Whether the numbers must not be acted on."""
        return bool(self.problems)
