"""Errors say whose fault it is: their bytes, our store, or whoever wrote the settings."""

from typing import Final


class StreamAppError(Exception):
    """Base of every error that this package raises on purpose."""


REASONS: Final = ("too_large", "bad_utf8", "not_json", "too_deep", "invalid", "future")
"""Why records are no events: all that dead letters are counted by."""


class UnreadableError(StreamAppError):
    """The producer's bytes are no event: a dead letter with a reason, and the neighbours go on.

    Attributes:
        reason: one of ``REASONS``, safe as a metric label.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class UnknownTypeError(StreamAppError):
    """Readable, but of a type that nobody here listens to: counted and skipped."""


class StoreUnavailableError(StreamAppError):
    """The store can't answer now (down, loading, read-only, out of memory): wait and ask again."""


class FencedError(StreamAppError):
    """Someone claimed the partition after us: our memory of it is worthless."""


class PositionMismatchError(StreamAppError):
    """The stored position is not ours: Redis was rolled back, or someone else wrote. Claim again."""

    def __init__(self, stored: int, ours: int) -> None:
        super().__init__(f"the store is at {stored}, this worker at {ours}")
        self.stored = stored
        self.ours = ours


class QuarantinedError(StreamAppError):
    """A key of the partition has a type that is not ours: nothing was written, a human must look."""


class StuckError(StreamAppError):
    """Nothing moves and nobody knows why: end, and be started again."""


class LostDataError(StreamAppError):
    """Records or counters are gone that can't be had back without a decision: fail closed."""


class InputError(StreamAppError):
    """A file that somebody wrote is wrong: one line that begins with ``file:line``. Exit code 65 (EX_DATAERR)."""


class BadSettingsError(StreamAppError):
    """A setting is wrong; the message is one line that names it. Exit code 78 (EX_CONFIG)."""
