"""Situations that help desks have reported as counted wrongly elsewhere, in written channels, and what is right.

A case has `files`, `expected` (queue/channel → number → value), maybe `settings`, `at`, when it is asked, and `told_again`, how
many records change nothing because they were told before: all others must be applied. A number is a
counter, or a KPI by its name in its unit; `…_samples`, `…_at_least` and `…_at_most` bound it.
"""

import json
import tomllib
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.cells import NUMBERS, Cell, add_into
from stream_app.model.fold.fold import Fold
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Level
from stream_app.model.live.board import Board
from stream_app.model.live.formulas import formula
from stream_app.model.live.levels import level
from stream_app.model.targets import Targets
from tests.ingest.test_public_reports import run

REPORTS = Path(__file__).parent / "reports" / "written"
CASES: list[dict[str, Any]] = json.loads((REPORTS / "cases.json").read_text(encoding="utf-8"))
_BOUNDS = {"_samples": "samples", "_at_least": ">=", "_at_most": "<="}


def targets_of(case: dict[str, Any]) -> Targets:
    return (
        Targets.of(tomllib.loads((REPORTS / case["settings"]).read_text()))
        if "settings" in case
        else Targets()
    )


class Found:
    """Everything that a case has become, at the moment of the question."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._targets = targets_of(case)
        fold, self._sums = Fold(self._targets), defaultdict[tuple[str, str], Cell](dict)
        fold.by_broker = True
        asked = round(datetime.fromisoformat(case["at"]).timestamp() * 1000) if "at" in case else None
        results: Counter[str] = Counter()
        for name in case["files"]:
            for text in (REPORTS / name).read_bytes().splitlines():
                (event,) = decode(text)
                if asked is None or event.at <= asked:
                    results[fold.record(event, event.at)] += 1
        applied, told_again = results.pop("applied"), case.get("told_again", 0)
        assert results.total() == told_again, (applied, results)
        deltas = fold.take()
        for (_, queue, channel), cell in deltas.cells.items():
            add_into(self._sums[queue, channel], cell)
        self._board = Board(asked or deltas.time)
        for contact, visits in deltas.visits.items():
            self._board.put_visits("t.0", contact, visits)

    def of(self, place: tuple[str, str], name: str) -> float | None:
        cell, rule = self._sums[place], self._targets.rule(*place)
        stem = next((name.removesuffix(end) for end in _BOUNDS if name.endswith(end)), name)
        if stem not in BY_NAME:
            return cell.get(NUMBERS[stem], 0)
        kpi = BY_NAME[stem]
        if isinstance(kpi.measure, Level):
            found = level(self._board, place, rule, kpi.measure)
            return None if found is None else found / kpi.unit.parts
        computed = formula(kpi, rule.policy, NUMBERS)
        assert computed is not None
        value = computed.of(cell, 0, rule)
        if name.endswith("_samples"):
            return value.samples
        return float(next(iter(value.amounts.values()))) if value.amounts else value.value


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_it_is_counted_right(case: dict[str, Any]) -> None:
    found = Found(case)
    for where, expected in case["expected"].items():
        queue, _, channel = where.partition("/")
        for name, value in expected.items():
            shown = found.of((queue, channel), name)
            assert shown is not None, name
            if name.endswith("_at_least"):
                assert shown >= value, name
            else:
                assert shown == pytest.approx(value), name


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_report_and_intervals_agree(case: dict[str, Any]) -> None:
    """The counters of the report are sums of the intervals', whatever was asked."""
    given = {"dialect": "canonical", "files": [f"written/{name}" for name in case["files"]]}
    settings = [str(REPORTS / case["settings"])] if "settings" in case else []
    report = run("replay", given, "--report", *(["--targets", *settings] if settings else []))
    rows = run("intervals", given, "--format", "json", *(["--settings", *settings] if settings else []))
    summed: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                summed[row["queue"], row["channel"]][name] += value
    for row in report:
        place = summed[row["queue"], row["channel"]]
        for name in (
            "offered",
            "answered",
            "left",
            "to_bot",
            "from_bot",
            "replies",
            "reopened",
            "handled",
            "waiting",
        ):
            assert place[name] == row[name], (row["queue"], name)
