"""The simulated centre of the demo under the real rules: a normal afternoon alerts nobody, an outage alerts once."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from stream_app.demo import planning
from stream_app.model.fold.cells import Cell, add_into, pack_cell, roll_up
from stream_app.model.fold.fold import Fold
from stream_app.model.live.board import Board
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.simulation.centre import Centre
from stream_app.simulation.incidents import Incident, parse
from stream_app.views import metrics, naming
from stream_app.views.status import Status
from stream_app.views.text import to_yaml
from tests.services.prometheus import promtool
from tests.views.alerts.written import RULES

ONE = 1_772_456_400_000  # Monday 2026-03-02 13:00 UTC
MINUTE = 60_000
WARM_UP, MINUTES = 60, 90
SEED = 2
CENTRE = planning.planned(10.0, [])
TARGETS = Targets.of(tomllib.loads(planning.targets(CENTRE, "UTC", [])))
FRESH = Status(age_s=1.0, max_age_s=4.0)
_SERIES = re.compile(r"^(\w+\{[^}]*\}|\w+) (\S+)$", re.MULTILINE)
"""A line of the page; no name of the simulator's has a brace."""


def scraped(names: set[str], incidents: Sequence[Incident] = ()) -> dict[str, list[str]]:
    """Series → a value each minute, ``_`` where it has none."""
    run = Centre(CENTRE, SEED, incidents)
    fold, board = Fold(TARGETS), Board(ONE)
    snapshots, cells = Snapshots(board), dict[tuple[int, int, str, str], Cell]()
    out: dict[str, list[str]] = {}
    events = run.events(ONE, ONE + (WARM_UP + MINUTES) * MINUTE)
    event = next(events, None)
    for minute in range(1, WARM_UP + MINUTES + 1):
        now = ONE + minute * MINUTE
        while event is not None and event.at < now:
            fold.record(event, event.at)
            event = next(events, None)
        deltas = fold.take()
        board.advance(now)
        for (resolution, (start, queue, channel)), amounts in roll_up(deltas.cells, lambda *_: False).items():
            cell = cells.setdefault((resolution, start, queue, channel), {})
            add_into(cell, amounts)
            board.put_cells("t.0", resolution, start, [((queue, channel), pack_cell(cell))])
        for contact, visits in deltas.visits.items():
            board.put_visits("t.0", contact, visits)
        for agent, presence in deltas.agents.items():
            board.put_agent("t.0", agent, presence)
        if minute <= WARM_UP:
            continue
        page = metrics.render(snapshots.take(TARGETS), snapshots.waits(TARGETS), FRESH).decode()
        for series, value in _SERIES.findall(page):
            if series.partition("{")[0] in names:
                values = out.setdefault(series, [])
                values += ["_"] * (minute - WARM_UP - 1 - len(values)) + [value]
    assert any(series.startswith(f"{naming.AGENTS}{{") for series in out)
    return out


def fires(
    path: Path, incidents: Sequence[Incident], expected: Sequence[dict[str, str]], only: str = ""
) -> None:
    """What fires at some time of the afternoon, by promtool's judgement."""
    rules = RULES.read_text()
    group = yaml.safe_load(rules)["groups"][0]
    assert group["name"] == "kpis"
    (path / "kpis.rules.yml").write_text(to_yaml({"groups": [group]}))
    series = scraped(set(re.findall(r"\bcc_\w+", rules)), incidents)
    document = {
        "rule_files": ["kpis.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": " ".join(v)} for name, v in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count by (queue, alertname) (last_over_time(ALERTS{{alertstate="firing"{only}}}[2h])) * 0',
                        "eval_time": f"{MINUTES - 1}m",
                        "exp_samples": [
                            {
                                "labels": "{" + ", ".join(f'{k}="{v}"' for k, v in row.items()) + "}",
                                "value": 0,
                            }
                            for row in expected
                        ],
                    }
                ],
            }
        ],
    }
    (path / "afternoon.test.yml").write_text(to_yaml(document))
    assert "SUCCESS" in promtool("test", "rules", path / "afternoon.test.yml")


@pytest.mark.slow
def test_a_normal_afternoon_of_the_demo_alerts_nobody(tmp_path: Path) -> None:
    fires(tmp_path, [], [])


@pytest.mark.slow
def test_an_outage_of_one_queue_pages_for_that_queue(tmp_path: Path) -> None:
    outage = parse("outage@70m,for=20m,queue=billing", ONE)
    page = {"queue": "billing", "alertname": "OldestWaitingOffTarget"}
    fires(tmp_path, [outage], [page], ',severity="page"')
