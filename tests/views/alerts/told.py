"""What Prometheus scrapes of a story, minute by minute: events in, folded, exported, and judged by all rules on KPIs."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.fold import Fold
from stream_app.model.live.board import Board
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.store.codec import unpack_visits
from stream_app.views import alerts, metrics
from stream_app.views.alerts import prometheus
from stream_app.views.text import to_yaml
from tests.model.kept import Kept
from tests.services.prometheus import promtool
from tests.views.examples import FRESH

MINUTE_MS: Final = 60_000
RULES: Final = tuple(rule for rule in alerts.rules() if rule.group == "kpis")
_RULE_FILE: Final = prometheus.rule_file(of=RULES, interval="1m")
_READ: Final = frozenset(re.findall(r"\bcc_\w+", _RULE_FILE))
"""The metrics that some rule reads: the others need not be given to it."""

Event = Mapping[str, Any]
"""An event of our own vocabulary, without its id."""


class Span(NamedTuple):
    """The minutes that are looked at: from one to the other, without the last."""

    start: str
    end: str

    @property
    def minutes(self) -> list[int]:
        first, last = (round(datetime.fromisoformat(text).timestamp() * 1000) for text in self)
        return list(range(first, last, MINUTE_MS))


def after(start: str, seconds: float) -> str:
    """A moment so many seconds after another."""
    return (datetime.fromisoformat(start) + timedelta(seconds=seconds)).isoformat()


def pages(story: Iterable[Event], targets: Targets, span: Span) -> Iterator[str]:
    """What ``/metrics`` says in each minute, of what was told until then."""
    told = sorted(
        (decode(json.dumps({"id": f"e{n}", **event}).encode())[0] for n, event in enumerate(story)),
        key=lambda event: event.at,
    )
    fold, kept = Fold(targets), Kept()
    fold.by_broker = True
    for now in span.minutes:
        while told and told[0].at <= now:
            event = told.pop(0)
            assert fold.record(event, event.at) == "applied", event
        kept.add(fold.take())
        board = Board(now)
        for (resolution, start, queue, channel), packed in kept.cells.items():
            board.put_cells("t.0", resolution, start, [((queue, channel), packed)])
        for contact, visits in kept.visits.items():
            board.put_visits("t.0", contact, unpack_visits(visits))
        snapshots = Snapshots(board)
        yield metrics.render(snapshots.take(targets), snapshots.waits(targets), FRESH).decode()


def scraped(story: Iterable[Event], targets: Targets, span: Span) -> dict[str, list[str]]:
    """Series → its value in each minute, in promtool's notation."""
    out: dict[str, list[str]] = {}
    for n, page in enumerate(pages(story, targets, span)):
        for line in page.splitlines():
            name, _, value = line.rpartition(" ")
            if re.split(r"[{ ]", name)[0] in _READ:
                values = out.setdefault(name, [])
                values += ["_"] * (n - len(values)) + [value]
    return out


def judge(
    folder: Path, story: Iterable[Event], targets: Targets, span: Span, firing: Mapping[str, Sequence[str]]
) -> None:
    """Have promtool check which alerts fire at which moments: exactly these. ServiceError with what is wrong."""
    first = span.minutes[0]
    checks = [
        {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) * 0',
            "eval_time": f"{(round(datetime.fromisoformat(at).timestamp() * 1000) - first) // MINUTE_MS}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 0} for name in names],
        }
        for at, names in firing.items()
    ]
    series = scraped(story, targets, span)
    assert series
    test = {
        "name": "story",
        "interval": "1m",
        "input_series": [{"series": name, "values": " ".join(values)} for name, values in series.items()],
        "promql_expr_test": checks,
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "rules.yml").write_text(_RULE_FILE)
    (folder / "test.yml").write_text(to_yaml(document))
    assert "SUCCESS" in promtool("test", "rules", folder / "test.yml")
