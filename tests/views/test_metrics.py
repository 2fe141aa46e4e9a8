"""``/metrics``: what Prometheus reads is what the snapshot says, and nothing else."""

import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from stream_app.model.board import Board
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME, KPIS, TOTALS
from stream_app.model.rows import Row, Snapshot
from stream_app.model.targets import Targets
from stream_app.views import naming
from stream_app.views.metrics import MAX_SERIES, render
from stream_app.views.status import Status
from tests.views.examples import FRESH, NOON, busy_board, busy_cell, put, snapshot

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: bytes) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


class Plain(Collector):
    """The same in the client library's words, the slow way."""

    def __init__(self, shot: Snapshot) -> None:
        self._shot = shot

    def collect(self) -> list[Metric]:
        out: list[Metric] = []
        for kpi in KPIS:
            labels = list(naming.labels(kpi))
            families = {
                name: GaugeMetricFamily(name, "", labels=labels[: 2 if name == naming.target(kpi) else None])
                for name in (naming.value(kpi), naming.target(kpi))
            }
            for name in (naming.samples(kpi), naming.percentile(kpi)):
                families[name] = GaugeMetricFamily(name, "", labels=labels[:3])
            for row in self._shot.rows:
                for name, rest, value in self._of(kpi, row):
                    families[name].add_metric([row.queue, row.channel, *rest], value)
            out += families.values()
        for total in TOTALS:
            family = CounterMetricFamily(naming.total(total), "", labels=["queue", "channel"])
            for row in self._shot.rows:
                family.add_metric([row.queue, row.channel], row.totals[total])
            out.append(family)
        info = GaugeMetricFamily(
            naming.QUEUE_INFO, "", labels=["queue", "channel", "site", "partner", "unit"]
        )
        for row in self._shot.rows:
            place = [row.queue, row.channel, row.site or "", str(row.partner).lower(), row.unit or ""]
            info.add_metric(place, 1)
        return [*out, info]

    def _of(self, kpi: Kpi, row: Row) -> Iterator[tuple[str, list[str], float]]:
        """Name, the labels behind queue and channel, value."""
        if kpi.name in row.targets:
            yield naming.target(kpi), [], row.targets[kpi.name]
        if (level := row.levels.get(kpi.name)) is not None:
            yield naming.value(kpi), [], level
        for window in kpi.windows:
            shown = row.windows[window][kpi.name]
            if naming.owns_samples(kpi):
                yield naming.samples(kpi), [window], shown.samples
            for currency, amount in (shown.amounts or {}).items():
                yield naming.value(kpi), [window, currency], float(amount)
            if shown.value is not None:
                yield naming.value(kpi), [window], shown.value
            if shown.percentiles and shown.percentiles["p90"] is not None:
                yield naming.percentile(kpi), [window], shown.percentiles["p90"]


PLACED = Targets.of(
    {
        "defaults": {"currency": "EUR", "cost_per_hour": 30},
        "queues": {"sales": {"site": 'North"wind', "partner": True, "unit": "insurance"}},
    }
)


def test_it_says_what_the_client_library_would_say() -> None:
    shot = snapshot(targets=PLACED)
    registry = CollectorRegistry()
    registry.register(Plain(shot))
    ours = {key: value for key, value in parsed(render(shot, FRESH)).items() if ("queue" in dict(key[1]))}
    assert ours == parsed(generate_latest(registry))


