"""``stream-app replay`` as a process: a report without anything, Redis exactly once, and Kafka to the same end."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import zstandard

from stream_app.ingest.files import Layout, RecordFile
from tests.conftest import MakeTopic
from tests.e2e.accounts import assert_accounted
from tests.e2e.ledger import read_ledger
from tests.e2e.verifier import LOG_APPEND_TIME, Found, Logged, Verifier
from tests.e2e.worker import Worker, environment
from tests.reference import traffic
from tests.services.command import run_command, run_command_bytes
from tests.services.kafka import Cluster
from tests.services.process import until

REPLAY = [sys.executable, "-m", "stream_app", "replay"]


Done = subprocess.CompletedProcess[bytes]


def replay(*options: object, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> Done:
    return run_command_bytes("replay", *options, stdin=stdin, env=environ or {})


def simulated(path: Path, *options: str) -> list[bytes]:
    """A file of a simulated centre; gives its lines."""
    run_command("simulate", "--out", path, *options).check_returncode()
    return path.read_bytes().splitlines()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty minutes of a centre: nobody is timed out in them, so partitions need not agree on the time."""
    path = tmp_path_factory.mktemp("recorded") / "morning.ndjson"
    assert len(simulated(path, "--rate", "25", "--duration", "20m")) > 8_000
    return path


@pytest.fixture(scope="module")
def rows(recorded: Path) -> list[dict[str, Any]]:
    """Its report."""
    found: list[dict[str, Any]] = json.loads(replay("--direct", "--report", recorded).stdout)
    return found


# --- reports ---


def test_a_report_needs_nothing_but_the_file(recorded: Path, rows: list[dict[str, Any]]) -> None:
    done = replay(
        "--direct", "--report", recorded, environ=dict.fromkeys(("STREAM_APP_TOPIC", "REDIS_URL"), "")
    )
    assert done.returncode == 0
    assert json.loads(done.stdout) == rows
    assert list(rows[0]) == [
        *("queue", "channel", "offered", "answered", "answered_in_target", "abandoned", "left", "lost"),
        *("waiting", "refused", "handled", "wait_s", "talk_s", "hold_s", "wrap_s"),
        *(
            "missed",
            "left_wait_s",
            "left_timeout",
            "left_key",
            "left_transfer",
            "left_callback",
            "left_empty",
        ),
        *("closed_unanswered", "left_other"),
        *("refused_full", "refused_closed", "refused_empty", "refused_other"),
        *("left_not_demand", "to_bot", "from_bot", "bot_contained", "bot_abandoned", "with_bot"),
        *("responded", "response_s", "response_business_s", "replies", "reply_s", "replies_due"),
        *("replies_in_target", "reopened", "handled_estimated", "pending_s", "unfinished"),
    ]
    assert [(row["queue"], row["channel"]) for row in rows] == sorted(
        (r["queue"], r["channel"]) for r in rows
    )
    for row in rows:
        gone = row["answered"] + row["abandoned"] + row["left"] + row["lost"]
        assert gone + row["waiting"] == row["offered"] - row["to_bot"] + row["from_bot"]
        assert row["offered"] > 0
        assert all(isinstance(row[name], float) for name in row if name.endswith("_s"))
    count = len(recorded.read_bytes().splitlines())
    said = done.stderr.decode()
    assert said.startswith(f"replay: {count:,} records read in ")
    assert said.endswith(f"/s): applied {count:,}\n")
    assert said.count("\n") == 1


def test_the_same_lines_give_the_same_bytes_however_they_come(recorded: Path, tmp_path: Path) -> None:
    text = recorded.read_bytes()
    half = len(text.splitlines()) // 2
    parts = [tmp_path / name for name in ("first.gz", "second", "whole.zst")]
    lines = text.splitlines(keepends=True)
    parts[0].write_bytes(gzip.compress(b"".join(lines[:half])))
    parts[1].write_bytes(b"".join(lines[half:]).replace(b"\n", b"\r\n"))
    parts[2].write_bytes(zstandard.ZstdCompressor().compress(text))
    expected = replay("--direct", "--report", recorded).stdout
    assert expected.startswith(b'[{"queue":')
    assert replay("--direct", "--report", parts[0], parts[1]).stdout == expected
    assert replay("--direct", "--report", parts[2]).stdout == expected
    assert replay("--direct", "--report", "-", stdin=text).stdout == expected
    assert replay("--direct", "--report", parts[1], parts[0]).stdout == expected
    refused = replay("--direct", "--report", parts[0], "-", stdin=parts[1].read_bytes())
    assert (refused.returncode, refused.stdout) == (78, b"")
    assert refused.stderr.startswith(b"stream-app: stdin: the order of several files")


