"""Checks that Kafka has the topic, keeps it long enough and lets us read it. Nothing is written, no topic is created."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.codec import has_lz4, has_snappy, has_zstd
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IncompatibleBrokerVersion,
    KafkaError,
    NotCoordinatorForGroupError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.group import HeartbeatRequest

from stream_app.kafka.connection import security
from stream_app.model.durations import DAY
from stream_app.settings import Settings

from . import interval_topic as check_intervals, row_topic as check_rows
from .findings import LIMIT_S, Finding, fail, ok, warn

RETENTION_MS: Final = 2 * DAY
"""Lost counters are counted again from the topic; a shorter retention deletes records before a weekend is over."""
ASKED: Final = ("cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type")
_NOT_YET: Final = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
_RETRY_S: Final = 0.1
_AWAY = (KafkaError, OSError, TimeoutError)


async def look(settings: Settings, *, limit_s: float = LIMIT_S) -> list[Finding]:
    """Connect and check; a server that can't be reached ends the list.

    Args:
        settings: address, credentials, topic and group.
        limit_s: time limit for connecting, and for each check after that.
    """
    with _listening() as said:
        try:
            options = security(settings) | {"request_timeout_ms": int(limit_s * 1000)}
        except OSError as error:  # ssl's errors are of this kind
            return [fail("kafka", f"the certificates can't be read: {error}", "check KAFKA_SSL_CAFILE")]
        admin = AIOKafkaAdminClient(**options)
        try:
            async with asyncio.timeout(limit_s):
                await admin.start()
        except _AWAY as error:
            return [_away(settings, said, error, limit_s)]
        else:
            return await _look(admin, options, settings, limit_s)
        finally:
            await admin.close()


async def _look(
    admin: AIOKafkaAdminClient, options: dict[str, Any], settings: Settings, limit_s: float
) -> list[Finding]:
    servers = settings.kafka_bootstrap_servers
    found = [ok("kafka", servers)]
    if silent := await _silent(servers, limit_s):
        advice = "others do; check whether these are still in the cluster"
        found = [warn("kafka", f"{', '.join(silent)} does not answer", advice)]
    partitions = 0
    for what, ask in (
        ("kafka topic", _topic(admin, settings.topic)),
        ("kafka group", _group(admin, settings.group)),
    ):
        try:
            async with asyncio.timeout(limit_s):
                findings, n = await ask
                found += findings
                partitions += n
        except _AWAY as error:
            found.append(fail(what, _words(error, limit_s), "see the cluster's own log"))
    for what, looking in (
        ("interval topic", check_intervals.look(admin, settings.intervals_topic)),
        (check_rows.WHAT, check_rows.look(admin, settings.ledger_topic, settings.ledger)),
    ):
        try:
            async with asyncio.timeout(limit_s):
                found += await looking
        except _AWAY as error:
            found.append(warn(what, _words(error, limit_s), "see the cluster's own log"))
    if partitions:
        found.append(await _reading(options, settings.topic, limit_s))
    return found


async def _silent(servers: str, limit_s: float) -> list[str]:
    """Return the addresses that refuse connections; a client stops at the first one that answers."""

    async def connects(server: str) -> bool:
        host, _, port = server.rpartition(":")
        try:
            async with asyncio.timeout(limit_s):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return True

    names = [server.strip() for server in servers.split(",")]
    reached = await asyncio.gather(*map(connects, names))
    return [name for name, there in zip(names, reached, strict=True) if not there]


async def _topic(admin: AIOKafkaAdminClient, name: str) -> tuple[list[Finding], int]:
    """Return the topic's findings, and how many partitions it has."""
    # All of them: a cluster may create a topic that is requested by name.
    topics = {topic["topic"]: topic for topic in await admin.describe_topics(None)}
    code, config = await _configuration(admin, name)
    if name not in topics:
        if config is None or for_code(code) is UnknownTopicOrPartitionError:
            return [
                fail("kafka topic", f"topic {name} does not exist", "create it, or set STREAM_APP_TOPIC")
            ], 0
        advice = "create it, or allow this user to DESCRIBE the topic"
        return [fail("kafka topic", f"{name} is not visible: {_reason(for_code(code))}", advice)], 0
    partitions = topics[name]["partitions"]
    orphans = [p["partition"] for p in partitions if p["leader"] < 0]
    if orphans:
        detail = f"{name}: no leader for partition {', '.join(map(str, sorted(orphans)))}"
        return [fail("kafka topic", detail, "start its brokers again")], 0
    n = len(partitions)
    found = [ok("kafka topic", f"{name}: {n} partition{'s' * (n > 1)}, so at most {n} worker{'s' * (n > 1)}")]
    if config is None:
        return [*found, _no_such_request("topic settings", "the settings of topics")], n
    if code:
        detail = f"its configuration can't be read: {_reason(for_code(code))}"
        found.append(warn("topic settings", detail, "allow DESCRIBE_CONFIGS, or check it yourself"))
        return found, n
    return [*found, *judge(config)], n


async def _configuration(admin: AIOKafkaAdminClient, name: str) -> tuple[int, dict[str, str] | None]:
    """Return an error code, or 0, and the settings of a topic; ``None`` from a broker that does not know the request."""
    try:
        (answer,) = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(ASKED))]
        )
    except IncompatibleBrokerVersion:
        return 0, None
    code, _, _, _, entries = answer.resources[0][:5]
    return code, {entry[0]: entry[1] for entry in entries}


def _no_such_request(what: str, whose: str) -> Finding:
    """Return the finding of a broker that is none of Kafka's, as the demo's is."""
    return warn(what, f"this broker does not report {whose}", "use Apache Kafka for anything but a demo")


