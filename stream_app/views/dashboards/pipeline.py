"""*Pipeline health*: whether the numbers can be trusted, and what delays them."""

from collections.abc import Iterator
from typing import Any

from stream_app.views import links, naming

from . import shell
from .common import NOT_KNOWN, TRUST_HEIGHT, age, trust
from .layout import filled
from .look import Panel, thresholds
from .panels import query, row, stat, timeseries
from .queries import unread

_FIVE = "[5m]"


def dashboard() -> str:
    """Draw what operators need to keep the pipeline running."""
    return shell.dashboard(
        links.PIPELINE,
        "Whether the numbers can be trusted: age, unread records, commits, dead letters and Redis.",
        list(_panels()),
        variables=(),
        since="now-3h",
    )


def _panels() -> Iterator[Panel]:
    yield row("Can the numbers be trusted?")
    yield age(8)
    yield trust(4, "pipeline: data_untrusted")
    yield _level(
        "unread",
        "Unread records",
        unread(),
        "Written to Kafka and not counted yet. While no worker reports, about as many as came since, at the median rate of the "
        "last hour: a dead worker can't report them.",
    )
    yield _level(
        "partitions",
        "Partitions followed",
        f"max({naming.PARTITIONS})",
        "Partitions of the topic that are counted, by any worker.",
    )
    yield _level(
        "data_missing",
        "Replicas of serve",
        f"count({naming.DATA_AGE})",
        "Replicas that Prometheus reaches.",
        thresholds(1, "higher"),
    )
    yield from filled([_ages(), _clocks(), *_names(), _ledger(), _workers()], 2)
    yield row("Kafka")
    yield from filled(list(_kafka()), 3)
    yield row("Redis")
    yield from filled(list(_redis()), 3)
    yield row("Interval rows")
    yield from filled(list(_rows()), 3)


def _ages() -> Panel:
    return _lines(
        "data_age",
        "Age of the data by replica",
        [
            query("A", f"max by (instance) ({naming.DATA_AGE})", "{{instance}}"),
            query("L", f"max({naming.MAX_AGE})", "stale beyond"),
        ],
        "How far behind real time the numbers of each serve may be, and the limit that is set for it.",
        unit="s",
    )


def _clocks() -> Panel:
    return _lines(
        "clocks",
        "Clocks against Redis",
        [
            query("A", f"max by ({naming.OF}) ({naming.SKEW})", "{{of}}"),
            query("W", f"max by (instance) ({naming.WORKER_SKEW})", "worker {{instance}}"),
        ],
        "Clocks of serve, each partition's owner and each worker; above 0 is ahead. Fix any that is more than a second off.",
        unit="s",
        least=None,
    )


def _names() -> Iterator[Panel]:
    yield _lines(
        "ids_dropped",
        "Event ids forgotten early, in an hour",
        [query("A", f"sum(increase({naming.IDS_DROPPED}[1h]))", "ids")],
        "Above 0 where a partition has more than ten million ids in three days: what is sent again would count again.",
    )
    yield _lines(
        "names_full",
        "Full registries of names",
        [query("A", f"max by (kind) ({naming.NAMES_FULL})", "{{kind}}")],
        "1 when new queues, channels or agents are counted as 'other'.",
    )


def _ledger() -> Panel:
    return _lines(
        "ledger",
        "How far the ledger is behind",
        [
            query("A", f"max by (partition) ({naming.LEDGER_LAG})", "{{partition}}"),
            query("H", f"max by (partition) ({naming.LEDGER_HOLES})", "holes of {{partition}}"),
        ],
        "Contacts that wait in Redis for the ledger's writer; a minute is normal. A line that ends: no writer is reached.",
        unit="s",
    )


def _workers() -> Panel:
    return _lines(
        "workers",
        "Time since each worker started",
        [query("A", f"time() - max by (instance) ({naming.STARTED})", "{{instance}}")],
        "A saw tooth is a worker that dies and is started again; a line that ends is one that Prometheus no longer reaches.",
        unit="s",
    )


