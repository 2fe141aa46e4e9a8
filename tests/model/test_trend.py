"""The last six hours by intervals: the snapshot's formulas, and the depth of the queue, against a plain fold of events."""

from random import Random
from typing import Final

import pytest

from stream_app.model.events import (
    Abandoned,
    Answered,
    BotStarted,
    Event,
    HandedOff,
    LeftQueue,
    MessageSent,
    Queued,
)
from stream_app.model.fold.fold import Fold
from stream_app.model.kpis import HEADLINES
from stream_app.model.live.board import Board
from stream_app.model.live.running import INTERVAL_MS
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.live.trend import TRENDS, WHOLE, YOUNG_MS, QueueTrend, Trends, steps
from stream_app.model.targets import Overrides, Targets
from tests.reference.traffic import traffic

from .test_snapshot import NOON, VOICE, feed, row, visit

NOW: Final = NOON + 400_000
TARGET, SHORT = 20_000, 5_000
Story = tuple[int, type[Answered | Abandoned | LeftQueue] | None, int]
"""when it was queued, how its wait ended, and when (``None``: it waits still)"""


def queued_as(event: str, at: int, contact: str, *, resumes: bool = False) -> Queued:
    return Queued(id=event, at=at, contact_id=contact, queue=VOICE[0], channel=VOICE[1], resumes=resumes)


def trends_of(board: Board) -> Trends:
    return Trends(board, Snapshots(board, HEADLINES))


def stories(seed: int) -> list[Story]:
    """Contacts of seven hours, in no order, some of whom wait still."""
    rng, out = Random(seed), []
    kinds = (Answered, Answered, Abandoned, LeftQueue)
    for _ in range(600):
        queued = NOW - rng.randrange(7 * 3_600_000)
        ended = queued + rng.choice((1_000, 4_000, 15_000, 90_000, 2_000_000)) + rng.randrange(900)
        story: Story = (queued, rng.choice(kinds), ended) if ended <= NOW else (queued, None, 0)
        out.append(story)
    return out


def board_of(told: list[Story], targets: Targets) -> Board:
    events: list[Event] = []
    for n, (queued, kind, ended) in enumerate(told):
        events.append(queued_as(f"q{n}", queued, f"c{n}"))
        if kind:
            events.append(kind(id=f"e{n}", at=ended, contact_id=f"c{n}"))
    fold, board = Fold(targets), Board(NOW)
    for event in sorted(events, key=lambda e: e.at):
        assert fold.record(event, event.at) == "applied"
    feed(board, fold)
    return board


def depth(told: list[Story], at: int) -> int:
    return sum(queued < at and (kind is None or ended >= at) for queued, kind, ended in told)


def service_level(told: list[Story], start: int, policy: str) -> tuple[int, int]:
    """Over and under the line, of those that were decided in an interval."""
    over = under = 0
    for queued, kind, ended in told:
        late = kind is None or ended - queued > TARGET
        decided = queued + TARGET if late else ended
        if start <= decided < start + INTERVAL_MS and decided <= NOW:
            short = kind is Abandoned and ended - queued <= SHORT
            under += policy == "answered_of_offered" or not short
            over += kind is Answered and not late
    return over, under


@pytest.mark.parametrize("policy", ["without_short_abandons", "answered_of_offered"])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_plain_fold_of_the_events_gives(seed: int, policy: str) -> None:
    told, targets = stories(seed), Targets(defaults=Overrides(policy=policy))
    found = trends_of(board_of(told, targets)).row(targets, VOICE, NOW).lines
    starts = steps(NOW)
    assert (len(starts), starts[-1]) == (WHOLE + 1, NOON)
    assert any(kind is None for _, kind, _ in told)
    ends = [*(start + INTERVAL_MS for start in starts[:-1]), NOW + 1]
    assert found["backlog"].values == [depth(told, end) for end in ends]
    assert found["backlog"].samples is None
    parts = [service_level(told, start, policy) for start in starts]
    assert found["service_level"].values == [over / under if under else None for over, under in parts]
    assert found["service_level"].samples == [under for _, under in parts]