def judge(config: Mapping[str, str]) -> list[Finding]:
    """Check a topic's configuration."""
    return [_cleanup(config), _retention(config), _timestamps(config)]


def _cleanup(config: Mapping[str, str]) -> Finding:
    policy = config["cleanup.policy"]
    if "compact" in policy:
        detail = f"cleanup.policy is {policy}: only the last event of each contact is kept"
        return warn("topic cleanup", detail, "set cleanup.policy=delete, or lost counters can't be recovered")
    return ok("topic cleanup", policy)


def _retention(config: Mapping[str, str]) -> Finding:
    kept, size = int(config["retention.ms"]), int(config["retention.bytes"])
    size_of, name = (
        (DAY, "days") if kept >= DAY else (3_600_000, "hours") if kept >= 3_600_000 else (1000, "s")
    )
    shown = "for ever" if kept < 0 else f"{kept / size_of:.3g} {name}"
    if size >= 0:
        shown += f", at most {size / 1e6:.0f} MB per partition"
    if 0 <= kept < RETENTION_MS:
        return warn("topic retention", shown, "keep at least two days, and more than your longest outage")
    return ok("topic retention", shown)


def _timestamps(config: Mapping[str, str]) -> Finding:
    kind = config["message.timestamp.type"]
    if kind != "LogAppendTime":
        return warn(
            "topic timestamps",
            f"{kind}: in quiet partitions, a producer whose clock is ahead makes other events late",
            "set message.timestamp.type=LogAppendTime",
        )
    return ok("topic timestamps", kind)


async def _group(admin: AIOKafkaAdminClient, group: str) -> tuple[list[Finding], int]:
    # A new cluster's first group has to wait for a coordinator; the caller's limit ends the wait.
    while True:
        try:
            coordinator = await admin.find_coordinator(group)
            (answer,) = await admin.describe_consumer_groups([group], coordinator)
            # Joining needs another right than describing. A heartbeat of a member that does not exist tests it, and does
            # nothing.
            beat = HeartbeatRequest(group, 0, "stream-app-check")
            code = (await admin._send_request(beat, coordinator)).error_code  # noqa: SLF001 - there is no public way
        except GroupCoordinatorNotAvailableError:
            code = GroupCoordinatorNotAvailableError.errno
        except IncompatibleBrokerVersion:
            return [_no_such_request("kafka group", "groups and their members")], 0
        except GroupAuthorizationFailedError as error:
            return [_may_not(group, _reason(type(error)))], 0
        if for_code(code) not in _NOT_YET and for_code(answer.groups[0][0]) not in _NOT_YET:
            break
        await asyncio.sleep(_RETRY_S)
    refused, _, state, _, _, members = answer.groups[0][:6]
    if refused:
        return [_may_not(group, _reason(for_code(refused)))], 0
    if for_code(code) is GroupAuthorizationFailedError:
        return [_may_not(group, "this user may describe it, but not join it")], 0
    n = len(members)
    detail = f"{n} member{'s' * (n != 1)}" if n else "no members yet"
    return [ok("kafka group", f"{group}: {detail}{f' ({state})' if n else ''}")], 0


def _may_not(group: str, detail: str) -> Finding:
    return fail("kafka group", f"{group}: {detail}", "allow this user to READ and DESCRIBE the group")


async def _reading(options: dict[str, Any], topic: str, limit_s: float) -> Finding:
    """Read the next records as a worker would, and leave again."""
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False)
    place = TopicPartition(topic, 0)
    try:
        async with asyncio.timeout(limit_s):
            await consumer.start()
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            await consumer.getmany(timeout_ms=int(limit_s * 200))
    except TopicAuthorizationFailedError:
        return fail(
            "kafka reading", f"{topic} can't be read: access denied", "allow this user to READ the topic"
        )
    except _AWAY as error:
        return fail("kafka reading", _words(error, limit_s), "see the cluster's own log")
    finally:
        await consumer.stop()
    return ok("kafka reading", f"{topic} can be read")


def codecs(present: Mapping[str, bool] | None = None) -> Finding:
    """Check that every compression that a producer may choose can be read."""
    present = present or {"lz4": has_lz4(), "snappy": has_snappy(), "zstd": has_zstd()}
    missing = [name for name, there in present.items() if not there]
    if missing:
        detail = f"no support for {', '.join(missing)}: the first such batch would stop a worker"
        return fail("codecs", detail, "install cramjam")
    return ok("codecs", ", ".join(("gzip", *present)))


def _away(settings: Settings, said: list[str], error: Exception, limit_s: float) -> Finding:
    detail = "; ".join(said) or f"{settings.kafka_bootstrap_servers}: {_words(error, limit_s)}"
    if "auth" in detail.lower():
        return fail("kafka", detail, "check KAFKA_SASL_MECHANISM, …_USERNAME and …_PASSWORD")
    return fail(
        "kafka", detail, "check KAFKA_BOOTSTRAP_SERVERS, and that KAFKA_SECURITY_PROTOCOL is that of the port"
    )


def _reason(error: type[Exception]) -> str:
    return error.__name__.removesuffix("Error")


def _words(error: Exception, limit_s: float) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limit_s:g} s"
    return str(error) or type(error).__name__


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect the library's errors, the only ones that say why a server was not reached, instead of printing them."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR and (text := record.getMessage()) not in said:
                said.append(text)

    logger, listener = logging.getLogger("aiokafka"), Listener()
    was = logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(listener)
        logger.propagate = was
