"""Visits as the MessagePack arrays that are stored, however the fold runs.

As Python, a visit is a ``Struct``, and msgspec does it all. Compiled, it is a native class, which msgspec passes on to the
hooks here. The arrays are the same.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .visit import Visit

COMPILED: Final = not issubclass(Visit, msgspec.Struct)
"""Whether the fold runs compiled (see ``scripts/compile``)."""


def _array_of(value: Any) -> object:
    return value.as_array()


def _made_of(kind: Any, array: Any) -> object:
    return kind.of_array(array)


pack: Final = msgspec.msgpack.Encoder(enc_hook=_array_of).encode
"""Encode what may hold visits."""


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder of a type that may hold visits."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_made_of)
