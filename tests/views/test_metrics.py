"""``/metrics``: what Prometheus reads is what the snapshot says, and nothing else."""

import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from stream_app.model.fold.cells import NUMBERS, SHIFT
from stream_app.model.kpis import BY_NAME, KPIS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.live.board import Board
from stream_app.model.live.rows import QueueRow, Snapshot
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.live.wait_histograms import WaitHistogram
from stream_app.model.sketch import bucket
from stream_app.model.targets import Targets
from stream_app.views import budget, metrics, naming
from stream_app.views.plan.planner import Gauges
from stream_app.views.status import Status
from tests.views.examples import FRESH, NOON, busy_board, busy_cell, put

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: bytes) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def page(board: Board | None = None, targets: Targets | None = None, status: Status = FRESH) -> bytes:
    shot, waits = looked_at(board, targets)
    return metrics.render(shot, waits, status)


def looked_at(board: Board | None, targets: Targets | None) -> tuple[Snapshot, list[WaitHistogram]]:
    snapshots, targets = Snapshots(board or busy_board()), targets or Targets()
    return snapshots.take(targets), snapshots.waits(targets)


class Plain(Collector):
    """The same in the client library's words, the slow way."""

    def __init__(self, shot: Snapshot, waits: list[WaitHistogram]) -> None:
        self._shot = shot
        self._waits = waits

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
                family.add_metric([row.queue, row.channel], row.live[total])
            out.append(family)
        info = GaugeMetricFamily(
            naming.QUEUE_INFO, "", labels=["queue", "channel", "site", "partner", "unit"]
        )
        for row in self._shot.rows:
            place = [row.queue, row.channel, row.site or "", str(row.partner).lower(), row.unit or ""]
            info.add_metric(place, 1)
        return [*out, info, *self._of_places()]

    def _of_places(self) -> Iterator[Metric]:
        opened = GaugeMetricFamily(naming.OPEN, "", labels=["queue", "channel"])
        for row in self._shot.rows:
            opened.add_metric([row.queue, row.channel], row.open)
        yield opened
        waited = HistogramMetricFamily(naming.WAITED, "", labels=["queue", "channel", "outcome"])
        for found in self._waits:
            steps = [*(f"{upto / 1000:g}" for upto in found.upto), "+Inf"]
            for outcome, counts in found.counts.items():
                place = [found.queue, found.channel, outcome]
                waited.add_metric(place, buckets=list(zip(steps, counts, strict=True)), sum_value=None)
        yield waited

    def _of(self, kpi: Kpi, row: QueueRow) -> Iterator[tuple[str, list[str], float]]:
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
        "queues": {
            "sales": {"site": 'North"wind', "partner": True, "unit": "insurance"},
            "care": {"calendar": "always", "clock": "business"},
        },
        "calendars": {"always": {"hours": {"mon-sun": ["00:00-24:00"]}}},
    }
)


def test_it_says_what_the_client_library_would_say() -> None:
    shot, waits = looked_at(None, PLACED)
    registry = CollectorRegistry()
    registry.register(Plain(shot, waits))
    text = metrics.render(shot, waits, FRESH)
    ours = {key: value for key, value in parsed(text).items() if ("queue" in dict(key[1]))}
    assert ours == parsed(generate_latest(registry))


