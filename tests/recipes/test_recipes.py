"""What CONTRIBUTING.md promises: a KPI, a platform and a column are an entry each, and the suite says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .recipe import copied, follow, run, steps, suite


def test_a_kpi(tmp_path: Path) -> None:
    """The whole suite of the catalogue runs on the copy: what shows KPIs, and what keeps their budget."""
    project = copied(tmp_path)
    entry, example = steps("Add a KPI")
    follow(project, entry)
    missing = "from tests.model.test_kpis import EXAMPLES as x; from stream_app.model.kpis import KPIS as k"
    found = run(project, "-c", f"{missing}; print({{one.name for one in k}} - set(x))")
    assert found == "{'share_of_talk'}\n", "the suite misses the worked example, and nothing else"
    follow(project, example)
    run(project, "-m", "stream_app", "render")
    dictionary = json.loads(run(project, "-m", "stream_app", "kpis", "--json"))
    (kpi,) = (kpi for kpi in dictionary if kpi["name"] == "share_of_talk")
    assert kpi["formula"] == "talk time / (talk time + hold time + wrap time)"
    assert "## share_of_talk" in (project / "docs/kpis.md").read_text(encoding="utf-8")
    dashboard = (project / "grafana/dashboards/queue-in-depth.json").read_text(encoding="utf-8")
    assert "cc_share_of_talk_ratio" in dashboard
    suite(
        project,
        "tests/model/test_kpis.py",
        "tests/views/test_metrics.py",
        "tests/views/test_docs.py",
        "tests/views/test_api.py",
        "tests/views/dashboards/test_dashboards.py",
        "tests/deploy/test_compose.py",
    )


def test_a_platform(tmp_path: Path) -> None:
    project = copied(tmp_path)
    for step in steps("Add a platform"):
        follow(project, step)
    suite(
        project,
        "tests/ingest/test_dialects.py",
        "tests/ingest/dialects",
        "-k",
        "acme or encoder or wrong_name",
    )
    (project / "tests/ingest/dialects/acme.jsonl").unlink()
    with pytest.raises(AssertionError, match=r"write acme\.jsonl: records, and the events"):
        suite(project, "tests/ingest/dialects/test_gallery.py", "-k", "has_a_gallery")


def test_a_column(tmp_path: Path) -> None:
    project = copied(tmp_path)
    entry, *reference = steps("Add a column to interval rows")
    follow(project, entry)
    for step in reference:
        follow(project, step)
    run(project, "-m", "stream_app", "render")
    assert "| `transferred` |" in (project / "docs/intervals.md").read_text(encoding="utf-8")
    suite(
        project,
        "tests/model/test_intervals.py",
        "tests/model/test_rows_of.py",
        "tests/views/intervals/test_page.py",
        "tests/views/intervals/test_formats.py",
        "tests/views/intervals/test_route.py",
        "tests/store/test_golden.py",
        "tests/forecast/test_history.py",
    )