def test_a_report_by_targets_and_of_a_few(recorded: Path, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    targets = tmp_path / "targets.toml"
    targets.write_text("[queues.billing]\nanswer_target_s = 0.001\nshort_abandon_s = 0\n")
    few = ("--queue", "billing", "--queue", "webshop", "--targets", targets)
    found = json.loads(replay("--direct", "--report", *few, recorded).stdout)
    plain = {row["queue"]: row for row in rows}
    assert [row["queue"] for row in found] == ["billing", "webshop"]
    assert found[1] == plain["webshop"]
    assert found[0] | {"answered_in_target": 0} == plain["billing"] | {"answered_in_target": 0}
    assert found[0]["answered_in_target"] < plain["billing"]["answered_in_target"]
    stretch = ("--from", "2026-01-05T11:05:00+01:00", "--to", "2026-01-05T10:10:00Z")
    shorter = json.loads(replay("--direct", "--report", *stretch, recorded).stdout)
    assert 0 < sum(r["offered"] for r in shorter) < sum(r["offered"] for r in rows) / 3
    assert replay("--direct", "--report", "--limit", "1", recorded).stderr.endswith(b"applied 1\n")


QUEUE_LOG = b"""1767607200|1767607200.1|sales|NONE|ENTERQUEUE||5550100|1
1767607207|1767607200.1|sales|SIP/100|CONNECT|7|1767607200.2|3
1767607267|1767607200.1|sales|SIP/100|COMPLETEAGENT|7|60|1
1767607300|1767607300.1|sales|NONE|ENTERQUEUE||5550101|1
1767607340|1767607300.1|sales|NONE|ABANDON|1|1|40
"""


def test_a_queue_log_is_read_as_it_is_and_recognised_when_nobody_says_so(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(QUEUE_LOG)
    done = replay("--direct", "--report", "--dialect", "asterisk", log)
    (row,) = json.loads(done.stdout)
    assert (row["queue"], row["offered"], row["answered"], row["abandoned"]) == ("sales", 2, 1, 1)
    assert (row["wait_s"], row["talk_s"]) == (7.0, 60.0)
    wrong = replay("--direct", "--report", log)
    assert (wrong.returncode, wrong.stdout) == (65, b"[]\n")
    again = f"stream-app replay --direct --report {log} --dialect asterisk"
    assert wrong.stderr.endswith(f"replay: this looks like records of asterisk; run: {again}\n".encode())
    assert wrong.stderr.count(f"{log}:".encode()) == 5


def test_a_file_in_other_words_is_not_drained(tmp_path: Path, redis_url: str) -> None:
    log = tmp_path / "queue_log"
    log.write_bytes(QUEUE_LOG)
    known = {"REDIS_URL": redis_url}
    wrong = replay("--direct", log, environ=known)
    assert (wrong.returncode, wrong.stdout) == (65, b"")
    assert wrong.stderr.startswith(f"stream-app: {log}:1: not_json: ".encode())
    assert wrong.stderr.endswith(b" --dialect asterisk\n")
    right = replay("--direct", "--dialect", "asterisk", log, environ=known)
    assert (right.returncode, right.stderr.endswith(b"/s): applied 5\n")) == (0, True)


def test_a_table_is_mapped(tmp_path: Path) -> None:
    table = tmp_path / "calls.csv"
    table.write_text(
        "Row;What;When;Call;Desk\n"
        "1;contact.queued;2026-01-05T10:00:00Z;c;sales\n"
        "2;contact.abandoned;2026-01-05T10:00:09Z;c;\n"
        "3;contact.refused;nonsense;d;sales\n"
    )
    maps = {
        "id": "Row",
        "type": "What",
        "at": "When",
        "contact_id": "Call",
        "queue": "Desk",
        "channel": "=chat",
    }
    options = [part for field, column in maps.items() for part in ("--map", f"{field}={column}")]
    done = replay("--direct", "--report", *options, table)
    (row,) = json.loads(done.stdout)
    assert (row["queue"], row["channel"], row["offered"], row["abandoned"]) == ("sales", "chat", 1, 1)
    assert done.stderr.startswith(f"stream-app: {table}:4: invalid: ".encode())
    assert b"nonsense" not in done.stderr


# --- what is wrong ---


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--report", "f"], "--report: only works with --direct, which needs no Kafka"),
        (["--targets", "x", "f"], "--targets: only works with --direct, which needs no Kafka"),
        (["--direct", "--speed", "1", "f"], "--speed: does not work with --direct alone, "),
        (["--direct", "--queue", "a", "f"], "--queue: does not work with --direct alone, "),
        (["--direct", "--report", "--topic", "x", "f"], "--topic: only works for Kafka, without --direct"),
        (["--direct", "--report", "-", "-"], "-: standard input can be read only once"),
        (["--direct", "--report", "--dialect", "klingon", "f"], "--dialect: unknown dialect 'klingon'"),
        (["--direct", "--report", "--map", "x=y", "f"], "--map: unknown field 'x'"),
        (
            ["--direct", "--report", "--from", "2026-01-05", "f"],
            "--from: expected a time with an offset, e.g. 2026-01-05T08:00:00Z, got '2026-01-05'",
        ),
        (
            ["--direct", "--report", "--to", "soon", "f"],
            "--to: expected a time with an offset, e.g. 2026-01-05T08:00:00Z, got 'soon'",
        ),
        (
            ["--direct", "--report", "--targets", "nowhere.toml", "f"],
            "--targets: nowhere.toml: No such",
        ),
        (["--topic", "no topic", "f"], "--topic: invalid name 'no topic'; use "),
    ],
)
def test_a_wrong_option_is_one_line_and_exits_78(options: Sequence[str], said: str) -> None:
    done = replay(*options)
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.startswith(f"stream-app: {said}".encode())
    assert done.stderr.count(b"\n") == 1


