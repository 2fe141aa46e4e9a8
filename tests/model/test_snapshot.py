"""Snapshots: what people and machines are shown, from a board and the settings."""

from math import isclose
from typing import Final

import pytest
from hypothesis import given, strategies as st

from stream_app.model import facts as f, sketch
from stream_app.model.events import Abandoned, Answered, LeftQueue, Queued
from stream_app.model.fold.cells import NUMBERS, Cell, pack_cell, roll_up
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.tally import counters_of
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.kpis.measures import Value, percentile
from stream_app.model.live.board import Board
from stream_app.model.live.formulas import PERCENTILES, percentiles
from stream_app.model.live.rows import QueueRow, Snapshot
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Overrides, Targets
from stream_app.model.windows import TOTAL, WINDOWS

NOON: Final = 1_767_182_400_000  # 2025-12-31 12:00 UTC
VOICE = ("sales", "voice")
NEW_YORK_MIDNIGHT: Final = NOON - 7 * 3_600_000  # 00:00-05:00


def visit(queued_at: int, target: int = 20_000, short: int = 5_000) -> Visit:
    return Visit(*VOICE, VisitState.WAITING, queued_at, queued_at, target, short, b"12345678")


def feed(board: Board, fold: Fold) -> None:
    """Give a board what a worker would have stored."""
    deltas = fold.take()
    cells = roll_up(deltas.cells, lambda *_: False)
    for (resolution, (start, *queue)), cell in cells.items():
        board.put_cells("t.0", resolution, start, [((queue[0], queue[1]), pack_cell(cell))])
    for contact, visits in deltas.visits.items():
        board.put_visits("t.0", contact, visits)


def row(snapshot: Snapshot, queue: tuple[str, str] = VOICE) -> QueueRow:
    return next(r for r in snapshot.rows if (r.queue, r.channel) == queue)


def the_hundred_offered() -> Board:
    """The day on which the service levels differ: T = 20 s, short = 5 s, 100 offered."""
    waits = [
        *[(Answered, 10)] * 70,
        *[(Answered, 30)] * 15,
        *[(Abandoned, 4)] * 4,
        *[(Abandoned, 15)] * 4,
        *[(Abandoned, 60)] * 5,
        (LeftQueue, 15),
        (LeftQueue, 45),
    ]
    fold, board = Fold(Targets()), Board(NOON)
    for n in range(len(waits)):
        queued = Queued(id=f"q{n}", at=NOON - 120_000, contact_id=f"c{n}", queue=VOICE[0], channel=VOICE[1])
        assert fold.record(queued, queued.at) == "applied"
    for n, (kind, wait) in sorted(enumerate(waits), key=lambda entry: entry[1][1]):
        outcome = kind(id=f"o{n}", at=NOON - 120_000 + wait * 1000, contact_id=f"c{n}")
        assert fold.record(outcome, outcome.at) == "applied"
    feed(board, fold)
    return board


@pytest.mark.parametrize(
    ("policy", "numerator", "denominator"),
    [
        ("answered_of_offered", 70, 100),
        ("without_short_abandons", 70, 96),
        ("answered_or_abandoned", 70, 98),
        ("answered_or_abandoned_late", 70, 90),
        ("answered_only", 70, 85),
        ("ignoring_early_abandons", 70, 92),
        ("abandons_count_as_met", 78, 100),
        ("answered_or_abandoned_without_short", 70, 94),
        ("removed_within", 79, 100),
    ],
)
def test_nine_service_levels_of_one_day(policy: str, numerator: int, denominator: int) -> None:
    targets = Targets(defaults=Overrides(policy=policy))
    shown = row(Snapshots(the_hundred_offered()).take(targets))
    assert shown.policy == policy
    for window in WINDOWS:
        assert shown.windows[window]["service_level"] == Value(numerator / denominator, denominator)


