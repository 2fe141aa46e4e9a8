"""What a reader knows of a partition besides its counters: its owner, its age, its problems."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from stream_app.model.ports import Partition

AHEAD_MS: Final = 1_000
"""A timestamp further ahead of now than this can't be used to tell an age."""


class PartitionHealth(Struct):
    """A partition, as a reader sees it. Times are ms by Redis's clock.

    Attributes:
        seq: sequence number of the last commit mirrored; 0 while it is not loaded.
        token: the claim under which that commit was made.
        epoch: number of claims so far.
        position: the next offset, as mirrored.
        end: the log's end, as the owner saw it.
        owner: name of the worker that owns it.
        beat_at: the owner's last heartbeat; 0 before the first.
        ahead: ms by which the owner's wall clock was ahead then; ``None`` if it did not report it.
        read_at: timestamp of the last record applied, by whatever clock stamped it.
        waits_since: when the owner's next record was first known to be in the log; 0 if there is none or it was not reported.
        rollbacks: times that Redis was found to have lost commits.
        results: result → records.
        level_at: when the mirror last held everything that was stored.
        wanted: (sequence number, when the store was there): level again once that is mirrored.
        problem: why it can't be read, where a person must look into it.
        said_at: the time of the last heartbeat, if it came from its worker's own clock; else 0.
        retired: its contacts are now counted in another topic: nobody reads it, and it has no age.
    """

    seq: int = 0
    token: bytes = b""
    epoch: int = 0
    position: int = 0
    end: int = 0
    owner: str = ""
    beat_at: int = 0
    ahead: int | None = None
    read_at: int = 0
    waits_since: int = 0
    rollbacks: int = 0
    results: dict[str, int] = {}
    level_at: int = 0
    wanted: tuple[int, int] | None = None
    problem: str | None = None
    said_at: int = 0
    retired: bool = False

    def beaten(self, beat: Mapping[bytes, bytes], now: int) -> None:
        """Take in the heartbeat that is stored at ``now``, field by field."""
        at, self.end, self.read_at = (int(beat.get(field, 0)) for field in (b"at", b"end", b"read_at"))
        self.owner = beat.get(b"owner", b"").decode(errors="replace")
        if b"stamped" in beat and int(beat[b"stamped"]) == at:
            self.beat_at, self.said_at = at, 0
            self.ahead, self.waits_since = int(beat[b"ahead"]), int(beat[b"waits_since"])
            return
        # A worker of a former version: its clock may be wrong, but a new heartbeat shows that it is alive.
        if at != self.said_at:
            self.beat_at = now if self.said_at else at
        self.said_at, self.ahead, self.waits_since = at, None, 0

    def stored(self, seq: int, now: int) -> None:
        """Note that the store was at ``seq`` at ``now``."""
        if self.wanted is None:
            self.wanted = (seq, now)
        self.mirrored()

    def mirrored(self) -> None:
        """Update ``level_at`` after a change of ``seq``."""
        if self.wanted is not None and self.seq >= self.wanted[0]:
            self.level_at = max(self.level_at, self.wanted[1])
            self.wanted = None

    def unload(self) -> None:
        """Have it loaded again, and forget when it was level."""
        self.seq, self.level_at, self.wanted = 0, 0, None

    def doubt(self, now: int) -> str:
        """Return why it can't be trusted, for people; empty if it can, apart from its age."""
        if not self.seq:
            return self.problem or "it is being loaded"
        if not self._is_of_the_future(now):
            return ""
        return (
            f"its last heartbeat is {(self.beat_at - now) / 1000:.0f} s ahead of Redis's clock, so its age is unknown: Redis's "
            "clock was set back, or the clock of a worker of a former version is wrong. Restart its worker"
        )

    def _is_of_the_future(self, now: int) -> bool:
        return self.beat_at > now + AHEAD_MS

    def age_ms(self, now: int) -> int | None:
        """Return how far behind the truth this partition may be, ms.

        If the owner has caught up: the time since its last heartbeat. If it is behind: the time since the last record that
        it applied, and at least as long as its next record is known to wait, so that a producer's fast clock makes nothing
        look fresh. Never less than the time since this mirror was level with the store.

        ``None`` where it is not known: before the first heartbeat, or if that is in the future.
        """
        if not self.beat_at or not self.level_at or self._is_of_the_future(now):
            return None
        since = min(self.beat_at, self.level_at)
        if self.position < self.end:
            since = min(since, *(at for at in (self.read_at, self.waits_since) if at), now)
        return max(0, now - since)


def age_of(healths: Mapping[str, PartitionHealth], now: int) -> float | None:
    """Return the age of the oldest partition's data, in seconds.

    ``None`` where it is not known: nothing was ever claimed, or an owner has not sent a heartbeat yet. Files that were
    folded beside the topic have no owner and no age; nor has a topic whose contacts were moved to another one.
    """
    ages = [
        health.age_ms(now)
        for text, health in healths.items()
        if Partition.parse(text).is_live and not health.retired
    ]
    known = [age for age in ages if age is not None]
    return max(known) / 1000 if ages and len(known) == len(ages) else None
