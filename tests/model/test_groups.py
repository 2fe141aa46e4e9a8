"""Several queues together, and the day judged interval by interval."""

from math import isclose
from typing import Final

import pytest
from hypothesis import given, strategies as st

from stream_app.model import facts as f, sketch
from stream_app.model.fold.cells import NUMBERS, Cell, pack_cell
from stream_app.model.fold.tally import counters_of
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.kpis import COUNTERS, KPIS, SERVICE_LEVELS
from stream_app.model.kpis.measures import IntervalsMet, Level, Unit, Value, WindowCount
from stream_app.model.live.board import Board
from stream_app.model.live.rows import QueueGroup
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Overrides, Targets
from stream_app.model.windows import TOTAL

from .test_snapshot import NOON, VOICE, row, visit

QUEUES: Final = (("sales", "voice"), ("sales", "chat"), ("care", "voice"))
cells = st.dictionaries(
    st.sampled_from([NUMBERS[c.name] for c in COUNTERS]), st.integers(0, 1000), min_size=10, max_size=60
)
SETTINGS = Targets.of(
    {
        "defaults": {"currency": "EUR", "cost_per_hour": 30},
        "queues": {
            "sales": {"site": "Northwind", "partner": True, "policy": "answered_of_offered"},
            "care": {"unit": "insurance", "policy": "answered_only", "zone": "Asia/Kathmandu"},
        },
    }
)


@given(st.lists(cells, min_size=3, max_size=3), st.lists(st.integers(0, 90_000), max_size=5))
def test_a_group_is_the_sum_of_its_parts(sums: list[Cell], waited: list[int]) -> None:
    """Whatever the parts' policies and zones: ratios weighted by their samples, volumes and levels added up."""
    board = Board(NOON)
    for queue, cell in zip(QUEUES, sums, strict=True):
        board.put_cells("t.0", 10_000, NOON, [(queue, pack_cell(cell))])
    for n, ms in enumerate(waited):
        queue = QUEUES[n % 3]
        board.put_visits(
            "t.0", f"c{n}", [Visit(*queue, VisitState.WAITING, NOON - ms, NOON - ms, 20_000, 5_000, b"")]
        )
    snapshots = Snapshots(board)
    rows = snapshots.take(SETTINGS).rows
    found: list[QueueGroup] = [*snapshots.groups(SETTINGS, "queue"), *snapshots.groups(SETTINGS, "site")]
    assert [(group.name, group.queues) for group in found] == [
        *(("care", 1), ("sales", 2)),
        *(("Northwind", 2), (None, 1)),
    ]
    for by, group in zip(("queue", "queue", "site", "site"), found, strict=True):
        mine = [row for row in rows if getattr(row, by) == group.name]
        for kpi in KPIS:
            if kpi.is_level:
                of_writing = isinstance(kpi.measure, Level) and kpi.measure.is_written
                levels = [row.levels[kpi.name] for row in mine if not of_writing or row.channel != "voice"]
                known = [level for level in levels if level is not None]
                expected = None if None in levels or not levels else sum(known) if kpi.adds else max(known)
                assert group.levels[kpi.name] == expected, kpi.name
        for kpi in KPIS:
            if kpi.is_level or isinstance(kpi.measure, IntervalsMet):
                continue
            whole = group.windows["5m"][kpi.name]
            parts = [row.windows["5m"][kpi.name] for row in mine]
            if isinstance(kpi.measure, WindowCount):
                assert whole.value == sum(part.value or 0 for part in parts)
            elif all(part.samples > 0 for part in parts) and kpi.unit is not Unit.AMOUNT:
                weighted = sum((part.value or 0) * part.samples for part in parts)
                assert whole.samples == sum(part.samples for part in parts)
                assert whole.value == pytest.approx(weighted / whole.samples)


def test_a_group_has_the_percentiles_of_all_values_together() -> None:
    board = Board(NOON)
    for queue, seconds, n in (("a", 1, 90), ("b", 100, 10)):
        facts = [f.Handled(NOON, seconds * 1000, 0, 0, False)] * n
        board.put_cells("t.0", 10_000, NOON, [((queue, "voice"), pack_cell(counters_of(facts)))])
    (group,) = Snapshots(board).groups(Targets(), "channel")
    assert (group.name, group.queues) == ("voice", 2)
    found = group.windows["5m"]["handle_time"].percentiles
    assert found is not None
    assert isclose(found["p90"] or 0, 1, rel_tol=sketch.RELATIVE_ERROR)
    assert isclose(found["p95"] or 0, 100, rel_tol=sketch.RELATIVE_ERROR)