def test_targets_are_read_as_config_apply_reads_them(tmp_path: Path) -> None:
    """With its preset, and with the same refusals."""
    targets = tmp_path / "targets.toml"
    targets.write_text('preset = "retial"\n')
    done = replay("--direct", "--report", "--targets", targets, "f")
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.startswith(f"stream-app: --targets: {targets}: ".encode())
    assert b"'retail'" in done.stderr


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    done = replay(
        "--direct", "--report", "--from", "2026-01-05T10:00:00Z", "--to", "2026-01-05T10:00:00Z", "f"
    )
    assert (done.returncode, done.stderr) == (78, b"stream-app: --to: expected a time later than --from\n")


def test_a_missing_file_is_named_before_anything_is_done(recorded: Path) -> None:
    done = replay("--direct", "--report", recorded, "missing.ndjson")
    assert (done.returncode, done.stdout) == (65, b"")
    assert done.stderr == b"stream-app: missing.ndjson: No such file or directory\n"


def test_damage_and_strict_exit_65_and_print_no_half_report(recorded: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(recorded.read_bytes())[:50_000])
    done = replay("--direct", "--report", cut)
    assert (done.returncode, done.stdout) == (65, b"")
    damage, counts = done.stderr.decode().splitlines()
    place, _, what = damage.removeprefix(f"stream-app: {cut}:").partition(": ")
    assert what == "the gzip data ends too early: the file is truncated"
    assert counts.startswith(f"replay: {int(place) - 1:,} records read in ")
    bad = tmp_path / "bad.ndjson"
    bad.write_bytes(b"\n".join([*recorded.read_bytes().splitlines()[:10], b"", b'{"half', b"{}"]))
    done = replay("--direct", "--report", "--strict", bad)
    assert (done.returncode, done.stdout) == (65, b"")
    assert done.stderr.startswith(f"stream-app: {bad}:12: not_json: ".encode())


