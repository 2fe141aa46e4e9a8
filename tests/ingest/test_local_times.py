"""Local times: both hours of autumn, the missing hour of spring, and tables that hold them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from stream_app.errors import BadSettingsError
from stream_app.ingest import dialects
from stream_app.ingest.files import FileError, Layout, RecordFile
from stream_app.ingest.replay import FileReplay, in_order, report
from stream_app.model.targets import Targets
from stream_app.settings import load

CHANGES = {  # zone → when its clocks go back
    "Europe/Berlin": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "America/New_York": datetime(2026, 11, 1, 6, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),  # by half an hour
    "America/Santiago": datetime(2026, 4, 5, 3, tzinfo=UTC),
}


def row(at: datetime, zone: str) -> bytes:
    local = at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    return json.dumps({"time": local, "callid": "a", "queuename": "q", "event": "ENTERQUEUE"}).encode()


@given(st.sampled_from(sorted(CHANGES)), st.lists(st.integers(1, 1500), min_size=12, max_size=60))
def test_in_order_every_time_around_the_change_is_found(zone: str, steps: list[int]) -> None:
    """Without a silence of 25 minutes, which is less than any repeated stretch."""
    decode = dialects.load("asterisk", zone)
    at = CHANGES[zone] - timedelta(hours=2)
    for step in steps:
        at += timedelta(seconds=step)
        (event,) = decode(row(at, zone))
        assert event.at == at.timestamp() * 1000
        (again,) = decode(row(at, zone))
        assert again.at == event.at


def test_a_source_of_its_own_begins_in_the_first_hour_unless_it_is_known_how_far_it_was() -> None:
    zone, change = "Europe/Berlin", CHANGES["Europe/Berlin"]
    second = change + timedelta(minutes=30)
    decode = dialects.load("asterisk", zone)
    decode(row(second + timedelta(minutes=40), zone))
    first_ms = (second - timedelta(hours=1)).timestamp() * 1000
    (event,) = dialects.afresh(decode)(row(second, zone))
    assert event.at == first_ms
    (event,) = dialects.afresh(decode, int(change.timestamp() * 1000))(row(second, zone))
    assert event.at == first_ms + 3_600_000


def test_in_spring_the_missing_hour_is_read_by_the_offset_before() -> None:
    decode = dialects.load("asterisk", "Europe/Berlin")
    (event,) = decode(b'{"time":"2026-03-29 02:30:00","callid":"a","queuename":"q","event":"ENTERQUEUE"}')
    assert event.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC).timestamp() * 1000


def test_a_wrong_zone_names_the_setting_and_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_APP_SOURCE_ZONE", "europe/berlin")
    wrong = r"^STREAM_APP_SOURCE_ZONE: unknown time zone 'europe/berlin'; did you mean 'Europe/Berlin'"
    with pytest.raises(BadSettingsError, match=wrong):
        load()


_CALL = (
    ("2026-11-22 08:00:00", "A.1", "sales", "NONE", "ENTERQUEUE", "", "555", "1"),
    ("2026-11-22 08:00:09", "A.1", "sales", "PJSIP/101", "CONNECT", "9", "A.2", "4"),
    ("2026-11-22 08:01:09", "A.1", "sales", "PJSIP/101", "COMPLETECALLER", "9", "60", "1"),
)
_NAMES = (
    ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3"),
    ("time_id", "call_id", "queue", "agent", "verb", "data1", "data2", "data3"),
)


@given(
    names=st.sampled_from(_NAMES),
    order=st.permutations(range(10)),
    delimiter=st.sampled_from(",;\t|"),
    case=st.sampled_from([str.upper, str.lower, str.title]),
    null=st.sampled_from(["", "NULL", "\\N"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.booleans(),
)
def test_a_table_is_read_whatever_its_order_case_and_delimiter(
    *,
    names: tuple[str, ...],
    order: list[int],
    delimiter: str,
    case: object,
    null: str,
    quoting: Literal[0, 1],
    bom: bool,
) -> None:
    assert callable(case)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    header = [*map(case, names), "id", "created"]
    writer.writerow([header[n] for n in order])
    for number, line in enumerate(_CALL):
        cells = [*(cell or null for cell in line), str(number), "2026-11-22 09:00:00"]
        writer.writerow([cells[n] for n in order])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode())
        run = FileReplay(dialects.load("asterisk"))
        (found,) = report([RecordFile(path, Layout(dialect="asterisk"))], Targets(), run)
    assert (found.offered, found.handled, found.wait_s, found.talk_s) == (1, 1, 9, 60)


@given(st.permutations(range(5)))
def test_files_are_read_in_the_order_of_their_first_stamps(order: list[int]) -> None:
    lines = [f"{1_795_334_400 + 30 * n}|c.{n // 2}|q|" for n in range(10)]
    whole = [
        line + ("NONE|ENTERQUEUE||5|1" if n % 2 == 0 else "A|CONNECT|30|x|1") for n, line in enumerate(lines)
    ]
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"queue_log.{n}" for n in order]  # names that say nothing
        for n, path in enumerate(paths):  # each call begins in one file, and is answered in the next one
            path.write_text("\n".join(([whole[0]] if n == 0 else []) + whole[2 * n + 1 : 2 * n + 3]) + "\n")
        files = [RecordFile(paths[n], Layout(dialect="asterisk")) for n in order]
        run = FileReplay(dialects.load("asterisk"))
        (found,) = report(in_order(files, run.dialect), Targets(), run)
    assert (found.offered, found.answered, found.wait_s) == (5, 5, 150)


def test_files_that_overlap_are_refused_by_name(tmp_path: Path) -> None:
    for name, times in (("a", (0, 600)), ("b", (300, 900))):
        (tmp_path / name).write_text(
            "".join(f"{1_795_334_400 + s}|{name}.{s}|q|NONE|ENTERQUEUE||5|1\n" for s in times)
        )
    run = FileReplay(dialects.load("asterisk"))
    files = [RecordFile(tmp_path / name, Layout(dialect="asterisk")) for name in "ba"]
    with pytest.raises(
        FileError, match=r"b:1: begins at 2026-11-22T08:05:00Z, but .*a, .* until 2026-11-22T08:10:00Z"
    ):
        report(in_order(files, run.dialect), Targets(), run)
