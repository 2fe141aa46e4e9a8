"""Rebalances that come at the worst moment; nothing here needs a broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError

from stream_app.failpoints import Failpoints
from stream_app.ingest.batch import Batch, Read
from stream_app.ingest.consumer import Consumer
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.log import Log
from stream_app.ingest.partition import Owned
from stream_app.model.ports import Partition
from stream_app.model.targets import Overrides, Targets
from stream_app.store.memory import MemoryStore
from stream_app.telemetry import Telemetry
from tests.services.process import until

TP = TopicPartition("t", 0)


class Restless(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is not typed
    """Its partitions change whenever somebody polls."""

    uncommitted = False

    async def getmany(self, *partitions: TopicPartition, **_: Any) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        if self.uncommitted:
            self.uncommitted = False
            raise NoOffsetForPartitionError(partitions[0])
        self.unsubscribe()
        self.assign([TopicPartition("t", 1)])
        return {}

    async def position(self, _: TopicPartition) -> int:
        return 10


class Stage:
    """A consumer that never meets its broker, and the store behind it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.kafka = Restless(bootstrap_servers="127.0.0.1:9", enable_auto_commit=False)
        self.lags: dict[Partition, int] = {}
        self.consumer = Consumer(
            self.kafka,
            "t",
            self.own,
            self.put,
            owner="me",
            batch_records=10,
            on_lost="fail",
            targets_version=self.store.targets_version,
            lag=self.lags.__setitem__,
            ahead=lambda _: None,
        )

    def own(self, partition: Partition) -> Owned:
        return Owned(
            partition, self.store, decode, Telemetry(), Failpoints(), max_bytes=1_000, max_dead_in_a_row=0
        )

    async def put(self, batch: Batch) -> Any:
        batch.done.set_exception(ZeroDivisionError("a bug of ours"))

    async def ready(self) -> Owned:
        """Our partition, claimed, with a batch under way."""
        owned = self.consumer.owned[TP] = self.own(Partition("t", 0))
        await owned.take_over()
        owned.ready = True
        owned.idle.clear()
        return owned

    async def change_settings(self, during: Awaitable[None]) -> None:
        """The heartbeat finds new settings and waits for the batch; meanwhile something happens."""
        owned = self.consumer.owned[TP]
        await self.store.apply_targets(Targets(defaults=Overrides(answer_target_s=7.0)))
        beat = asyncio.create_task(self.consumer._heartbeat.round())
        await until(lambda: not owned.ready)
        await during
        owned.idle.set()
        await beat


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    for owned in stage.consumer.owned.values():
        owned.gone = True
    for task in stage.consumer._claims.values():
        task.cancel()
    await asyncio.gather(*stage.consumer._claims.values(), return_exceptions=True)
    await stage.kafka.stop()


async def test_a_partition_that_goes_away_while_its_settings_change_is_let_go(stage: Stage) -> None:
    owned = await stage.ready()

    async def lose_it() -> None:
        stage.consumer.revoked()
        stage.consumer.assigned([])

    await stage.change_settings(lose_it())
    assert owned.gone
    assert stage.consumer.owned == {}
    assert stage.consumer._claims == {}
    assert stage.lags == {Partition("t", 0): 0}


async def test_one_that_comes_back_meanwhile_is_claimed_once(stage: Stage) -> None:
    await stage.ready()
    claims: list[asyncio.Task[None]] = []

    async def lose_it_and_get_it_back() -> None:
        stage.consumer.revoked()
        stage.consumer.assigned([])
        stage.consumer.assigned([TP])
        claims.append(stage.consumer._claims[TP])

    await stage.change_settings(lose_it_and_get_it_back())
    assert stage.consumer._claims[TP] is claims[0]


async def test_a_rebalance_while_membership_is_kept(stage: Stage) -> None:
    """Paused partitions that go away while we poll need not be resumed."""
    stage.kafka.assign([TP])
    await stage.consumer._keep_membership()
    assert stage.kafka.assignment() == {TopicPartition("t", 1)}


async def test_a_rebalance_under_a_poll_in_a_group_that_never_committed(stage: Stage) -> None:
    """The library finds no committed offset for what it was given anew, and tells the poll that is still under way."""
    owned = await stage.ready()
    owned.idle.set()
    stage.kafka.uncommitted = True
    polling = asyncio.create_task(stage.consumer._poll(stage.consumer))
    await until(lambda: polling.done() or not stage.kafka.uncommitted)
    stage.consumer._stopped.set()
    await polling


async def test_what_was_read_and_not_counted_is_no_gap(stage: Stage) -> None:
    """A batch that fails ends the worker; until it has ended its heart still beats."""
    owned = await stage.ready()
    flights, fly = stage.consumer._flights, stage.consumer._fly
    await flights.see_through(TP, owned, partial(fly, TP, owned, Read(0, [])))
    await stage.consumer._heartbeat.round()
    assert not owned.ready, "nothing is read on"
    assert owned.passed == 0
    assert stage.store.partitions[Partition("t", 0)].position is None
    assert isinstance(stage.consumer.crash_reason, ZeroDivisionError)


class Late(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is not typed
    """Gives records at a moment when nobody wants them any more."""

    def __init__(self) -> None:
        super().__init__(bootstrap_servers="127.0.0.1:9", enable_auto_commit=False)
        self.then: Callable[[], None] = lambda: None
        self.sought: list[int] = []

    async def getmany(self, *_: TopicPartition, **__: Any) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        self.then()
        return {TP: [Line(n) for n in range(5, 8)]}

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)


@dataclass
class Line:
    offset: int
    timestamp: int = 0
    value: bytes | None = b"{}"
    headers: tuple[tuple[str, bytes], ...] = ()


@pytest.mark.parametrize("when", ["stopping", "revoked", "gone"])
async def test_records_that_come_too_late_are_put_back(stage: Stage, when: str) -> None:
    """The consumer's position is behind them already: whoever believes it would take them for a gap."""
    owned = await stage.ready()
    owned.idle.set()
    late = Late()
    stage.consumer._log = Log(late)

    def end() -> None:
        if when == "stopping":
            stage.consumer._stopped.set()
        elif when == "revoked":
            stage.consumer.revoked()
        else:
            stage.consumer.assigned([])

    late.then = end
    await stage.consumer._read({TP: owned})
    assert late.sought == [5]
    assert owned.idle.is_set(), "nothing is under way"
    await late.stop()
