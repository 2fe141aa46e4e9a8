"""Cells as other programs write them: a time, a duration or yes is read the same in every form."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from stream_app.tables import values
from stream_app.tables.outcomes import ASSUMED, KNOWN, MEANINGS, channel_of, meaning_of, plain

WALLS = st.datetimes(datetime(2000, 1, 1), datetime(2068, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001 - wall clocks
FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.000",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%y, %H:%M:%S Uhr",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y %I:%M:%S %p",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%A, %d %B %Y %H:%M:%S",
    "%a %d %b %Y %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%d/%m/%Y 00:00:00 %H:%M:%S",
    "%Y-%m-%d 0:00 %H:%M:%S",
)


@given(WALLS, st.sampled_from(FORMS))
def test_a_time_is_read_in_every_form(at: datetime, form: str) -> None:
    assert values.wall_time(at.strftime(form)) == at


@given(WALLS)
def test_months_come_first_where_that_is_said(at: datetime) -> None:
    assert values.wall_time(f"{at:%m/%d/%Y %I:%M:%S %p}", "month-first") == at
    assert values.wall_time(f"{at:%d.%m.%Y %H:%M:%S}", "month-first") == at


@given(WALLS, st.integers(-12, 14), st.sampled_from(["{:+03}:00", "{:+03}00", "UTC{:+03}:00"]))
def test_an_offset_is_read(at: datetime, hours: int, form: str) -> None:
    found = values.wall_time(f"{at:%d/%m/%Y %H:%M:%S} {form.format(hours)}")
    assert found is not None
    assert found.astimezone(UTC).replace(tzinfo=None) == at - timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["05.03.2026 09:00 Uhr", "5. März 2026 um 9:00", "Do, 5 Mrz 2026 09:00", "5-MAR-26 9:00 a.m."]
)
def test_times_in_words(text: str) -> None:
    assert values.wall_time(text) == datetime(2026, 3, 5, 9)  # noqa: DTZ001 - a wall clock's


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2026-01-05",
        "31.02.2026 09:00",
        "13:00 PM",
        "5/1/2026 25:00",
        "12",
        "9999999999",
        "1/1/1 1:1",
    ],
)
def test_what_is_not_a_time_is_not_read(text: str) -> None:
    assert values.wall_time(text) is None


@given(st.integers(0, 359_999))
def test_a_duration_is_read_in_every_form(s: int) -> None:
    h, m, rest = s // 3600, s // 60 % 60, s % 60
    forms = [
        str(s),
        f"{s}.0",
        f"{s:,}",
        f"{h}:{m:02}:{rest:02}",
        f"{h:02}:{m:02}:{rest:02}.000",
        f"{h}h {m}m {rest}s",
    ]
    forms += [
        f"PT{h}H{m}M{rest}S",
        f"{h} hours {m} min {rest} sec",
        f"{s // 86_400}.{h % 24:02}:{m:02}:{rest:02}",
    ]
    forms += [f"{s // 60}:{rest:02}"] if s < 60_000 else []
    assert {values.seconds(form) for form in forms} == {float(s)}


@pytest.mark.parametrize("text", ["", "-5", "long", "1:2", "5 apples", "1e3", "nan", "inf", "٣", ":30"])
def test_what_is_not_a_duration_is_not_read(text: str) -> None:
    assert values.seconds(text) is None


@pytest.mark.parametrize(
    ("text", "order"),
    [("13/01/2026 09:00", "day-first"), ("01/13/2026 09:00", "month-first"), ("01/02/2026 09:00", "either")]
    + [(text, None) for text in ("01.02.2026 09:00", "2026-01-02 09:00", "noon")],
)
def test_a_cell_tells_days_from_months_or_not(text: str, order: str | None) -> None:
    assert values.date_order(text) == order


def test_words_have_one_meaning() -> None:
    assert not KNOWN.keys() & ASSUMED.keys()
    assert {*KNOWN.values(), *ASSUMED.values()} <= {*MEANINGS}
    assert all(plain(word) == word for word in (*KNOWN, *ASSUMED))
    assert meaning_of("NO_ANSWER") == meaning_of("No Answer") == "abandoned"
    assert meaning_of("Zonk") is None
    assert [channel_of(word) for word in ("Phone Call", "E-Mail", "Fax")] == ["voice", "email", "fax"]


@pytest.mark.parametrize(
    ("text", "expected"), [("Yes", True), ("nein", False), ("0", False), ("maybe", None), ("", None)]
)
def test_yes_and_no(text: str, *, expected: bool | None) -> None:
    assert values.truth(text) is expected
