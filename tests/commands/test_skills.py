"""``stream-app skills``: files in, what shared people reach out, as the functions say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stream_app.workforce.day import SkillGroup, SkillQueue
from stream_app.workforce.skills import simulate, staffed
from tests.services.command import run_command

ROWS = """\
start,minutes,queue,channel,offered,aht_s
2026-01-05T08:30:00+01:00,30,billing,voice,10,180
2026-01-05T09:00:00+01:00,30,billing,voice,40,180
2026-01-05T09:00:00+01:00,30,sales,voice,30,240
2026-01-05T09:00:00+01:00,30,post,email,30,240
"""
GROUPS = "group,skills,people,cost\nbilling,billing,4,1\nsales,sales,3,1\nboth,billing + sales,2,1.2\n"
OURS = [
    SkillGroup("billing", frozenset({"billing"}), 4),
    SkillGroup("sales", frozenset({"sales"}), 3),
    SkillGroup("both", frozenset({"billing", "sales"}), 2, 1.2),
]
QUEUES = [
    SkillQueue("billing", 80, 180, 20, 120, policy="without_short_abandons", short_s=5),
    SkillQueue("sales", 60, 240, 20, 120, policy="without_short_abandons", short_s=5),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "v.csv").write_text(ROWS)
    (tmp_path / "g.csv").write_text(GROUPS)
    return tmp_path / "v.csv", tmp_path / "g.csv"


def skills(*words: object) -> subprocess.CompletedProcess[str]:
    return run_command("skills", *words)


def found(*words: object) -> dict[str, Any]:
    done = skills(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "stream-app: left out: post: deferred work\n"
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


def test_the_busiest_interval_is_simulated_as_the_functions_do(files: tuple[Path, Path]) -> None:
    said = found(*files)
    assert said["start"] == "2026-01-05T09:00:00+01:00"
    for row, one in zip(said["queues"], simulate(OURS, QUEUES), strict=True):
        assert (row["queue"], row["target"]) == (one.queue, 0.8)
        assert one.service_level is not None
        assert row["service_level"] == round(one.service_level, 4)
        assert row["low_95"] <= row["service_level"] <= row["high_95"]


@pytest.mark.slow
def test_people_are_added_until_every_target_is_met(files: tuple[Path, Path]) -> None:
    said = found(*files, "--add")
    needed, _ = staffed(OURS, QUEUES)
    assert [group["people"] for group in said["groups"]] == [group.people for group in needed]
    assert all(row["low_95"] >= row["target"] for row in said["queues"])
    assert sum(group["added"] for group in said["groups"]) > 0


@pytest.mark.parametrize(
    ("old", "new", "code", "error"),
    [
        ("sales,sales,3", "sales,sals,3", 78, "sales: unknown queue 'sals' among its skills"),
        ("sales,sales,3", "billing,sales,3", 65, ":3: group: two rows have this name"),
        ("billing + sales,2", "billing++sales,2", 65, ":4: skills: expected names of queues joined by +"),
    ],
)
def test_what_is_wrong_is_one_line(
    files: tuple[Path, Path], old: str, new: str, code: int, error: str
) -> None:
    assert old in GROUPS
    files[1].write_text(GROUPS.replace(old, new))
    done = skills(*files)
    assert (done.returncode, done.stdout) == (code, "")
    assert error in done.stderr