def test_promtool_finds_nothing_wrong() -> None:
    tool = shutil.which("promtool")
    assert tool, "scripts/setup installs promtool"
    done = subprocess.run([tool, "check", "metrics"], input=page(), capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_a_busy_queue() -> None:
    got = parsed(page())
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
    skews = {dict(labels)["of"]: value for (name, labels), value in got.items() if name == naming.SKEW}
    assert skews == {"serve": 0.002, "t.0": -0.25, "t.1": 0.0}
    assert got[series("cc_records_total", result="illegal")] == 2
    assert {dict(labels).get("window") for _, labels in got} == {None, "5m", "30m", "today"}
    assert not any(":" in label for _, labels in got for label in dict(labels).values())


def test_the_names_are_those_of_the_naming_module() -> None:
    known = {*naming.every_name()}
    board = busy_board()
    board.advance(NOON + 900_000)  # a quarter of an hour is over
    names = {name for name, _ in parsed(page(targets=PLACED))}
    names |= {name for name, _ in parsed(page(board, PLACED))}
    assert names <= known
    assert {name for kpi in KPIS for name in naming.names_of(kpi)} <= names
    assert {naming.total(counter) for counter in TOTALS} <= names


def test_what_has_no_data_has_no_line() -> None:
    board = Board(NOON)
    put(board, ("sales", "voice"), {1: 3})  # offered, and nothing else
    got = parsed(page(board, status=Status(age_s=None, max_age_s=10)))
    assert not {name for name, _ in got} & {
        "cc_service_level_ratio",
        "cc_handle_time_seconds",
        "cc_data_age_seconds",
    }
    assert got[series("cc_service_level_samples", queue="sales", channel="voice", window="5m")] == 0
    assert got[series("cc_ready")] == 0


def test_the_version_of_the_targets_is_told_once_it_is_known() -> None:
    version, empty = series("cc_targets_version"), Board(NOON)
    assert parsed(page(empty))[version] == 0
    assert parsed(page(empty, status=Status(age_s=1, max_age_s=10, targets_version=3)))[version] == 3
    assert version not in parsed(page(empty, status=Status(age_s=None, max_age_s=10, loaded=False)))


def test_nothing_at_all_is_still_a_page() -> None:
    assert parsed(page(Board(NOON)))[series("cc_ready")] == 1


def test_every_kpi_keeps_to_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [problem for kpi in KPIS if (problem := budget.beyond(kpi))] == []
    assert [problem for kpi in FROM_LEDGER if (problem := budget.beyond(kpi))] == []
    monkeypatch.setattr(budget, "MOST_OF_A_KPI", 9)
    problem = budget.beyond(BY_NAME["handle_time"])
    assert problem.startswith(
        "handle_time: expected at most 9 series for a queue and channel, found 10; give it fewer windows"
    )


def test_a_queue_has_no_more_series_than_its_kpis_are_given() -> None:
    """With a target for everything, more currencies than are shown, and a plan."""
    targets = Targets().with_queue("sales", targets=dict.fromkeys(BY_NAME, 0.5))
    shot, waits = looked_at(None, targets)
    mine = {("queue", "sales"), ("channel", "voice")}
    text = metrics.render(shot, waits, FRESH, {("sales", "voice"): Gauges(9.5, 7, 6.5)})
    found = Counter(name for name, labels in parsed(text) if mine <= labels)
    for kpi in KPIS:
        names = {naming.value(kpi), naming.samples(kpi), naming.percentile(kpi), naming.target(kpi)}
        own = names if naming.owns_samples(kpi) else names - {naming.samples(kpi)}
        assert sum(found[name] for name in own) <= budget.of_kpi(kpi), kpi.name
    assert 0 < found.total() <= budget.of_queue()
    assert budget.QUEUES * budget.of_queue() < budget.of_scrape()


def test_the_plan_of_the_running_interval() -> None:
    """What is known of some queue; the rest is absent, and so is a queue that nobody sees."""
    shot, waits = looked_at(None, None)
    plans = {
        ("sales", "voice"): Gauges(9.5, 7),
        ("care", "chat"): Gauges(staffed=2.25),
        ("gone", "voice"): Gauges(1),
    }
    got = parsed(metrics.render(shot, waits, FRESH, plans))
    planned = {key: value for key, value in got.items() if key[0] in naming.PLANNED}
    assert planned == {
        series("cc_forecast_contacts", queue="sales", channel="voice"): 9.5,
        series("cc_required_agents", queue="sales", channel="voice"): 7,
        series("cc_staffed_agents", queue="care", channel="chat"): 2.25,
    }


def test_what_a_contact_costs_rests_on_the_contacts_handled() -> None:
    """Its samples are another KPI's, so they are exported once."""
    assert naming.samples(BY_NAME["cost_per_contact"]) == "cc_handle_time_samples"
    shot, _ = looked_at(None, PLACED)
    for row in shot.rows:
        today = row.windows["today"]
        assert today["cost_per_contact"].amounts
        assert today["cost_per_contact"].samples == today["handle_time"].samples


def test_ratios_roll_up_by_their_samples() -> None:
    """sum(ratio * samples) / sum(samples) is the ratio of the sums."""
    board = busy_board()
    put(board, ("third", "voice"), busy_cell())
    got = parsed(page(board))
    by_name: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, labels), value in got.items():
        if dict(labels).get("window") == "5m" and "queue" in dict(labels):
            by_name[name][dict(labels)["queue"]] = value
    ratio, samples = by_name["cc_service_level_ratio"], by_name["cc_service_level_samples"]
    assert sum(ratio[q] * samples[q] for q in ratio) == pytest.approx(8 * 3)


