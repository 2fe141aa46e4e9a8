"""A real Apache Kafka broker (KRaft, one node), and what tests do to a cluster."""

import asyncio
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from tests.services.process import HOST, ServerProcess, ServiceError, accepts, free_port, until

if TYPE_CHECKING:
    from aiokafka.producer.message_accumulator import BatchBuilder

JARS = Path(__file__).parents[2] / ".cache" / "kafka"
BATCH_BYTES = 512 * 1024


class Record(NamedTuple):
    """One record to produce. Without a partition the key's hash decides, as with every Kafka producer."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What tests do to a Kafka cluster, ours or one that was given by its address."""

    bootstrap: str

    async def create_topic(
        self, name: str, partitions: int = 4, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic and wait until every partition has a leader; KafkaError if it exists."""
        async with self._admin() as admin:
            answer = await admin.create_topics(
                [NewTopic(name, partitions, 1, topic_configs=dict(config or {}))]
            )
            _raise_errors(answer.topic_errors)

            async def has_leaders() -> bool:
                (topic,) = await admin.describe_topics([name])
                found = [p for p in topic["partitions"] if p["leader"] >= 0]
                return len(found) == partitions

            await until(has_leaders, what=f"{name} has leaders")

    async def grow_topic(self, name: str, partitions: int) -> None:
        """Give a topic more partitions, and wait until each has a leader; KafkaError if it has as many."""
        async with self._admin() as admin:
            answer = await admin.create_partitions({name: NewPartitions(partitions)})
            _raise_errors([(topic, code) for topic, code, *_ in answer.topic_errors])

            async def has_leaders() -> bool:
                (topic,) = await admin.describe_topics([name])
                return len([p for p in topic["partitions"] if p["leader"] >= 0]) == partitions

            await until(has_leaders, what=f"{name} has {partitions} partitions")

    async def delete_topic(self, name: str) -> None:
        """Delete a topic and wait until it is gone; KafkaError if there is none."""
        async with self._admin() as admin:
            answer = await admin.delete_topics([name])
            _raise_errors(answer.topic_error_codes)

            async def is_gone() -> bool:
                return name not in await admin.list_topics()

            await until(is_gone, what=f"{name} is gone")

    async def config(self, topic: str, setting: str) -> str:
        """Return the value of a topic's setting."""
        async with self._admin() as admin:
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        entries = answer.resources[0][4]
        return str(next(entry[1] for entry in entries if entry[0] == setting))

    async def topics(self) -> set[str]:
        """Return the names of all topics."""
        async with self._admin() as admin:
            return set(await admin.list_topics())

    async def produce(self, topic: str, records: Iterable[Record], *, compression: str | None = None) -> int:
        """Produce all records, in their order within each partition, and return their number.

        Done when the broker has said yes to all. Fills whole batches itself: many times the speed of `send`.
        """
        count = 0
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            compression_type=compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=64
            * 1024
            * 1024,  # the topic's max.message.bytes is the limit that tests look at
        ) as producer:
            await producer.partitions_for(topic)
            batches: dict[int, BatchBuilder] = defaultdict(producer.create_batch)
            sent = []

            async def send(partition: int) -> None:
                # Waits while the partition's former batch is on its way, so memory stays bounded.
                sent.append(await producer.send_batch(batches.pop(partition), topic, partition=partition))

            for key, value, headers, timestamp_ms, wanted in records:
                partition = producer._partition(topic, wanted, None, None, key, value)
                record = {"key": key, "value": value, "headers": list(headers), "timestamp": timestamp_ms}
                if batches[partition].append(**record) is None:
                    await send(partition)
                    batches[partition].append(**record)  # an empty batch takes any record
                count += 1
            for partition in list(batches):
                await send(partition)
            await asyncio.gather(*sent)
        return count

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's end: the offset that its next record will get."""
        async with self._admin() as admin, AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            (found,) = await admin.describe_topics([topic])
            ends = await consumer.end_offsets(
                [TopicPartition(topic, p["partition"]) for p in found["partitions"]]
            )
        return {partition.partition: end for partition, end in ends.items()}

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


class KafkaBroker(ServerProcess):
    """One broker on 127.0.0.1, with timings for tests.

    It listens twice. `cluster.bootstrap` is the direct way, for the test's own use while faults are on. With
    `advertised`, a proxy's port, whoever comes in by `proxied_port` is sent back to that proxy for ever.
    """

    name = "kafka"
    start_timeout_s = 60.0
    stop_timeout_s = 60.0

    def __init__(
        self,
        *,
        advertised: int | None = None,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Choose ports; `settings` are broker properties that replace ours."""
        super().__init__()
        self.port, self.proxied_port, self._controller_port = free_port(), free_port(), free_port()
        self.cluster = Cluster(f"{HOST}:{self.port}")
        self._heap = heap
        self._properties = self._defaults(advertised or self.proxied_port) | dict(settings or {})

    def command(self) -> list[str]:
        """Run the broker in the foreground; on the first start its storage is formatted."""
        if not list(JARS.glob("kafka_*.jar")):
            raise ServiceError("kafka: no jars in .cache/kafka; scripts/setup brings them")
        properties = self.directory / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._properties.items()))
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(properties)
        return [*self._java(), "kafka.Kafka", str(properties)]

    def ready(self) -> bool:
        """Both listeners open only when the broker is registered and no longer fenced."""
        return accepts(self.port) and accepts(self.proxied_port)

    def _java(self) -> list[str]:
        # The serial collector and the first compiler only: up sooner, and the cores are left to the test.
        flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        log = "-Dorg.slf4j.simpleLogger."
        logging = [
            f"{log}defaultLogLevel=warn",
            f"{log}showDateTime=true",
            f"{log}dateTimeFormat=HH:mm:ss.SSS",
        ]
        return ["java", f"-Xms{self._heap}", f"-Xmx{self._heap}", *flags, *logging, "-cp", f"{JARS}/*"]

    def _format(self, properties: Path) -> None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        done = subprocess.run(
            # "=": an id may begin with a dash
            [
                *self._java(),
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster_id}",
                "-c",
                str(properties),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServiceError(f"kafka: the storage was not formatted:\n{done.stdout}{done.stderr}")

    def _defaults(self, advertised: int) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "listeners": (
                f"DIRECT://{HOST}:{self.port},PROXIED://{HOST}:{self.proxied_port},"
                f"CONTROLLER://{HOST}:{self._controller_port}"
            ),
            # The broker talks to itself (transaction markers) by DIRECT: faults hit clients only.
            "advertised.listeners": f"DIRECT://{HOST}:{self.port},PROXIED://{HOST}:{advertised}",
            "listener.security.protocol.map": "DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "DIRECT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "2",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # A killed broker may register again once its former session is over: 9 s otherwise.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            # A deleted topic's files, retention and compaction are looked after at once, not after minutes.
            "log.segment.delete.delay.ms": "1000",
            "log.retention.check.interval.ms": "1000",
            "log.cleaner.backoff.ms": "500",
            "log.cleaner.dedupe.buffer.size": "16777216",
            "num.network.threads": "2",
            "num.io.threads": "2",
        }


def _raise_errors(errors: Iterable[tuple[object, ...]]) -> None:
    """Raise the first error of an admin answer: (topic, code, message?) each."""
    for topic, code, *rest in errors:
        if code:
            error: type[KafkaError] = for_code(code)
            raise error(topic, *rest)
