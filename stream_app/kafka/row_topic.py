"""The topic of the ledger's rows, as one partition of the source writes it.

All rows of a source's partition are in one partition of the topic, so what is said of them holds from there on. A key has no
id of a person: a row whose contact is forgotten replaces the one that had it, and compaction removes that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from .fenced_topic import FencedTopic, TopicRecord

CONFIG: Final = {"max.compaction.lag.ms": "86400000", "segment.ms": "86400000"}
"""What is replaced goes within a day or two; by default the latest gigabyte of a partition is never compacted."""


class FencedRowTopic:
    """Writes the rows of one partition; of all processes that do, only the latest can.

    Attributes:
        name: that of the topic.
    """

    def __init__(
        self, connection: Mapping[str, Any], topic: str, writer: str, partition: int, *, like: str
    ) -> None:
        """Set it up, without connecting; see ``FencedTopic``. ``partition`` is the source's."""
        self.name = topic
        self._topic = FencedTopic(connection, topic, writer, like=like, config=CONFIG)
        self._partition = partition

    async def send(
        self, records: Iterable[tuple[bytes, bytes | None]], confirm: Callable[[], Awaitable[None]]
    ) -> None:
        """Write records, all or none; see ``FencedTopic.write``."""
        placed = (TopicRecord(key, value, partition=self._partition) for key, value in records)
        await self._topic.write(placed, confirm)

    async def close(self) -> None:
        """Disconnect."""
        await self._topic.close()
