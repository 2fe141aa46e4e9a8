"""The servers, and what breaks them, do what their tests rely on."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import pytest
import redis
import redis.asyncio
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.background import background_errors
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster, KafkaBroker, Record
from tests.services.process import HOST, ServerProcess, ServiceError, accepts, free_port, until, wait_until
from tests.services.prometheus import Prometheus, Sample, promtool
from tests.services.proxy import FaultProxy, Way
from tests.services.redis import VERSIONS, RedisServer, every_redis


async def consume(bootstrap: str, topic: str, number: int) -> list[Record]:
    """Return the first `number` records of all partitions, as they came."""
    found: list[Record] = []
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        while len(found) < number:
            for partition, messages in (await consumer.getmany(timeout_ms=1000)).items():
                found += [
                    Record(m.key, m.value, m.headers, m.timestamp, partition.partition) for m in messages
                ]
    return found


def connect(port: int) -> redis.asyncio.Redis:
    """A client that never tries twice, and gives up soon."""
    return redis.asyncio.Redis(host=HOST, port=port, retry=Retry(NoBackoff(), 0), socket_timeout=5.0)


class TestKafka:
    @pytest.mark.parametrize("compression", [None, "gzip", "lz4", "zstd", "snappy"])
    async def test_records_come_back_as_they_were_sent(
        self, kafka: Cluster, topic: str, compression: str | None
    ) -> None:
        sent = [
            Record(b"key-%d" % n, b"value-%d" % n, (("n", b"%d" % n),), 1_700_000_000_000 + n, n % 4)
            for n in range(1_000)
        ]
        assert await kafka.produce(topic, sent, compression=compression) == 1_000
        assert sorted(await consume(kafka.bootstrap, topic, 1_000), key=lambda r: r.timestamp_ms or 0) == sent
        assert await kafka.end_offsets(topic) == dict.fromkeys(range(4), 250)

    async def test_keys_keep_to_their_partition_and_order(self, kafka: Cluster, topic: str) -> None:
        sent = [Record(b"key-%d" % (n % 50), b"%d" % n) for n in range(20_000)]
        await kafka.produce(topic, sent)
        found = await consume(kafka.bootstrap, topic, 20_000)
        for key in {record.key for record in sent}:
            mine = [record for record in found if record.key == key]
            assert len({record.partition for record in mine}) == 1
            assert [record.value for record in mine] == [record.value for record in sent if record.key == key]

    async def test_topics_have_their_settings_and_go(self, kafka: Cluster, make_topic: MakeTopic) -> None:
        topic = await make_topic(partitions=1, config={"message.timestamp.type": "LogAppendTime"})
        await kafka.produce(topic, [Record(None, b"old", timestamp_ms=1)])
        (record,) = await consume(kafka.bootstrap, topic, 1)
        assert record.timestamp_ms is not None
        assert abs(record.timestamp_ms / 1000 - time.time()) < 60
        await kafka.delete_topic(topic)
        assert topic not in await kafka.topics()

    async def test_a_killed_broker_comes_back_with_its_records_behind_a_proxy(self) -> None:
        proxied = free_port()
        with KafkaBroker(advertised=proxied) as broker:
            async with FaultProxy(upstream=broker.proxied_port, port=proxied) as proxy:
                await broker.cluster.create_topic("kept")
                await broker.cluster.produce("kept", [Record(None, b"%d" % n) for n in range(100)])
                broker.kill()
                assert not accepts(broker.port)
                await asyncio.to_thread(broker.start)
                found = await consume(f"{HOST}:{proxied}", "kept", 100)
                assert {record.value for record in found} == {b"%d" % n for n in range(100)}
                # Bootstrap, metadata and fetches: a client that is sent elsewhere reads nothing through here.
                assert proxy.counts["bytes_down"] > 100


AT_ONCE = ("--appendfsync", "no")
"""The usual ``everysec`` holds writes back, up to two seconds, while the disk is slow to sync the ones before."""


@pytest.mark.parametrize("version", VERSIONS)
class TestRedisAof:
    def fill(self, server: RedisServer, writes: int) -> None:
        """Make `writes` writes: plain ones, transactions and scripts of several keys by turns."""
        with server.client() as client:
            script = client.register_script("redis.call('INCR', 'n') redis.call('RPUSH', 'script', ARGV[1])")
            for n in range(writes):
                if n % 3 == 0:
                    client.incr("n")
                elif n % 3 == 1:
                    client.pipeline(transaction=True).incr("n").rpush("pipeline", n).execute()
                else:
                    script(args=[n])

    def state(self, server: RedisServer) -> tuple[int, list[int], list[int]]:
        with server.client(decode_responses=True) as client:
            pipeline, script = client.lrange("pipeline", 0, -1), client.lrange("script", 0, -1)
            return int(client.get("n") or 0), [int(n) for n in pipeline], [int(n) for n in script]

    def test_a_kill_alone_loses_nothing(self, version: str) -> None:
        with RedisServer(version, args=AT_ONCE) as server:
            self.fill(server, 10)
            server.kill()
            server.start()
            assert self.state(server) == (10, [1, 4, 7], [2, 5, 8])

    @pytest.mark.parametrize("torn", [False, True])
    @pytest.mark.parametrize("lost", [0, 1, 2, 3, 10])
    def test_exactly_the_writes_that_are_cut_are_lost(self, version: str, lost: int, torn: bool) -> None:
        with RedisServer(version, args=AT_ONCE) as server:
            self.fill(server, 10)
            server.kill()
            server.cut_aof(lost, torn=torn)
            server.start()
            kept = range(10 - lost)
            assert self.state(server) == (
                len(kept),
                [n for n in kept if n % 3 == 1],
                [n for n in kept if n % 3 == 2],
            )

    def test_it_writes_on_after_the_cut(self, version: str) -> None:
        with RedisServer(version, args=AT_ONCE) as server:
            self.fill(server, 10)
            for lost, torn in ((2, False), (1, True)):
                server.kill()
                server.cut_aof(lost, torn=torn)
                server.start()
                with server.client() as client:
                    client.incr("n")
            server.restart()
            assert self.state(server)[0] == 9

    def test_bytes_off_the_end_tear_the_last_write(self, version: str) -> None:
        with RedisServer(version, args=AT_ONCE) as server:
            self.fill(server, 10)
            server.kill()
            server.truncate_aof(1)
            server.start()
            assert self.state(server)[0] == 9

    def test_what_cannot_be_cut_is_said(self, version: str) -> None:
        with RedisServer(version, args=AT_ONCE) as server:
            self.fill(server, 3)
            with pytest.raises(ServiceError, match="while it is down"):
                server.cut_aof(1)
            server.kill()
            with pytest.raises(ServiceError, match="has 3 writes, not 4"):
                server.cut_aof(4)


class TestRedisFixture:
    @every_redis
    @pytest.mark.parametrize("run", [1, 2])
    async def test_each_test_has_an_empty_database(self, redis_client: redis.asyncio.Redis, run: int) -> None:
        assert await redis_client.dbsize() == 0
        assert await redis_client.incr("n", run) == run

    @pytest.mark.parametrize("version", VERSIONS)
    def test_our_servers_are_of_the_version_asked_for(
        self, redis_server_of: Callable[[str], RedisServer], version: str
    ) -> None:
        with redis_server_of(version).client() as client:
            assert str(client.info("server")["redis_version"]).startswith(f"{version}.")


class TestProxy:
    @pytest.fixture
    async def direct(
        self, redis_server_of: Callable[[str], RedisServer]
    ) -> AsyncIterator[redis.asyncio.Redis]:
        """A client of a Redis of ours, which is empty; an external one is not to be broken."""
        async with connect(redis_server_of(VERSIONS[-1]).port) as client:
            await client.flushall()
            yield client

    @pytest.fixture
    async def proxy(self, direct: redis.asyncio.Redis) -> AsyncIterator[FaultProxy]:
        async with FaultProxy(upstream=direct.connection_pool.connection_kwargs["port"]) as proxy:
            yield proxy

    @pytest.fixture
    async def client(self, proxy: FaultProxy) -> AsyncIterator[redis.asyncio.Redis]:
        """A client of the same Redis by the proxy."""
        async with connect(proxy.port) as client:
            yield client

    async def test_a_dropped_reply_hides_what_was_done(
        self, proxy: FaultProxy, client: redis.asyncio.Redis
    ) -> None:
        assert await client.incr("n") == 1
        proxy.drop_replies()
        with pytest.raises(redis.ConnectionError):
            await client.incr("n")
        assert await client.get("n") == b"2"
        assert proxy.counts["replies_dropped"] == 1

    async def test_only_the_reply_to_a_matching_request_is_dropped(
        self, proxy: FaultProxy, client: redis.asyncio.Redis
    ) -> None:
        proxy.drop_replies(matching=b"EVAL")
        assert await client.incr("n") == 1
        with pytest.raises(redis.ConnectionError):
            await client.eval("return redis.call('INCR', KEYS[1])", 1, "n")
        assert await client.eval("return redis.call('INCR', KEYS[1])", 1, "n") == 3

    async def test_the_road_is_open_while_the_loop_of_the_test_is_held_up(self, proxy: FaultProxy) -> None:
        with redis.Redis(port=proxy.port, socket_timeout=30) as blocking:
            assert blocking.ping()

    async def test_latency_is_added_both_ways(self, proxy: FaultProxy, client: redis.asyncio.Redis) -> None:
        await client.ping()
        proxy.latency_s = 0.1
        start = time.monotonic()
        await client.ping()
        assert time.monotonic() - start >= 0.2

    @pytest.mark.parametrize(("way", "applied"), [(Way.UP, 0), (Way.DOWN, 1)])
    async def test_what_a_blackhole_holds_goes_on_when_healed(
        self,
        proxy: FaultProxy,
        client: redis.asyncio.Redis,
        direct: redis.asyncio.Redis,
        way: Way,
        applied: int,
    ) -> None:
        await client.ping()
        proxy.blackhole(way)
        asked = asyncio.ensure_future(client.incr("n"))
        if applied:
            await until(lambda: direct.get("n"))
        done, _ = await asyncio.wait([asked], timeout=0.2)
        assert not done
        assert int(await direct.get("n") or 0) == applied
        await proxy.heal()
        assert await asked == 1

    async def test_a_connection_is_cut_after_so_many_bytes(self, proxy: FaultProxy) -> None:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        proxy.cut_after(10)
        writer.write(b"PING\r\nPING\r\nPING\r\n")
        assert await reader.readexactly(10) == b"+PONG\r\n+PO"
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        assert (proxy.counts["cuts"], proxy.counts["bytes_down"]) == (1, 10)

    async def test_refused_until_healed(self, proxy: FaultProxy, client: redis.asyncio.Redis) -> None:
        await client.ping()
        proxy.refuse()
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                await client.ping()
        assert not accepts(proxy.port)
        await proxy.heal()
        assert await client.ping()

    async def test_a_server_that_is_down_is_down_through_the_proxy(self) -> None:
        async with FaultProxy(upstream=free_port()) as proxy, connect(proxy.port) as client:
            with pytest.raises(redis.ConnectionError):
                await client.ping()
            assert proxy.counts["unreachable"] == 1


class TestPrometheus:
    async def test_it_scrapes_evaluates_rules_and_answers(self, tmp_path: Path) -> None:
        scrapes = count(1)

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(text=f'cc_scrapes{{queue="a"}} {next(scrapes)}\n')

        rules = tmp_path / "rules.yml"
        rules.write_text(
            "groups: [{name: g, rules: [{alert: Scraped, expr: cc_scrapes > 1, labels: {severity: page}}]}]"
        )
        assert "1 rules found" in promtool("check", "rules", rules)
        app = web.Application()
        app.router.add_get("/metrics", metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, HOST, port).start()
        try:
            with Prometheus([f"{HOST}:{port}"], rules=[rules]) as prometheus:
                (sample,) = await until(lambda: prometheus.query("cc_scrapes > 2"))
                assert sample.labels["queue"] == "a"
                assert prometheus.query("sum(up)") == [Sample({}, 1.0)]
                assert prometheus.query("1 + 1") == [Sample({}, 2.0)]
                (alert,) = await until(prometheus.alerts)
                assert (alert["labels"]["alertname"], alert["state"]) == ("Scraped", "firing")
                with pytest.raises(ServiceError, match="parse error"):
                    prometheus.query("sum(")
        finally:
            await runner.cleanup()

    def test_promtool_says_what_is_wrong(self, tmp_path: Path) -> None:
        rules = tmp_path / "rules.yml"
        rules.write_text("groups: [{name: g, rules: [{alert: Wrong, expr: 'sum('}]}]")
        with pytest.raises(ServiceError, match="unclosed left parenthesis"):
            promtool("check", "rules", rules)


class Hopeless(ServerProcess):
    """A server that says why, and ends."""

    name = "hopeless"

    def command(self) -> list[str]:
        return ["sh", "-c", "echo no luck today; exit 3"]

    def ready(self) -> bool:
        return False


class Deaf(Hopeless):
    """A server that never becomes ready."""

    name = "deaf"
    start_timeout_s = 0.2

    def command(self) -> list[str]:
        return ["sleep", "60"]


class TestProcess:
    def test_a_paused_server_is_silent_and_goes_on(self) -> None:
        with RedisServer(aof=False) as server:
            server.pause()
            assert server.running
            with server.client(socket_timeout=0.2) as client, pytest.raises(redis.TimeoutError):
                client.ping()
            server.resume()
            with server.client() as client:
                assert client.ping()

    def test_a_paused_server_can_be_stopped_and_killed(self) -> None:
        with RedisServer(aof=False) as server:
            for end in (server.stop, server.kill):
                pid = server.pid
                server.pause()
                end()
                assert not server.running
                assert not accepts(server.port)
                with pytest.raises(ProcessLookupError):
                    os.kill(pid, 0)
                server.start()

    def test_nothing_is_left(self) -> None:
        with RedisServer() as server:
            assert server.directory.exists()
        assert not server.directory.exists()
        assert not server.running

    @pytest.mark.parametrize(
        ("server", "says"),
        [
            (Hopeless, r"exited with 3 before it was ready; its log ends with:\nno luck today"),
            (Deaf, r"not ready within 0\.2 s; its log ends with:\n\(nothing\)"),
        ],
    )
    def test_a_server_that_does_not_start_says_why(self, server: type[ServerProcess], says: str) -> None:
        hopeless = server()
        with pytest.raises(ServiceError, match=says):
            hopeless.start()
        hopeless.close()

    def test_a_wait_that_fails_says_what_it_waited_for(self) -> None:
        with pytest.raises(TimeoutError, match=r"not within 0\.1 s: the moon \(last answer: 0\)"):
            wait_until(lambda: 0, 0.1, "the moon")

    async def test_a_wait_goes_on_as_long_as_there_is_progress(self) -> None:
        steps = itertools.count()
        assert await until(lambda: next(steps) >= 5, 0, "the sixth", lambda: next(steps))

    async def test_a_wait_without_progress_says_where_it_stands(self) -> None:
        with pytest.raises(
            TimeoutError, match=r"not within 0 s: the moon .*, nor any progress since 'earth'"
        ):
            await until(lambda: 0, 0, "the moon", lambda: "earth")


class TestBackgroundErrors:
    async def test_a_task_that_raised_unseen_is_told(self) -> None:
        async def fails() -> None:
            raise ValueError("unseen")

        with background_errors(asyncio.get_running_loop()) as errors:
            task = asyncio.create_task(fails())
            await until(task.done)
            del task
        assert len(errors) == 1
        assert "ValueError('unseen')" in errors[0]

    async def test_a_task_whose_error_was_seen_is_not(self) -> None:
        async def fails() -> None:
            raise ValueError("seen")

        with (
            background_errors(asyncio.get_running_loop()) as errors,
            pytest.raises(ValueError, match="seen"),
        ):
            await asyncio.create_task(fails())
        assert errors == []
