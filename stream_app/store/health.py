"""What a reader knows of a partition besides its counters."""

from msgspec import Struct


class Health(Struct):
    """A partition, seen by a reader.

    Attributes:
        seq: sequence number of the last commit mirrored; 0 while it is not loaded.
        token: the ownership under which that commit was made.
        epoch: ownerships so far.
        position: the next offset, as far as it is mirrored.
        end: log end that the owner saw last.
        beat_at: the owner's last heartbeat, ms; 0 before the first.
        read_at: timestamp of the last record applied, ms.
        rollbacks: times that Redis was found behind.
        results: result → records.
        level_at: when the mirror last held everything that was stored, ms.
        wanted: (sequence number, when the store was there): level again once it is mirrored.
        problem: why it can't be read, where a person must look.
    """

    seq: int = 0
    token: bytes = b""
    epoch: int = 0
    position: int = 0
    end: int = 0
    beat_at: int = 0
    read_at: int = 0
    rollbacks: int = 0
    results: dict[str, int] = {}
    level_at: int = 0
    wanted: tuple[int, int] | None = None
    problem: str | None = None

    def stored(self, seq: int, now: int) -> None:
        """The store stood at ``seq`` at ``now``."""
        if self.wanted is None:
            self.wanted = (seq, now)
        self.mirrored()

    def mirrored(self) -> None:
        """``seq`` has moved."""
        if self.wanted is not None and self.seq >= self.wanted[0]:
            self.level_at = max(self.level_at, self.wanted[1])
            self.wanted = None

    def age_ms(self, now: int) -> int | None:
        """How far behind the truth this partition may be; ``None`` before its first heartbeat.

        Owner caught up: since its last heartbeat. Owner behind: since the last record that it applied. And
        never less than the time since this mirror was level with the store.
        """
        if not self.beat_at or not self.level_at:
            return None
        since = self.beat_at
        if self.position < self.end and self.read_at:
            since = min(since, self.read_at)
        return max(0, now - min(since, self.level_at))
