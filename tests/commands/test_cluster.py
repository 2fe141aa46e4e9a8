"""A Redis Cluster can't be used: whoever meets one says so in one line, and does nothing else."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from stream_app.errors import BadSettingsError
from stream_app.store.client import connect, faults
from stream_app.store.reader import Reader
from tests.services.command import run_command
from tests.services.kafka import Cluster
from tests.services.process import HOST, free_port, wait_until
from tests.services.redis import VERSIONS, RedisServer

SLOTS = 16_384


def node(version: str = "7") -> RedisServer:
    """A node whose bus has a port of its own, or, where that can't be set, the one 10,000 above: also a low one."""
    bus = [] if version == "6.2" else ["--cluster-port", str(free_port())]
    server = RedisServer(version, aof=False, args=["--cluster-enabled", "yes", *bus])
    server.port = server.port if bus else free_port(below=22_000)
    return server


def _join(nodes: list[RedisServer]) -> None:
    """Each has its part of the slots, and knows the others."""
    clients: list[Any] = [server.client() for server in nodes]
    for n, client in enumerate(clients):
        slots = range(n * SLOTS // len(nodes), (n + 1) * SLOTS // len(nodes))
        client.execute_command("CLUSTER", "ADDSLOTS", *slots)
        client.execute_command("CONFIG", "SET", "cluster-require-full-coverage", "yes")
        for server in nodes[:n]:
            bus = server.args[-1] if "--cluster-port" in server.args else str(server.port + 10_000)
            client.execute_command("CLUSTER", "MEET", HOST, str(server.port), bus)

    def whole() -> bool:
        told = [client.execute_command("CLUSTER", "INFO").decode() for client in clients]
        return all(
            "cluster_state:ok" in said and f"cluster_known_nodes:{len(nodes)}" in said for said in told
        )

    wait_until(whole)
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def three() -> Iterator[str]:
    """Three nodes on loopback."""
    with ExitStack() as running:
        nodes = [running.enter_context(node()) for _ in range(3)]
        _join(nodes)
        yield nodes[0].url


@pytest.fixture(scope="module")
def single_of() -> Iterator[Callable[[str], str]]:
    """One node that has all slots, by version: the keys are all there, and still may not be used together."""
    with ExitStack() as running:

        def single(version: str) -> str:
            server = running.enter_context(node(version))
            _join([server])
            return server.url

        yield single


@pytest.fixture
def bare(three: str) -> Iterator[str]:
    """One that nobody has joined with others yet: it has no slots."""
    del three
    with node() as server:
        yield server.url


COMMANDS = {
    "worker": ["worker"],
    "serve": ["serve", "--port", "0"],
    "rebuild": ["rebuild", "--yes"],
    "config show": ["config", "show"],
    "config apply": ["config", "apply", "{}"],
    "intervals": ["intervals"],
}


def run(url: str, kafka: str, *args: str) -> tuple[int, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_APP_")}
    more = {"REDIS_URL": url, "KAFKA_BOOTSTRAP_SERVERS": kafka, "STREAM_APP_METRICS_PORT": "0"}
    done = run_command(*args, env=ours | more)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
async def test_three_nodes(three: str, kafka: Cluster, tmp_path: Path, command: str) -> None:
    document = tmp_path / "targets.toml"
    document.write_text('preset = "retail"\n')
    if "contact-events" not in await kafka.topics():
        await kafka.create_topic("contact-events", 1, {})
    args = [arg.format(document) for arg in COMMANDS[command]]
    code, said = await asyncio.to_thread(run, three, kafka.bootstrap, *args)
    assert code == os.EX_CONFIG
    lines = [line for line in said.splitlines() if line.startswith("stream-app: ")]
    assert lines == [f"stream-app: {_line(three)}"]
    assert "Traceback" not in said


def _line(url: str) -> str:
    place = url.removeprefix("redis://").removesuffix("/0")
    return (
        f"REDIS_URL: {place} is a node of a Redis Cluster (cluster-enabled yes), which is not supported; use a single Redis, "
        "with replicas if it must survive the loss of its machine"
    )


def test_check_of_three_nodes(three: str) -> None:
    code, said = run(three, f"{HOST}:{free_port()}", "check")
    assert code == 1
    place = three.removeprefix("redis://").removesuffix("/0")
    (line,) = [line for line in said.splitlines() if line.startswith(("fail  redis ", "ok    redis "))]
    assert line == f"fail  redis               {_line(three)}"
    assert place in line
    assert "Traceback" not in said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_single_node(single_of: Callable[[str], str], version: str) -> None:
    url = single_of(version)
    assert run(url, f"{HOST}:{free_port()}", "worker") == (os.EX_CONFIG, f"stream-app: {_line(url)}\n")


async def test_a_node_without_slots(bare: str) -> None:
    reader = Reader(bare)
    with pytest.raises(BadSettingsError, match="Redis Cluster"):
        await reader.run()
    await reader.close()


@pytest.mark.parametrize("resp", ["", "?protocol=3"])
async def test_one_round_trip_a_connection_tells(three: str, redis_url: str, resp: str) -> None:
    client = connect(redis_url + resp)
    await client.ping()
    before = (await client.info("commandstats"))["cmdstat_hello"]["calls"]
    for _ in range(5):
        await client.ping()
    assert (await client.info("commandstats"))["cmdstat_hello"]["calls"] == before
    await client.aclose()
    refused = connect(three + resp)
    with pytest.raises(BadSettingsError):
        await refused.ping()
    await refused.aclose()


async def test_a_cluster_whose_nodes_say_nothing_is_known_by_its_errors(three: str) -> None:
    """HELLO may be switched off."""
    client: Any = redis.asyncio.Redis.from_url(three)

    async def write() -> None:
        async with client, faults():
            for n in range(30):
                await client.set(f"k{n}", "x")  # some of them are another node's

    with pytest.raises(BadSettingsError, match="Redis Cluster"):
        await write()
