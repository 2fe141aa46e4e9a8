"""A KPI over what is counted already is one entry: metric, API, panel, dictionary and documentation follow by themselves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = """
    Kpi(
        name="longest_part",
        title="Share of talk",
        doc="Share of the handle time in which the two speak.",
        source="docs/semantics.md",
        unit=Unit.RATIO,
        better="higher",
        measure=Ratio(talk_ms, talk_ms + hold_ms + wrap_ms),
        target=0.7,
        target_why="what is left is waiting for tools",
        misleads="Slow speakers raise it.",
        pairs=("handle_time",),
        windows=("today",),
    ),
)
"""
SHOWN = """
import json, sys
from stream_app.model.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.views import metrics, wire
from stream_app.views.status import Status
from tests.views.examples import busy_board
snapshots = Snapshots(busy_board())
shot = snapshots.take(Targets())
page = metrics.render(shot, snapshots.waits(Targets()), Status(age_s=0, max_age_s=10)).decode()
row = wire.live_row(shot.rows[0])
print(json.dumps([page, row.windows["today"]["longest_part"].value, [k.name for k in wire.kpi_entries()]]))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project with one entry more in one file."""
    copy = tmp_path_factory.mktemp("project")
    for part in ("stream_app", "tests", "grafana", "prometheus", "docs", "README.md", "pyproject.toml"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    file = copy / "stream_app" / "model" / "kpis" / "work.py"
    text = file.read_text(encoding="utf-8")
    assert text.endswith("\n)\n")
    file.write_text(text.removesuffix("\n)\n") + ENTRY, encoding="utf-8")
    return copy


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_derives_from_the_entry(changed: Path) -> None:
    dictionary = json.loads(run(changed, "-m", "stream_app", "kpis", "--json"))
    (entry,) = (kpi for kpi in dictionary if kpi["name"] == "longest_part")
    assert entry["formula"] == "talk time / (talk time + hold time + wrap time)"
    page, value, names = json.loads(run(changed, "-c", SHOWN))
    assert 0 < value <= 1
    assert "longest_part" in names
    place = '{queue="care",channel="chat"'
    assert f'cc_longest_part_ratio{place},window="today"}} {value!r}\n' in page
    assert f"cc_longest_part_target{place}}} 0.7\n" in page
    run(changed, "-m", "stream_app", "render")
    assert "## longest_part" in (changed / "docs" / "kpis.md").read_text(encoding="utf-8")
    dashboard = (changed / "grafana" / "dashboards" / "queue-in-depth.json").read_text(encoding="utf-8")
    assert "cc_longest_part_ratio" in dashboard


def test_only_the_worked_example_is_missed(changed: Path) -> None:
    """What the suite says of an entry that nobody has worked an example for."""
    missing = "from tests.model.examples import EXAMPLES as x; from stream_app.model.kpis import KPIS as k"
    found = run(changed, "-c", f"{missing}; print({{one.name for one in k}} - set(x))")
    assert found == "{'longest_part'}\n"