def test_every_policy_has_its_example() -> None:
    marks = test_nine_service_levels_of_one_day.pytestmark  # type: ignore[attr-defined]
    assert {example[0] for example in marks[0].args[1]} == set(SERVICE_LEVELS)


def waits(shown: QueueRow) -> tuple[float | None, float | None]:
    return shown.levels["backlog"], shown.levels["oldest_waiting"]


def test_the_day_in_the_other_numbers() -> None:
    shown = row(Snapshots(the_hundred_offered()).take(Targets()))
    five = shown.windows["5m"]
    assert five["abandonment"] == Value(9 / 96, 96)
    first = five["first_response"]
    assert first.value == pytest.approx((70 * 10 + 15 * 30) / 85)
    assert first.samples == 85
    assert first.percentiles is not None
    assert isclose(first.percentiles["p50"] or 0, 10, rel_tol=sketch.RELATIVE_ERROR)
    assert isclose(first.percentiles["p90"] or 0, 30, rel_tol=sketch.RELATIVE_ERROR)
    assert five["handle_time"] == Value(None, 0, dict.fromkeys(PERCENTILES))
    assert shown.totals == {
        "offered": 100,
        "answered": 85,
        "abandoned": 13,
        "abandonments_undone": 0,
        "handled": 0,
    }
    assert waits(shown) == (0, 0.0)


def test_seconds_are_exact_to_the_last_digit() -> None:
    """26 ms over 2 are 0.013 s; multiplied by a thousandth they would be 0.013000000000000001."""
    board = Board(NOON + 13)
    cell = {NUMBERS["responded"]: 2, NUMBERS["response_ms"]: 26}
    board.put_cells("t.0", 10_000, NOON, [(VOICE, pack_cell(cell))])
    board.put_visits("t.0", "c", [visit(NOON)])
    shown = row(Snapshots(board).take(Targets()))
    assert shown.windows["5m"]["first_response"].value == 0.013
    assert shown.levels["oldest_waiting"] == 0.013


def test_who_waits_misses_the_target_the_moment_it_has_passed() -> None:
    """Nobody answers, nobody gives up, no event comes: the service level falls at exactly T."""
    board = Board(NOON)
    board.put_cells("t.0", TOTAL, 0, [(VOICE, pack_cell({NUMBERS["offered"]: 1}))])
    board.put_visits("t.0", "c", [visit(NOON)])
    snapshots, targets = Snapshots(board), Targets()
    board.advance(NOON + 19_999)
    before = row(snapshots.take(targets))
    assert before.windows["5m"]["service_level"] == Value(None, 0)
    assert waits(before) == (1, 19.999)
    board.advance(NOON + 20_000)
    assert row(snapshots.take(targets)).windows["5m"]["service_level"] == Value(0.0, 1)
    board.advance(NOON + 20_000 + 300_000)  # it waits on, but was decided longer ago than the window reaches
    after = row(snapshots.take(targets))
    assert after.windows["5m"]["service_level"] == Value(None, 0)
    assert after.windows["30m"]["service_level"] == Value(0.0, 1)
    assert waits(after) == (1, 320.0)


def test_windows_decay_without_an_event_until_there_is_no_data() -> None:
    board = the_hundred_offered()
    snapshots, targets = Snapshots(board), Targets()
    for after, alive in {
        0: {"5m", "15m", "30m", "1h", "today"},
        300_000: {"15m", "30m", "1h", "today"},
        1_800_000: {"1h", "today"},
        3_600_000: {"today"},
        43_200_000: set(),
    }.items():
        board.advance(NOON + after)
        windows = row(snapshots.take(targets)).windows
        assert {name for name in WINDOWS if windows[name]["service_level"].value is not None} == alive


def test_a_clock_set_back_shows_what_was_there() -> None:
    board = the_hundred_offered()
    snapshots, targets = Snapshots(board), Targets()
    board.advance(NOON + 400_000)
    assert row(snapshots.take(targets)).windows["5m"]["service_level"].value is None
    board.advance(NOON)
    assert row(snapshots.take(targets)).windows["5m"]["service_level"].samples == 96


