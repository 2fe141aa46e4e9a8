"""``/v1/intervals`` for those who keep a copy: what has changed, and what has not."""

from __future__ import annotations

from typing import Any

import pytest

from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.intervals.counting import NUMBERS
from stream_app.model.targets import Targets
from stream_app.views.intervals import query as queries
from tests.views.examples import NOON
from tests.views.serving import Served

from .asking import LAST, OUTAGE, RANGE, get
from .kept import HOUR, MONDAY, Kept, busy

# --- changes ---


async def follow(served: Served, since: int, limit: int) -> tuple[list[tuple[Any, ...]], int]:
    """All changes after a revision, as a client pulls them; and what it asks for next time."""
    found: list[tuple[Any, ...]] = []
    path: str | None = f"/v1/intervals?since={since}&limit={limit}"
    while path:
        _, headers, answer = await served.get(path)
        found += [(r["queue"], r["channel"], r["start"], r["revision"]) for r in answer["rows"]]
        path, since = answer["next"], answer["revision"]
        assert headers["X-Revision"] == str(since)
        assert answer["from"] is answer["to"] is None
    return found, since


async def test_who_follows_revisions_sees_each_change_once(rows: Served, kept: Kept) -> None:
    every, since = await follow(rows, 0, 100)
    assert len(every) == len(set(every)) == 3 * 192
    assert [change[3] for change in every] == sorted(change[3] for change in every)
    assert await follow(rows, since, 100) == ([], since)
    keys = list(kept.by_key())
    numbered = iter(range(since + 1, since + 1000))
    for key in keys[::7]:
        kept.close(key, next(numbered), offered=kept.by_key()[key].offered + 1)
    kept.put(busy(MONDAY + 100 * INTERVAL_MS, "open"))
    changed, later = await follow(rows, since, 10)
    assert len(changed) == len(set(changed)) == len(keys[::7])
    assert later == since + len(changed)
    assert await follow(rows, later, 10) == ([], later)


async def test_changes_while_pages_are_read_come_with_the_next_pull(rows: Served, kept: Kept) -> None:
    first = await get(rows, "since=0&limit=100")
    again = ("billing", "voice", MONDAY)
    kept.close(again, MONDAY * 2)
    rest, since = await follow(rows, first["revision"], 100)
    assert rest[-1][3] == since == MONDAY * 2
    assert len(rest) == 3 * 192 - 100 + 1


async def test_what_changed_behind_a_reader_s_back_is_not_passed_over(rows: Served, kept: Kept) -> None:
    """The first page is read, one of its rows changes, and then one of the second: that one's revision would hide the first."""
    rows.board.advance(MONDAY + 30 * 24 * HOUR)
    now = MONDAY + 30 * 24 * HOUR
    first = await get(rows, f"{RANGE}&limit=100")
    newest = now * NUMBERS
    kept.close(("billing", "voice", MONDAY), newest + 1)
    kept.close(("sales", "voice", MONDAY + 47 * HOUR), newest + 2)
    path, last = first["next"], first
    while path:
        _, _, last = await rows.get(path)
        path = last["next"]
    changes, _ = await follow(rows, last["revision"], 100)
    assert {change[3] for change in changes} >= {newest + 1, newest + 2}
    assert last["revision"] == LAST, "nothing newer is sure"
    assert (await get(rows, f"{RANGE}&limit=10000"))["revision"] == newest + 2, "nothing changed meanwhile"


async def test_rows_that_are_left_out_do_not_hold_up_who_follows(rows: Served) -> None:
    rows.targets = Targets.of(
        {"outages": [OUTAGE | {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}]}
    )
    found, path = 0, "/v1/intervals?since=0&limit=10&outages=leave_out"
    while path:
        _, _, answer = await rows.get(path)
        found, path = found + len(answer["rows"]), answer["next"]
    assert found == 3 * 192 - 2 * 96
    assert answer["revision"] == LAST


