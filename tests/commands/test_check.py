"""``stream-app check`` against real servers: each thing that can be wrong is made wrong, found, and said in one line."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from pydantic import SecretStr

from stream_app.commands.check import (
    command as check,
    kafka as check_kafka,
    partitions as check_partitions,
    redis as check_redis,
)
from stream_app.commands.check.findings import Finding
from stream_app.model.edition import EDITION
from stream_app.model.targets import Targets
from stream_app.settings import Settings, load
from stream_app.store.redis import RedisStore
from tests.conftest import MakeTopic
from tests.services.command import run_command
from tests.services.kafka import Cluster, KafkaBroker
from tests.services.process import HOST, free_port, until
from tests.services.redis import RedisServer, every_redis
from tests.store.owner import Owner

DAYS = str(3 * 86_400_000)
GOOD_TOPIC = {"retention.ms": DAYS, "message.timestamp.type": "LogAppendTime"}
SECRET = "hunter2-canary"  # noqa: S105 - to see that it is not shown


def the(found: list[Finding], what: str) -> str:
    """The one line about something."""
    (finding,) = [finding for finding in found if finding.what == what]
    assert "\n" not in str(finding)
    return str(finding)


def statuses(found: list[Finding]) -> set[str]:
    return {finding.status for finding in found}


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        yield listening.getsockname()[1]


# --- Redis ---


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis as it should be, which tests may spoil and put right again."""
    with RedisServer() as running:
        yield running


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[Any]:
    opened: Any = redis.asyncio.Redis.from_url(server.url)
    async with opened:
        before = {
            name: await opened.config_get(name) for name in ("maxmemory", "maxmemory-policy", "appendonly")
        }
        yield opened
        for values in before.values():
            for name, value in values.items():
                await opened.config_set(name, value)
        await opened.replicaof("NO", "ONE")
        await opened.acl_deluser("app")
        await opened.flushdb()


async def test_a_good_redis(server: RedisServer) -> None:
    found = await check_redis.look(server.url)
    assert [finding.what for finding in found] == [
        "redis",
        "redis version",
        "redis role",
        "redis memory",
        "redis persistence",
        "redis reading",
        "redis scripts",
        "redis clock",
        "worker clocks",
    ]
    assert statuses(found) == {"ok"}


@every_redis
async def test_every_version_that_we_support_passes(redis_url: str) -> None:
    found = await check_redis.look(redis_url)
    assert {f.what for f in found if f.status != "ok"} == {"redis persistence"}  # the shared ones have none
    assert the(found, "redis persistence").startswith("warn")


async def test_looking_writes_nothing(server: RedisServer, client: Any) -> None:
    before = (await client.info("persistence"))["rdb_changes_since_last_save"]
    await check_redis.look(server.url)
    await check_redis.in_force(server.url)
    assert (await client.info("persistence"))["rdb_changes_since_last_save"] == before


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
async def test_a_redis_that_evicts_fails(server: RedisServer, client: Any, policy: str) -> None:
    await client.config_set("maxmemory-policy", policy)
    line = the(await check_redis.look(server.url), "redis memory")
    assert line.startswith("fail")
    assert f"maxmemory-policy is {policy}" in line
    assert line.endswith("set maxmemory-policy noeviction")


async def test_a_redis_that_is_nearly_full_is_warned_of(server: RedisServer, client: Any) -> None:
    await client.config_set("maxmemory", int((await client.info("memory"))["used_memory"] * 1.1))
    assert the(await check_redis.look(server.url), "redis memory").startswith("warn")
    await client.config_set("maxmemory", 10**9)
    assert the(await check_redis.look(server.url), "redis memory").endswith("of 1000 MB")


async def test_a_redis_without_persistence_is_warned_of(server: RedisServer, client: Any) -> None:
    await client.config_set("appendonly", "no")
    assert the(await check_redis.look(server.url), "redis persistence").startswith("warn")