def test_compliance_of_a_group_adds_up_intervals_not_contacts() -> None:
    board = Board(NOON + 900_000)
    good, bad = {"answered": 1, "answered_in_target": 1, "decided": 1}, {"decided": 100}
    for queue, sums in (("a", good), ("b", bad), ("c", good)):
        cell = {NUMBERS[name]: n for name, n in sums.items()}
        board.put_cells("t.0", 900_000, NOON, [((queue, "voice"), pack_cell(cell))])
    snapshots = Snapshots(board)
    (group,) = snapshots.groups(Targets(), "channel")
    assert group.windows["today"]["service_level_compliance"] == Value(2 / 3, 3)
    # another verdict as soon as the cell is another
    better = {NUMBERS["decided"]: 100, NUMBERS["answered_in_target"]: 80}
    board.put_cells("t.0", 900_000, NOON, [(("b", "voice"), pack_cell(better))])
    (group,) = snapshots.groups(Targets(), "channel")
    assert group.windows["today"]["service_level_compliance"] == Value(1.0, 3)
    stricter = Targets.of({"defaults": {"targets": {"service_level": 0.9}}})
    (group,) = snapshots.groups(stricter, "channel")
    assert group.windows["today"]["service_level_compliance"] == Value(2 / 3, 3)


def test_an_interval_is_judged_when_it_is_over_without_an_event() -> None:
    board = Board(NOON + 899_999)
    cell = {NUMBERS["decided"]: 1, NUMBERS["answered_in_target"]: 1}
    board.put_cells("t.0", 900_000, NOON, [(VOICE, pack_cell(cell))])
    snapshots = Snapshots(board)
    assert row(snapshots.take(Targets())).windows["today"]["service_level_compliance"] == Value(None, 0)
    board.advance(NOON + 900_000)
    assert row(snapshots.take(Targets())).windows["today"]["service_level_compliance"] == Value(1.0, 1)


def test_the_list_of_contacts_at_risk_is_in_the_order_of_risk() -> None:
    board = Board(NOON)
    for name, predicted in (("a", 2_400), ("b", 1_000), ("c", 2_500), ("d", 0)):
        visit = Visit(
            *VOICE, VisitState.TALKING, NOON, NOON, 20_000, 5_000, b"", agent="g", predicted=predicted
        )
        board.put_visits("t.0", name, [visit])
    snapshots = Snapshots(board)
    assert [one.contact for one in snapshots.at_risk(Targets())] == ["b", "a"]
    assert [one.contact for one in snapshots.at_risk(Targets.of({"defaults": {"risk_below": 2}}))] == ["b"]
    board.put_visits("t.0", "b", [])
    assert [one.contact for one in snapshots.at_risk(Targets())] == ["a"]


@pytest.mark.parametrize("policy", SERVICE_LEVELS)
def test_compliance_judges_by_the_policy_of_the_queue(policy: str) -> None:
    """Four were answered in time, four wait past T: for some policies these are samples, for others not yet."""
    board = Board(NOON + 900_000)
    cell = {NUMBERS[name]: 4 for name in ("offered", "answered", "answered_in_target", "decided")}
    board.put_cells("t.0", 900_000, NOON, [(VOICE, pack_cell(cell))])
    for n in range(4):
        board.put_visits("t.0", f"c{n}", [visit(NOON + 60_000)])
    today = row(Snapshots(board).take(Targets(defaults=Overrides(policy=policy)))).windows["today"]
    level = today["service_level"].value
    assert level in (0.5, 1.0)
    assert today["service_level_compliance"] == Value(float(level >= 0.8), 1)


def test_an_interval_in_which_somebody_only_waited_was_missed() -> None:
    board = Board(NOON + 1_800_000)
    board.put_cells("t.0", TOTAL, 0, [(VOICE, pack_cell({NUMBERS["offered"]: 1}))])
    board.put_visits("t.0", "c", [visit(NOON + 840_000)])
    snapshots = Snapshots(board)
    assert row(snapshots.take(Targets())).windows["today"]["service_level_compliance"] == Value(0.0, 1)


def test_compliance_survives_a_clock_that_is_set_back_over_midnight() -> None:
    midnight = NOON + 12 * 3_600_000
    board = Board(midnight - 1)
    cell = {NUMBERS["decided"]: 1, NUMBERS["answered_in_target"]: 1}
    board.put_cells("t.0", 900_000, NOON, [(VOICE, pack_cell(cell))])
    snapshots = Snapshots(board)
    for now, expected in (
        (midnight - 1, Value(1.0, 1)),
        (midnight, Value(None, 0)),
        (midnight - 1, Value(1.0, 1)),
    ):
        board.advance(now)
        assert row(snapshots.take(Targets())).windows["today"]["service_level_compliance"] == expected


def test_a_target_that_is_met_exactly_is_met() -> None:
    board = Board(NOON + 900_000)
    cell = {NUMBERS["decided"]: 100, NUMBERS["answered_in_target"]: 55}  # 0.55 * 100 is more than 55
    board.put_cells("t.0", 900_000, NOON, [(VOICE, pack_cell(cell))])
    targets = Targets(defaults=Overrides(targets={"service_level": 0.55}))
    assert row(Snapshots(board).take(targets)).windows["today"]["service_level_compliance"] == Value(1.0, 1)
