"""Every PromQL expression of every dashboard and alert, asked of a real Prometheus that scraped a centre for a while."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.views import alerts, links, naming
from stream_app.views.budget import PARTS_WINDOW
from stream_app.views.dashboards import DASHBOARDS, ledger_panels
from stream_app.views.dashboards.ledger_panels import LEDGER
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster
from tests.services.process import HOST, free_port, until
from tests.services.prometheus import Prometheus
from tests.views.dashboards import linting

from .pipeline import Pipeline, noon_somewhere
from .simulator import Simulator
from .worker import LedgerProcess, closing

SCRAPES = 12
PLANNED = (
    "Forecast contacts",
    "Required",
    "Scheduled",
    "Agents short",
    "Gap",
    "Required against scheduled",
    "Forecast against actual",
    "By queue, now",
    "Agents by queue: required",
    "Agents there: required",
    "QueueUnderstaffed",
)
SETTLED = {
    title
    for kpi in FROM_LEDGER
    if kpi.settles and kpi.families != {"bots"}  # of these some are settled when they are over
    for policy in kpi.policies or ("",)
    for title in (f"{kpi.title}{ledger_panels.by(policy)}, {ledger_panels.SOON}",)
} | {f"{LEDGER['first_contact_resolution'].title}, settled, {ledger_panels.LATE}, by repeat"}
CUSTOMERS = {
    f"{kpi.title}{ledger_panels.by(policy)}, {ledger_panels.SOON}"
    for kpi in FROM_LEDGER
    if kpi.customers
    for policy in kpi.policies or ("",)
} | {f"{LEDGER[name].title}, {ledger_panels.LATE}" for name in ("retention", "churn")}
SELDOM = {
    f"{kpi.title}{ledger_panels.by(policy)}{'' if kpi.is_level else f', {ledger_panels.SOON}'}"
    for kpi in FROM_LEDGER
    if kpi.agents or kpi.families & {"criteria", "sales"}
    for policy in kpi.policies or ("",)
} | {
    "Occupancy and utilisation by team",
    *(f"{LEDGER[name].title}: parts, {PARTS_WINDOW}" for name in ("sales_by_kind", "signed_in_time")),
}
QUIET = {
    "ContactsStopped": "nothing to compare with before a week is over",
    "LedgerHole": "nothing to compare with before an hour is over",
    "HandleTimeAtCsatsCost": "the same",
    "ContactsSurge": "the same",
    "ContactsInClosedQueue": "no queue is closed",
    "ContactLeftInClosedQueue": "the same",
    "Memory of Redis": "this one has no limit",
    "RedisMemoryLow": "the same",
    "DataMissing": "the data are there: this has a row only when nobody says how old they are",
    "Average handle time, outbound, today": "the simulated centre calls nobody",
    **dict.fromkeys(SETTLED, "nothing is settled before a day, or a week, is over"),
    **dict.fromkeys(CUSTOMERS, "the simulated centre tells nothing of who becomes a customer"),
    "NobodyThere": "somebody is there",
    **dict.fromkeys(PLANNED, "a forecast needs six weeks of rows, and nobody imported a schedule"),
}
"""Alert or panel → why a young and healthy centre has no data for it."""
RARE = {
    **dict.fromkeys(SELDOM, "needs a sale of that kind, a review of that kind, or a shift that begins"),
    "ComplianceAutomaticOffTarget": "needs twenty automatic reviews of a queue, which may take longer than this test",
}


UNSEEN = {
    *naming.PLANNED,  # see above
    naming.APPLY,  # its buckets, sum and count are there
    naming.STORE_LIMIT,  # see above
    naming.value(BY_NAME["outbound_handle_time"]),  # see above
    *(naming.target(kpi) for kpi in KPIS if not kpi.targets),  # exported where a setting gives one
    *(naming.ledger_target(kpi) for kpi in FROM_LEDGER if kpi.target is None),  # the same
    *(naming.settled(kpi) for kpi in FROM_LEDGER),  # see above, like the rest
    *(naming.settled_samples(kpi) for kpi in FROM_LEDGER),
    *(
        name
        for kpi in FROM_LEDGER
        if not kpi.placed or kpi.families & {"criteria", "sales"}
        for name in naming.ledger_names_of(kpi)
    ),
}


def settings() -> str:
    site = "".join(
        f'[queues.{queue}]\nsite = "{site}"\npartner = {partner}\nunit = "retail"\ntargets = {{ backlog = 50 }}\n'
        for queue, site, partner in (("billing", "Leeds", "true"), ("sales", "Graz", "false"))
    )
    # A queue is held against the clock that it promised: one of each kind is looked at.
    writing = "[queues.webshop]\nreply_target_s = 600\n" + "".join(
        f'[queues.{queue}]\ncalendar = "always"\nreply_target_s = 600\n' for queue in ("app", "service")
    )
    always = '[calendars.always]\nhours = { mon-sun = ["00:00-24:00"] }\n'
    return f'[defaults]\nzone = "{noon_somewhere()}"\ncurrency = "EUR"\ncost_per_hour = 30\n{site}{writing}{always}'


def expressions() -> Iterator[tuple[str, list[str]]]:
    """Alert or title of a panel; and the expression as Grafana asks it: of all queues, or of one, and then of another."""
    for uid, render in DASHBOARDS.items():
        queues = ("billing", "webshop", "app") if uid == links.QUEUE else (".*",)
        for panel in linting.panels(json.loads(render())):
            asked = {query["refId"]: query["expr"] for query in panel.get("targets", ())}
            # A tile is missed, or met, or has no target; and where nobody waits, `N` has data and no other.
            joint = (
                [*asked.values()] if panel["type"] == "stat" else [asked.pop(n) for n in ("N",) if n in asked]
            )
            together = [chosen(expression, queue) for expression in joint for queue in queues]
            if panel["type"] == "stat":
                yield panel["title"], together
                continue
            for expression in asked.values():
                planned = ": required" if naming.REQUIRED_AT_WORK in expression else ""
                yield (
                    f"{panel['title']}{planned}",
                    [*(chosen(expression, queue) for queue in queues), *together],
                )
    for rule in alerts.rules():
        yield rule.name, [rule.value]


def annotations() -> Iterator[tuple[str, str]]:
    """Name and expression of each annotation of each dashboard, as Grafana asks it of all queues."""
    for render in DASHBOARDS.values():
        for event in json.loads(render())["annotations"]["list"]:
            if "expr" in event:
                yield event["name"], chosen(event["expr"], ".*")


def chosen(expression: str, queue: str) -> str:
    """As Grafana asks it."""
    for name, value in {
        "queue": queue,
        "channel": ".*",
        "site": ".*",
        "window": "30m",
        "__rate_interval": "1m",
    }.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression
    return expression


@pytest.mark.timeout(480)
async def test_every_expression_has_data_or_a_reason(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=2)
    ledger = str(tmp_path / "ledger")
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path, STREAM_APP_LEDGER=ledger)
    pipeline.apply(settings())
    writer_port = free_port()
    writer = LedgerProcess(
        tmp_path / "ledger.log", redis_url, ledger, STREAM_APP_METRICS_PORT=str(writer_port)
    )
    with ExitStack() as running:
        running.enter_context(pipeline.running())
        running.enter_context(
            Simulator(kafka, topic, "--rate", "120", "--history", "40m", "--time-of-day", "14:00")
        )
        running.enter_context(closing([writer.start()]))
        await pipeline.trusted()
        worker = f"{HOST}:{pipeline.worker_port}"
        prometheus = running.enter_context(
            Prometheus(
                [f"{HOST}:{pipeline.serve.port}", worker, f"{HOST}:{writer_port}"], scrape_interval="1s"
            )
        )
        await until(lambda: _scraped(prometheus), 90, "scraped for a while")
        # They come after all others: a process at low priority computes them.
        counted = naming.ledger_samples(LEDGER["repeat_contacts"])
        await until(lambda: prometheus.query(counted), 240, "KPIs of the ledger")
        asked, began = 0, time.monotonic()
        empty: dict[str, list[str]] = {}
        for title, alternatives in expressions():
            asked += len(alternatives)
            found = [prometheus.query(one) for one in alternatives]  # all: each must be understood
            if not any(found):
                empty[title] = alternatives
        took = time.monotonic() - began
        waited_for = {
            title: alternatives for title, alternatives in empty.items() if title not in QUIET | RARE
        }

        # What rests on a few contacts may take a while to have any.
        def without() -> list[str]:
            return [title for title, each in waited_for.items() if not any(map(prometheus.query, each))]

        await until(lambda: not without(), 90, f"data for {', '.join(waited_for)}")
        await until(
            lambda: not _missing(prometheus), 90, "every name emitted", progress=lambda: _missing(prometheus)
        )
        drawn = {name: prometheus.query(expression) for name, expression in annotations()}
    print(f"{asked} expressions in {took:.1f} s")  # noqa: T201 - the figure of the run
    assert QUIET.keys() - empty.keys() == set(), "these have data: they need no reason"
    # That something changed, was reset or could not be trusted is a number, and 0 on an uneventful day.
    assert {name for name, found in drawn.items() if not found} <= {"Alerts of the chosen queues"}


def _missing(prometheus: Prometheus) -> set[str]:
    seen = {sample.labels["__name__"] for sample in prometheus.query('{__name__=~".+"}')}
    return {*naming.every_name()} - UNSEEN - seen


def _scraped(prometheus: Prometheus) -> Any:
    found = prometheus.query(f"min(count_over_time({naming.DATA_AGE}[5m]))")
    return found and found[0].value >= SCRAPES