async def test_a_replica_fails(server: RedisServer, client: Any) -> None:
    await client.replicaof(HOST, str(free_port()))
    line = the(await check_redis.look(server.url), "redis role")
    assert line.startswith("fail")
    assert "set REDIS_URL to the primary" in line


async def _user(client: Any, server: RedisServer, *rules: str) -> str:
    """The address of a user who may do everything but this."""
    await client.execute_command(
        "ACL", "SETUSER", "app", "reset", "on", f">{SECRET}", "~*", "&*", "+@all", *rules
    )
    return server.url.replace("redis://", f"redis://app:{SECRET}@")


async def test_a_user_who_may_not_run_scripts_fails(server: RedisServer, client: Any) -> None:
    found = await check_redis.look(await _user(client, server, "-@scripting"))
    assert the(found, "redis scripts").startswith("fail")
    assert "serve may work, but a worker would not; give this user the rights of a worker" in the(
        found, "redis scripts"
    )
    assert {f.status for f in found if f.what != "redis scripts"} == {"ok"}
    assert SECRET not in str([*map(str, found)])


@pytest.mark.parametrize(("command", "what"), [("info", "redis info"), ("time", "redis clock")])
async def test_what_a_user_may_not_ask_is_warned_of(
    server: RedisServer, client: Any, command: str, what: str
) -> None:
    found = await check_redis.look(await _user(client, server, f"-{command}"))
    assert the(found, what).startswith("warn")
    assert f"allow {command.upper()}" in the(found, what)
    assert "fail" not in statuses(found)


@pytest.mark.parametrize("wrong", ["redis://:{}@", "redis://app:{}@", "redis://nobody:{}@"])
async def test_a_wrong_password_fails_and_is_not_shown(server: RedisServer, client: Any, wrong: str) -> None:
    await _user(client, server)
    await client.config_set("requirepass", "another")
    try:
        found = await check_redis.look(server.url.replace("redis://", wrong.format(f"{SECRET}-wrong")))
        nothing = await check_redis.look(server.url)
    finally:
        await client.config_set("requirepass", "")
    for line in (the(found, "redis"), the(nothing, "redis")):
        assert line.startswith(f"fail  redis               {HOST}:{server.port}, database 0: ")
        assert line.endswith("check the user and password in REDIS_URL")
        assert SECRET not in line


async def test_a_port_where_nobody_listens_fails() -> None:
    port = free_port()
    (finding,) = await check_redis.look(f"redis://:{SECRET}@{HOST}:{port}/3")
    assert str(finding).startswith(
        f"fail  redis               {HOST}:{port}, database 3: Error 111 connecting"
    )
    assert str(finding).endswith("; check REDIS_URL, and that the server is running")
    assert SECRET not in str(finding)


async def test_a_server_that_never_answers_takes_no_longer_than_the_limit(mute: int) -> None:
    started = time.monotonic()
    (redis_finding,) = await check_redis.look(f"redis://{HOST}:{mute}/0", limit_s=0.4)
    (kafka_finding,) = await check_kafka.look(_settings(f"{HOST}:{mute}", "t"), limit_s=0.4)
    assert time.monotonic() - started < 5
    assert redis_finding.status == kafka_finding.status == "fail"
    assert str(kafka_finding).startswith(f"fail  kafka               {HOST}:{mute}: no answer within 0.4 s")


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [
        (0.0, "ok", "this machine's"),
        (5.0, "warn", "5.0 s behind this machine's"),
        (-5.0, "warn", "5.0 s ahead of this machine's"),
    ],
)
async def test_a_clock_that_differs_is_warned_of(
    server: RedisServer, ahead: float, status: str, words: str
) -> None:
    line = the(await check_redis.look(server.url, clock=lambda: time.time() + ahead), "redis clock")
    assert line.startswith(status)
    assert words in line


