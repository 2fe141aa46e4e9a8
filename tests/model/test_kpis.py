"""Worked examples: events in, number out, for every KPI of the catalogue and every service-level policy."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.cells import NUMBERS, Cell, pack_cell, roll_up
from stream_app.model.fold.fold import Fold
from stream_app.model.kpis import BY_NAME, COUNTERS, KPIS, SERVICE_LEVELS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.live.board import Board
from stream_app.model.live.rows import QueueRow
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Overrides, Targets
from stream_app.model.windows import TOTAL
from tests.reference import ratios
from tests.reference.model import Reference

from .examples import EXAMPLES as SPOKEN, Example, call
from .streams import T0, line
from .written_examples import WRITTEN

EXAMPLES = SPOKEN | WRITTEN


def look(example: Example, targets: Targets | None = None) -> QueueRow:
    """Fold the story, hand it to a board as a worker would store it, and look at the row."""
    now = T0 + round(example.look_s * 1000)
    targets = targets or example.targets or Targets()
    fold, board = Fold(targets), Board(now)
    for n, (at, contact, kind, fields) in enumerate(sorted(example.told, key=lambda told: told[0])):
        stamp = T0 + round(at * 1000)
        value = line(n, stamp, stamp, id=f"e{n}", type=kind, contact_id=contact, **fields).value
        (event,) = decode(value or b"")
        assert fold.record(event, stamp) == "applied", (kind, contact)
    deltas = fold.take()
    for (resolution, (start, queue, channel)), cell in roll_up(deltas.cells, lambda *_: False).items():
        board.put_cells("t.0", resolution, start, [((queue, channel), pack_cell(cell))])
    for contact, visits in deltas.visits.items():
        board.put_visits("t.0", contact, visits)
    rows = Snapshots(board).take(targets).rows
    return next(row for row in rows if (row.queue, row.channel) == ("sales", example.channel))


@pytest.mark.parametrize(
    ("name", "example"), [(name, x) for name, examples in EXAMPLES.items() for x in examples]
)
def test_worked_example(name: str, example: Example) -> None:
    row = look(example)
    kpi = BY_NAME[name]
    if kpi.is_level:
        assert row.levels[name] == example.value
        return
    for window in kpi.windows:
        if example.look_s > 280 and window == "5m":
            continue  # the story is longer than the window
        shown = row.windows[window][name]
        if isinstance(example.value, dict):
            assert shown.amounts == example.value
        else:
            assert shown.value == (None if example.value is None else pytest.approx(example.value))
        assert shown.samples == example.samples


def test_every_kpi_has_a_worked_example() -> None:
    assert not SPOKEN.keys() & WRITTEN.keys()
    assert set(EXAMPLES) == {kpi.name for kpi in KPIS}
    for name, examples in EXAMPLES.items():
        # What is always nothing would be met by a KPI that counts nothing.
        assert any(example.value not in (None, {}) for example in examples), name


@pytest.mark.parametrize("kpi", [k for k in KPIS if not k.is_level], ids=lambda k: k.name)
def test_without_data_there_is_no_number(kpi: Kpi) -> None:
    row = look(Example(call("a", 0), 1, None))
    for window in kpi.windows:
        shown = row.windows[window][kpi.name]
        assert shown.value == (None if kpi.has_samples else {"offered": 1}.get(kpi.name, 0))
        assert not shown.amounts


THE_DAY = {
    # 100 offered: 70 within 20 s, 15 later, 4 give up within 5 s, 4 within 20 s, 5 later, 2 sent elsewhere
    "answered": [10] * 70 + [25] * 15,
    "abandoned": [5] * 4 + [20] * 4 + [45] * 5,
    "left_queue": [20, 21],
}
POLICIES = {
    "answered_of_offered": Fraction(70, 100),
    "without_short_abandons": Fraction(70, 96),
    "answered_or_abandoned": Fraction(70, 98),
    "answered_or_abandoned_late": Fraction(70, 90),
    "answered_only": Fraction(70, 85),
    "ignoring_early_abandons": Fraction(70, 92),
    "abandons_count_as_met": Fraction(78, 100),
    "answered_or_abandoned_without_short": Fraction(70, 94),
    "removed_within": Fraction(79, 100),
}


@pytest.fixture(scope="module")
def the_day() -> Example:
    outcomes = [(kind, wait) for kind, waits in THE_DAY.items() for wait in waits]
    told = [call(f"c{n}", 0, (wait, f"contact.{kind}")) for n, (kind, wait) in enumerate(outcomes)]
    return Example([one for story in told for one in story], 120, None)


@pytest.mark.parametrize("policy", SERVICE_LEVELS)
def test_the_nine_policies_of_one_day(policy: str, the_day: Example) -> None:
    row = look(the_day, Targets(defaults=Overrides(policy=policy)))
    assert row.policy == policy
    assert row.windows["5m"]["service_level"].value == float(POLICIES[policy])


def test_every_policy_stands_on_the_page(the_day: Example) -> None:
    """And the independent reading of the page gets the same fractions."""
    reference = Reference()
    for n, (at, contact, kind, fields) in enumerate(sorted(the_day.told, key=lambda told: told[0])):
        stamp = T0 + round(at * 1000)
        told = line(n, stamp, stamp, id=f"e{n}", type=kind, contact_id=contact, **fields)
        assert reference.feed(n, told.value, stamp) == "applied"
    assert ratios.service_levels(reference.totals()["sales", "voice"]) == POLICIES
    assert set(SERVICE_LEVELS) == set(POLICIES)


@given(st.dictionaries(st.sampled_from([c.name for c in COUNTERS]), st.integers(0, 10**9)))
def test_formulas_are_those_of_the_page(sums: dict[str, int]) -> None:
    expected = ratios.service_levels(sums)
    for policy, ratio in SERVICE_LEVELS.items():
        if ratio.samples(sums) > 0:  # sums of chance may leave less than nothing
            assert ratio.value(sums) == pytest.approx(float(expected[policy] or 0))
    share = BY_NAME["abandonment"].ratio("")
    assert share is not None
    if share.samples(sums) > 0:
        assert share.value(sums) == pytest.approx(float(ratios.abandonment(sums) or 0))


waits = st.lists(st.tuples(st.sampled_from(sorted(THE_DAY)), st.integers(0, 300)), min_size=1, max_size=30)


@given(waits, st.integers(0, 900))
def test_live_ratios_never_leave_0_to_1(outcomes: list[tuple[str, int]], look_s: int) -> None:
    """Whatever happened, and however the moments fall over the window's edges."""
    told = [call(f"c{n}", 0, (wait, f"contact.{kind}")) for n, (kind, wait) in enumerate(outcomes)]
    row = look(Example([one for story in told for one in story if one[0] <= look_s], look_s, None))
    for values in row.windows.values():
        share = values["abandonment"].value
        assert share is None or 0 <= share <= 1
        level = values["service_level"].value
        assert level is None or 0 <= level <= 1


@given(waits)
def test_totals_count_every_contact_once(outcomes: list[tuple[str, int]]) -> None:
    told = [call(f"c{n}", 0, (wait, f"contact.{kind}")) for n, (kind, wait) in enumerate(outcomes)]
    row = look(Example([one for story in told for one in story], 400, None))
    kinds = Counter(kind for kind, _ in outcomes)
    assert row.totals == {
        "offered": len(outcomes),
        "answered": kinds["answered"],
        "abandoned": kinds["abandoned"],
        "abandonments_undone": 0,
        "handled": 0,
    }
    assert set(row.totals) == set(TOTALS)


def test_cells_of_an_older_program_lack_what_it_did_not_count() -> None:
    cell: Cell = {NUMBERS["decided"]: 5, NUMBERS["answered_in_target"]: 4}
    board = Board(T0)
    board.put_cells("t.0", 10_000, T0, [(("sales", "voice"), pack_cell(cell))])
    board.put_cells("t.0", TOTAL, 0, [(("sales", "voice"), pack_cell(cell))])
    (row,) = Snapshots(board).take(Targets()).rows
    assert row.windows["5m"]["service_level"].value == 4 / 5
    assert row.windows["5m"]["handle_time"].value is None
