"""``stream-app simulate``: options become a plan, events come at their time, into a file or a topic."""

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.ingest.dialects.canonical import decode
from stream_app.kafka.producer import PARTITIONS, Compression, Topic
from stream_app.model.events import Event, key
from stream_app.simulation import Centre, centre
from stream_app.simulation.out import Stream
from stream_app.simulation.player import SLICE, CentreClock, PlayProgress, play
from stream_app.simulation.session import FILES_START, SimulationOptions, plan
from stream_app.simulation.wire import canonical, encode
from tests.conftest import MakeTopic
from tests.services.command import run_command
from tests.services.kafka import Cluster
from tests.services.process import wait_until

from .worlds import HOUR, MINUTE, MONDAY, lines, plain

NOW = MONDAY + 1_234 * HOUR + 567_890
SIMULATE = [sys.executable, "-m", "stream_app", "simulate"]
FOREVER = float("inf")


class Taken:
    """A sink that remembers what it was given, and when."""

    def __init__(self) -> None:
        self.puts: list[list[Event]] = []

    async def put(self, events: Sequence[Event]) -> None:
        self.puts.append(list(events))

    @property
    def events(self) -> list[Event]:
        return [event for put in self.puts for event in put]


# --- plans ---


def test_live_traffic_begins_now_and_has_no_end() -> None:
    planned = plan(SimulationOptions(), NOW)
    assert planned.pace == CentreClock(NOW, NOW, 1.0, live=True)
    assert planned.end is None


def test_the_centre_shows_ten_o_clock_when_live_traffic_begins() -> None:
    offset = plan(SimulationOptions(), NOW).centre.settings.clock_offset_s
    assert (NOW // 1000 + offset) % 86_400 == pytest.approx(10 * 3600, abs=1)
    evening = plan(SimulationOptions(time_of_day="21:30", history="2h"), NOW).centre.settings.clock_offset_s
    assert (NOW // 1000 + evening) % 86_400 == pytest.approx(21.5 * 3600, abs=1)


def test_history_is_played_at_once_and_incidents_count_from_now() -> None:
    planned = plan(SimulationOptions(history="20m", duration="5m", incidents=["spike@1m"]), NOW)
    assert planned.pace == CentreClock(NOW - 20 * MINUTE, NOW, FOREVER, live=True)
    assert planned.end == NOW + 5 * MINUTE
    assert planned.centre.incidents[0].begin == NOW + MINUTE


def test_fast_live_traffic_catches_up() -> None:
    assert plan(SimulationOptions(speed=60.0), NOW).pace == CentreClock(NOW - HOUR, NOW, 60.0, live=True)
    assert plan(SimulationOptions(speed=0.5), NOW).pace == CentreClock(NOW, NOW, 0.5, live=True)


def test_files_are_the_same_each_time() -> None:
    planned = plan(SimulationOptions(out=Path("x")), NOW)
    assert (planned.pace, planned.end) == (
        CentreClock(FILES_START, NOW, FOREVER, live=False),
        FILES_START + HOUR,
    )
    assert planned.centre.settings.clock_offset_s == 0


def test_a_start_is_a_start() -> None:
    planned = plan(SimulationOptions(start="2026-01-05", duration="1d"), NOW)
    assert (planned.pace.start, planned.end) == (MONDAY, MONDAY + 24 * HOUR)
    assert plan(SimulationOptions(start="2026-01-05T02:00:00+02:00"), NOW).pace.start == MONDAY


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (SimulationOptions(duration="soon"), "--duration"),
        (SimulationOptions(history="x"), "--history"),
        (SimulationOptions(history="1h", start="2026-01-05"), "--history"),
        (SimulationOptions(start="yesterday"), "--start"),
        (SimulationOptions(time_of_day="25:00"), "--time-of-day"),
        (SimulationOptions(incidents=["flood@1m"]), "--incident"),
    ],
)
def test_a_wrong_option_is_named(options: SimulationOptions, option: str) -> None:
    with pytest.raises(BadSettingsError, match=f"^{option}"):
        plan(options, NOW)


# --- pace ---


@pytest.mark.parametrize(
    ("pace", "after_s", "reached_s"),
    [
        (CentreClock(0, 0, 1.0, live=True), 10, 10),
        (CentreClock(-3_600_000, 0, FOREVER, live=True), 10, 10),
        (CentreClock(-3_600_000, 0, 60.0, live=True), 10, -3_000),
        (CentreClock(-3_600_000, 0, 60.0, live=True), 3_600, 3_600),
        (CentreClock(0, 0, 0.5, live=True), 10, 5),
        (CentreClock(500_000, 0, 10.0, live=False), 10, 600),
        (CentreClock(500_000, 0, FOREVER, live=False), 0, FOREVER),
        (CentreClock(-60_000, 0, FOREVER, live=True), 0, 0),
    ],
)
def test_how_far_the_clock_of_the_centre_is(pace: CentreClock, after_s: int, reached_s: float) -> None:
    assert pace.reached(after_s * 1000) == reached_s * 1000


