"""The written form of a cursor between pages."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Self

import msgspec
from msgspec import Struct

from .intervals.query import MisfitError


class WrittenCursor(Struct, frozen=True, array_like=True):
    """What a cursor says, as text that fits into an address."""

    def __str__(self) -> str:
        return urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Undo ``str``.

        Raises:
            MisfitError: it is not a cursor of ours.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            return msgspec.json.decode(urlsafe_b64decode(padded), type=cls)
        except (msgspec.DecodeError, UnicodeError, binascii.Error):
            raise MisfitError("cursor", "not a cursor; use next as it is", []) from None
