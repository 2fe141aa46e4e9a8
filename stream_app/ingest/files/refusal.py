"""What can't be read: a line or a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

from stream_app.errors import StreamAppError, UnreadableError
from stream_app.ingest.dialects import Decode, Headers, Zoned
from stream_app.model.events import Event

FROM_WINDOWS: Final = "if Windows wrote it, convert it: iconv -f WINDOWS-1252 -t UTF-8 {file} > utf8.csv"


class FileError(StreamAppError):
    """A file, or a line of it, that ends the run; the message is one line that begins with ``file:line``."""


class DamagedError(Exception):
    """Bytes that are damaged or truncated; what came before is whole."""


class RefusedLine(bytes):
    """The first bytes of a line that the file's reader could not turn into a record's value.

    Attributes:
        error: why not.
    """

    error: UnreadableError

    @classmethod
    def of(cls, value: bytes, reason: str, detail: str) -> Self:
        """Return a value that a decoder wrapped by ``checked`` refuses for this reason."""
        refused = cls(value)
        refused.error = UnreadableError(reason, detail)
        return refused


class EventsLine(bytes):
    """A row whose events the file's reader knows: it takes the whole list to understand it.

    Attributes:
        events: of the row; none if it is readable but not counted.
    """

    events: Sequence[Event]

    @classmethod
    def of(cls, value: bytes, events: Sequence[Event]) -> Self:
        """Return a value that a decoder wrapped by ``checked`` decodes into these events."""
        line = cls(value)
        line.events = events
        return line


def checked(decode: Decode) -> Decode:
    """Wrap a dialect to also take what the file's reader refused or decoded, so that all are counted alike."""
    decode = decode.bare if isinstance(decode, Zoned) else decode

    def decode_checked(value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        if type(value) is RefusedLine:
            raise value.error
        if type(value) is EventsLine:
            return value.events
        return decode(value, headers)

    return decode_checked
