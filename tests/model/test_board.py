"""The board, fed piece by piece in any order, shows what a plain sum over all that it was given shows."""

from collections import Counter, defaultdict
from typing import Final

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import NUMBERS, Cell, add_into, pack_cell
from stream_app.model.fold.visit import Visit, Visits, VisitState
from stream_app.model.kpis import TOTALS
from stream_app.model.live.board import EVERYONE, Board
from stream_app.model.live.running import INTERVAL_MS
from stream_app.model.windows import KEPT, TOTAL, WINDOWS

NOON: Final = 1_767_182_400_000  # 2025-12-31 12:00 UTC
PARTITIONS = ("t.0", "t.1")
QUEUES: tuple[QueueChannel, ...] = (("sales", "voice"), ("sales", "chat"), ("care", "voice"))
ZONES = ("UTC", "Asia/Kathmandu", "America/New_York")

cells = st.dictionaries(
    st.sampled_from([1, 2, *(NUMBERS[name] for name in TOTALS), 77 << 9 | 40]), st.integers(1, 50), max_size=4
)


def visit(
    queue: QueueChannel,
    queued_at: int,
    target: int = 20_000,
    state: VisitState = VisitState.WAITING,
    predicted: int = 0,
) -> Visit:
    return Visit(*queue, state, queued_at, queued_at, target, 5_000, b"12345678", predicted=predicted)


def put(
    board: Board, place: tuple[int, int], cell: Cell, queue: QueueChannel = QUEUES[0], partition: str = "t.0"
) -> None:
    board.put_cells(partition, *place, [(queue, pack_cell(cell))])


