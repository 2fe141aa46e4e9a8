"""A list of calls is counted by 15 minutes; between its first day and its last call nothing is missing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from stream_app.commands.forecast.listed import read_calls
from stream_app.commands.maps import call_map
from stream_app.errors import InputError
from stream_app.forecast.history import ParsedHistory, read

MAP = "start=Start,queue=Skill,aht_s=Handle Time"


def counted(tmp_path: Path, data: bytes, zone: str, *maps: str) -> ParsedHistory:
    path = tmp_path / "c.csv"
    path.write_bytes(data)
    return read_calls(path, call_map(maps), zone, zone).history


def listed(times: list[datetime], seconds: list[int | None]) -> bytes:
    lines = [
        f"{at:%Y-%m-%d %H:%M:%S},Billing,{'' if s is None else s}"
        for at, s in zip(times, seconds, strict=True)
    ]
    return "\n".join(["Start,Skill,Handle Time", *lines]).encode()


def test_every_call_is_in_its_interval_and_the_others_are_zero(tmp_path: Path) -> None:
    chance = Random(1)
    begin = datetime(2026, 10, 24, 9, 7)  # noqa: DTZ001 - local times, over the night on which clocks go back
    times = [begin + timedelta(minutes=chance.randrange(60 * 40)) for _ in range(300)]
    times = [at for at in times if at.hour != 2]  # an hour that the clock shows twice
    seconds = [None if chance.random() < 0.2 else chance.randrange(1, 900) for _ in times]
    rows = counted(tmp_path, listed(times, seconds), "Europe/Berlin", MAP).history["Billing", "voice"]
    assert sum(row.offered for row in rows) == len(times)
    assert sum(row.handled or 0 for row in rows) == sum(s is not None for s in seconds)
    assert sum(row.handle_s or 0 for row in rows) == sum(s or 0 for s in seconds)
    assert rows[0].start == datetime(2026, 10, 23, 22, tzinfo=UTC)  # the local midnight before the first call
    steps = {after.start - before.start for before, after in pairwise(rows)}
    assert steps == {timedelta(minutes=15)}
    last = max(times)
    assert rows[-1].start + timedelta(hours=1) == last.replace(
        minute=last.minute // 15 * 15, second=0, tzinfo=UTC
    )


def test_every_queue_has_the_same_days(tmp_path: Path) -> None:
    data = b"start,queue,channel\n2026-01-05T09:00:00Z,a,\n2026-01-07T09:00:00Z,b,chat\n"
    history = counted(tmp_path, data, "UTC").history
    assert {len(rows) for rows in history.values()} == {2 * 96 + 37}
    assert list(history) == [("a", "voice"), ("b", "chat")]


def test_a_wrong_call_names_its_line_and_the_others_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("start,queue\n2026-01-05 09:00,a\nnoon,a\n")
    found = read_calls(path, None, "UTC", "UTC")
    assert sum(row.offered for row in found.history.history["a", "voice"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "c.csv:3: invalid: start: expected a date and a time" in line
    assert found.remedy
    assert found.remedy.startswith(
        "1 row is not a contact, 1 of them for their 'start'; how the columns are read: "
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"start,queue\nnoon,a\n", "no row is a contact that was offered"),
        (b"when,queue\nnoon,a\n", "queued: map the time at which contacts came to it"),
    ],
)
def test_a_list_without_contacts_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        counted(tmp_path, data, "UTC")


# --- the same of intervals ---

HOURS = "start,minutes,queue,channel,offered,{}\n2026-10-25 {:02}:00,60,q,voice,10,{}\n"


@pytest.mark.parametrize("field", ["aht_s", "average_handle_time_s"])
def test_a_mean_handle_time_stands_for_the_sums(field: str) -> None:
    [row] = read(HOURS.format(field, 9, 180).encode(), "v.csv", "UTC").history["q", "voice"]
    assert (row.minutes, row.handled, row.handle_s) == (60, 10, 1800)
    [row] = read(HOURS.format(field, 9, "").encode(), "v.csv", "UTC").history["q", "voice"]
    assert (row.handled, row.handle_s) == (None, None)


def test_the_hour_that_occurs_twice_is_read_in_order() -> None:
    head, line = HOURS.format("aht_s", 2, 180).splitlines()
    twice = f"{head}\n{line}\n{line}".encode()
    rows = read(twice, "v.csv", "Europe/Berlin").history["q", "voice"]
    assert [row.start for row in rows] == [datetime(2026, 10, 25, h, tzinfo=UTC) for h in (0, 1)]
    with pytest.raises(InputError, match=r"v.csv:4: start: duplicates line 2"):
        read(twice + b"\n" + line.encode(), "v.csv", "Europe/Berlin")
    with pytest.raises(InputError, match="has no offset"):
        read(twice, "v.csv")
