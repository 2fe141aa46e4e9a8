"""The list of forgotten ids: salted hashes, so that whatever is written later is blanked, too, and the list tells nothing.

It is kept like manifests: numbered, created only if absent, and the newest one is the truth.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from secrets import token_bytes
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from . import places
from .storage import LedgerUnavailableError, Storage
from .tables import PERSONAL

HASH: Final = 12
"""Bytes of a hash: among a billion ids none is mistaken for another."""


class ForgottenIds(Struct, frozen=True, omit_defaults=True):
    """A list.

    Attributes:
        number: 1, 2, …; 0 for the empty one.
        salt: what hashes begin with.
        hashes: of column and id, in base64.
    """

    number: int = 0
    salt: bytes = b""
    hashes: frozenset[str] = frozenset()

    def hash(self, column: str, id_: str) -> str:
        """Return the hash of an id of a column."""
        text = f"{column}\0{id_}".encode()
        return b64encode(blake2b(text, digest_size=HASH, key=self.salt).digest()).decode()

    def has(self, row: Mapping[str, Any]) -> bool:
        """Return whether one of a row's ids is forgotten."""
        return bool(self.hashes) and any(
            (id_ := row.get(column)) is not None and self.hash(column, id_) in self.hashes
            for column in PERSONAL
        )

    def blank(self, rows: Iterable[dict[str, Any]]) -> None:
        """Remove all ids from rows of which one is forgotten: what is left is counted, and nobody's."""
        if not self.hashes:
            return
        for row in rows:
            if self.has(row):
                for column in PERSONAL:
                    row.pop(column, None)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(ForgottenIds).decode


async def load_forgotten(storage: Storage) -> ForgottenIds:
    """Return the newest list.

    Raises:
        LedgerUnavailableError: the storage can't be read now.
    """
    found = await storage.files(places.FORGOTTEN)
    if not found:
        return ForgottenIds()
    packed = await storage.read(found[-1].name)
    if packed is None:
        raise LedgerUnavailableError(
            f"ledger: {found[-1].name} is listed, and is not there; is the storage consistent?"
        )
    return _decode(packed)


async def add_forgotten(storage: Storage, ids: Mapping[str, Iterable[str]]) -> ForgottenIds:
    """Add ids to the list, and return it.

    Args:
        storage: where the ledger is.
        ids: column → ids.

    Raises:
        LedgerUnavailableError: the storage can't do it now; do it again.
    """
    while True:
        known = await load_forgotten(storage)
        salted = known if known.salt else replace(known, salt=token_bytes(16))
        more = {salted.hash(column, id_) for column, some in ids.items() for id_ in some}
        if more <= known.hashes:
            return known
        following = replace(salted, number=known.number + 1, hashes=known.hashes | more)
        if await storage.create(places.forgotten(following.number), _encode(following)):
            return following