@pytest.mark.parametrize("ahead_s", [120, -3_600])
async def test_a_worker_whose_clock_differs_is_warned_of(
    server: RedisServer, client: Any, ahead_s: int
) -> None:
    store = RedisStore(server.url)
    owner = await Owner.of(store)
    line = the(await check_redis.look(server.url), "worker clocks")
    assert line.startswith("ok")
    assert "those of 1 agree with Redis's" in line
    await owner.beat(ahead=ahead_s * 1000)
    line = the(await check_redis.look(server.url), "worker clocks")
    assert line.startswith("warn")
    assert f"test is {abs(ahead_s)}." in line or f"test is {abs(ahead_s) - 1}.9" in line
    assert ("ahead of" if ahead_s > 0 else "behind") in line
    await client.hdel("kpi:{t.0}:beat", "ahead")  # as a worker of a former version leaves it
    assert "no worker has reported its clock yet" in the(await check_redis.look(server.url), "worker clocks")
    await store.close()


GOOD_INFO = {"redis_version": "7.0.15", "role": "master", "maxmemory_policy": "noeviction", "aof_enabled": 1}


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"redis_version": "6.0.16"}, "fail  redis version       Redis 6.0.16; 6.2 is the oldest"),
        ({"redis_version": "5.0"}, "fail  redis version       Redis 5.0; 6.2 is the oldest"),
        ({"redis_version": "6.2.0"}, "ok    redis version       Redis 6.2.0"),
        ({"redis_version": "10.1.2"}, "ok    redis version       Redis 10.1.2"),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.1"}, "ok    redis version       Valkey 8.0.1"),
        (
            {"aof_last_write_status": "err"},
            "fail  redis persistence   the last write to the append-only file failed",
        ),
    ],
)
def test_what_no_server_here_can_be_made_to_say(said: dict[str, str], line: str) -> None:
    found = check_redis.judge(GOOD_INFO | said)
    assert [str(f) for f in found if str(f).startswith(line)]
    assert len([f for f in found if f.status == "ok"]) == 4 - line.startswith("fail")


# --- Kafka ---


def _settings(bootstrap: str, topic: str, **more: Any) -> Settings:
    values = {"kafka_bootstrap_servers": bootstrap, "topic": topic, "group": f"group-of-{topic}"}
    values["intervals_topic"] = ""  # one broker for many tests
    return Settings(**(values | more))


async def test_a_good_topic(kafka: Cluster, make_topic: MakeTopic) -> None:
    topic = await make_topic(partitions=3, config=GOOD_TOPIC)
    found = await check_kafka.look(_settings(kafka.bootstrap, topic))
    assert statuses(found) == {"ok"}
    assert [finding.what for finding in found] == [
        "kafka",
        "kafka topic",
        "topic cleanup",
        "topic retention",
        "topic timestamps",
        "kafka group",
        "kafka reading",
    ]
    assert the(found, "kafka topic").endswith("3 partitions, so at most 3 workers")
    assert the(found, "topic retention").endswith(" 3 days")


@pytest.mark.parametrize(
    ("config", "what", "words"),
    [
        ({"retention.ms": "86400000"}, "topic retention", "1 days; keep at least two days"),
        ({"retention.ms": "7200000"}, "topic retention", "2 hours; keep at least two days"),
        ({"cleanup.policy": "compact"}, "topic cleanup", "cleanup.policy is compact"),
        ({"cleanup.policy": "compact,delete"}, "topic cleanup", "cleanup.policy is compact,delete"),
        ({"message.timestamp.type": "CreateTime"}, "topic timestamps", "CreateTime"),
    ],
)
async def test_a_topic_that_will_be_regretted_is_warned_of(
    kafka: Cluster, make_topic: MakeTopic, config: dict[str, str], what: str, words: str
) -> None:
    topic = await make_topic(partitions=1, config=GOOD_TOPIC | config)
    found = await check_kafka.look(_settings(kafka.bootstrap, topic))
    assert [finding.what for finding in found if finding.status != "ok"] == [what]
    assert the(found, what).startswith("warn")
    assert words in the(found, what)


