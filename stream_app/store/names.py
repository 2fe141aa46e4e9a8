"""Registries of names: name → number, permanently, with a cap.

A registry is shared by all partitions and workers and only grows, so that a name has the same number everywhere. The cap is on
the names in use: idle names may be retired (``intervals/retiring.py``), which frees their places for others; a retired name
keeps its number, and takes a place again when it returns. A name that finds no place is number 0, ``other``, on every partition
alike. Nothing that a producer sends can make keys, labels or memory grow past that.

A name is numbered in one round trip and used in a later one, and in between Redis may be rolled back and give the number to
another name. So a write under a number checks it in the same step, unless something stored has confirmed it: Redis is rolled
back to an earlier point of its own history, and whatever survives implies everything before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stream_app.model.targets.conversations import is_written

from . import keys
from .client import faults, script

OTHER: Final = "other"
CAPS: Final[dict[str, int]] = {"counter": 511, "queue": 2000, "channel": 16, "partition": 65_535}
FULL_S: Final = 60.0
"""A full registry is read again after this time, because names may have been retired."""
_BATCH = 1000
NumberedName = tuple[bytes, str, int]
"""Registry, as apply.lua identifies it; name; number."""


class Names:
    """One worker's view of a registry.

    Attributes:
        full: whether it takes no more names, as far as is known.
    """

    def __init__(self, client: Any, kind: str, cap: int | None = None) -> None:
        """Take a registry's kind, one of ``CAPS``."""
        self._client = client
        self.kind = kind
        self.keys: tuple[str, str] = (keys.names(kind), keys.retired(kind))
        self._cap = CAPS[kind] if cap is None else cap
        self._script = script(client, "names")
        self._numbers: dict[str, int] = {OTHER: 0}
        self._looked_at = 0.0
        self.full = False

    async def learn(self, names: Iterable[str]) -> Mapping[str, int]:
        """Assign numbers to new names, in one round trip if there are any, and return the numbers of all that have one.

        Raises:
            StoreUnavailableError: no answer.
        """
        if self.full and time.monotonic() - self._looked_at >= FULL_S:
            await self.reload()
        new = sorted({name for name in names if name not in self._numbers}) if not self.full else []
        for at in range(0, len(new), _BATCH):
            chunk = new[at : at + _BATCH]
            async with faults():
                numbers = await self._script(keys=self.keys, args=[self._cap, *chunk])
            self._numbers |= {name: n for name, n in zip(chunk, numbers, strict=True) if n}
            if 0 in numbers:  # it is full: names that are not in it have to wait for a place
                await self.reload()
                self.full = True
                break
        return self._numbers

    async def reload(self) -> None:
        """Read the registry again: names were retired, or a store that was rolled back gave known numbers to other names.

        Raises:
            StoreUnavailableError: no answer.
        """
        async with faults():
            registry = await self._client.hgetall(self.keys[0])
            retired = await self._client.smembers(self.keys[1])
        used = {name.decode(): int(number) for name, number in registry.items() if name not in retired}
        # A new object: callers go on looking names up in the former one.
        self._numbers = {OTHER: 0} | used
        self._looked_at = time.monotonic()
        self.full = len(used) >= self._cap


def in_use(
    registry: bytes, numbers: Mapping[str, int], places: Iterable[tuple[str, str]], part: int
) -> Iterable[NumberedName]:
    """Yield the names of some places that have their own number in a registry."""
    for name in {place[part] for place in places}:
        if number := numbers.get(name):
            yield registry, name, number


async def written_places(client: Any) -> Callable[[bytes], bool]:
    """Return what tells of a place (``Q.C``, by numbers) whether contacts write there, as in channels that found no number."""
    async with faults():
        numbers = await client.hgetall(keys.names("channel"))
    written = {b"0"} | {number for name, number in numbers.items() if is_written(name.decode())}
    return lambda place: place.partition(b".")[2] in written