def test_promtool_finds_nothing_wrong() -> None:
    tool = shutil.which("promtool")
    assert tool, "scripts/setup installs promtool"
    page = render(snapshot(), FRESH)
    done = subprocess.run([tool, "check", "metrics"], input=page, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_a_busy_queue() -> None:
    got = parsed(render(snapshot(), FRESH))
    place = {"queue": "sales", "channel": "voice"}
    for window in ("5m", "30m", "today"):
        assert got[series("cc_first_response_seconds", **place, window=window)] == 10
        assert got[series("cc_first_response_samples", **place, window=window)] == 9
        assert got[series("cc_handle_time_p90_seconds", **place, window=window)] == pytest.approx(
            240, rel=0.022
        )
        assert got[series("cc_all_handle_time_p95_seconds", window=window)] == pytest.approx(240, rel=0.022)
    assert got[series("cc_first_response_target", **place)] == 20
    assert got[series("cc_backlog_contacts", **place)] == 1
    assert got[series("cc_oldest_waiting_seconds", **place)] == 12
    assert got[series("cc_contacts_offered_total", **place)] == 10
    assert got[series("cc_data_age_seconds")] == 0.4
    assert got[series("cc_ready")] == 1
    assert got[series("cc_partitions")] == 4
    assert got[series("cc_records_total", result="illegal")] == 2
    assert {dict(labels).get("window") for _, labels in got} == {None, "5m", "30m", "today"}
    assert not any(":" in label for _, labels in got for label in dict(labels).values())


def test_the_names_are_those_of_the_naming_module() -> None:
    known = {*naming.every_name()}
    board = busy_board()
    board.advance(NOON + 900_000)  # a quarter of an hour is over
    names = {name for name, _ in parsed(render(snapshot(targets=PLACED), FRESH))}
    names |= {name for name, _ in parsed(render(snapshot(board, PLACED), FRESH))}
    assert names <= known
    assert {name for kpi in KPIS for name in naming.names_of(kpi)} <= names
    assert {naming.total(counter) for counter in TOTALS} <= names


def test_what_has_no_data_has_no_line() -> None:
    board = Board(NOON)
    put(board, ("sales", "voice"), {1: 3})  # offered, and nothing else
    got = parsed(render(snapshot(board), Status(age_s=None, max_age_s=10)))
    assert not {name for name, _ in got} & {
        "cc_service_level_ratio",
        "cc_handle_time_seconds",
        "cc_data_age_seconds",
    }
    assert got[series("cc_service_level_samples", queue="sales", channel="voice", window="5m")] == 0
    assert got[series("cc_ready")] == 0


def test_nothing_at_all_is_still_a_page() -> None:
    assert parsed(render(snapshot(Board(NOON)), FRESH))[series("cc_ready")] == 1


def test_a_queue_has_a_bounded_number_of_series() -> None:
    targets = Targets().with_queue("sales", targets=dict.fromkeys(BY_NAME, 0.5))
    per_queue = Counter(
        frozenset(labels) & {("queue", "sales"), ("channel", "voice")}
        for _, labels in parsed(render(snapshot(targets=targets), FRESH))
    )
    assert max(n for labels, n in per_queue.items() if len(labels) == 2) <= MAX_SERIES


def test_ratios_roll_up_by_their_samples() -> None:
    """sum(ratio * samples) / sum(samples) is the ratio of the sums."""
    board = busy_board()
    put(board, ("third", "voice"), busy_cell())
    got = parsed(render(snapshot(board), FRESH))
    by_name: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, labels), value in got.items():
        if dict(labels).get("window") == "5m" and "queue" in dict(labels):
            by_name[name][dict(labels)["queue"]] = value
    ratio, samples = by_name["cc_service_level_ratio"], by_name["cc_service_level_samples"]
    assert sum(ratio[q] * samples[q] for q in ratio) == pytest.approx(8 * 3)


@given(queue=st.text(min_size=1, max_size=20), channel=st.text(min_size=1, max_size=20))
def test_no_name_breaks_a_line(queue: str, channel: str) -> None:
    shot = snapshot(busy_board([(queue, channel)]))
    page = render(shot, FRESH).decode()
    lines = [line for line in page.split("\n") if line.startswith("cc_backlog_contacts")]
    assert len(lines) == 1
    assert lines[0].endswith(" 1")
    if len((queue + channel).splitlines()) == 1:  # the parser splits at more than Prometheus takes for an end
        got = parsed(page.encode())
        assert got[series("cc_backlog_contacts", queue=queue, channel=channel)] == 1