async def test_a_topic_without_limits_is_kept_for_ever(kafka: Cluster, make_topic: MakeTopic) -> None:
    topic = await make_topic(
        partitions=1, config=GOOD_TOPIC | {"retention.ms": "-1", "retention.bytes": "1000000"}
    )
    found = await check_kafka.look(_settings(kafka.bootstrap, topic))
    assert the(found, "topic retention").endswith("for ever, at most 1 MB per partition")


@pytest.mark.parametrize(
    ("partitions", "config", "said"),
    [
        (1, {"cleanup.policy": "compact"}, "ok    interval topic      {}: compacted"),
        (1, {}, "warn  interval topic      {}: rows are deleted with time; set cleanup.policy=compact"),
        (1, {"cleanup.policy": "compact,delete"}, "warn  interval topic      {}: rows are deleted with time"),
        (3, {"cleanup.policy": "compact"}, "warn  interval topic      {} has 3 partitions: only one is used"),
    ],
)
async def test_the_topic_of_interval_rows(
    kafka: Cluster, make_topic: MakeTopic, partitions: int, config: dict[str, str], said: str
) -> None:
    topic = await make_topic(partitions=1, config=GOOD_TOPIC)
    rows = await make_topic(partitions=partitions, config=config)
    found = await check_kafka.look(_settings(kafka.bootstrap, topic, intervals_topic=rows))
    assert the(found, "interval topic").startswith(said.format(rows))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"cleanup.policy": "compact", "max.compaction.lag.ms": "86400000"},
            "ok    ledger topic        {}: compacted",
        ),
        ({"cleanup.policy": "compact"}, "warn  ledger topic        {}: what is replaced may stay for long"),
        ({"cleanup.policy": "compact,delete"}, "warn  ledger topic        {}: rows are deleted with time"),
    ],
)
async def test_the_topic_of_the_ledger(
    kafka: Cluster, make_topic: MakeTopic, config: dict[str, str], said: str
) -> None:
    topic = await make_topic(partitions=1, config=GOOD_TOPIC)
    rows = await make_topic(partitions=2, config=config)
    found = await check_kafka.look(_settings(kafka.bootstrap, topic, ledger="ledger", ledger_topic=rows))
    assert the(found, "ledger topic").startswith(said.format(rows))


async def test_the_topic_of_the_ledger_need_not_be_there_but_needs_a_ledger(
    kafka: Cluster, topic: str
) -> None:
    name = f"{topic}-ledger"
    found = await check_kafka.look(_settings(kafka.bootstrap, topic, ledger="ledger", ledger_topic=name))
    assert f"{name} does not exist yet" in the(found, "ledger topic")
    assert name not in await kafka.topics()
    found = await check_kafka.look(_settings(kafka.bootstrap, topic, ledger_topic=name))
    assert the(found, "ledger topic").startswith("warn")


async def test_the_topic_of_interval_rows_need_not_be_there(kafka: Cluster, topic: str) -> None:
    settings = _settings(kafka.bootstrap, topic, intervals_topic=f"{topic}-rows")
    found = await check_kafka.look(settings)
    assert the(found, "interval topic").endswith(
        f"{topic}-rows does not exist yet: a worker creates it, if allowed"
    )
    assert f"{topic}-rows" not in await kafka.topics()


