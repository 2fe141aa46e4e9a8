"""Dialects: one file a platform. The module's name is the setting.

A dialect is a module with ``decode(value: bytes) -> Iterable[Event]``, which raises ``UnreadableError`` and nothing else, and
``UnknownTypeError`` for a message that is readable but of a type that we don't listen to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules

from stream_app.errors import BadSettingsError
from stream_app.model.events import Event

Decode = Callable[[bytes], Iterable[Event]]


def available() -> list[str]:
    """The names of all dialects."""
    return sorted(module.name for module in iter_modules(__path__))


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
