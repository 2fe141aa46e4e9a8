"""The pages show the figures that were measured."""

import json

import pytest

from benchmarks.__main__ import PERFORMANCE, README, RESULTS
from benchmarks.figures import HEADLINES, MEANING, headlines, in_order, quantity, written

MEASURED = json.loads(RESULTS.read_text())


def test_the_pages_show_the_last_figures() -> None:
    readme, page = README.read_text(), PERFORMANCE.read_text()
    assert written(readme, headlines(MEASURED)) == readme
    assert written(page, in_order(MEASURED)) == page


def test_every_figure_is_described_in_words() -> None:
    assert {figure["name"] for figure in MEASURED} <= MEANING.keys()
    assert len(headlines(MEASURED)) == len(HEADLINES)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (417_833.14, "events/s", "418,000 events/s"),
        (1_968.0, "events/s", "1,970 events/s"),
        (198_200_000, "bytes", "198 MB"),
        (83.2, "bytes", "83.2 bytes"),
        (0.2497, "s", "250 ms"),
        (0.00076, "s", "760 µs"),
        (10, "s", "10 s"),
        (0, "s", "0 µs"),
    ],
)
def test_figures_are_written_for_people(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_the_full_job_is_measured_beside_the_raw_loop() -> None:
    figures = {figure["name"]: figure for figure in MEASURED}
    full = figures["full_job_events_per_second"]
    assert full["reference"] == figures["raw_loop_events_per_second"]["value"]
    assert {
        set(figure) == {"name", "value", "unit", "reference", "ratio"} for figure in figures.values()
    } == {True}