async def test_more_partitions_than_contacts_are_counted_by_fail(
    kafka: Cluster, topic: str, redis_url: str
) -> None:
    settings = load({}).model_copy(
        update={"kafka_bootstrap_servers": kafka.bootstrap, "redis_url": SecretStr(redis_url), "topic": topic}
    )

    async def line() -> str:
        return the(await check_partitions.look(settings), "partitions")

    with redis.Redis.from_url(redis_url) as client:
        assert "nothing is counted yet" in await line()
        client.hset(f"kpi:topic:{topic}", "keyed", 4)
        assert await line() == f"ok    {'partitions':<20}contacts are counted by 4"
        client.hset(f"kpi:topic:{topic}", "keyed", 2)
        assert (await line()).startswith("fail")
        assert (
            f"topic {topic} has 4 partitions, but its contacts are counted by 2: 2 to 3 are held"
            in await line()
        )
        assert "run `stream-app repartition`" in await line()
        client.hset(f"kpi:topic:{topic}", "moved", "new")
        assert (await line()).endswith("set STREAM_APP_TOPIC=new")
        client.delete(f"kpi:topic:{topic}")
        client.hset(f"kpi:{{{topic}.0}}:meta", "edition", EDITION)
        assert len(await check_partitions.look(settings)) == 1
        client.hset(f"kpi:{{{topic}.3}}:meta", "edition", EDITION + 1)
        said = str((await check_partitions.look(settings))[-1])
        assert said.startswith("fail")
        assert f"{topic}.3: it was counted by edition {EDITION + 1}" in said
        assert "Upgrade it; to go back to it" in said
    away = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{free_port()}/0")})
    assert the(await check_partitions.look(away), "partitions").startswith("warn")


async def test_a_missing_topic_fails(kafka: Cluster) -> None:
    found = await check_kafka.look(_settings(kafka.bootstrap, "no-such-topic"))
    assert the(found, "kafka topic") == (
        "fail  kafka topic         topic no-such-topic does not exist; create it, or set STREAM_APP_TOPIC"
    )
    assert "kafka reading" not in {finding.what for finding in found}


async def test_a_broker_that_is_not_there_fails_unless_another_is(kafka: Cluster, topic: str) -> None:
    nobody = f"{HOST}:{free_port()}"
    (finding,) = await check_kafka.look(_settings(nobody, topic))
    assert str(finding).startswith(f'fail  kafka               Unable connect to "{nobody}"')
    assert "check KAFKA_BOOTSTRAP_SERVERS" in str(finding)
    found = await check_kafka.look(_settings(f"{nobody},{kafka.bootstrap}", topic))
    assert the(found, "kafka").startswith(f"warn  kafka               {nobody} does not answer; ")
    assert the(found, "kafka reading").startswith("ok")


async def test_a_port_of_another_kind_fails(server: RedisServer) -> None:
    (finding,) = await check_kafka.look(_settings(f"{HOST}:{server.port}", "t"), limit_s=2)
    assert finding.status == "fail"


# --- Kafka that asks who is there ---

TOPIC, GROUP = 2, 3
READ, DESCRIBE, DESCRIBE_CONFIGS = 3, 8, 10
ALLOW, LITERAL = 3, 3


