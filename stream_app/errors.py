"""Errors, by whose fault it is: the producer's bytes, our store, or the author of a setting or file."""

from typing import Final


def how_to_install(extra: str) -> str:
    """Return the command that installs an optional extra: from a checkout, as long as no release is on a package index."""
    return f"pip install '.[{extra}]' in a checkout of stream-app"


class StreamAppError(Exception):
    """Base class of every error that this package raises on purpose."""


REASONS: Final = ("too_large", "bad_utf8", "not_json", "too_deep", "invalid", "future")
"""Why a record can't be read as an event: the reasons by which dead letters are counted."""


class UnreadableError(StreamAppError):
    """The producer's bytes are not an event: the record becomes a dead letter with a reason, and the next one is read.

    Attributes:
        reason: one of ``REASONS``, safe as a metric label.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class UnknownTypeError(StreamAppError):
    """A readable event of a type that the vocabulary does not know: counted and skipped."""


class StoreUnavailableError(StreamAppError):
    """The store can't answer now (down, loading, read-only, out of memory): wait and retry."""


class FencedError(StreamAppError):
    """Another worker claimed the partition after us: our memory of it is worthless."""


class PositionMismatchError(StreamAppError):
    """The stored position is not ours: Redis was rolled back, or another process wrote. Claim again."""

    def __init__(self, stored: int, ours: int) -> None:
        super().__init__(f"position mismatch: the store is at {stored}, this worker at {ours}")
        self.stored = stored
        self.ours = ours


class PassedOverError(StreamAppError):
    """There are unread records between what is counted and what was read next. Claim again, and read them."""

    def __init__(self, counted: int, found: int) -> None:
        super().__init__(
            f"counted up to {counted}, but the next record read (offset {found}) may not be the one that follows"
        )


class RenumberedError(StreamAppError):
    """A name has another number in the store than this claim knows, or was retired; nothing was written. Claim again.

    Redis was rolled back before any commit had used the name.
    """


class QuarantinedError(StreamAppError):
    """A key of the partition has an unexpected type: nothing was written, and a person must look into it."""


class StuckError(StreamAppError):
    """No progress for no known reason: end, and let the supervisor restart the process."""


class LostDataError(StreamAppError):
    """Records or counters are gone, and only a person can decide how to go on: fail closed."""


class OtherTopicError(LostDataError):
    """The topic is not the one whose records are counted. Offsets can't show this: a new topic outgrows every position."""

    def __init__(self, partition: object, counted: str | None, found: str | None) -> None:
        super().__init__(
            f"{partition}: the counters belong to the topic with id {counted}, but the topic of this name now has id "
            f"{found}: it was created again. `stream-app rebuild` discards the counters and counts what the topic holds"
        )


class LaterEditionError(StreamAppError):
    """A partition was counted by a later edition of the specification: we would count the same contacts otherwise."""

    def __init__(self, partition: object, counted: int, ours: int) -> None:
        super().__init__(
            f"{partition}: it was counted by edition {counted} of docs/semantics.md, but this version of stream-app counts by "
            f"edition {ours}, which gives the same contacts other numbers. Upgrade it; to go back to it, stop all workers and "
            "run its `stream-app rebuild` (docs/operations.md, Upgrades)"
        )


class InputError(StreamAppError):
    """An input file is wrong; the message is one line that begins with ``file:line``. Exit code 65 (EX_DATAERR)."""


class BadSettingsError(StreamAppError):
    """A setting is wrong; the message is one line that names it. Exit code 78 (EX_CONFIG)."""
