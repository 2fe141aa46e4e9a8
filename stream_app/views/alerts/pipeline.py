"""Alerts on the pipeline itself: whether its numbers can be trusted. They silence the alerts on KPIs."""

from collections.abc import Iterator

from stream_app.views import links, naming
from stream_app.views.status import SKEW_S

from . import actions
from .expressions import STALE_AFTER_S
from .rule import AlertRule

_AGE = f"max({naming.DATA_AGE})"
LATE_OF = 50
"""The least number of events for the share of late ones to mean anything."""


def rules() -> Iterator[AlertRule]:
    """Yield the pages (numbers stale, missing or not to be trusted) and the tickets (problems for office hours)."""
    yield _rule(
        "DataStale",
        "data_age",
        _AGE,
        above=STALE_AFTER_S,
        clear=STALE_AFTER_S,
        hold="1m",
        keep="1m",
        severity="page",
        summary="The live numbers have stopped: they may be VALUE old",
        description=f"Beyond {STALE_AFTER_S} s, alerts on queues neither begin nor end.",
        known=f"count({naming.DATA_AGE})",
        shown="humanizeDuration",
    )
    yield _rule(
        "DataMissing",
        "data_missing",
        f"absent({naming.DATA_AGE})",
        hold="2m",
        severity="page",
        summary="The age of the live numbers is unknown",
        description="There are no numbers at all: alerts on queues neither begin nor end.",
    )
    yield _rule(
        "DataUntrusted",
        "data_untrusted",
        # Stale numbers have an alert of their own, and a moment does no harm: this is about numbers that are fresh.
        f"1 - min({naming.READY})\nunless on () {_AGE} > max({naming.MAX_AGE})",
        hold="5m",
        known=f"{_AGE} <= max({naming.MAX_AGE})",
        severity="page",
        summary="The live numbers can't be trusted",
        description="They are fresh, yet serve is not ready: /readyz gives the reason.",
    )
    yield _rule(
        "ClocksDiffer",
        "clocks",
        f"max by ({naming.OF}) (abs({naming.SKEW}))",
        by=(naming.OF,),
        above=SKEW_S,
        clear=SKEW_S / 2,
        hold="5m",
        known=f"count({naming.SKEW})",
        summary="The clock of {{ .Labels.of }} is VALUE s off Redis's",
        description="Live numbers use Redis's clock only; events of that machine may have wrong times.",
    )
    yield _rule(
        "PartitionsHeld",
        "partitions_held",
        f"sum({naming.HELD})",
        hold="1m",
        severity="page",
        known=f"count({naming.HELD})",
        summary="VALUE partitions of the topic are not being read",
        description="The topic has new partitions, which are held until open contacts have been moved there.",
    )
    yield _rule(
        "DeadLetters",
        "dead_letters",
        f"sum(increase({naming.DEAD_LETTERS}[30m]))\n/ sum(increase({naming.EVENTS}[30m]))",
        above=0.01,
        clear=0.002,
        hold="5m",
        known=f"count({naming.DEAD_LETTERS})",
        summary="VALUE of the records in the last half hour can't be read",
        description="They were not events and are kept as dead letters; what was in them is missing from the numbers.",
        shown="humanizePercentage",
    )
    yield _rule(
        "LateEvents",
        "late_events",
        # Too late for any bucket, or counted although late; one late event among a few means nothing.
        f'((sum(increase({naming.EVENTS}{{result="late"}}[10m])) or vector(0))\n'
        f"+ (sum(increase({naming.LATE}[10m])) or vector(0)))\n"
        f"/ (sum(increase({naming.EVENTS}[10m])) >= {LATE_OF})",
        above=0.1,
        clear=0.05,
        hold="5m",
        known=f"count({naming.EVENTS})",
        summary="VALUE of the events in the last ten minutes arrived late",
        description="Live windows may have missed them.",
        shown="humanizePercentage",
    )
    yield _rule(
        "RecordsMissing",
        "gaps",
        f'sum(increase({naming.GAPS}{{kind!="transaction"}}[15m]))',
        known=f"count({naming.GAPS})",
        summary="VALUE records are missing from the topic",
        description="In 15 minutes, so many offsets had no record and no transaction explains it: they were removed unread.",
    )
    yield _rule(
        "IdsDroppedEarly",
        "ids_dropped",
        f"sum(increase({naming.IDS_DROPPED}[1h]))",
        known=f"count({naming.IDS_DROPPED})",
        summary="VALUE event ids were forgotten early",
        description="A partition has more than are remembered: an event that is sent again within two days may count twice.",
    )
    yield _rule(
        "NamesFull",
        "names_full",
        f"max by (kind) ({naming.NAMES_FULL})",
        by=("kind",),
        hold="5m",
        known=f"count({naming.NAMES_FULL})",
        summary="The registry of {{ .Labels.kind }} names is full",
        description="New names are counted as 'other'.",
    )
    yield _rule(
        "IntervalRowsNotPublished",
        "interval_rows",
        f"time() - max({naming.PUBLISHED_AT})",
        above=600,
        clear=120,
        hold="5m",
        known=f"count({naming.PUBLISHED_AT})",
        summary="Interval rows were last published VALUE ago",
        description="Live numbers continue; planners and the topic get nothing new.",
        shown="humanizeDuration",
    )
    yield _rule(
        "LedgerBehind",
        "ledger",
        f"max({naming.LEDGER_LAG})",
        above=600,
        clear=180,
        hold="5m",
        known=f"count({naming.LEDGER_LAG})",
        summary="The ledger is VALUE behind",
        description="Counting goes on. Contacts wait in Redis; once an outbox is full, its oldest are lost to the ledger.",
        shown="humanizeDuration",
    )
    yield _rule(
        "LedgerHole",
        "ledger",
        f"sum({naming.LEDGER_HOLES}) - sum({naming.LEDGER_HOLES} offset 1h)",
        known=f"count({naming.LEDGER_HOLES})",
        summary="The ledger has holes: VALUE more than an hour ago",
        description="Contacts of the last hour are missing in it; what is asked of it says so. Every count is right.",
    )
    yield _rule(
        "StoreSteppedBack",
        "rollbacks",
        f"max(increase({naming.STORE_ROLLBACKS}[15m]))",
        known=f"count({naming.STORE_ROLLBACKS})",
        summary="Redis went back to an older state",
        description="It did so VALUE times in 15 minutes. Workers count again from there, so nothing is lost.",
    )
    yield from _servers()