@pytest.fixture(scope="module")
def guarded() -> Iterator[KafkaBroker]:
    """A broker whose one port knows a user `app` with no rights, and which makes topics that are asked for by name."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    settings = {
        "listener.security.protocol.map": "DIRECT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.proxied.plain.sasl.jaas.config": f'{module} required user_app="{SECRET}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "auto.create.topics.enable": "true",
    }
    with KafkaBroker(settings=settings) as broker:
        yield broker


def _as_app(guarded: KafkaBroker, topic: str, password: str = SECRET) -> Settings:
    return _settings(
        f"{HOST}:{guarded.proxied_port}",
        topic,
        kafka_security_protocol="SASL_PLAINTEXT",
        allow_plaintext_sasl=True,
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="app",
        kafka_sasl_password=password,
    )


async def _look(settings: Settings) -> dict[str, str]:
    return {finding.what: finding.status for finding in await check_kafka.look(settings)}


async def test_each_right_that_is_missing_is_named_until_all_are_there(guarded: KafkaBroker) -> None:
    await guarded.cluster.create_topic("rights", 1, GOOD_TOPIC)
    settings = _as_app(guarded, "rights")
    assert await _look(settings) == {"kafka": "ok", "kafka topic": "fail", "kafka group": "fail"}
    found = await check_kafka.look(settings)
    assert "allow this user to DESCRIBE the topic" in the(found, "kafka topic")
    assert the(found, "kafka group").endswith("allow this user to READ and DESCRIBE the group")

    admin = AIOKafkaAdminClient(bootstrap_servers=guarded.cluster.bootstrap)
    await admin.start()

    async def allow(kind: int, name: str, operation: int, expected: dict[str, str]) -> None:
        right = CreateAclsRequest(kind, name, LITERAL, "User:app", "*", operation, ALLOW)
        assert (await admin._send_request(right)).creation_responses[0][0] == 0

        async def seen() -> bool:
            return (await _look(settings)) == expected

        await until(seen, what=f"{expected}")

    topic = {"kafka": "ok", "kafka topic": "ok", "topic settings": "warn"}
    await allow(TOPIC, "rights", DESCRIBE, topic | {"kafka group": "fail", "kafka reading": "fail"})
    await allow(TOPIC, "rights", READ, topic | {"kafka group": "fail", "kafka reading": "ok"})
    await allow(GROUP, "group-of-rights", DESCRIBE, topic | {"kafka group": "fail", "kafka reading": "ok"})
    line = the(await check_kafka.look(settings), "kafka group")
    assert "this user may describe it, but not join it" in line
    await allow(GROUP, "group-of-rights", READ, topic | {"kafka group": "ok", "kafka reading": "ok"})
    settings_of = dict.fromkeys(("topic cleanup", "topic retention", "topic timestamps"), "ok")
    rest = {"kafka": "ok", "kafka topic": "ok", "kafka group": "ok", "kafka reading": "ok"}
    await allow(TOPIC, "rights", DESCRIBE_CONFIGS, rest | settings_of)
    await admin.close()


async def test_a_wrong_kafka_password_fails_and_is_not_shown(guarded: KafkaBroker) -> None:
    (finding,) = await check_kafka.look(_as_app(guarded, "t", f"{SECRET}-wrong"))
    assert finding.status == "fail"
    assert "Invalid username or password" in finding.detail
    assert "KAFKA_SASL_MECHANISM" in finding.advice
    assert SECRET not in str(finding)


async def test_looking_for_a_topic_does_not_make_it(guarded: KafkaBroker) -> None:
    found = await check_kafka.look(_settings(guarded.cluster.bootstrap, "not-yet-there"))
    assert the(found, "kafka topic").startswith("fail")
    assert "not-yet-there" not in await guarded.cluster.topics()


# --- all of it ---


def test_codecs() -> None:
    assert str(check_kafka.codecs()) == "ok    codecs              gzip, lz4, snappy, zstd"
    missing = check_kafka.codecs({"lz4": True, "snappy": False, "zstd": False})
    assert str(missing).startswith("fail  codecs              no support for snappy, zstd: ")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting from outside."""
    for name in os.environ:
        if name.startswith(("STREAM_APP_", "KAFKA_", "REDIS_")):
            monkeypatch.delenv(name)
    return monkeypatch


def run(*args: str) -> tuple[int, list[str]]:
    done = run_command("check", *args)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


async def test_all_is_well(
    environ: pytest.MonkeyPatch, server: RedisServer, kafka: Cluster, make_topic: MakeTopic
) -> None:
    environ.setenv("REDIS_URL", server.url)
    environ.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap)
    environ.setenv("STREAM_APP_TOPIC", await make_topic(partitions=1, config=GOOD_TOPIC))
    code, lines = await asyncio.to_thread(run)
    assert {line.split()[0] for line in lines} == {"ok"}, lines
    assert (code, len(lines)) == (0, 22)
    assert lines[1] == "ok    targets             version 0: 0 queues, 0 calendars"


