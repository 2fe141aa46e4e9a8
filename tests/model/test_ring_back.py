"""Abandoned contacts are listed until they come back, by any way: nobody is called back twice."""

from typing import Literal

import pytest

from stream_app.model import events as e
from stream_app.model.fold.fold import Fold
from stream_app.model.live.board import Board
from stream_app.model.live.lists import gave_up
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets

T0 = 1_763_800_200_000
MINUTE = 60_000


def listed(*events: e.Event) -> list[str]:
    """Contacts to ring back after these events, as a reader sees it."""
    fold, board = Fold(Targets()), Board(T0)
    for event in events:
        assert fold.record(event, event.at) == "applied"
        for contact, visits in fold.take().visits.items():
            board.put_visits("t.0", contact, visits)
    board.advance(max(event.at for event in events))
    return [one.contact for one in gave_up(board, Snapshots(board).queues(Targets()), 10)]


def queued(at: int, *, queue: str = "sales", resumes: bool = False) -> e.Queued:
    return e.Queued(id=f"q{at}", at=T0 + at, contact_id="c", queue=queue, resumes=resumes)


def answered(
    at: int, direction: Literal["inbound", "outbound"] = "inbound", queue: str = "sales"
) -> e.Answered:
    return e.Answered(id=f"a{at}", at=T0 + at, contact_id="c", queue=queue, direction=direction)


def ended(at: int) -> tuple[e.Event, ...]:
    return (
        e.Ended(id=f"e{at}", at=T0 + at, contact_id="c"),
        e.Wrapped(id=f"w{at}", at=T0 + at + 5, contact_id="c"),
    )


GONE = (queued(0), e.Abandoned(id="g", at=T0 + 30_000, contact_id="c"))


def test_who_gave_up_is_to_be_rung_back() -> None:
    assert listed(*GONE) == ["c"]


@pytest.mark.parametrize(
    "back",
    [
        (queued(MINUTE),),
        (queued(MINUTE), answered(2 * MINUTE), *ended(3 * MINUTE)),
        (queued(MINUTE, queue="support"), answered(2 * MINUTE, queue="support")),
        (queued(MINUTE, resumes=True),),
        (answered(20 * MINUTE, "outbound"), *ended(25 * MINUTE)),
    ],
    ids=["waits again", "was served", "in another queue", "never gave up", "was rung back"],
)
def test_who_came_back_is_not(back: tuple[e.Event, ...]) -> None:
    assert listed(*GONE, *back) == []


def test_after_ten_minutes_nothing_takes_the_abandonment_back() -> None:
    """A stray event of later is about something else: the abandonment stays counted."""
    fold = Fold(Targets())
    for event in GONE:
        fold.record(event, event.at)
    late = e.Transferred(id="t", at=T0 + 45 * MINUTE, contact_id="c")
    assert fold.record(late, late.at) == "illegal"
    in_time = e.LeftQueue(id="l", at=T0 + 30_000 + 10 * MINUTE, contact_id="c")
    assert fold.record(in_time, late.at) == "applied"
