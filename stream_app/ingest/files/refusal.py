"""What can't be read: a line, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from stream_app.errors import StreamAppError, UnreadableError
from stream_app.ingest.dialects import Decode, Headers
from stream_app.model.events import Event


class FileError(StreamAppError):
    """A file, or a line of it, stops the work: one line that begins with ``file:line``."""


class DamagedError(Exception):
    """The bytes end or break off where they should not; what came before is whole."""


class Refused(bytes):
    """The first bytes of what the file's reader could not make a record's value of.

    Attributes:
        error: why not.
    """

    error: UnreadableError

    @classmethod
    def of(cls, value: bytes, reason: str, detail: str) -> Self:
        """A value that a decoder wrapped by ``checked`` refuses for this reason."""
        refused = cls(value)
        refused.error = UnreadableError(reason, detail)
        return refused


def checked(decode: Decode) -> Decode:
    """A dialect that also refuses what the reader of the file refused, so that both end in the same account."""

    def decode_checked(value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        if type(value) is Refused:
            raise value.error
        return decode(value, headers)

    return decode_checked