def test_what_did_not_change_is_the_same_object() -> None:
    board = the_hundred_offered()
    snapshots, targets = Snapshots(board), Targets()
    first = row(snapshots.take(targets))
    board.advance(NOON + 1)
    assert row(snapshots.take(targets)) is first
    board.put_visits("t.0", "late", [visit(NOON)])
    second = row(snapshots.take(targets))
    assert second is not first
    assert second.windows is first.windows


def test_new_settings_hold_at_once() -> None:
    board = the_hundred_offered()
    snapshots = Snapshots(board)
    snapshots.take(Targets())
    shown = row(snapshots.take(Targets().with_queue("sales", targets={"abandonment": 0.5})))
    assert shown.targets["abandonment"] == 0.5


def test_days_start_at_the_queues_own_midnight_and_everyones_at_the_default_one() -> None:
    board = Board(NOON)
    number = NUMBERS["handle"] << 9
    for bucket in (NEW_YORK_MIDNIGHT - 900_000, NEW_YORK_MIDNIGHT):
        cell = {NUMBERS["handled"]: 1, NUMBERS["talk_ms"]: 1000, number | sketch.bucket(1000): 1}
        board.put_cells("t.0", 900_000, bucket, [(VOICE, pack_cell(cell))])
    shown = Snapshots(board).take(Targets(defaults=Overrides(zone="America/New_York")))
    assert row(shown).windows["today"]["handle_time"].samples == 1
    assert shown.everyone["today"]["handle_time"].samples == 1
    assert Snapshots(board).take(Targets()).everyone["today"]["handle_time"].samples == 2


def test_everyones_percentiles_are_those_of_all_values_together() -> None:
    board = Board(NOON)
    for queue, seconds, n in (("a", 1, 90), ("b", 100, 10)):
        facts = [f.Handled(NOON, seconds * 1000, 0, 0, False)] * n
        board.put_cells("t.0", 10_000, NOON, [((queue, "voice"), pack_cell(counters_of(facts)))])
    everyone = Snapshots(board).take(Targets()).everyone["5m"]["handle_time"]
    assert everyone.percentiles is not None
    assert isclose(everyone.percentiles["p90"] or 0, 1, rel_tol=sketch.RELATIVE_ERROR)
    assert isclose(everyone.percentiles["p95"] or 0, 100, rel_tol=sketch.RELATIVE_ERROR)
    assert everyone.samples == 100


def test_numbers_are_the_stores_whatever_this_program_would_have_chosen() -> None:
    """An older or newer program began the registry: its numbers are not ours."""
    numbers = {name: n + 100 for name, n in NUMBERS.items() if name not in {"handle", "lost"}}
    board = Board(NOON, {**numbers, "from_the_future": NUMBERS["lost"]})
    cell = {
        numbers["answered"]: 4,
        numbers["answered_in_target"]: 3,
        numbers["decided"]: 4,
        NUMBERS["answered"]: 99,
    }
    board.put_cells("t.0", 10_000, NOON, [(VOICE, pack_cell(cell))])
    five = row(Snapshots(board).take(Targets())).windows["5m"]
    assert five["service_level"] == Value(0.75, 4)
    assert five["handle_time"] == Value(None, 0, dict.fromkeys(PERCENTILES))


@given(st.dictionaries(st.integers(0, 511), st.integers(1, 1000), max_size=30))
def test_percentiles_in_one_pass_are_those_of_the_sketch(counts: Cell) -> None:
    cell = {27 << 9 | index: n for index, n in counts.items()} | {1: 5, 26 << 9 | 511: 8, 28 << 9: 8}
    expected = {name: percentile(q, counts) for name, q in PERCENTILES.items()}
    assert percentiles(cell, 27) == pytest.approx(expected)
