"""What happens over time, to several alerts: numbers that stop, and one incident that hurts everything."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream_app.views import alerts, naming
from tests.views.alerts.scraped import QUEUE, Series, agents, fresh, kpi, one


class Check(NamedTuple):
    """At a moment, PromQL has these rows; their values don't matter."""

    at: str
    expression: str
    rows: Sequence[Mapping[str, str]]


class Scene(NamedTuple):
    """Rules, what is scraped, and what fires when."""

    rules: Sequence[str]
    series: Series
    checks: Sequence[Check]


PAGES = tuple(rule.name for rule in alerts.rules() if rule.pages_a_queue)
"""The alerts of which one incident may be sent one."""


def _firing(at: str, *names: str, place: Mapping[str, str] = QUEUE) -> Check:
    """Exactly these fire, each for the one queue there is."""
    by = ", ".join(("alertname", *place))
    return Check(
        at,
        f'count by ({by}) (ALERTS{{alertstate="firing"}})',
        [{"alertname": name, **place} for name in names],
    )


def _died(series: Series, after: int) -> Series:
    """Prometheus scrapes so many samples, and then the target is gone."""
    return {
        name: f"{values.partition('x')[0]}x{after - 1} stale" if values.count("x") == 1 else values
        for name, values in series.items()
    }


_BAD = kpi("service_level", "0.6", "0.8")
_WAIT = kpi("oldest_waiting", "180", "120") | one(naming.OPEN, "1x240")
_STALE_FROM_20 = {naming.DATA_AGE: "1x39 600x80 1x120"}
_NOWHERE: Mapping[str, str] = {}

SCENES: Mapping[str, Scene] = {
    "numbers that stop end nothing, and what is over when they go on is over": Scene(
        ("ServiceLevelOffTarget",),
        kpi("service_level", "0.6x110 0.8x130", "0.8")
        | one("cc_service_level_target", "0.8x240")
        | one("cc_service_level_samples", "100x240", window="30m")
        | one(naming.OPEN, "1x240")
        | _STALE_FROM_20,
        [
            _firing("19m", "ServiceLevelOffTarget"),
            _firing("58m", "ServiceLevelOffTarget"),
            _firing("72m"),
        ],
    ),
    "numbers that stop begin nothing either": Scene(
        ("ServiceLevelOffTarget",),
        kpi("service_level", "0.8x36 0.6x100", "0.8") | _STALE_FROM_20,
        [_firing("58m")],
    ),
    "a queue that closes is known to be over": Scene(
        ("OldestWaitingOffTarget",),
        kpi("oldest_waiting", "180", "120") | one(naming.OPEN, "1x40 0x80"),
        [_firing("19m", "OldestWaitingOffTarget"), _firing("40m")],
    ),
    "a serve that dies ends nothing": Scene(
        ("OldestWaitingOffTarget", "DataMissing"),
        _died(kpi("oldest_waiting", "180", "120"), 40),
        [
            _firing("19m", "OldestWaitingOffTarget"),
            Check(
                "58m",
                'count by (alertname) (ALERTS{alertstate="firing"})',
                [{"alertname": "OldestWaitingOffTarget"}, {"alertname": "DataMissing"}],
            ),
        ],
    ),
    "what a dead worker reported last stays": Scene(
        ("PartitionsHeld",),
        {naming.HELD: "4x40 stale _x40 0x40"},
        [
            _firing("19m", "PartitionsHeld", place=_NOWHERE),
            _firing("38m", "PartitionsHeld", place=_NOWHERE),
            _firing("50m", place=_NOWHERE),
        ],
    ),
    "one incident in one queue is one page": Scene(
        PAGES,
        kpi("oldest_waiting", "30x20 180x40 0x60", "120")
        | kpi("service_level", "0.9x24 0.1x66 0.7x30", "0.8")
        | kpi("service_level", "0.9x22 0.1x60 0.9x40", "0.8", "20", "5m")
        | kpi("abandonment", "0.02x26 0.6x64 0.05x30", "0.05")
        | kpi("abandonment", "0.02x26 0.6x56 0.02x40", "0.05", "20", "5m"),
        [
            _firing("9m"),
            _firing("13m", "OldestWaitingOffTarget"),
            _firing("20m", "OldestWaitingOffTarget"),
            _firing("29m", "OldestWaitingOffTarget"),
            # The wait is over, the windows remember it: that is no second incident.
            *(_firing(f"{minute}m") for minute in range(36, 60, 3)),
        ],
    ),
    "the first page of a queue is the only one, whichever it is": Scene(
        PAGES,
        kpi("oldest_waiting", "30x40 180x80", "120")
        | kpi("service_level", "0.1", "0.8")
        | kpi("service_level", "0.1", "0.8", "20", "5m"),
        [_firing(f"{minute}m", "ServiceLevelBurns") for minute in (5, 25, 59)],
    ),
    "another incident later is another page": Scene(
        PAGES,
        kpi("oldest_waiting", "180x20 0x100", "120")
        | kpi("service_level", "0.9x80 0.1x40", "0.8")
        | kpi("service_level", "0.9x80 0.1x40", "0.8", "20", "5m"),
        [_firing("8m", "OldestWaitingOffTarget"), _firing("30m"), _firing("45m", "ServiceLevelBurns")],
    ),
    "two queues are two incidents": Scene(
        PAGES,
        kpi("oldest_waiting", "180", "120")
        | one(naming.OPEN, "1x120", queue="support")
        | one("cc_service_level_ratio", "0.1x120", queue="support", window="30m")
        | one("cc_service_level_ratio", "0.1x120", queue="support", window="5m")
        | one("cc_service_level_samples", "100x120", queue="support", window="30m")
        | one("cc_service_level_samples", "100x120", queue="support", window="5m")
        | one("cc_service_level_target", "0.8x120", queue="support"),
        [
            Check(
                "30m",
                'count by (alertname, queue) (ALERTS{alertstate="firing"})',
                [
                    {"alertname": "OldestWaitingOffTarget", "queue": "sales"},
                    {"alertname": "ServiceLevelBurns", "queue": "support"},
                ],
            )
        ],
    ),
    "a queue that everybody has left is one page, and over when somebody is back": Scene(
        PAGES,
        kpi("backlog", "3")
        | kpi("oldest_waiting", "30x20 180x60 0x40", "120")
        | agents(available="2x10 0x60 1x50", away="0x10 2x110"),
        [
            _firing("6m"),
            _firing("8m", "NobodyThere"),
            _firing("20m", "NobodyThere"),
            _firing("34m", "NobodyThere"),
            *(_firing(f"{minute}m") for minute in range(46, 60, 3)),
        ],
    ),
    "where nobody holds the line, it is a ticket": Scene(
        ("OldestWaitingOffTarget",),
        fresh()
        | {
            f'{metric}{{queue="sales",channel="{channel}"}}': f"{value}x120"
            for channel in ("email", "callback", "messaging", "chat", "voice")
            for metric, value in (
                (naming.OPEN, 1),
                ("cc_oldest_waiting_seconds", 20_000),
                ("cc_oldest_waiting_target", 120),
            )
        },
        [
            Check(
                "30m",
                'count by (severity, channel) (ALERTS{alertstate="firing"})',
                [
                    *({"severity": "ticket", "channel": c} for c in ("email", "callback", "messaging")),
                    *({"severity": "page", "channel": c} for c in ("chat", "voice")),
                ],
            )
        ],
    ),
}
