"""What the expressions of dashboards say, in Prometheus's own arithmetic."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.model.kpis import BY_NAME
from stream_app.views import naming
from stream_app.views.dashboards import annotations, planning, queries
from stream_app.views.dashboards.ledger_panels import LEDGER, judged
from tests.services.prometheus import promtool

Expected = Mapping[str, float]
"""Labels, as in braces → value."""


def said(
    tmp_path: Path, series: Mapping[str, str], expression: str, expected: Expected, at: str = "3m"
) -> None:
    """Assert what Prometheus answers, over all queues; ``at`` whole minutes, or promtool has not read the last samples."""
    chosen = {"queue": ".*", "channel": ".*", "site": ".*", "window": "30m"}
    for variable, value in chosen.items():
        expression = expression.replace(f"${variable}", value)
    asked = {
        "expr": f"round({expression}, 0.000001)",
        "eval_time": at,
        "exp_samples": [{"labels": f"{{{labels}}}", "value": value} for labels, value in expected.items()],
    }
    shown = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "30s", "input_series": shown, "promql_expr_test": [asked]}
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"tests": [test]}))
    promtool("test", "rules", path)


def always(series: Mapping[str, Any]) -> dict[str, str]:
    """Give each series one value all the time."""
    return {name: f"{value}x20" for name, value in series.items()}


def row(queue: str, **values: float) -> dict[str, float]:
    """Series of a voice queue: of metrics with a window, that of 30 minutes."""
    place = f'queue="{queue}",channel="voice"'
    out: dict[str, float] = {f'{naming.QUEUE_INFO}{{{place},site="",partner="false",unit=""}}': 1}
    for name, value in values.items():
        window = ',window="30m"' if name.endswith(("ratio", "samples")) else ""
        out[f"cc_{name}{{{place}{window}}}"] = value
    return out


VOICE = 'channel="voice"'
FRESH = {naming.READY: 1}
STALE = {naming.READY: 0}
GOOD = row(
    "good",
    service_level_ratio=0.9,
    service_level_samples=500,
    service_level_target=0.8,
    oldest_waiting_seconds=5,
    oldest_waiting_target=120,
)
BAD = row(
    "bad",
    service_level_ratio=0.5,
    service_level_samples=100,
    service_level_target=0.8,
    oldest_waiting_seconds=5,
    oldest_waiting_target=120,
)
WAITING = row(
    "waiting",
    service_level_ratio=1,
    service_level_samples=3,
    service_level_target=0.8,
    oldest_waiting_seconds=246,
    oldest_waiting_target=120,
)
CHANCE = row(
    "chance",
    service_level_ratio=0,
    service_level_samples=1,
    service_level_target=0.8,
    oldest_waiting_seconds=0,
    oldest_waiting_target=120,
)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (FRESH | GOOD | BAD | WAITING | CHANCE, {"": 2}),
        (FRESH | GOOD | CHANCE, {"": 0}),
        (FRESH, {"": 0}),
        (STALE | GOOD | BAD, {}),
        ({}, {}),
    ],
)
def test_queues_off_target_are_counted_or_none_or_not_known(
    tmp_path: Path, series: Mapping[str, float], expected: Expected
) -> None:
    said(tmp_path, always(series), queries.off_target(), expected)


def test_the_worst_queue_is_the_one_that_lets_down_most_customers(tmp_path: Path) -> None:
    """Half of a hundred late is worse than all of one, and 50 late of 500 are what the target allows."""
    expected = {
        'queue="bad",channel="voice"': 30,
        'queue="good",channel="voice"': 0,
        'queue="chance",channel="voice"': 0.8,
    }
    said(tmp_path, always(FRESH | GOOD | BAD | CHANCE), queries.too_late(), expected)


def test_a_wait_is_a_share_of_its_own_target(tmp_path: Path) -> None:
    said(
        tmp_path,
        always(FRESH | WAITING),
        queries.share(BY_NAME["oldest_waiting"]),
        {'queue="waiting",channel="voice"': 2.05},
    )


@pytest.mark.parametrize(
    ("level", "lenient", "verdict"),
    [(0.8, 0.6, "met"), (0.79, 0.6, "missed"), (0.5, 0.9, "missed"), (0.9, 0.6, "met")],
)
def test_a_tile_is_judged_by_the_targets_in_force(
    tmp_path: Path, level: float, lenient: float, verdict: queries.Verdict
) -> None:
    """Of 400 contacts, 300 have a target of 90 % and 100 one of 50 %: together, 80 % is what was promised."""
    series: dict[str, float] = {**FRESH}
    value = (level * 400 - lenient * 100) / 300
    series |= row("strict", service_level_ratio=value, service_level_samples=300, service_level_target=0.9)
    series |= row("lenient", service_level_ratio=lenient, service_level_samples=100, service_level_target=0.5)
    series |= row("idle", service_level_samples=0, service_level_target=0.99)
    for name, expression in queries.judged(BY_NAME["service_level"]).items():
        said(tmp_path, always(series), expression, {VOICE: level} if name == verdict else {})


@pytest.mark.parametrize(
    ("waits", "verdict"),
    [((90, 90), "met"), ((121, 90), "missed"), ((90, 301), "missed"), ((0, 0), "met")],
)
def test_a_wait_is_missed_where_one_queue_misses_its_own(
    tmp_path: Path, waits: tuple[float, float], verdict: queries.Verdict
) -> None:
    series: dict[str, float] = {**FRESH}
    series |= row("strict", oldest_waiting_seconds=waits[0], oldest_waiting_target=120)
    series |= row("lenient", oldest_waiting_seconds=waits[1], oldest_waiting_target=300)
    for name, expression in queries.judged(BY_NAME["oldest_waiting"]).items():
        said(tmp_path, always(series), expression, {VOICE: max(waits)} if name == verdict else {})


def test_without_a_target_nothing_is_judged(tmp_path: Path) -> None:
    series = FRESH | row("free", backlog_contacts=7)
    for name, expression in queries.judged(BY_NAME["backlog"]).items():
        said(tmp_path, always(series), expression, {VOICE: 7} if name == "no target" else {})


@pytest.mark.parametrize(
    ("target", "verdict"), [(0.75, "met"), (0.8, "met"), (0.81, "missed"), (None, "no target")]
)
@pytest.mark.parametrize("settled", [False, True])
def test_a_tile_of_the_ledger_is_judged_by_the_targets_in_force(
    tmp_path: Path, target: float | None, verdict: queries.Verdict, *, settled: bool
) -> None:
    """Of 400 journeys, 300 have a target of 90 %, and 100 one such that together ``target`` was promised; all have 80 %."""
    kpi = LEDGER["first_contact_resolution"]
    metric = naming.settled(kpi) if settled else naming.of_ledger(kpi)
    samples = naming.settled_samples(kpi) if settled else naming.ledger_samples(kpi)
    series: dict[str, float] = {**FRESH}
    for queue, value, n in (("strict", 0.9, 300), ("lenient", 0.5, 100), ("idle", None, None)):
        series |= row(queue)
        place = f'queue="{queue}",channel="voice"'
        of = f'{{{place},window="28d",policy="by_repeat"}}'
        if value is not None and n is not None:
            series |= {f"{metric}{of}": value, f"{samples}{of}": n}
        if target is not None:
            aims = {"strict": 0.9, "lenient": 4 * target - 3 * 0.9, "idle": 0.99}
            series[f"{naming.ledger_target(kpi)}{{{place}}}"] = aims[queue]
    for name, expression in judged(kpi, "28d", "by_repeat", settled=settled).items():
        said(tmp_path, always(series), expression, {"": 0.8} if name == verdict else {})


@pytest.mark.parametrize(("target", "verdict"), [(0.3, "met"), (0.2, "missed"), (None, "no target")])
def test_a_tile_of_customers_is_judged_by_segment(
    tmp_path: Path, target: float | None, verdict: queries.Verdict
) -> None:
    """Lower is better; a segment without a target does not count for the promise."""
    kpi = LEDGER["churn"]
    series: dict[str, float] = {**FRESH}
    for segment, value, n in (("gold", 0.1, 100), ("", 0.3, 300)):
        of = f'{{segment="{segment}",window="28d"}}'
        series |= {f"{naming.of_ledger(kpi)}{of}": value, f"{naming.ledger_samples(kpi)}{of}": n}
        if target is not None and segment:
            series[f'{naming.ledger_target(kpi)}{{segment="{segment}"}}'] = target
    for name, expression in judged(kpi, "28d").items():
        said(tmp_path, always(series), expression, {"": 0.25} if name == verdict else {})


def test_a_target_is_drawn_only_beside_a_value(tmp_path: Path) -> None:
    alone = row("alone", service_level_target=0.8)
    expected = {'queue="good",channel="voice"': 0.8}
    said(tmp_path, always(FRESH | GOOD | alone), queries.target(BY_NAME["service_level"]), expected)


def test_a_stale_replica_is_not_heard(tmp_path: Path) -> None:
    series = {
        'cc_ready{instance="a"}': 1,
        'cc_ready{instance="b"}': 0,
        'cc_backlog_contacts{queue="q",channel="voice",instance="a"}': 3,
        'cc_backlog_contacts{queue="q",channel="voice",instance="b"}': 99,
        'cc_queue_info{queue="q",channel="voice",site="",partner="false",unit="",instance="a"}': 1,
    }
    said(tmp_path, always(series), queries.rolled_up(BY_NAME["backlog"]), {'channel="voice"': 3})


def test_unread_records_are_what_is_reported_or_what_came_since_the_worker_died(tmp_path: Path) -> None:
    """Ten records a second for ten minutes; then none is counted, and the data gets older."""
    series = {
        "cc_ready": "1x20 0x20",
        "cc_unread_records": "7x40",
        "cc_data_age_seconds": "1x20 30+30x20",
        'cc_records_total{result="applied"}': "0+300x20 6000x20",
    }
    said(tmp_path, series, queries.unread(), {"": 7}, at="9m")
    said(tmp_path, series, queries.unread(), {"": 7 + 120 * 10}, at="12m")
    said(tmp_path, {"cc_unread_records": "7x40"}, queries.unread(), {}, at="9m")


def test_agents_short_are_added_over_queues_that_are_short(tmp_path: Path) -> None:
    series = row("short", required_agents=20, staffed_agents=12) | row(
        "spare", required_agents=10, staffed_agents=60
    )
    said(tmp_path, always(series), planning.SHORT, {"": 8})
    said(tmp_path, always(row("known by half", required_agents=20)), planning.SHORT, {})


def test_a_site_that_is_not_set_is_called_so(tmp_path: Path) -> None:
    series = FRESH | row("q", backlog_contacts=4)
    said(tmp_path, always(series), queries.rolled_up(BY_NAME["backlog"], naming.SITE), {'site="no site"': 4})


TWO_QUEUES = {
    'cc_service_level_ratio{queue="big",channel="voice",window="30m"': "0.9",
    'cc_service_level_samples{queue="big",channel="voice",window="30m"': "198",
    'cc_service_level_ratio{queue="small",channel="voice",window="30m"': "0.4",
    'cc_service_level_samples{queue="small",channel="voice",window="30m"': "2",
    # Nobody called: samples, but nothing to divide.
    'cc_service_level_samples{queue="empty",channel="voice",window="30m"': "0",
    'cc_service_level_ratio{queue="mail",channel="email",window="30m"': "0.5",
    'cc_service_level_samples{queue="mail",channel="email",window="30m"': "10",
    'cc_backlog_contacts{queue="big",channel="voice"': "7",
    'cc_backlog_contacts{queue="small",channel="voice"': "1",
    'cc_oldest_waiting_seconds{queue="big",channel="voice"': "30",
    'cc_oldest_waiting_seconds{queue="small",channel="voice"': "90",
    'cc_ready{job=""': "1",
    'cc_queue_info{queue="big",channel="voice",site="Leeds",partner="false",unit="retail"': "1",
    'cc_queue_info{queue="small",channel="voice",site="",partner="false",unit=""': "1",
    'cc_queue_info{queue="empty",channel="voice",site="",partner="false",unit=""': "1",
    'cc_queue_info{queue="mail",channel="email",site="Leeds",partner="false",unit=""': "1",
}


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("service_level", {'channel="voice"': 0.895, 'channel="email"': 0.5}),
        ("backlog", {'channel="voice"': 8}),
        ("oldest_waiting", {'channel="voice"': 90}),
    ],
)
def test_roll_ups(tmp_path: Path, name: str, expected: Expected, replicas: int) -> None:
    """A queue weighs as much as it has contacts, and replicas report the same."""
    series = {
        f'{series},instance="{replica}"}}': value
        for series, value in TWO_QUEUES.items()
        for replica in range(replicas)
    }
    said(tmp_path, always(series), queries.rolled_up(BY_NAME[name]), expected)


def test_the_gap_is_scheduled_less_required_where_both_are_known(tmp_path: Path) -> None:
    series = row("big", required_agents=20, staffed_agents=17.5) | row("small", required_agents=2)
    said(tmp_path, always(series), planning.GAP, {'queue="big",channel="voice"': -2.5})


# --- annotations ---


def event(name: str) -> str:
    """The expression of an annotation, in an interval of a minute, of the queues whose names begin with `chosen`."""
    (found,) = (e for e in annotations.annotations(queues=True) if e["name"] == name)
    expression: str = found["expr"]
    return expression.replace("$__rate_interval", "1m").replace("$queue", "chosen.*")


UNTRUSTED, TARGETS, REBUILDS, ALERTS = (
    "Outages of the data",
    "New targets",
    "Rebuilds",
    "Alerts of the chosen queues",
)


@pytest.mark.parametrize(
    ("name", "series", "at", "expected"),
    [
        (UNTRUSTED, {"cc_ready": "1x20"}, "3m", 0),
        (UNTRUSTED, {"cc_ready": "1x4 0 1x20"}, "3m", 1),
        (UNTRUSTED, {'cc_ready{instance="a"}': "1x20", 'cc_ready{instance="b"}': "0x20"}, "3m", 0),
        (UNTRUSTED, {"cc_ready": "1x4 stale"}, "5m", 1),
        (TARGETS, {"cc_targets_version": "1x20"}, "3m", 0),
        (TARGETS, {"cc_targets_version": "1x4 2x20"}, "3m", 1),
        (REBUILDS, {'cc_records_total{result="applied"}': "0+7x20"}, "3m", 0),
        (REBUILDS, {'cc_records_total{result="applied"}': "100+7x4 0+7x20"}, "3m", 1),
    ],
)
def test_an_event_is_drawn_where_it_happened(
    tmp_path: Path, name: str, series: Mapping[str, str], at: str, expected: float
) -> None:
    said(tmp_path, series, event(name), {"": expected}, at=at)


def test_alerts_are_those_of_the_chosen_queues(tmp_path: Path) -> None:
    """Both queues let somebody wait 4:06 of 2:00; one of them is shown."""
    series: dict[str, float] = {naming.READY: 1, naming.DATA_AGE: 1}
    for queue in ("chosen", "other"):
        series |= row(queue, oldest_waiting_seconds=246, oldest_waiting_target=120, open=1)
    expected = {'alert="OldestWaitingOffTarget",channel="voice",queue="chosen"': 1.05}
    said(tmp_path, always(series), event(ALERTS), expected)
