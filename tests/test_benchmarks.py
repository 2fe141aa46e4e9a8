"""The README shows the figures that were measured."""

import json

from benchmarks.__main__ import README, RESULTS
from benchmarks.figures import written


def test_the_readme_shows_the_last_figures() -> None:
    readme = README.read_text()
    assert written(readme, json.loads(RESULTS.read_text())) == readme


def test_the_full_job_is_measured_beside_the_raw_loop() -> None:
    figures = {figure["name"]: figure for figure in json.loads(RESULTS.read_text())}
    full = figures["full_job_events_per_second"]
    assert full["reference"] == figures["raw_loop_events_per_second"]["value"]
    assert {
        set(figure) == {"name", "value", "unit", "reference", "ratio"} for figure in figures.values()
    } == {True}
