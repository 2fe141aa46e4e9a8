"""Amazon Connect as it is really delivered: records glued together, copies of records, records that come days after."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from msgspec import structs

from stream_app.errors import UnreadableError
from stream_app.ingest.batch import MAX_EVENT_BYTES
from stream_app.ingest.dialects import amazon_connect
from stream_app.ingest.files import FileRecord, Layout, RecordFile
from stream_app.ingest.replay import FileReplay, report
from stream_app.ingest.replay.interval_rows import interval_rows
from stream_app.model.fold.lasting import LastingIds
from stream_app.model.fold.visit import VisitState
from stream_app.model.targets import Targets
from stream_app.store.codec import DAYS_FROM, unpack_visits
from tests.conftest import MakeTopic
from tests.e2e.accounts import assert_accounted
from tests.e2e.worker import Worker, environment
from tests.services.kafka import Cluster, Record
from tests.services.process import until
from tests.services.redis import RedisServer

REPORTS = Path(__file__).parent / "reports" / "connect"
LAYOUT = Layout("amazon_connect")
START = datetime(2026, 3, 2, 10, tzinfo=UTC)

CASES: dict[str, dict[str, dict[str, int]]] = {
    "one-after-the-other.json": {
        "sales": {"offered": 1, "answered": 1},
        "support": {"offered": 1, "answered": 1},
    },
    "newest-copies.ndjson": {"sales": {"offered": 2, "answered": 2, "handled": 2, "wrap_s": 90}},
    "slow-email.ndjson": {"mail": {"offered": 2, "answered": 2, "answered_in_target": 1, "handled": 2}},
    "callback-overnight.ndjson": {"CallbackQueue": {"offered": 1, "answered": 1, "lost": 0, "handled": 1}},
    "callback-records.ndjson": {
        "InboundQueue": {"offered": 1, "left": 1, "abandoned": 0},
        "CallbackQueue": {"offered": 1, "answered": 1, "handled": 1, "talk_s": 335},
    },
}


def record(contact: str, minute: int, wait_s: int = 8, talk_s: int = 240, **fields: Any) -> dict[str, Any]:
    """A contact record of a call that was queued so many minutes after the start."""
    queued = START + timedelta(minutes=minute)
    answered = queued + timedelta(seconds=wait_s)
    over = answered + timedelta(seconds=talk_s)
    worked = over + timedelta(seconds=45)
    return {
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "ContactId": contact,
        "Channel": "VOICE",
        "InitiationMethod": "INBOUND",
        "DisconnectTimestamp": over.isoformat(),
        "DisconnectReason": "CUSTOMER_DISCONNECT",
        "LastUpdateTimestamp": worked.isoformat(),
        "Queue": {"Name": "sales", "EnqueueTimestamp": queued.isoformat(), "Duration": wait_s},
        "Agent": {
            "ARN": "arn:aws:connect:x/agent/ag-1",
            "ConnectedToAgentTimestamp": answered.isoformat(),
            "AgentInteractionDuration": talk_s,
            "AfterContactWorkDuration": 45,
            "AfterContactWorkEndTimestamp": worked.isoformat(),
        },
        **fields,
    }


def written(path: Path, text: str) -> RecordFile:
    path.write_text(text, encoding="utf-8")
    return RecordFile(path, LAYOUT)


def records_of(file: RecordFile) -> list[FileRecord]:
    with file:
        return [one for some in file.slices() for one in some]


def run() -> FileReplay:
    return FileReplay(amazon_connect.decode)


def counted(file: RecordFile, replay: FileReplay | None = None) -> dict[str, dict[str, Any]]:
    return {row.queue: structs.asdict(row) for row in report([file], Targets(), replay or run())}


@pytest.mark.parametrize("name", CASES)
def test_it_is_counted_right(name: str) -> None:
    found = counted(RecordFile(REPORTS / name, LAYOUT))
    rows = interval_rows([RecordFile(REPORTS / name, LAYOUT)], Targets(), run())
    for queue, expected in CASES[name].items():
        assert {each: found[queue][each] for each in expected} == expected
        for each in expected.keys() & {
            "offered",
            "answered",
            "answered_in_target",
            "left",
            "lost",
            "handled",
        }:
            assert sum(getattr(row, each) for row in rows if row.queue == queue) == expected[each], each


def test_callbacks_are_a_channel_of_their_own() -> None:
    found = counted(RecordFile(REPORTS / "callback-overnight.ndjson", LAYOUT))
    assert found["CallbackQueue"]["channel"] == "callback"
    assert found["sales"]["channel"] == "voice"


def test_what_comes_days_after_is_applied_and_counted_as_late() -> None:
    replay = run()
    counted(RecordFile(REPORTS / "slow-email.ndjson", LAYOUT), replay)
    assert replay.account.results == {"applied": 2}
    assert replay.account.late > 0


@pytest.mark.parametrize(("days", "result"), [(30, "applied"), (32, "late")])
def test_a_record_counts_for_as_long_as_rows_do(tmp_path: Path, days: int, result: str) -> None:
    replay = run()
    lines = [record("now", days * 1_440), record("then", 0)]
    found = counted(written(tmp_path / "f", "\n".join(map(json.dumps, lines))), replay)
    assert replay.account.results == ({"applied": 2} if result == "applied" else {"applied": 1, "late": 1})
    assert found["sales"]["handled"] == 1 + (result == "applied")


def test_an_id_is_eight_bytes_and_forgotten_after_a_month() -> None:
    day = 86_400_000
    ids = LastingIds({}, 20_000 * day)
    for n in range(1_000):
        assert not ids.seen(n.to_bytes(8), 20_000 * day)
    ids.pass_time(20_031 * day + day - 1)
    assert sum(len(marks) * marks.itemsize for marks in ids.packed) == 8_000
    assert ids.seen((5).to_bytes(8), 20_001 * day)
    ids.pass_time(20_032 * day)
    assert not ids.known
    assert ids.outlived == 20_000


def test_after_contact_work_of_hours_is_that_of_its_own_record(tmp_path: Path) -> None:
    """Its end moves time by hours, and nothing of the contact times out in between."""
    one = record("a", 0)
    one["Agent"] |= {
        "AfterContactWorkDuration": 7_200,
        "AfterContactWorkEndTimestamp": (START + timedelta(seconds=248 + 7_200)).isoformat(),
    }
    assert counted(written(tmp_path / "f", json.dumps(one)))["sales"]["wrap_s"] == 7_200


@settings(max_examples=40)
@given(
    starts=st.lists(st.integers(0, 20 * 1_440), min_size=1, max_size=8),
    copies=st.lists(st.integers(1, 4), min_size=8, max_size=8),
    seed=st.integers(0, 2**32),
)
def test_copies_in_any_number_and_any_order_count_once(
    tmp_path_factory: pytest.TempPathFactory, starts: list[int], copies: list[int], seed: int
) -> None:
    """Over three weeks: the file may be sorted by anything."""
    rng = Random(seed)
    lines = [
        json.dumps(record(f"c{n}", start, LastUpdateTimestamp=(START + timedelta(days=copy)).isoformat()))
        for n, (start, some) in enumerate(zip(starts, copies, strict=False))
        for copy in range(some)
    ]
    rng.shuffle(lines)
    replay = run()
    found = counted(written(tmp_path_factory.mktemp("x") / "f", "\n".join(lines)), replay)["sales"]
    assert {found[name] for name in ("offered", "answered", "handled")} == {len(starts)}
    assert found["wrap_s"] == 45 * len(starts)
    applied = {"applied": len(starts), "duplicate": len(lines) - len(starts)}
    assert replay.account.results == {name: n for name, n in applied.items() if n}


@settings(max_examples=60)
@given(
    texts=st.lists(st.text(st.sampled_from('a{}"\\ é'), max_size=6), min_size=1, max_size=9),
    glue=st.lists(st.sampled_from(["", "", " ", "\n", "\r\n", "\n\n"]), min_size=9, max_size=9),
)
def test_each_object_is_a_record_of_its_own_however_they_are_glued(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], glue: list[str]
) -> None:
    objects = [json.dumps({"ContactId": str(n), "note": text}) for n, text in enumerate(texts)]
    text = "".join(one + between for one, between in zip(objects, glue, strict=False))
    found = records_of(written(tmp_path_factory.mktemp("x") / "f", text))
    assert [(one.offset, (one.value or b"").decode().strip()) for one in found] == list(enumerate(objects))


@pytest.mark.parametrize("layout", ["pretty", "pretty array", "array"])
def test_objects_over_several_lines_and_arrays_are_read(tmp_path: Path, layout: str) -> None:
    objects = [
        record("a", 0, Attributes={"note": '}{ "],'}),
        record("b", 1),
        record("c", 2, Contacts=[{}, {}]),
    ]
    text = {
        "pretty": "\n".join(json.dumps(one, indent=2) for one in objects),
        "pretty array": json.dumps(objects, indent=2),
        "array": json.dumps(objects),
    }[layout]
    found = records_of(written(tmp_path / "f", text + "\n"))
    assert [json.loads(one.value or b"") for one in found] == objects
    assert [one.offset for one in found] == [0, 1, 2]


def test_a_line_may_be_of_any_length_and_a_record_may_not(tmp_path: Path) -> None:
    """The limit holds for each object; the one that is too large is a dead letter, and those after it are read."""
    many = [json.dumps(record(f"c{n}", n)) for n in range(2_000)]
    many[700] = json.dumps(record("big", 700, Attributes={"note": "x" * (5 * MAX_EVENT_BYTES)}))
    replay = run()
    found = counted(written(tmp_path / "f", "".join(many)), replay)
    assert found["sales"]["offered"] == 1_999
    assert replay.account.results == {"applied": 1_999, "dead_letter": 1}
    assert replay.account.reasons == {("dead_letter", "too_large"): 1}
    assert replay.account.read == 2_000


def test_a_kafka_record_of_several_objects_has_the_events_of_all() -> None:
    value = (REPORTS / "one-after-the-other.json").read_bytes().strip()
    unused = b'{"eventType": "NEW", "contactId": "c"}'
    events = amazon_connect.decode(value)
    assert len({event.contact_id for event in events}) == 2  # type: ignore[attr-defined]
    assert amazon_connect.decode(unused + b" \r\n " + value + unused) == events
    with pytest.raises(UnreadableError, match="not_json"):
        amazon_connect.decode(value + value[:-9])


async def test_a_worker_counts_each_object_of_a_record_once(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=1)
    value = (REPORTS / "one-after-the-other.json").read_bytes()
    await kafka.produce(topic, [Record(b"t-1", value), Record(b"t-1", value)])
    key = f"kpi:{{{topic}.0}}"
    with RedisServer() as redis, redis.client(decode_responses=True) as client:
        told = environment(kafka.bootstrap, redis.url, topic, STREAM_APP_DIALECT="amazon_connect")
        worker = Worker(tmp_path / "worker.log", **told).start()
        try:
            await until(lambda: client.hget(f"{key}:meta", "position") == "2", 60, "both records are counted")
            results: Any = client.hgetall(f"{key}:results")
            assert {name: results[name] for name in ("applied", "duplicate")} == {
                "applied": "1",
                "duplicate": "1",
            }
            with redis.client() as plain:
                kept = [unpack_visits(packed) for packed in plain.hvals(f"{key}:visits")]
            assert {visit.state for visits in kept for visit in visits} == {
                VisitState.ENDED
            }  # it was passed on
            assert assert_accounted(redis.url, topic) == 2
            assert client.zcount(f"{key}:r", DAYS_FROM, "(+inf") == 1
        finally:
            worker.close()
