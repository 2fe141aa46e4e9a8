"""*Pipeline health*: whether the numbers can be trusted, and what holds them up."""

from collections.abc import Iterator
from typing import Any

from stream_app.views import naming, places

from . import shell
from .common import age
from .panels import Panel, query, row, stat, thresholds, timeseries

_FIVE = "[5m]"


def dashboard() -> str:
    """For whoever keeps the pipeline running."""
    return shell.dashboard(
        places.PIPELINE,
        "Whether the numbers can be trusted: age, backlog of records, commits, dead letters, and Redis.",
        list(_panels()),
        variables=(),
        since="now-3h",
    )


def _panels() -> Iterator[Panel]:
    yield row("Can the numbers be trusted?")
    yield age("pipeline: data_age", (8, 6))
    yield _level(
        "data_untrusted", "Ready", f"min({naming.READY})", "1: nothing stands against the numbers.", 1
    )
    yield _level(
        "partitions", "Partitions followed", f"max({naming.PARTITIONS})", "All of the topic's, by any worker."
    )
    yield _level(
        "unread", "Records that wait", f"max({naming.UNREAD})", "Written to Kafka and not folded yet."
    )
    yield _level(
        "data_missing",
        "Replicas of serve",
        f"count({naming.DATA_AGE})",
        "That Prometheus reaches.",
        1,
    )
    yield row("Kafka")
    yield _lines(
        "events",
        "Events a second",
        [query("A", f"sum by (result) (rate({naming.EVENTS}{_FIVE}))", "{{result}}")],
        "Records by what became of them. Every record ends in exactly one of these results.",
    )
    yield _lines(
        "lag",
        "Records not read yet",
        [query("A", f"max by (partition) ({naming.LAG})", "partition {{partition}}")],
        "Grows if events come faster than they are folded: start another worker.",
    )
    yield _lines(
        "accounts",
        "All records so far",
        [query("A", f"max by (result) ({naming.RECORDS})", "{{result}}")],
        "The exact accounts, as they stand in Redis: unlike the workers' own counts they survive restarts.",
    )
    yield _lines(
        "dead_letters",
        "Dead letters in five minutes",
        [query("A", f"sum by (reason) (increase({naming.DEAD_LETTERS}{_FIVE}))", "{{reason}}")],
        "Records that are no events, by reason. They are kept in Redis, beside their partition's counters.",
    )
    yield _lines(
        "late_events",
        "Late events in five minutes",
        [query("A", f"sum(increase({naming.LATE}{_FIVE}))", "late")],
        "Counted where they belong, but a live window may have missed them: a platform is behind, or a clock is wrong.",
    )
    yield _lines(
        "names_full",
        "Registries of names that are full",
        [query("A", f"max by (kind) ({naming.NAMES_FULL})", "{{kind}}")],
        "1 once new queues, channels or agents are counted as 'other'.",
    )
    yield row("Redis")
    buckets = f"sum by (le) (rate({naming.APPLY}_bucket{_FIVE}))"
    yield _lines(
        "commits",
        "Time of a commit",
        [query(f"P{q}", f"histogram_quantile(0.{q}, {buckets})", f"p{q}") for q in (50, 99)],
        "Until Redis has said yes to counters and position together.",
        unit="s",
    )
    yield _lines(
        "commit rate",
        "Commits a second",
        [query("A", f"sum(rate({naming.APPLY}_count{_FIVE}))", "commits")],
        "Few large ones while it catches up, many small ones when it is live.",
    )
    yield _lines(
        "commit share",
        "Share of the time spent in commits",
        [query("A", f"sum by (instance) (rate({naming.APPLY}_sum{_FIVE}))", "{{instance}}")],
        "Of each worker. Near 1 it waits for Redis all the time.",
        unit="percentunit",
    )
    yield _lines(
        "rollbacks",
        "Out of the ordinary, in five minutes",
        [
            query("F", f"sum(increase({naming.FENCED}{_FIVE}))", "fenced commits"),
            query("R", f"sum(increase({naming.ROLLBACKS}{_FIVE}))", "rollbacks that workers found"),
            query("S", f"max(increase({naming.STORE_ROLLBACKS}{_FIVE}))", "times that Redis stepped back"),
        ],
        "Fenced commits are normal when partitions move; rollbacks deserve a look.",
    )
    yield row("Interval rows")
    yield _lines(
        "published rows",
        "Interval rows published in five minutes",
        [query("A", f"sum(increase({naming.PUBLISHED_ROWS}{_FIVE}))", "rows")],
        "Final rows, and changes of such: one for each queue and channel every quarter of an hour.",
    )
    yield _lines(
        "interval_rows",
        "Since interval rows were published",
        [query("A", f"time() - (max({naming.PUBLISHED_AT}) > 0)", "age")],
        "One worker looks for some all the time, whether there are any or not. If this grows, forecasts stand still.",
        unit="s",
    )


def _level(purpose: str, title: str, expression: str, description: str, wanted: float | None = None) -> Panel:
    return stat(
        f"pipeline: {purpose}",
        title,
        [query("A", expression, title.lower())],
        trend=True,
        size=(4, 6),
        description=description,
        unit="short",
        decimals=0,
        steps=thresholds(wanted, "higher"),
    )


def _lines(purpose: str, title: str, queries: list[Panel], description: str, unit: str = "short") -> Panel:
    about: dict[str, Any] = {"size": (8, 7), "description": description, "unit": unit}
    return timeseries(f"pipeline: {purpose}", title, queries, **about)
