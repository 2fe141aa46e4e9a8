"""Situations that people who run queues have reported as counted wrongly elsewhere, and what is right.

A case has `file` or `files`, in the order in which they are given, and `expected`: queue → number → value; a number may be a
sum (`left+abandoned`). It may have `dialect` (asterisk by default), `zone`, `settings` (a file of targets), `options` (of
both commands), and `rows`: queue → the start of its first row with a contact.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.services.command import run_command

REPORTS = Path(__file__).parent / "reports"
CASES: list[dict[str, Any]] = json.loads((REPORTS / "cases.json").read_text(encoding="utf-8"))
BY_ROW = {"offered", "answered", "answered_in_target", "abandoned", "left", "lost", "refused", "handled"}
"""The numbers of a report that interval rows have as well, by the same name."""


def run(command: str, case: dict[str, Any], *options: str) -> Any:
    """Run a command on the case's files, without settings from the environment, and return what it printed."""
    given = [command, "--direct", "--dialect", case.get("dialect", "asterisk"), *options]
    given += ["--zone", case["zone"]] if "zone" in case else []
    given += case.get("options", [])
    given += [str(REPORTS / name) for name in case.get("files") or [case["file"]]]
    done = run_command(*given, env={})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def settings(case: dict[str, Any], option: str) -> list[str]:
    return [option, str(REPORTS / case["settings"])] if "settings" in case else []


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_the_report_counts_it_right(case: dict[str, Any]) -> None:
    rows = run("replay", case, "--report", *settings(case, "--targets"))
    found = {row["queue"]: row for row in rows}
    assert found.keys() == case["expected"].keys()
    for queue, expected in case["expected"].items():
        for name, value in expected.items():
            assert sum(found[queue][part] for part in name.split("+")) == value, (queue, name)


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_the_intervals_count_it_right(case: dict[str, Any]) -> None:
    tz = ["--tz", case["zone"]] if "zone" in case else []
    rows = run("intervals", case, "--format", "json", *tz, *settings(case, "--settings"))
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["queue"]].append(row)
    for queue, expected in case["expected"].items():
        for name, value in expected.items():
            if (parts := name.split("+")) and {*parts} <= BY_ROW:
                assert sum(row[part] for row in found[queue] for part in parts) == value, (queue, name)
    assert all(row["final"] for row in rows)  # what is recorded is over
    for queue, start in case.get("rows", {}).items():
        assert next(row["start"] for row in found[queue] if row["offered"]) == start
