"""Dialects: one file a platform. The module's name is the setting.

A dialect is a module with ``decode(value, headers=()) -> Sequence[Event]``: the events that one record tells, none if it is
readable and tells nothing of a contact. It keeps nothing in mind between two records. It raises ``UnreadableError`` and nothing
else, and ``UnknownTypeError`` for a message that is readable but of a type that we don't listen to.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from stream_app.errors import BadSettingsError
from stream_app.model.events import Event

Headers = Sequence[tuple[str, bytes]]


class Decode(Protocol):
    """What reads a platform's records."""

    def __call__(self, value: bytes, headers: Headers = (), /) -> Sequence[Event]:
        """The events that a record tells."""
        ...


def available() -> list[str]:
    """The names of all dialects; a module with a leading underscore helps them and is none."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> Decode:
    """A dialect by name.

    Raises:
        BadSettingsError: there is none.
    """
    if name not in available():
        raise BadSettingsError(
            f"STREAM_APP_DIALECT: no dialect is called {name!r}; there are {', '.join(available())}"
        )
    decode: Decode = import_module(f"{__name__}.{name}").decode
    return decode
