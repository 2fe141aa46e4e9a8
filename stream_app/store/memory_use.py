"""How full Redis is."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import ResponseError

EVERY_MS: Final = 10_000


class MemoryUse(Struct, frozen=True):
    """Bytes used, and the most that may be; ``limit`` is 0 where there is none."""

    used: int
    limit: int


class MemoryMeter:
    """Asks now and then.

    Attributes:
        last: the latest answer; ``None`` before the first, and where the user may not ask.
    """

    def __init__(self, client: Any, ticks: Callable[[], float]) -> None:
        """Ask ``client``; ``ticks`` returns milliseconds."""
        self.last: MemoryUse | None = None
        self._client = client
        self._ticks = ticks
        self._asked = float("-inf")

    async def measure(self) -> None:
        """Ask, unless that was done just now."""
        if self._ticks() - self._asked < EVERY_MS:
            return
        self._asked = self._ticks()
        try:
            info = await self._client.info("memory")
        except ResponseError:
            self.last = None
        else:
            self.last = MemoryUse(int(info["used_memory"]), int(info.get("maxmemory", 0)))