async def test_one_failure_is_exit_1_and_the_rest_is_looked_at_all_the_same(
    environ: pytest.MonkeyPatch, server: RedisServer, client: Any
) -> None:
    await client.config_set("maxmemory-policy", "allkeys-lru")
    environ.setenv("REDIS_URL", server.url)
    environ.setenv("KAFKA_BOOTSTRAP_SERVERS", f"{HOST}:{free_port()}")
    code, lines = await asyncio.to_thread(run)
    assert code == 1
    failed = [line.split("  ")[1].strip() for line in lines if line.startswith("fail")]
    assert failed == ["kafka", "redis memory"]
    assert any(line.startswith("ok    redis clock") for line in lines)


async def test_what_is_in_force_is_looked_at(
    environ: pytest.MonkeyPatch, server: RedisServer, client: Any
) -> None:
    store = RedisStore(server.url)
    await store.apply_targets(Targets.of({"defaults": {"targets": {"abandonment": 0.3}}}))
    environ.setenv("REDIS_URL", server.url)
    environ.setenv("KAFKA_BOOTSTRAP_SERVERS", f"{HOST}:{free_port()}")
    found = await check.look(None, offline=False)
    lax = [str(finding) for finding in found if finding.what == "targets"]
    assert len(lax) == 6
    assert lax[0].startswith("warn  targets             queues.* (voice): the abandonment target is 30%")
    await client.set("kpi:settings:1", b"{")
    found = await check.look(None, offline=False)
    assert the(found, "targets").startswith("fail  targets             those in force can't be read: ")
    await store.close()


DOCUMENT = 'preset = "retail"\n[calendars.office]\nhours = { mon-fri = ["09:00-17:00"] }\n[queues.billing]\n'


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (DOCUMENT, 0, "ok    targets             {file}: 1 queue, 1 calendar, preset retail"),
        (
            DOCUMENT + "targets.service_level = 0.3\nchannels.voice.answer_target_s = 601",
            0,
            "warn  targets             queues.billing (voice): the service_level target is 30%, below 50 %; ",
        ),
        (
            DOCUMENT + "channels.email.work = 'stamps'",
            0,
            "ok    targets             {file}: 1 queue, 1 calendar, preset retail",
        ),
        (
            DOCUMENT + "targets.service_level = 80",
            1,
            "fail  targets             {file}: queues.billing.targets.",
        ),
        (
            DOCUMENT + "calendar = 'offce'",
            1,
            "fail  targets             {file}: queues.billing.calendar: unknown calendar",
        ),
        (DOCUMENT + "\n\n[", 1, "fail  targets             {file}: "),
    ],
)
def test_a_document_is_checked_without_any_server(
    environ: pytest.MonkeyPatch, tmp_path: Path, text: str, code: int, line: str
) -> None:
    environ.setenv("REDIS_URL", f"redis://{HOST}:{free_port()}")
    file = tmp_path / "targets.toml"
    file.write_text(text)
    exit_code, lines = run("--offline", str(file))
    assert exit_code == code
    assert lines[1].startswith(line.format(file=file))
    assert lines[0].startswith("ok    configuration")
    assert lines[-1].startswith("ok    codecs")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("REDIS_URL", f"redis://:{SECRET}@h:port/0", "REDIS_URL: invalid address"),
        ("STREAM_APP_PORT", "x", "STREAM_APP_PORT: "),
        ("STREAM_APP_DIALECT", "esperanto", "STREAM_APP_DIALECT: unknown dialect 'esperanto'"),
        ("STREAM_APP_CONFIG", "/nowhere/app.toml", "STREAM_APP_CONFIG: /nowhere/app.toml: "),
    ],
)
def test_a_wrong_setting_is_a_finding_like_others(
    environ: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    environ.setenv(name, value)
    code, lines = run("--offline", "/nowhere/targets.toml")
    assert code == 1
    assert lines[0].startswith(f"fail  configuration       {words}")
    assert lines[1].startswith("fail  targets             /nowhere/targets.toml: No such file or directory")
    assert SECRET not in "".join(lines)