@pytest.mark.slow
async def test_no_event_comes_before_its_time_and_none_is_left_out() -> None:
    run = Centre(plain(), 1)
    expected = lines(run, MONDAY, MONDAY + 10 * MINUTE)
    ticks = count(MONDAY, 20_000)
    shown = [0]

    def clock() -> float:
        shown.append(next(ticks))
        return shown[-1] / 1000

    class Checked(Taken):
        async def put(self, events: Sequence[Event]) -> None:
            assert shown[-2] < events[0].at or shown[-2] == 0
            assert events[-1].at <= shown[-1]
            await super().put(events)

    sink = Checked()
    pace = CentreClock(MONDAY, MONDAY, 1.0, live=True)
    told: list[int] = []
    events = run.events(MONDAY, MONDAY + 10 * MINUTE)
    progress = await play(events, pace, sink, lambda p: told.append(p.events), clock)
    assert [encode(event) for event in sink.events] == expected
    assert progress.events == told[-1] == len(expected)
    assert progress.at == sink.events[-1].at


async def test_without_a_limit_slices_are_full() -> None:
    sink = Taken()
    events = Centre(centre(50), 1).events(MONDAY + 10 * HOUR, MONDAY + 10 * HOUR + 5 * MINUTE)
    progress = await play(events, CentreClock(0, 0, FOREVER, live=False), sink)
    assert {len(put) for put in sink.puts[:-1]} == {SLICE}
    assert progress == PlayProgress(len(sink.events), sink.events[-1].at, 0.0)


# --- Kafka ---


@pytest.mark.parametrize("ours", [True, False])
async def test_records_have_the_key_the_time_and_the_bytes(
    kafka: Cluster, make_topic: MakeTopic, ours: bool
) -> None:
    """Into a topic of ours, stamped by the broker, and into one that was there and keeps the events' own times."""
    name = f"simulated-{uuid.uuid4().hex[:8]}" if ours else await make_topic(partitions=PARTITIONS)
    events = list(Centre(centre(50), 1).events(MONDAY + 10 * HOUR, MONDAY + 10 * HOUR + 2 * MINUTE))
    connection = {"bootstrap_servers": kafka.bootstrap}
    compressions: tuple[Compression, ...] = ("none", "lz4")
    begun = round(time.time() * 1000) - MINUTE  # clocks of two machines differ
    for compression in compressions:
        async with Topic(connection, name, compression) as topic:
            await Stream(topic, canonical("epoch")).put(events)
    assert len(await kafka.end_offsets(name)) == PARTITIONS
    try:
        partitions = [TopicPartition(name, n) for n in range(PARTITIONS)]
        async with AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            consumer.assign(partitions)
            records: list[Any] = []
            while len(records) < 2 * len(events):
                for found in (await consumer.getmany(timeout_ms=10_000)).values():
                    records += found
        expected = sorted((key(event), encode(event)) for event in [*events, *events])
        assert sorted((r.key.decode(), r.value) for r in records) == expected
        if ours:
            assert {r.timestamp_type for r in records} == {1}
            assert min(r.timestamp for r in records) >= begun
        else:
            assert all(r.timestamp == found.at for r in records for found in decode(r.value))
        homes = {(r.key, r.partition) for r in records}
        assert len(homes) == len({r.key for r in records})
        for partition in range(PARTITIONS):
            stamps = [r.timestamp for r in records if r.partition == partition]
            assert stamps[: len(stamps) // 2] == sorted(stamps[: len(stamps) // 2])
    finally:
        if ours:
            await kafka.delete_topic(name)


async def test_a_broker_that_is_not_there_is_named() -> None:
    topic = Topic({"bootstrap_servers": "127.0.0.1:1"}, "t", "none")
    with pytest.raises(StreamAppError, match=r"Kafka at 127\.0\.0\.1:1"):
        async with topic:
            pass


# --- the command ---


def test_the_command_writes_the_same_file_twice(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.ndjson", "b.ndjson")]
    for file in files:
        options = ["--rate", "30", "--seed", "5", "--duration", "3m", "--incident", "spike@1m,for=1m"]
        done = run_command("simulate", *options, "--out", file)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert files[0].read_bytes() == files[1].read_bytes()
    values = files[0].read_bytes().splitlines()
    assert len(values) > 1_000
    for value in values:
        (event,) = decode(value)
        assert FILES_START <= event.at < FILES_START + 3 * MINUTE


def test_times_can_be_text() -> None:
    done = run_command("simulate", "--duration", "1m", "--stamps", "rfc3339", "--out", "-")
    first = json.loads(done.stdout.splitlines()[0])
    assert first["at"] == "2026-01-05T10:00:00.000+00:00"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{' '.join(SIMULATE)} --rate 300 --out - | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "live.ndjson"
    with subprocess.Popen([*SIMULATE, "--rate", "50", "--speed", "1", "--out", str(file)]) as process:
        try:
            wait_until(lambda: file.exists() and file.stat().st_size > 0, 20)
            process.send_signal(number)
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert file.read_bytes().endswith(b"}\n")


def test_a_wrong_option_exits_78() -> None:
    done = run_command("simulate", "--duration", "soon")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == "stream-app: --duration: invalid duration 'soon'; use e.g. 90s, 10m, 1h30m or 1d\n"