class Incremental(RuleBasedStateMachine):
    """Against an oracle that keeps every cell and visit, and adds up from nothing whenever it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.board = Board(NOON)
        self.cells: dict[tuple[str, int, int, QueueChannel], Cell] = {}
        self.visits: dict[tuple[str, str], Visits] = {}
        self.shown: dict[QueueChannel, dict[str, int]] = defaultdict(dict)

    @initialize(asked=st.booleans())
    def ask_early_or_late(self, asked: bool) -> None:
        """A window may be asked for before anything was put, or after."""
        if asked:
            self.the_windows_are_plain_sums()

    @rule(
        partition=st.sampled_from(PARTITIONS),
        resolution=st.sampled_from([*KEPT, TOTAL]),
        back=st.integers(-3, 130),
        queue=st.sampled_from(QUEUES),
        cell=cells,
    )
    def put(self, partition: str, resolution: int, back: int, queue: QueueChannel, cell: Cell) -> None:
        bucket = 0 if resolution == TOTAL else (self.now // resolution - back) * resolution
        put(self.board, (resolution, bucket), cell, queue, partition)
        if resolution == TOTAL or bucket >= self.now - KEPT[resolution]:
            self.cells[partition, resolution, bucket, queue] = cell

    @rule(
        partition=st.sampled_from(PARTITIONS),
        contact=st.sampled_from("abc"),
        visits=st.lists(
            st.builds(
                visit,
                st.sampled_from(QUEUES),
                st.integers(NOON - 100_000, NOON + 100_000),
                st.integers(0, 60_000),
                st.sampled_from(
                    [VisitState.WAITING, VisitState.WAITING, VisitState.TALKING, VisitState.ABANDONED]
                ),
                st.sampled_from([0, 0, 2_000, 4_000]),
            ),
            max_size=3,
        ),
    )
    def put_visits(self, partition: str, contact: str, visits: Visits) -> None:
        self.board.put_visits(partition, contact, visits)
        self.visits[partition, contact] = visits

    @rule(partition=st.sampled_from(PARTITIONS))
    def forget(self, partition: str) -> None:
        self.board.forget(partition)
        self.cells = {k: v for k, v in self.cells.items() if k[0] != partition}
        self.visits = {k: v for k, v in self.visits.items() if k[0] != partition}

    @rule(partition=st.sampled_from(PARTITIONS), data=st.data())
    def load_anew(self, partition: str, data: st.DataObject) -> None:
        """What is not put again between mark and sweep is gone; what is put again never was away."""
        mine = [k for k in self.cells if k[0] == partition]
        kept = data.draw(st.sets(st.sampled_from(mine))) if mine else set()
        contacts = [k for k in self.visits if k[0] == partition]
        still = data.draw(st.sets(st.sampled_from(contacts))) if contacts else set()
        self.board.mark(partition)
        for place in kept:
            put(self.board, place[1:3], self.cells[place], place[3], partition)
        for who in still:
            self.board.put_visits(partition, who[1], self.visits[who])
        self.board.sweep(partition)
        self.cells = {k: v for k, v in self.cells.items() if k[0] != partition or k in kept}
        self.visits = {k: v for k, v in self.visits.items() if k[0] != partition or k in still}

    @rule(step=st.sampled_from([1, 9_999, 10_000, 61_000, 299_999, 1_800_000, 40_000_000, 90_000_000]))
    def advance(self, step: int) -> None:
        self._go(self.now + step)

    @precondition(lambda self: self.now > NOON)
    @rule(step=st.sampled_from([1, 10_000, 3_600_000]))
    def set_back(self, step: int) -> None:
        self._go(self.now - step)

    def _go(self, now: int) -> None:
        self.now = now
        self.board.advance(now)
        self.cells = {k: v for k, v in self.cells.items() if k[1] == TOTAL or k[2] >= now - KEPT[k[1]]}

    def sums(self, window: str, zone: str, queue: QueueChannel) -> Cell:
        w, out = WINDOWS[window], Cell()
        first = w.start(self.now, zone)
        for (_, resolution, bucket, cell_queue), cell in self.cells.items():
            if resolution == w.resolution and first <= bucket <= self.now and queue in {cell_queue, EVERYONE}:
                add_into(out, cell)
        return {number: n for number, n in out.items() if n}

    @invariant()
    def the_windows_are_plain_sums(self) -> None:
        for zone in ZONES:
            for name in WINDOWS:
                sums = self.board.running(name, zone).sums
                for queue in (*QUEUES, EVERYONE):
                    assert sums.get(queue, {}) == self.sums(name, zone, queue)

    @invariant()
    def who_waits_is_who_was_put(self) -> None:
        for queue in QUEUES:
            mine = [
                v
                for visits in self.visits.values()
                for v in visits
                if (v.queue, v.channel) == queue and v.state == VisitState.WAITING
            ]
            waiting = self.board.waiting.get(queue)
            assert (waiting.queued if waiting else []) == sorted(v.queued_at for v in mine)
            for back in (0, 60_000):
                expected = sum(self.now - back <= v.due <= self.now for v in mine)
                assert (waiting.overdue(self.now - back, self.now) if waiting else 0) == expected

    @invariant()
    def totals_never_fall(self) -> None:
        for queue in QUEUES:
            summed: Cell = {}
            for (_, resolution, _, cell_queue), cell in self.cells.items():
                if resolution == TOTAL and cell_queue == queue:
                    add_into(summed, cell)
            shown = self.shown[queue]
            for name, terms in TOTALS.items():
                now = sum(sign * summed.get(NUMBERS[c.name], 0) for sign, c in terms.terms)
                shown[name] = max(now, shown.get(name, 0))
            got = self.board.totals.get(queue, {})
            assert all(got.get(name, 0) >= n for name, n in shown.items())
            shown |= got

    @invariant()
    def moods_are_those_of_open_visits(self) -> None:
        for queue in QUEUES:
            expected = sorted(
                (contact, v.predicted, v.queued_at)
                for (_, contact), visits in self.visits.items()
                for v in visits
                if (v.queue, v.channel) == queue and v.predicted and v.state != VisitState.ABANDONED
            )
            found = self.board.moods.get(queue, Counter()).elements()
            assert sorted((one.contact, one.predicted, one.queued_at) for one in found) == expected

    @invariant()
    def who_gave_up_is_listed(self) -> None:
        for queue in QUEUES:
            expected = sorted(
                (contact, v.since, v.wait)
                for (_, contact), visits in self.visits.items()
                for v in visits
                if (v.queue, v.channel) == queue and v.state == VisitState.ABANDONED
            )
            found = self.board.gone.get(queue, Counter()).elements()
            assert sorted((one.contact, one.at, one.waited) for one in found) == expected

    @invariant()
    def an_interval_is_the_sum_of_its_partitions(self) -> None:
        for queue in QUEUES:
            buckets = {k[2] for k in self.cells if k[1] == INTERVAL_MS and k[3] == queue}
            for bucket in buckets:
                summed = Cell()
                for partition in PARTITIONS:
                    add_into(summed, self.cells.get((partition, INTERVAL_MS, bucket, queue), {}))
                assert self.board.interval(queue, bucket) == summed

    @invariant()
    def a_queue_is_known_as_long_as_anything_is_kept_of_it(self) -> None:
        known = {queue for *_, queue in self.cells}
        known |= {
            (v.queue, v.channel)
            for visits in self.visits.values()
            for v in visits
            if v.state in (VisitState.WAITING, VisitState.ABANDONED) or v.predicted
        }
        assert set(self.board.queues()) == known


Incremental.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
test_incremental = Incremental.TestCase


def test_a_window_decays_although_nobody_feeds_it() -> None:
    board = Board(NOON)
    put(board, (10_000, NOON), {1: 7})
    running = board.running("5m", "UTC")
    board.advance(NOON + 299_999)
    assert running.sums[QUEUES[0]] == {1: 7}
    board.advance(NOON + 300_000)
    assert running.sums[QUEUES[0]] == {}


def test_a_bucket_from_a_clock_ahead_of_ours_enters_when_its_time_comes() -> None:
    board = Board(NOON)
    running = board.running("5m", "UTC")
    put(board, (10_000, NOON + 10_000), {1: 7})
    assert running.sums.get(QUEUES[0], {}) == {}
    board.advance(NOON + 10_000)
    assert running.sums[QUEUES[0]] == {1: 7}


def test_a_clock_set_back_is_a_change() -> None:
    board = Board(NOON)
    put(board, (10_000, NOON), {1: 7})
    before = dict(board.changes)
    board.advance(NOON - 60_000)
    assert board.changes != before


def test_the_same_value_again_is_no_change() -> None:
    board = Board(NOON)
    put(board, (10_000, NOON), {1: 7})
    board.put_visits("t.0", "c", [visit(QUEUES[0], NOON)])
    before = dict(board.changes)
    put(board, (10_000, NOON), {1: 7})
    board.put_visits("t.0", "c", [visit(QUEUES[0], NOON)])
    assert board.changes == before


OFFERED = NUMBERS["offered"]
HOUR = 3_600_000


def live(board: Board, queue: QueueChannel = QUEUES[0]) -> int:
    return board.live.get(queue, {}).get("offered", 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*KEPT, TOTAL]),
            st.sampled_from([20 * 60_000 + 10_000, HOUR, 7 * 24 * HOUR]),
            st.integers(1, 10_000),
        )
    )
)
def test_history_moves_no_live_total_whatever_is_counted_of_it(history: list[tuple[int, int, int]]) -> None:
    board = Board(NOON)
    put(board, (10_000, NOON), {OFFERED: 7})
    for resolution, ago, n in history:
        bucket = (NOON - ago) // resolution * resolution if resolution else 0
        put(board, (resolution, bucket), {OFFERED: n})
    assert live(board) == 7


def test_a_recording_moves_no_live_total_even_of_this_minute() -> None:
    board = Board(NOON)
    for partition in ("file:monday.0", "t.0"):
        put(board, (10_000, NOON), {OFFERED: 7}, partition=partition)
        put(board, (TOTAL, 0), {OFFERED: 7}, partition=partition)
    assert live(board) == 7
    assert board.totals[QUEUES[0]]["offered"] == 14


def test_what_a_reader_finds_when_it_begins_is_past_and_what_follows_is_live() -> None:
    """Otherwise each restart would count the last minutes once more."""
    board = Board(NOON)
    board.mark("t.0")
    put(board, (10_000, NOON), {OFFERED: 7})
    board.sweep("t.0")
    assert live(board) == 0
    put(board, (10_000, NOON), {OFFERED: 9})
    assert live(board) == 2
    board.mark("t.0")  # loaded again, after the store was away: what came meanwhile is not lost
    put(board, (10_000, NOON), {OFFERED: 12})
    board.sweep("t.0")
    assert live(board) == 5


def test_counting_again_what_was_counted_moves_no_live_total() -> None:
    """A store that was wiped and rebuilt, or stepped back."""
    board = Board(NOON)
    put(board, (10_000, NOON), {OFFERED: 7})
    board.forget("t.0")
    board.restart_totals()
    for n in (3, 7):
        put(board, (10_000, NOON), {OFFERED: n})
        assert live(board) == 7
    put(board, (10_000, NOON), {OFFERED: 8})
    assert live(board) == 8


def test_a_load_that_was_broken_off_is_begun_anew() -> None:
    board = Board(NOON)
    put(board, (10_000, NOON), {1: 7})
    put(board, (10_000, NOON - 10_000), {1: 5})
    board.mark("t.0")
    put(board, (10_000, NOON), {1: 7})  # and then the store went away
    board.mark("t.0")
    put(board, (10_000, NOON - 10_000), {1: 5})
    board.sweep("t.0")
    assert board.running("5m", "UTC").sums[QUEUES[0]] == {1: 5}


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=40))
def test_who_waits_is_a_sorted_multiset(steps: list[tuple[int, bool]]) -> None:
    board, alive = Board(NOON), dict[str, int]()
    for at, comes in steps:
        contact = str(at)
        board.put_visits("t.0", contact, [visit(QUEUES[0], NOON + at % 7)] if comes else [])
        if comes:
            alive[contact] = NOON + at % 7
        else:
            alive.pop(contact, None)
    waiting = board.waiting.get(QUEUES[0])
    assert (waiting.queued if waiting else []) == sorted(alive.values())