@given(queue=st.text(min_size=1, max_size=20), channel=st.text(min_size=1, max_size=20))
def test_no_name_breaks_a_line(queue: str, channel: str) -> None:
    text = page(busy_board([(queue, channel)])).decode()
    lines = [line for line in text.split("\n") if line.startswith("cc_backlog_contacts")]
    assert len(lines) == 1
    assert lines[0].endswith(" 1")
    if len((queue + channel).splitlines()) == 1:  # the parser splits at more than Prometheus takes for an end
        got = parsed(text.encode())
        assert got[series("cc_backlog_contacts", queue=queue, channel=channel)] == 1


OFFICE = {
    "calendars": {"office": {"hours": {"mon-fri": ["09:00-17:00"]}}},
    "queues": {"sales": {"calendar": "office"}, "care": {"calendar": "office", "zone": "Asia/Tokyo"}},
}


def test_it_says_which_queues_are_open() -> None:
    """Wednesday noon in UTC is nine in the evening in Tokyo."""
    got = parsed(page(targets=Targets.of(OFFICE)))
    assert got[series("cc_open", queue="sales", channel="voice")] == 1
    assert got[series("cc_open", queue="care", channel="chat")] == 0


def test_a_queue_opens_and_closes_though_nothing_happens_in_it() -> None:
    board, targets = Board(NOON), Targets.of(OFFICE)
    put(board, ("sales", "voice"), busy_cell())
    snapshots = Snapshots(board)
    shown = []
    for hours in (0, 4, 6, 21):
        board.advance(NOON + hours * 3_600_000)
        shown.append(snapshots.take(targets).rows[0].open)
    assert shown == [True, True, False, True]


@given(
    st.lists(st.integers(0, 400_000), max_size=30),
    st.lists(st.integers(0, 400_000), max_size=30),
    st.sampled_from([10, 20, 45, 3600]),
)
def test_waits_are_a_cumulative_histogram(answered: list[int], abandoned: list[int], target_s: int) -> None:
    """Each step counts those that waited no longer, to within the sketch's width; behind the last come all."""
    board, cell = Board(NOON), Counter[int]()
    for sketch, durations in (("response", answered), ("abandon_wait", abandoned)):
        cell.update(NUMBERS[sketch] << SHIFT | bucket(duration) for duration in durations)
    put(board, ("sales", "voice"), dict(cell) or {1: 1})
    snapshots = Snapshots(board)
    (found,) = snapshots.waits(Targets().with_queue("sales", answer_target_s=float(target_s)))
    assert found.upto == tuple(target_s * 1000 * step for step in (0.5, 1, 2, 4))
    for outcome, durations in (("answered", answered), ("abandoned", abandoned)):
        *steps, everyone = found.counts[outcome]
        assert everyone == len(durations)
        assert steps == sorted(steps)
        for upto, n in zip(found.upto, steps, strict=True):
            assert sum(d <= upto for d in durations) <= n <= sum(d <= upto * 2 ** (1 / 16) for d in durations)
