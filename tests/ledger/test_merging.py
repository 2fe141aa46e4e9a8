"""Files stay few, and no row is written often."""

from math import ceil, log2

from hypothesis import given, strategies as st

from stream_app.ledger.manifest import RowsFile
from stream_app.ledger.merging import FILES, of_past_days, to_join

NEW = st.lists(st.integers(1, 50_000), min_size=1, max_size=1_440)


@given(NEW)
def test_a_day_never_has_more_files_than_promised(new: list[int]) -> None:
    files: list[int] = []
    for size in new:
        joined = to_join(files, size)
        files[len(files) - joined :] = [size + sum(files[len(files) - joined :])]
        assert len(files) <= FILES
    assert sum(files) == sum(new)


def test_the_rows_of_a_day_of_equal_minutes_are_written_as_often_as_bits_carry() -> None:
    files: list[int] = []
    written = 0
    for _ in range(1_440):
        joined = to_join(files, 100)
        files[len(files) - joined :] = [100 + sum(files[len(files) - joined :])]
        written += files[-1]
    assert written / (1_440 * 100) <= ceil(log2(1_440))


def _file(day: str, table: str, name: str) -> RowsFile:
    return RowsFile(name, table, day, "t", 0, 1, 1, 1, 0, 1)


def test_days_that_are_over_are_joined_one_table_at_a_time_the_oldest_first() -> None:
    files = [
        _file("2026-11-22", "visits", "a"),
        _file("2026-11-22", "replies", "b"),
        _file("2026-11-22", "visits", "c"),
    ]
    today = [_file("2026-11-23", "visits", "d"), _file("2026-11-23", "visits", "e")]
    assert [file.name for file in of_past_days([*files, *today], "2026-11-23")] == ["a", "c"]
    assert of_past_days([*files[:2], *today], "2026-11-23") == []
