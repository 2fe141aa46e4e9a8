"""A back-test says the same as Prometheus: over series that were made from the same rows, and over back-filled blocks."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stream_app.__main__ import cli
from stream_app.commands.config import document as targets_document
from stream_app.commands.custom_rules import custom_rules
from stream_app.views import alerts
from stream_app.views.alerts import custom, prometheus
from tests.services.prometheus import Prometheus, promtool
from tests.views.alerts import past

RULES = """
[[rules]]
name = "Callers give up"
severity = "page"
all = [
  { kpi = "abandonment", above = 0.1, clear = 0.05 },
  { kpi = "service_level", below = "target", by = 0.05 },
]

[[rules]]
name = "Work piles up"
severity = "ticket"
hours = "always"
hold = "20m"
any = [
  { kpi = "handle_time", above = "target", by = "10 %", clear = "0 %" },
  { kpi = "backlog", above = 8, clear = 4 },
]

[[rules]]
name = "A busy day"
severity = "ticket"
hold = "45s"
hours = { zone = "ZONE", thu-fri = ["06:30-12:10", "12:20-24:00"], sat-sun = ["00:00-07:05"] }
all = [{ kpi = "offered", above = 150, window = "today" }]

[[rules]]
name = "Answers are quick"
severity = "ticket"
channels = ["voice"]
hold = "0s"
all = [{ kpi = "speed_of_answer", below = 25, clear = 40, minimum = 40 }]
"""
BUILT_IN = (
    "ServiceLevelOffTarget",
    "AbandonmentOffTarget",
    "ServiceLevelBurnsSlowly",
    "HandleTimeOffTarget",
    "BacklogOffTarget",
)
LENGTH = 66
MISSING = (41, 42, 60)
SUNDAY = int(datetime(2026, 3, 28, 10, tzinfo=UTC).timestamp())
"""A day before clocks change in Berlin."""

Spans = list[tuple[str, float, float]]
"""Queue, and the Unix times from when until when it fires."""


class World:
    """Rows in a file, rules, and what the command says about them."""

    def __init__(
        self, folder: Path, begin: int, length: int, missing: tuple[int, ...] = (), zone: str = "Etc/GMT-1"
    ) -> None:
        self.begin, self.length, self.folder = begin, length, folder
        self.end = begin + length * past.QUARTER
        (folder / "rules.toml").write_text(RULES.replace("ZONE", zone))
        (folder / "targets.toml").write_text(past.TARGETS)
        self.rows = past.rows(begin, length, missing)
        past.export(folder / "rows.ndjson", self.rows)
        targets = targets_document.read(folder / "targets.toml")
        self.series = dict(past.by_minutes(past.scraped(self.rows, begin, length, targets), begin, length))
        own = [custom.alert(rule) for rule in custom_rules(folder / "rules.toml")]
        self.rules = [*own, *(rule for rule in alerts.rules() if rule.name in BUILT_IN)]

    def back_test(self) -> dict[str, Spans]:
        """Rule → when it would have fired."""
        found = {}
        for options in (["--rules", self.folder / "rules.toml"], []):
            common = [
                "--rows",
                self.folder / "rows.ndjson",
                "--settings",
                self.folder / "targets.toml",
                "--json",
            ]
            done = CliRunner().invoke(cli, ["alerts", "test", *map(str, [*options, *common])])
            assert done.exit_code == 0, done.output
            for entry in json.loads(done.stdout)["rules"]:
                found[entry["name"]] = [
                    (one["queue"], _unix(one["from"]), _unix(one["to"])) for one in entry["firings"]
                ]
        return {rule.name: found[rule.name] for rule in self.rules}


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def notation(values: list[float | None]) -> str:
    """Write values for promtool; a series that ends is stale, as it is for a server that scrapes."""
    words = []
    known = False
    for value, group in groupby(values):
        n = len([*group])
        if value is not None:
            words.append(f"{value!r}x{n - 1}")
        elif known:
            words.append(f"stale _x{n - 1}" if n > 1 else "stale")
        else:
            words.append(f"_x{n}")
        known = value is not None
    return " ".join(words)


# Each minute: all of these alerts begin and end at whole minutes.
@pytest.mark.slow
def test_the_same_spans_as_promtool_over_series_of_the_same_rows(tmp_path: Path) -> None:
    world = World(tmp_path, 0, LENGTH, MISSING)
    found = world.back_test()
    for rule in world.rules:
        assert found[rule.name] or rule.name == "BacklogOffTarget", (
            f"{rule.name} never fires: nothing is compared"
        )
    (tmp_path / "rules.yml").write_text(prometheus.rule_file(of=world.rules, interval="1m"))
    checks = [check for rule in world.rules for check in _checks(rule, found[rule.name], world.end)]
    test = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": notation(values)} for name, values in world.series.items()
        ],
        "promql_expr_test": checks,
    }
    (tmp_path / "test.yml").write_text(
        json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    assert len(checks) > 600
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


def _checks(rule: alerts.AlertRule, spans: Spans, end: float) -> Iterator[dict[str, Any]]:
    """Yield each ten minutes, and the moments around each beginning and end."""
    edges = {at + by for _, start, until in spans for at in (start, until) for by in (-60, 0)}
    channels = dict(past.PLACES)
    for at in sorted({*range(900, int(end), 600), *(int(edge) for edge in edges if edge < end)}):
        firing = [queue for queue, start, until in spans if start <= at < until]
        labels = {"alertname": rule.name, "alertstate": "firing", **rule.labels}
        yield {
            "expr": f'ALERTS{{alertname="{rule.name}",alertstate="firing"}}',
            "eval_time": f"{at}s",
            "exp_samples": [
                {
                    "labels": _series("ALERTS", {**labels, "queue": queue, "channel": channels[queue]}),
                    "value": 1,
                }
                for queue in firing
            ],
        }


def _series(name: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}}"


@pytest.mark.slow
def test_the_same_spans_as_prometheus_over_back_filled_blocks(tmp_path: Path) -> None:
    world = World(tmp_path, SUNDAY, 64, zone="Europe/Berlin")
    found = world.back_test()
    metrics = tmp_path / "metrics"
    metrics.write_text(_open_metrics(world))
    blocks = tmp_path / "blocks"
    promtool("tsdb", "create-blocks-from", "openmetrics", "--quiet", metrics, blocks)
    with Prometheus(blocks=blocks) as server:
        for rule in world.rules:
            by_queue: dict[str, dict[float, float]] = {}
            for at in range(
                world.begin, world.end, 4 * 3600
            ):  # in pieces: an answer must come within ten seconds
                for labels, values in server.query_range(
                    rule.value, at, min(at + 4 * 3600, world.end) - 30, 30
                ):
                    by_queue.setdefault(labels["queue"], {}).update(values)
            spans: Spans = []
            for queue, values in by_queue.items():
                ticks = [values.get(at) for at in _ticks(world)]
                spans += [(queue, *span) for span in _life(rule, ticks, world.begin)]
            assert sorted(spans, key=lambda span: (span[1], span[0])) == found[rule.name]
    assert sum(map(len, found.values())) > 10


def _ticks(world: World) -> list[float]:
    return [float(at) for at in range(world.begin, world.end, 30)]


def _open_metrics(world: World) -> str:
    lines: list[str] = []
    for metric, group in groupby(sorted(world.series), key=lambda name: name.partition("{")[0]):
        lines.append(f"# TYPE {metric} gauge\n")
        for name in group:
            samples = enumerate(world.series[name])
            lines += [
                f"{name} {value!r} {world.begin + n * 60}\n" for n, value in samples if value is not None
            ]
    return "".join(lines) + "# EOF\n"


def _life(rule: alerts.AlertRule, ticks: list[float | None], begin: int) -> Iterator[tuple[float, float]]:
    """Do what the documentation of Prometheus says of ``for`` and ``keep_firing_for``, tick by tick."""
    hold, keep = (_seconds(text) for text in (rule.hold, rule.keep))
    active = lost = fired = None
    for n, value in enumerate(ticks):
        at = begin + n * 30
        if value is not None and (
            value > rule.above or (fired is not None and rule.clear < rule.above and value >= rule.clear)
        ):
            lost = None
            active = at if active is None else active
            if fired is None and at - active >= hold:
                fired = at
            continue
        lost = at if fired is not None and lost is None else lost
        if fired is not None and lost is not None and at - lost < keep:
            continue
        if fired is not None:
            yield float(fired), float(at)
        active = lost = fired = None
    if fired is not None:
        yield float(fired), float(begin + len(ticks) * 30)


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]