def _servers() -> Iterator[AlertRule]:
    """Yield the alerts on what must be there: Redis's memory, workers, the topic of interval rows, the alerts themselves."""
    yield _rule(
        "IntervalTopicFails",
        "interval_topic",
        f"max({naming.ROWS_UNSENT})",
        hold="10m",
        known=f"count({naming.ROWS_UNSENT})",
        summary="Interval rows can't be written to their topic",
        description="They are stored, and the topic catches up once it accepts them; until then its readers get nothing new.",
    )
    yield _rule(
        "RedisMemoryLow",
        "store_memory",
        f"max({naming.STORE_BYTES} / {naming.STORE_LIMIT})",
        above=0.8,
        clear=0.75,
        hold="5m",
        known=f"count({naming.STORE_BYTES})",
        summary="Redis has used VALUE of its memory",
        description="Once it is full, nothing is counted until it is given more; nothing is lost.",
        shown="humanizePercentage",
    )
    alive = f"count({naming.STARTED})"
    yield _rule(
        "WorkersDown",
        "workers",
        f"max_over_time({alive}[1h:1m]) - ({alive} or vector(0))",
        hold="5m",
        summary="Workers are down: VALUE fewer than within the last hour",
        description="The others take over their partitions. It ends by itself an hour after workers were stopped on purpose.",
    )
    yield _rule(
        "WorkersRestarting",
        "workers",
        f"max(changes({naming.STARTED}[30m]))",
        above=2,
        clear=1,
        known=alive,
        summary="A worker restarted VALUE times in half an hour",
        description="While it restarts, others take over its partitions, and the numbers are a few seconds late.",
    )
    yield _rule(
        "Watchdog",
        "watchdog",
        "vector(1)",
        panel="data_missing",
        keep="0s",
        severity="none",
        summary="Alerts are being evaluated",
        description="It always fires. Send it to a service that notifies you when it no longer hears it.",
    )


def _rule(
    name: str,
    subject: str,
    value: str,
    *,
    summary: str,
    description: str,
    above: float = 0,
    clear: float = 0,
    by: tuple[str, ...] = (),
    hold: str = "0s",
    keep: str = "5m",
    severity: str = "ticket",
    shown: str = "humanize",
    known: str = "",
    panel: str = "",
) -> AlertRule:
    dashboard, panel_id = links.pipeline(panel or subject)
    return AlertRule(
        group="pipeline",
        name=name,
        subject=subject,
        value=value,
        above=above,
        clear=clear,
        by=by,
        hold=hold,
        keep=keep,
        severity=severity,
        summary=summary,
        description=description,
        shown=shown,
        dashboard=dashboard,
        panel=panel_id,
        do=actions.PIPELINE[subject],
        known=known,
    )
