"""How reliable a handle time is: what is estimated is said, what is unknown is not said to be none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from stream_app.workforce.estimated import (
    LONGEST_S,
    HandleTimeTrust,
    by_place,
    doubt_of,
    too_high,
    trust,
    trust_in_mean,
)
from stream_app.workforce.volumes import InputError, Volume, read

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
CAP_S = 600.0


def volume(
    n: int = 0,
    *,
    handled: float = 10,
    talk_s: float = 3000,
    estimated_s: float | None = None,
    replies: float | None = None,
) -> Volume:
    start = NINE + timedelta(minutes=30 * n)
    return Volume(
        start, 30, "post", "email", 10, handled, talk_s, 0, 0, estimated_s=estimated_s, replies=replies
    )


@given(
    st.lists(
        st.tuples(st.integers(1, 99), st.floats(1, 1e5), st.none() | st.floats(0, 1)), min_size=1, max_size=9
    )
)
def test_the_share_is_that_of_the_seconds_of_which_it_is_known(
    rows: list[tuple[int, float, float | None]],
) -> None:
    volumes = [
        volume(n, handled=handled, talk_s=talk_s, estimated_s=None if share is None else share * talk_s)
        for n, (handled, talk_s, share) in enumerate(rows)
    ]
    found = trust(volumes, CAP_S)
    known = [(share, talk_s) for _, talk_s, share in rows if share is not None]
    if not known:
        assert (found.estimated, found.too_high) == (None, None)
        return
    expected = sum(share * s for share, s in known) / sum(s for _, s in known)
    assert found.estimated == pytest.approx(expected)
    assert found.too_high == (too_high(CAP_S) if expected > 0 else None)


def test_nothing_handled_is_nothing_known() -> None:
    assert trust([], CAP_S) == HandleTimeTrust()
    assert trust([volume(handled=0, talk_s=0, estimated_s=0)], CAP_S) == HandleTimeTrust()


def test_notes_say_the_share_and_by_how_much_it_may_be_wrong() -> None:
    (note,) = trust([volume(estimated_s=1500, replies=9)], CAP_S).notes("post", "email")
    assert note.startswith("post (email): 50% of the handle time is estimated from replies; ")
    assert "that may be 67% too high" in note
    (note,) = trust([volume(estimated_s=1500)], 60).notes("post", "email")
    assert (
        note
        == "post (email): 50% of the handle time is estimated from replies (docs/staffing.md#estimated-handle-times)"
    )
    assert trust([volume(estimated_s=0)], CAP_S).notes("post", "email") == []
    assert trust([volume()], CAP_S).notes("post", "email") == []


def test_a_handle_time_that_is_the_cap_is_no_measurement() -> None:
    at_cap, below = (trust([volume(talk_s=s, estimated_s=s, replies=10)], CAP_S) for s in (5_700, 5_699))
    assert at_cap.doubt is not None
    assert at_cap.doubt.startswith("nearly every reply counts as reply_work_cap_s (600 s)")
    assert below.doubt is None
    assert trust([volume(talk_s=5_700, estimated_s=5_700, replies=20)], CAP_S).doubt is None, (
        "two replies each"
    )


def test_forecast_rows_say_nothing_of_the_cap() -> None:
    ahead = volume(1, talk_s=60_000, estimated_s=60_000)
    assert trust([volume(estimated_s=3000, replies=10), ahead], CAP_S).doubt is None


def test_a_handle_time_of_nights_is_not_believed() -> None:
    assert doubt_of(None) is None
    assert doubt_of(LONGEST_S) is None
    found = trust([volume(talk_s=10 * 3 * 86_400)], CAP_S)
    assert found.doubt is not None
    assert found.doubt.startswith("a mean handle time of 72.0 hours is not what people did")
    assert found.notes("post", "email") == [f"post (email): {found.doubt}"]


def test_files_say_it_in_seconds_or_as_a_share() -> None:
    sums = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,estimated_s,replies\n"
    [row] = read("v.csv", (sums + "2026-01-05T09:00Z,30,post,email,9,8,800,0,100,450,8\n").encode())
    assert (row.estimated_s, row.replies) == (450, 8)
    for name in ("aht_estimated", "average_handle_time_estimated"):
        mean = f"start,minutes,queue,channel,offered,aht_s,{name}\n2026-01-05T09:00Z,30,post,email,9,100,"
        [row] = read("f.csv", (mean + "0.25\n").encode())
        assert row.estimated_s == 225
        [row] = read("f.csv", (mean + "\n").encode())
        assert row.estimated_s is None
        with pytest.raises(InputError, match=name):
            read("f.csv", (mean + "1.5\n").encode())


def test_rows_are_told_apart_by_queue_and_channel() -> None:
    one, other = volume(), volume(1)
    assert by_place([one, other]) == {("post", "email"): [one, other]}


def test_a_forecast_is_weighed_by_its_contacts() -> None:
    quiet = [(0.0, 1e9), (None, 1e9), (5.0, None)]  # nobody comes, or nothing is known
    assert trust_in_mean([(10.0, LONGEST_S), *quiet], 0.5, 60) == HandleTimeTrust(0.5, 0.0)
    assert trust_in_mean(quiet, None, CAP_S) == HandleTimeTrust()
    doubted = trust_in_mean([(10.0, LONGEST_S), (1.0, LONGEST_S + 1)], None, CAP_S)
    assert doubted.doubt == doubt_of(LONGEST_S + 1 / 11)
    assert doubted.doubt is not None
