"""Records as the library's compiled parser leaves them: taken batch by batch, without another object for each.

The library makes each record twice: its parser does, and then Python, through a generator and with fields that nothing reads
here, which costs more than to decode an event. What is taken here has what ``KafkaRecord`` names. It rests on private parts of
the library, so only versions that were tried get it; with any other one, records come as the library returns them.
"""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import aiokafka
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

TRIED: Final = ("0.14",)
"""Versions whose private parts are those that are used here."""


def take_batches(consumer: AIOKafkaConsumer) -> bool:
    """Have a consumer that was started return records without copying each; return whether its version allows it."""
    if not aiokafka.__version__.startswith(tuple(f"{version}." for version in TRIED)):
        return False
    fetcher = consumer._fetcher  # noqa: SLF001 - see above
    fetcher._records = _Results(fetcher._records)  # noqa: SLF001
    return True


class _Results(OrderedDict[TopicPartition, Any]):
    """What was fetched of each partition, and not taken yet."""

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        if type(result) is FetchResult:
            result.getall = _Batches(result).take
        super().__setitem__(tp, result)


class _Batches:
    """Takes the place of ``FetchResult.getall`` for one result."""

    def __init__(self, result: Any) -> None:
        self._result: Any = weakref.proxy(result)  # which holds this: no cycle
        self._tp, self._records = result._topic_partition, result._partition_records  # noqa: SLF001
        self._records._records_iterator = None  # noqa: SLF001 - it is not used, and makes a cycle
        self._batch: Sequence[Any] = ()
        self._taken = self._end = 0
        self._over = False

    def take(self, max_records: int | None = None) -> list[Any]:
        """Return the next records, at most that many, and move the consumer's position after them."""
        result, records = self._result, self._records
        if not result.check_assignment(self._tp) or not result.has_more():
            return []
        most = sys.maxsize if max_records is None else max_records
        found: list[Any] = []
        while len(found) < most:
            if self._taken == len(self._batch) and not self._turn():
                result._partition_records = None  # noqa: SLF001
                break
            some = self._batch[self._taken : self._taken + most - len(found)]
            found += some
            self._taken += len(some)
            whole = self._taken == len(self._batch)
            records.next_fetch_offset = self._end if whole else found[-1].offset + 1
        result._assignment.state_value(self._tp).consumed_to(records.next_fetch_offset)  # noqa: SLF001
        return found

    def _turn(self) -> bool:
        """Go on to the next batch; return whether there is one."""
        records, parsed = self._records, self._records._records  # noqa: SLF001
        while not self._over and parsed.has_next():
            batch = parsed.next_batch()
            if records._check_crcs and not batch.validate_crc():  # noqa: SLF001
                self._over = True  # as with the library: the rest is fetched again
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if self._is_to_be_read(batch):
                self._end, self._taken = batch.next_offset, 0
                self._batch, start = list(batch), records.next_fetch_offset
                if self._batch and self._batch[0].offset < start:  # compressed, or sought into its middle
                    self._batch = [record for record in self._batch if record.offset >= start]
                return True
            records.next_fetch_offset = batch.next_offset
        self._over = True
        return False

    def _is_to_be_read(self, batch: Any) -> bool:
        """Return whether a batch holds records of people, and of no transaction that was aborted."""
        records = self._records
        if records._isolation_level == READ_COMMITTED and batch.producer_id is not None:  # noqa: SLF001
            aborted = records._aborted_producers  # noqa: SLF001
            records._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
            if batch.is_control_batch and records._contains_abort_marker(batch):  # noqa: SLF001
                aborted.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in aborted:
                return False
        return not batch.is_control_batch