def test_the_running_interval_is_the_snapshots_value_of_the_same_cells() -> None:
    """Where all that there is lies in the running interval, the trend's last step is the value of every window."""
    told = [story for story in stories(9) if story[0] >= NOON]
    board = board_of(told, Targets())
    shown = row(Snapshots(board).take(Targets())).windows["today"]
    lines = trends_of(board).row(Targets(), VOICE, NOW).lines
    for kpi in TRENDS:
        if not kpi.is_level:
            values, samples = lines[kpi.name].values, lines[kpi.name].samples
            assert samples
            assert (values[-1], samples[-1]) == (shown[kpi.name].value, shown[kpi.name].samples)
            assert set(values[:-1]) == {None}


def test_a_day_of_everything_that_happens_leaves_no_depth_below_zero_and_ends_with_those_who_wait() -> None:
    from stream_app.ingest.dialects.canonical import decode

    fold, now = Fold(Targets()), 0
    for _, value, at in traffic(3, 1_500, rate=0.1):
        for event in decode(value):
            fold.record(event, at)
        now = max(now, at)
    board = Board(now)
    feed(board, fold)
    trends, seen = trends_of(board), 0
    for queue in board.queues():
        values = trends.row(Targets(), queue, now).lines["backlog"].values
        assert values[-1] == len(board.waiting[queue].queued if queue in board.waiting else ())
        assert all(value is not None and value >= 0 for value in values)
        seen += any(values)
    assert seen > 5


def test_an_abandonment_that_is_taken_back_waited_until_then() -> None:
    interval = NOON - INTERVAL_MS
    fold, board = Fold(Targets()), Board(NOW)
    told: tuple[Event, ...] = (
        queued_as("q", interval - 60_000, "c"),
        Abandoned(id="a", at=interval - 1_000, contact_id="c"),
        queued_as("r", interval + 1_000, "c", resumes=True),
        Answered(id="b", at=NOON + 1_000, contact_id="c"),
    )
    for event in told:
        assert fold.record(event, event.at) == "applied"
    feed(board, fold)
    assert trends_of(board).row(Targets(), VOICE, NOW).lines["backlog"].values[-3:] == [1, 1, 0]


def test_who_is_with_a_bot_waits_for_nobody_until_the_hand_off() -> None:
    interval = NOON - INTERVAL_MS
    fold, board = Fold(Targets()), Board(NOW)
    chat = ("sales", "chat")
    told: tuple[Event, ...] = (
        Queued(id="q", at=interval - 60_000, contact_id="c", queue=chat[0], channel=chat[1]),
        BotStarted(id="b", at=interval - 59_000, contact_id="c"),
        HandedOff(id="h", at=interval + 1_000, contact_id="c"),
        MessageSent(id="m", at=NOON + 1_000, contact_id="c"),
    )
    for event in told:
        assert fold.record(event, event.at) == "applied"
    feed(board, fold)
    assert trends_of(board).row(Targets(), chat, NOW).lines["backlog"].values[-3:] == [0, 1, 0]


def test_young_rows_are_given_again_and_what_is_over_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = board_of(stories(1), Targets())
    trends, read = trends_of(board), []
    interval = board.interval

    def counting(queue: tuple[str, str], bucket: int) -> dict[int, int]:
        read.append(bucket)
        return interval(queue, bucket)

    monkeypatch.setattr(board, "interval", counting)

    def look(now: int, targets: Targets) -> tuple[QueueTrend, int]:
        read.clear()
        board.advance(now)
        return trends.row(targets, VOICE, now), len(read)

    targets = Targets()
    first, reads = look(NOW, targets)
    assert reads == WHOLE + 2
    assert look(NOW + YOUNG_MS - 1, targets) == (first, 0)
    assert look(NOW + YOUNG_MS, targets)[1] == 0
    board.put_visits("t.0", "another", [visit(NOW)])
    again, reads = look(NOW + 2 * YOUNG_MS, targets)
    assert reads == 0
    assert again.lines["backlog"].values[-1] == (first.lines["backlog"].values[-1] or 0) + 1
    assert look(NOON + INTERVAL_MS, targets)[1] == 1  # the interval before the one that begins
    assert look(NOON + INTERVAL_MS, Targets())[1] == WHOLE + 2  # other settings may have other policies


def test_a_queue_of_which_nothing_is_known_has_no_data_and_nobody_waits() -> None:
    lines = trends_of(Board(NOW)).row(Targets(), ("new", "chat"), NOW).lines
    assert set(lines) == {kpi.name for kpi in TRENDS}
    assert set(lines["service_level"].values) == {None}
    assert set(lines["backlog"].values) == {0}