def _kafka() -> Iterator[Panel]:
    yield _lines(
        "events",
        "Events per second",
        [query("A", f"sum by (result) (rate({naming.EVENTS}{_FIVE}))", "{{result}}")],
        "Records by result. Every record ends in exactly one of these results.",
    )
    yield _lines(
        "lag",
        "Lag in records",
        [query("A", f"max by (partition) ({naming.LAG})", "partition {{partition}}")],
        "It grows if events arrive faster than they are counted: start another worker.",
    )
    yield _lines(
        "partitions_held",
        "Held partitions",
        [query("A", f"sum({naming.HELD})", "held")],
        "Above 0 after the topic got more partitions, until `stream-app repartition` has moved the open contacts.",
    )
    yield _lines(
        "accounts",
        "All records so far",
        [query("A", f"max by (result) ({naming.RECORDS})", "{{result}}")],
        "The exact counts, as kept in Redis: unlike the workers' own counters they survive restarts.",
    )
    yield _lines(
        "dead_letters",
        "Dead letters in five minutes",
        [query("A", f"sum by (reason) (increase({naming.DEAD_LETTERS}{_FIVE}))", "{{reason}}")],
        "Records that are not events, by reason. They are kept in Redis, next to their partition's counters.",
    )
    yield _lines(
        "late_events",
        "Late events in five minutes",
        [query("A", f"sum(increase({naming.LATE}{_FIVE}))", "late")],
        "Counted where they belong, but live windows may have missed them: a platform is late, or a clock is wrong.",
    )
    yield _lines(
        "gaps",
        "Offsets without a record in five minutes",
        [query("A", f"sum by (kind) (increase({naming.GAPS}{_FIVE}))", "{{kind}}")],
        "Transaction markers are normal. Compaction and retention remove contacts that were not counted yet.",
    )


def _redis() -> Iterator[Panel]:
    buckets = f"sum by (le) (rate({naming.APPLY}_bucket{_FIVE}))"
    yield _lines(
        "commits",
        "Duration of a commit",
        [query(f"P{q}", f"histogram_quantile(0.{q}, {buckets})", f"p{q}") for q in (50, 99)],
        "Until Redis has confirmed counters and position together.",
        unit="s",
        room=0.1,
    )
    yield _lines(
        "commit rate",
        "Commits per second",
        [query("A", f"sum(rate({naming.APPLY}_count{_FIVE}))", "commits")],
        "Few large ones while catching up, many small ones when live.",
    )
    yield _lines(
        "commit share",
        "Share of time spent in commits",
        [query("A", f"sum by (instance) (rate({naming.APPLY}_sum{_FIVE}))", "{{instance}}")],
        "By worker. Near 1 it is always waiting for Redis.",
        unit="percentunit",
    )
    yield _lines(
        "rollbacks",
        "Fenced commits and rollbacks in five minutes",
        [
            query("F", f"sum(increase({naming.FENCED}{_FIVE}))", "fenced commits"),
            query("R", f"sum(increase({naming.ROLLBACKS}{_FIVE}))", "rollbacks found by workers"),
            query("S", f"max(increase({naming.STORE_ROLLBACKS}{_FIVE}))", "rollbacks of Redis"),
        ],
        "Fenced commits are normal when partitions move; investigate rollbacks.",
    )
    yield _lines(
        "store_memory",
        "Memory of Redis",
        [query("A", f"max({naming.STORE_BYTES})", "used"), query("L", f"max({naming.STORE_LIMIT})", "limit")],
        "With the policy noeviction, a full Redis refuses commits: counting stands still until there is room.",
        unit="bytes",
    )


def _rows() -> Iterator[Panel]:
    yield _lines(
        "published rows",
        "Interval rows published in five minutes",
        [query("A", f"sum(increase({naming.PUBLISHED_ROWS}{_FIVE}))", "rows")],
        "Final rows and corrections of them: one for each queue and channel per 15-minute interval.",
    )
    yield _lines(
        "interval_rows",
        "Time since interval rows were published",
        [query("A", f"time() - (max({naming.PUBLISHED_AT}) > 0)", "age")],
        "One worker checks continuously, whether there are rows to publish or not. If this grows, forecasts stand still.",
        unit="s",
    )
    yield _lines(
        "interval_topic",
        "Interval topic can't be written",
        [query("A", f"max by (instance) ({naming.ROWS_UNSENT})", "{{instance}}")],
        "1 while the worker that publishes rows can't send them to Kafka. They are in Redis, and are sent later.",
    )


def _level(
    purpose: str, title: str, expression: str, description: str, colours: Panel | None = None
) -> Panel:
    return stat(
        f"pipeline: {purpose}",
        title,
        expression,
        size=(4, TRUST_HEIGHT),
        description=description,
        unit="locale",
        decimals=0,
        steps=colours,
    )


def _lines(purpose: str, title: str, queries: list[Panel], description: str, **more: Any) -> Panel:
    about: dict[str, Any] = {"unit": "locale", **more}
    about.setdefault("room", 5 if about["unit"] == "locale" else 1)
    return timeseries(
        f"pipeline: {purpose}",
        title,
        queries,
        size=(8, 7),
        description=description,
        none=f"{NOT_KNOWN}.",
        **about,
    )
