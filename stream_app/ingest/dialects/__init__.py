"""Dialects: one file per platform, named as in the setting.

A dialect is a module with ``decode(value, headers=()) -> Sequence[Event]``: the events in one record, none if it is readable
but not about a contact. It keeps no state between records. It raises only ``UnreadableError``, and ``UnknownTypeError`` for a
message that is readable but of a type that is not used.

A module may also have ``FILE_FORMAT``, how its records stand in a file (``ndjson`` by default), ``is_line(line: bytes) ->
bool``, which recognizes a file that was given to the wrong dialect, and ``KEY``, the Kafka key of all records of one source,
where a record may be about other contacts than the one that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, Protocol

from stream_app.errors import BadSettingsError
from stream_app.model.events import Event

Headers = Sequence[tuple[str, bytes]]
FileFormat = Literal["ndjson", "csv", "queue_log"]


class Decode(Protocol):
    """A decoder of a platform's records."""

    def __call__(self, value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        """Return the events in a record."""
        ...


def available() -> list[str]:
    """Return the names of all dialects; modules with a leading underscore are helpers."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> Decode:
    """Load a dialect by name.

    Raises:
        BadSettingsError: unknown dialect.
    """
    if name not in available():
        raise BadSettingsError(
            f"STREAM_APP_DIALECT: unknown dialect {name!r}; use one of {', '.join(available())}"
        )
    decode: Decode = _module(name).decode
    return decode


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


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
