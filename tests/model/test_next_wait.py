"""The expected wait of each queue: who is there for it, of agents who serve several queues a part."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from stream_app.model.fold.cells import NUMBERS, pack_cell
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.live.board import Board
from stream_app.model.live.expected_wait import NO_WAIT, StaffThere, expected_wait
from stream_app.model.live.lists import waiting
from stream_app.model.live.next_wait import NextWaits
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.presence import Presence, Telling
from stream_app.model.targets import Targets
from stream_app.model.windows import WINDOWS

NOW = 1_763_812_800_000
HANDLE_S = 200.0
TARGETS = Targets.of({"defaults": {"patience_s": 100}})


def board(
    waiting: dict[str, int], busy: Iterable[tuple[str, ...]], available: Iterable[tuple[str, ...]] = ()
) -> Board:
    """Queues with so many calls that wait, and agents, each by the queues that the agent serves."""
    found = Board(NOW, NUMBERS)
    for queue, n in waiting.items():
        for contact in range(n):
            visit = Visit(
                queue, "voice", VisitState.WAITING, NOW - 1000, NOW - 1000, 20_000, 5_000, b"12345678"
            )
            found.put_visits("calls.0", f"{queue}{contact}", (visit,))
        cell = {NUMBERS["handled"]: 10, NUMBERS["talk_ms"]: 1_500_000, NUMBERS["wrap_ms"]: 500_000}
        start = NOW - NOW % WINDOWS["30m"].resolution
        found.put_cells("calls.0", WINDOWS["30m"].resolution, start, [((queue, "voice"), pack_cell(cell))])
    for state, some in (("on_contact", busy), ("available", available)):
        for n, queues in enumerate(some):
            told = Presence().tell(Telling(NOW - 5000, "available", queues=queues))
            found.put_agent("calls.0", f"{state}{n}", told.tell(Telling(NOW - 4000, state)))  # type: ignore[arg-type]
    return found


def wait_of(found: Board, queue: str) -> object:
    place = (queue, "voice")
    return NextWaits(found, NUMBERS).of(place, TARGETS.rule(*place))


def test_agents_of_one_queue_are_all_for_it() -> None:
    assert wait_of(board({"a": 3}, [("a",)] * 4), "a") == expected_wait(3, StaffThere(4, 0, HANDLE_S, 100))


def test_who_serves_two_queues_is_shared_by_who_waits() -> None:
    found = board({"a": 3, "b": 1}, [("a", "b")] * 5)
    assert wait_of(found, "a") == expected_wait(3, StaffThere(5 * 4 / 5, 0, HANDLE_S, 100))
    assert wait_of(found, "b") == expected_wait(1, StaffThere(5 * 2 / 5, 0, HANDLE_S, 100))


def test_where_nobody_waits_elsewhere_all_of_an_agent_is_there() -> None:
    found = board({"a": 2, "b": 0}, [("a", "b")] * 5)
    assert wait_of(found, "a") == expected_wait(2, StaffThere(5, 0, HANDLE_S, 100))


def test_somebody_available_takes_the_next_one_at_once() -> None:
    assert wait_of(board({"a": 0}, [("a",)], available=[("a",)]), "a") == NO_WAIT


@pytest.mark.parametrize("nobody", [board({"a": 1}, []), board({"a": 1}, [("b",)])])
def test_without_agents_it_is_not_known(nobody: Board) -> None:
    assert wait_of(nobody, "a") is None


def test_a_row_follows_what_happens_in_other_queues() -> None:
    found = board({"a": 1, "b": 0}, [("a", "b")] * 2)
    snapshots = Snapshots(found)

    def next_wait() -> object:
        found.advance(found.now + 1000)
        return next(row.next_wait for row in snapshots.take(TARGETS).rows if row.queue == "a")

    before = next_wait()
    visit = Visit("b", "voice", VisitState.WAITING, NOW, NOW, 20_000, 5_000, b"12345678")
    found.put_visits("calls.0", "another", (visit,))
    assert before != next_wait() == expected_wait(1, StaffThere(2 * 2 / 3, 0, HANDLE_S, 100))


def test_places_in_line() -> None:
    found = board({"a": 0, "b": 1}, [("a",)] * 4)
    for contact, channel, queued_at in (
        ("x", "voice", NOW - 30),
        ("y", "video", NOW - 40),
        ("z", "voice", NOW - 20),
    ):
        visit = Visit("a", channel, VisitState.WAITING, queued_at, queued_at, 20_000, 5_000, b"12345678")
        found.put_visits("calls.0", contact, (visit,))
    lines = waiting(found, Snapshots(found), TARGETS, lambda place: place.queue == "a")
    assert [(one.contact, one.place) for one in lines] == [("y", 1), ("x", 2), ("z", 3)]
    assert [one.wait for one in lines] == [
        None,  # nobody was handled there yet
        expected_wait(1, StaffThere(4, 0, HANDLE_S, 100)),
        expected_wait(2, StaffThere(4, 0, HANDLE_S, 100)),
    ]
