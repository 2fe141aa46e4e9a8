"""Alerts on the pipeline itself: whether its numbers can be trusted. These keep those on KPIs silent."""

from collections.abc import Iterator

from stream_app.views import naming, places

from .expressions import STALE_AFTER_S
from .rule import Rule

_AGE = f"max({naming.DATA_AGE})"


def rules() -> Iterator[Rule]:
    """Old, unknown, not to be trusted; and what only deserves a look by day."""
    yield _rule(
        "DataStale",
        "data_age",
        _AGE,
        above=STALE_AFTER_S,
        clear=STALE_AFTER_S,
        hold="1m",
        keep="1m",
        severity="page",
        summary="The live numbers are stale",
        description=f"They may be VALUE behind the truth. Alerts on KPIs are silent beyond {STALE_AFTER_S} s.",
        shown="humanizeDuration",
    )
    yield _rule(
        "DataMissing",
        "data_missing",
        f"absent({naming.DATA_AGE})",
        hold="2m",
        severity="page",
        summary="The age of the live numbers is unknown",
        description="There are no numbers at all, so alerts on KPIs are silent.",
    )
    yield _rule(
        "DataUntrusted",
        "data_untrusted",
        # Old is another matter, and so is a moment of it: this is about numbers that are fresh.
        f"1 - min({naming.READY})\nunless on () {_AGE} > max({naming.MAX_AGE})",
        hold="5m",
        severity="page",
        summary="The live numbers can't be trusted",
        description="They are fresh, and yet serve is not ready: /readyz gives the reason.",
    )
    yield _rule(
        "DeadLetters",
        "dead_letters",
        f"sum(increase({naming.DEAD_LETTERS}[30m]))\n/ sum(increase({naming.EVENTS}[30m]))",
        above=0.01,
        clear=0.002,
        hold="5m",
        summary="Records can't be read",
        description="VALUE of the records of the last half hour were no events and are kept as dead letters.",
        shown="humanizePercentage",
    )
    yield _rule(
        "LateEvents",
        "late_events",
        f"sum(increase({naming.LATE}[30m]))\n/ sum(increase({naming.EVENTS}[30m]))",
        above=0.1,
        clear=0.05,
        hold="15m",
        summary="Events come late",
        description="VALUE of the events of the last half hour came late: live windows may have missed them.",
        shown="humanizePercentage",
    )
    yield _rule(
        "NamesFull",
        "names_full",
        f"max by (kind) ({naming.NAMES_FULL})",
        by=("kind",),
        hold="5m",
        summary="No more names for {{ .Labels.kind }}",
        description="New ones are counted as 'other'.",
    )
    yield _rule(
        "IntervalRowsNotPublished",
        "interval_rows",
        f"time() - max({naming.PUBLISHED_AT})",
        above=600,
        clear=120,
        hold="5m",
        summary="Interval rows are not published",
        description="The last time was VALUE ago. Live numbers go on; planners and the topic get nothing new.",
        shown="humanizeDuration",
    )
    yield _rule(
        "StoreSteppedBack",
        "rollbacks",
        f"max(increase({naming.STORE_ROLLBACKS}[15m]))",
        summary="Redis stepped back to an older state",
        description="It did so VALUE times in a quarter of an hour. Workers count again from there: nothing is lost.",
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
) -> Rule:
    dashboard, panel = places.pipeline(subject)
    return Rule(
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
        panel=panel,
    )