@pytest.mark.parametrize("options", [(), ("--direct",)])
def test_a_server_that_is_not_there_is_named(recorded: Path, options: Sequence[str]) -> None:
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = replay(*options, recorded, environ=nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith(b"stream-app: ")
    assert b"127.0.0.1:1" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_while_nothing_comes(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    command = [*REPLAY, "--direct", "--report", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            with path.open("wb"):  # opens when it is opened by who reads
                process.send_signal(number)
                out, said = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, out, said) == (128 + number, b"", b"stream-app: interrupted\n")


# --- a person at the terminal ---


def test_a_bar_shows_how_far_it_is(recorded: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*REPLAY, "--direct", "--report", str(recorded)]
    environ = {"TERM": "xterm", "COLUMNS": "120", "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(ours)
        assert process.wait(30) == 0
    text = shown.decode()
    assert all(part in text for part in (recorded.name, "━", "MB", "records/s", "0:0"))
    assert "records read in" in text.splitlines()[-1]


def test_help_explains_by_example_and_names_complete() -> None:
    said = run_command("replay", "-h", env={"COLUMNS": "100"}).stdout
    assert all(len(line) <= 100 for line in said.splitlines())
    examples = [
        line.strip() for line in said.splitlines() if line.strip().startswith(("stream-app replay ", "zcat"))
    ]
    assert len(examples) == 8
    for wanted, words in (("asterisk", "--dialect as"), ("queue_log", "--format q")):
        command = [
            sys.executable,
            "-c",
            "import sys; from stream_app.__main__ import cli; cli(prog_name='stream-app')",
        ]
        asked = {"COMP_WORDS": f"stream-app replay {words}", "COMP_CWORD": "3"}
        done = subprocess.run(
            command, capture_output=True, env={"_STREAM_APP_COMPLETE": "complete_bash", **asked}, check=False
        )
        assert done.stdout.decode().split() == [wanted]


# --- into Redis ---


def place(path: Path) -> tuple[str, int]:
    with RecordFile(path, Layout()) as file:
        return file.partition.topic, file.partition.number


def verifier(redis_url: str, path: Path) -> Callable[[], tuple[int, list[str]]]:
    """Compares what Redis holds of a file with the reference; gives the position and what differs."""
    topic, number = place(path)
    lines = [Logged(n, -1, line, LOG_APPEND_TIME) for n, line in enumerate(path.read_bytes().splitlines())]
    looks = Verifier(redis_url, topic, {number: lines})
    return lambda: (looks.check(number), looks.wrong)


def test_into_redis_once_through_kills_and_again(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.ndjson"
    told = (value for _, value, _ in traffic.hostile(traffic.traffic(11, 1_500), 11, future=0))
    # An array in a file is the records in it, in Kafka it is none.
    lines = [v for v in told if v.strip() and v[:1] != b"[" and b"\n" not in v and not v.endswith(b"\r")]
    path.write_bytes(b"\n".join(lines) + b"\n")
    check = verifier(redis_url, path)
    known = {"REDIS_URL": redis_url, "STREAM_APP_BATCH_RECORDS": "500"}
    positions = []
    for failpoints in ("before_apply:exit:n=3", "after_apply:exit:n=2", "before_apply:exit=0.002:n=4"):
        killed = replay("--direct", path, environ=known | {"STREAM_APP_FAILPOINTS": failpoints})
        assert killed.returncode == -signal.SIGKILL
        position, wrong = check()
        assert wrong == []
        positions.append(position)
    assert positions == sorted(set(positions))
    assert positions[0] > 0
    rest = replay("--direct", path, environ=known)
    assert (rest.returncode, rest.stdout) == (0, b"")
    assert f"{positions[-1]:,} counted before, applied ".encode() in rest.stderr
    assert check() == (len(lines), [])
    again = replay("--direct", path, environ=known)
    assert again.stderr.endswith(f"/s): {len(lines):,} counted before\n".encode())
    assert check() == (len(lines), [])
    with redis.Redis.from_url(redis_url) as client:
        assert client.scard("kpi:partitions") == 1


# --- into Kafka ---


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    try:
        worker.start()
        yield
        assert worker.stop() == 0
    finally:
        worker.close()


def totals(found: Found) -> Counter[tuple[str, str, str]]:
    return Counter(
        {(*key, name): n for key, cell in found.counters[0].items() for name, n in cell.items() if n}
    )


@pytest.fixture
async def three(make_topic: MakeTopic) -> str:
    """A topic of three partitions."""
    return await make_topic(partitions=3)


@pytest.mark.long
async def test_through_kafka_and_a_worker_it_ends_as_it_does_directly(
    kafka: Cluster, redis_url: str, three: str, recorded: Path, rows: list[dict[str, Any]]
) -> None:
    topic, tmp_path = three, recorded.parent
    known = dict(environment(kafka.bootstrap, redis_url, topic))
    lines = lines_of(recorded)
    assert replay("--direct", recorded, environ=known).returncode == 0
    halves = [tmp_path / name for name in ("a", "b.gz")]
    halves[0].write_bytes(b"\n".join(lines[:5_000]))
    halves[1].write_bytes(gzip.compress(b"\n".join([*lines[5_000:], b"no event"])))
    done = replay("--topic", topic, *halves, environ=known | {"STREAM_APP_TOPIC": "elsewhere"})
    assert done.returncode == 0
    assert f"): {len(lines):,} sent, dead_letter 1 (not_json 1)\n".encode() in done.stderr
    assert f"stream-app: {halves[1]}:{len(lines) - 4_999}: not_json: ".encode() in done.stderr

    ledger = await read_ledger(kafka.bootstrap, topic, 3)
    stored = [record for records in ledger.values() for record in records]
    assert sorted(r.value or b"" for r in stored) == sorted(lines)
    assert all(json.loads(r.value or b"")["at"] == r.timestamp for r in stored)
    order = {line: n for n, line in enumerate(lines)}
    for records in ledger.values():
        numbers = [order[r.value or b""] for r in records]
        assert numbers == sorted(numbers)

    through, direct = Verifier(redis_url, topic, ledger), Verifier(redis_url, place(recorded)[0], {})
    with working(Worker(tmp_path / "worker.log", **known)), redis.Redis.from_url(redis_url) as client:
        await until(lambda: all(through.done(n, through.check(n)) for n in range(3)), 60, "all is counted")
        assert through.wrong == []
        assert assert_accounted(redis_url, topic) == len(lines)
        summed: Counter[tuple[str, str, str]] = Counter()
        for n in range(3):
            summed += totals(through.read(client, n))
        expected = direct.read(client, place(recorded)[1])
    assert summed == totals(expected)
    assert expected.position == len(lines)
    assert {(r["queue"], r["channel"], "offered"): r["offered"] for r in rows}.items() <= summed.items()
    for row in rows:
        for name in ("answered", "answered_in_target", "abandoned", "left", "refused", "handled"):
            assert summed[row["queue"], row["channel"], name] == row[name]
        assert summed[row["queue"], row["channel"], "talk_ms"] == round(row["talk_s"] * 1000)


async def test_a_slow_replay_can_be_stopped_and_says_how_far_it_came(
    kafka: Cluster, three: str, recorded: Path
) -> None:
    async def stored() -> int:
        return sum((await kafka.end_offsets(three)).values())

    process = await asyncio.create_subprocess_exec(
        *REPLAY,
        *("--speed", "1", str(recorded)),
        env=environment(kafka.bootstrap, "redis://127.0.0.1:1/0", three),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await until(stored, 30, "something was sent")
        process.send_signal(signal.SIGTERM)
        said = (await asyncio.wait_for(process.communicate(), 10))[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 128 + signal.SIGTERM
    interrupted, counts = said.splitlines()
    assert interrupted == "stream-app: interrupted"
    sent = re.fullmatch(r"replay: .* records read in .*/s\): ([0-9,]+) sent", counts)
    assert sent
    assert int(sent[1].replace(",", "")) == await stored()
