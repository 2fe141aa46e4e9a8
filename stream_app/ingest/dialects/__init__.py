"""Dialects: one file per platform, named as in the setting.

A dialect is a module with ``decode(value, headers=()) -> Sequence[Event]``: the events in one record, none if it is readable
but not about a contact. It keeps no state between records. It raises only ``UnreadableError``, and ``UnknownTypeError`` for a
message that is readable but of a type that is not used.

A module may also have ``FILE_FORMAT``, how its records stand in a file (``ndjson`` by default), ``is_line(line: bytes) ->
bool``, which recognizes a file that was given to the wrong dialect, and ``KEY``, the Kafka key of all records of one source,
where a record may be about other contacts than the one that it names. ``is_header`` and ``is_row`` take the cells of a
table's line, where its records may stand in a table. A dialect whose times may lack an offset takes a third argument,
``local``, which gives them one: what must be remembered for that is kept by ``Zoned``, not by the dialect. ``TELLS_MESSAGES``
is false where the platform reports no messages of written contacts: there an agent's ``contact.answered`` answers them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from stream_app.errors import BadSettingsError
from stream_app.model.events import Event
from stream_app.tables.local_clock import LocalClock

Headers = Sequence[tuple[str, bytes]]
Local = Callable[[datetime], datetime]
FileFormat = Literal["ndjson", "csv", "queue_log"]


class Decode(Protocol):
    """A decoder of a platform's records."""

    def __call__(self, value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        """Return the events in a record."""
        ...


def available() -> list[str]:
    """Return the names of all dialects; modules with a leading underscore are helpers."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


class Zoned:
    """A dialect that reads times without an offset as local times, in the order of one source's records.

    Attributes:
        bare: does the same, for callers that need nothing else of it.
    """

    def __init__(
        self, decode: Callable[..., Sequence[Event]], zone: ZoneInfo, since: int | None = None
    ) -> None:
        """Begin with a source; ``since`` is how far it was read before, ms."""
        last = None if since is None else datetime.fromtimestamp(since / 1000, UTC)
        self._clock = LocalClock(zone, last)
        self.plain = decode
        self.bare: Decode = partial(decode, local=self._clock.at)

    def __call__(self, value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        """Return the events in a record."""
        return self.bare(value, headers)

    def afresh(self, since: int | None) -> Zoned:
        """Return the dialect for another source."""
        return Zoned(self.plain, self._clock.zone, since)

    def was_local(self) -> bool:
        """Return whether a time without an offset was read since this was last asked."""
        was, self._clock.was_local = self._clock.was_local, False
        return was


def tells_messages(decode: Decode) -> bool:
    """Return whether a decoder's platform reports the messages of written contacts."""
    plain = decode.plain if isinstance(decode, Zoned) else decode
    module = sys.modules.get(getattr(plain, "__module__", ""))
    return getattr(module, "TELLS_MESSAGES", True)


def afresh(decode: Decode, since: int | None = None) -> Decode:
    """Return a decoder for a source of its own; ``since`` is how far that was read before, ms."""
    return decode.afresh(since) if isinstance(decode, Zoned) else decode


def clock_of(zone: str) -> Local:
    """Return what gives the times of one source an offset, in the order of its records; ``zone`` is an IANA zone."""
    return LocalClock(ZoneInfo(zone)).at


def load(name: str, zone: str = "UTC") -> Decode:
    """Load a dialect by name; ``zone`` is the IANA zone of times without an offset.

    Raises:
        BadSettingsError: unknown dialect.
    """
    if name not in available():
        raise BadSettingsError(
            f"STREAM_APP_DIALECT: unknown dialect {name!r}; use one of {', '.join(available())}"
        )
    decode = _module(name).decode
    zoned: Decode = Zoned(decode, ZoneInfo(zone)) if "local" in signature(decode).parameters else decode
    return zoned


def file_format(name: str) -> FileFormat:
    """Return how the records of a dialect stand in a file."""
    found: FileFormat = getattr(_module(name), "FILE_FORMAT", "ndjson")
    return found


def key_of(name: str) -> str | None:
    """Return the key that all records of a dialect's source have; ``None`` where each contact's records have their own."""
    return getattr(_module(name), "KEY", None)


def recognized(lines: Iterable[bytes], besides: str) -> str | None:
    """Return the dialect, if any, that knows one of some lines as its own; ``besides`` is the one that was tried."""
    lines = [*lines]
    for name in available():
        is_line = getattr(_module(name), "is_line", None)
        if name != besides and is_line is not None and any(map(is_line, lines)):
            return name
    return None


def has_tables(name: str) -> bool:
    """Return whether records of a dialect may stand in a table."""
    return hasattr(_module(name), "is_header")


def is_header(name: str, cells: Sequence[str]) -> bool:
    """Return whether the cells of a table's first line are columns of a dialect's records."""
    known = getattr(_module(name), "is_header", None)
    return known is not None and known(cells)


def is_row(name: str, cells: Sequence[str]) -> bool:
    """Return whether the cells of a table's line are a record of a dialect."""
    known = getattr(_module(name), "is_row", None)
    return known is not None and known(cells)


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
