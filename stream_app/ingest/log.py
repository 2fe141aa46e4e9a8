"""The topic's log: the only place that takes records from the consumer or moves its position.

What was taken is either passed on or put back. So it is known from which offset on a stretch of records was read without a
break, and that offsets missing in it hold nothing. The consumer's own position does not prove this: it also moves past
records that a failing call had taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from .batch import KafkaRecord, Read


class Log:
    """Reads partitions. One caller at a time reads a partition; others may only ``seek`` it."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._handed_on: dict[TopicPartition, int] = {}

    async def read(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, Read]:
        """Read what is there, or wait for records; ``put_back`` what is not wanted before anything else is awaited.

        Raises:
            KafkaError: records may have been taken and lost: seek each of the partitions again.
        """
        try:
            found = await self._consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except BaseException:
            for tp in partitions:
                self._handed_on.pop(tp, None)
            raise
        return {tp: self._hand_on(tp, records) for tp, records in found.items()}

    def _hand_on(self, tp: TopicPartition, records: Sequence[KafkaRecord]) -> Read:
        since = self._handed_on.get(tp, records[0].offset)
        self._handed_on[tp] = records[-1].offset + 1
        return Read(since, records)

    def put_back(self, tp: TopicPartition, read: Read) -> None:
        """Have records returned again by the next read."""
        with suppress(IllegalStateError):  # not ours any more: its next owner begins at the stored position
            self.seek(tp, read.since)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Continue at an offset.

        Raises:
            IllegalStateError: the partition is not ours.
        """
        self._handed_on.pop(tp, None)
        try:
            self._consumer.seek(tp, offset)
        except AssertionError as error:  # raised by the library where no partition is ours
            raise IllegalStateError(f"{tp} is not assigned") from error
        self._handed_on[tp] = offset
