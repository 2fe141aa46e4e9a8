"""Names → numbers, once and for ever, with a cap.

A registry is shared by all partitions and workers and only grows, so that a name is the same number everywhere; what comes
after the cap is number 0, ``other``, on every partition alike. Nothing that a producer sends can make keys, labels or memory
grow past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from . import keys
from .client import faults, script

OTHER: Final = "other"
CAPS: Final[dict[str, int]] = {"counter": 511, "queue": 2000, "channel": 16, "partition": 65_535}
_BATCH = 1000


class Names:
    """One worker's view of a registry."""

    def __init__(self, client: Any, kind: str, cap: int | None = None) -> None:
        """``kind`` is one of ``CAPS``."""
        self._client = client
        self._key = keys.names(kind)
        self._cap = CAPS[kind] if cap is None else cap
        self._script = script(client, "names")
        self._numbers: dict[str, int] = {OTHER: 0}
        self.full = False

    async def learn(self, names: Iterable[str]) -> Mapping[str, int]:
        """Number what is not known yet; one round trip where anything is new. Gives the numbers of all that have one.

        Raises:
            StoreUnavailableError: no answer.
        """
        new = sorted({name for name in names if name not in self._numbers}) if not self.full else []
        for at in range(0, len(new), _BATCH):
            chunk = new[at : at + _BATCH]
            async with faults():
                numbers = await self._script(keys=[self._key], args=[self._cap, *chunk])
            self._numbers |= {name: n for name, n in zip(chunk, numbers, strict=True) if n}
            if 0 in numbers:  # it takes no more: what is not in it now never will be
                await self.reload()
                self.full = True
                break
        return self._numbers

    async def reload(self) -> None:
        """Read it anew: a store that was rolled back may have given numbers that we know to other names.

        Raises:
            StoreUnavailableError: no answer.
        """
        async with faults():
            registry = await self._client.hgetall(self._key)
        # Another object: whoever looks names up in the former one goes on doing so.
        self._numbers = {OTHER: 0} | {name.decode(): int(number) for name, number in registry.items()}
        self.full = False
