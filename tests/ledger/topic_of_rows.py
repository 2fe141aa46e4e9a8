"""The topic of rows, for tests: one in memory that fails at will, and what consumers make of it by the documented rule."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from stream_app.errors import StreamAppError

Key = tuple[str, str, int, int, int]


class ConsumedRows:
    """What whoever follows the rule in ``docs/ledger.md`` has: written from there, and nothing of ours."""

    def __init__(self) -> None:
        self.rows: dict[Key, dict[str, Any]] = {}
        self.holes: dict[tuple[str, str, int], dict[int, int]] = {}
        self.records = self.cuts = self.again = 0
        self._seen: set[bytes] = set()

    def take(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        for packed_key, packed in records:
            self.records += 1
            key = json.loads(packed_key)
            source = tuple(key[:3])
            if packed is None:
                self.rows.pop(tuple(key), None)
                continue
            value = json.loads(packed)
            assert source == (value["topic"], value["topic_id"], value["partition"])
            if value.get("cut"):
                self.cuts += 1
                gone = [one for one in self.rows if one[:3] == source and one[3] >= value["offset"]]
                for one in gone:
                    del self.rows[one]
                holes = self.holes.get(source, {})
                self.holes[source] = {begin: end for begin, end in holes.items() if begin < value["offset"]}
            elif value.get("hole"):
                self.holes.setdefault(source, {})[value["offset"]] = value["end"]
            else:
                assert key[3:] == [value["offset"], value["n"]]
                self.again += packed_key in self._seen
                self._seen.add(packed_key)
                self.rows[tuple(key)] = value

    def identities(self) -> list[tuple[tuple[int, int], int]]:
        """As ``desk.identities``."""
        return sorted(((row["offset"], row["n"]), row["version"]) for row in self.rows.values())


class Broker:
    """A topic in memory that only the latest who connected may write.

    Attributes:
        records: what was written.
        fails: how many of the next writes fail.
    """

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes | None]] = []
        self.owner: object = None
        self.fails = 0


class MemoryRowTopic:
    """See ``sending.RowTopic``."""

    def __init__(self, broker: Broker, name: str = "contact-ledger") -> None:
        self.name = name
        self._broker = broker
        self._token: object = None

    async def send(
        self, records: Collection[tuple[bytes, bytes | None]], confirm: Callable[[], Awaitable[None]]
    ) -> None:
        if self._token is None:
            self._token = self._broker.owner = object()
            await confirm()
        if self._broker.owner is not self._token:
            raise StreamAppError("another producer has taken over")
        if self._broker.fails:
            self._broker.fails -= 1
            raise StreamAppError("the broker does not answer")
        self._broker.records += records

    async def close(self) -> None:
        self._token = None