async def test_a_revision_that_was_never_given_is_refused_and_not_echoed(rows: Served, kept: Kept) -> None:
    """Redis was wiped, say: whoever followed the old one would hear for ever that nothing is new."""
    status, _, problem = await rows.get(f"/v1/intervals?since={LAST + 1}")
    assert (status, problem["parameter"], problem["allowed"]) == (422, "since", [f"0…{LAST}"])
    assert f"{LAST + 1} is larger than the newest revision, {LAST}: " in problem["detail"]
    assert "reload what you need with from and to" in problem["detail"]
    assert (await get(rows, f"since={LAST}&queue=care"))["revision"] == LAST
    kept.drop(*kept.by_key())
    assert (await rows.get(f"/v1/intervals?since={LAST}"))[0] == 422
    assert (await get(rows, "since=0"))["rows"] == []


async def test_a_cursor_is_of_one_question(rows: Served) -> None:
    path = f"{RANGE}&limit=5&queue=billing&queue=sales"
    first = await get(rows, path)
    following = first["next"].partition("?")[2]
    cursor = following.partition("cursor=")[2].partition("&")[0]
    expected = (await get(rows, following))["rows"]
    for same in (
        "limit=5&queue=sales&queue=billing",
        "interval=15m&tz=UTC&limit=5&queue=billing&queue=sales",
    ):
        assert (await get(rows, f"{RANGE}&{same}&cursor={cursor}"))["rows"] == expected
    for other in (
        "interval=1h",
        "tz=Asia/Kathmandu",
        "queue=care",
        "channel=voice",
        "outages=leave_out",
        "policy=removed_within",
    ):
        status, _, problem = await rows.get(f"/v1/intervals?{path}&{other}&cursor={cursor}")
        assert (status, problem["parameter"]) == (422, "cursor"), other
        assert "another query" in problem["detail"]


# --- nothing new ---


async def test_what_has_not_changed_is_not_sent_again(rows: Served, kept: Kept) -> None:
    path = f"/v1/intervals?{RANGE}&queue=billing"
    _, headers, _ = await rows.get(path)
    assert headers["Cache-Control"] == "no-cache"
    asked = len(kept.asked)
    seen = {"If-None-Match": headers["ETag"]}
    status, again, body = await rows.get(path, **seen)
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
    assert len(kept.asked) == asked, "nothing was computed"
    assert (await rows.get("/v1/intervals?queue=billing&to=2026-01-07&from=2026-01-05", **seen))[0] == 304
    assert (await rows.get(f"{path}&format=csv", **seen))[0] == 200
    assert (await rows.get(f"{path}&queue=sales", **seen))[0] == 200
    kept.put(busy(MONDAY, "billing", seed=1))
    _, changed, _ = await rows.get(path, **seen)
    assert changed["ETag"] != headers["ETag"]
    rows.targets = Targets.of({"defaults": {"policy": "answered_only"}})
    assert (await rows.get(path, **{"If-None-Match": changed["ETag"]}))[0] == 200


async def test_a_range_that_follows_the_clock_is_another_one_each_minute(rows: Served) -> None:
    for path, same in (("/v1/intervals", False), (f"/v1/intervals?{RANGE}", True)):
        rows.board.advance(NOON + 90_000 if not same else rows.board.now + 1)
        _, headers, _ = await rows.get(path)
        rows.board.advance(rows.board.now + 10_000)
        assert (await rows.get(path, **{"If-None-Match": headers["ETag"]}))[0] == 304
        rows.board.advance(rows.board.now + 60_000)
        assert (await rows.get(path, **{"If-None-Match": headers["ETag"]}))[0] == (304 if same else 200)


@pytest.mark.parametrize("form", queries.FORMATS)
async def test_head_says_what_get_would(rows: Served, form: str) -> None:
    path = f"/v1/intervals?{RANGE}&format={form}&limit=3"
    _, expected, _ = await rows.get(path)
    status, headers, body = await rows.get(path, "HEAD")
    assert (status, body) == (200, b"")
    for name in ("ETag", "Content-Type", "X-Revision", "Link"):
        assert headers[name] == expected[name]
