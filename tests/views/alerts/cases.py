"""For each alert: when it fires, and when it must be silent."""

from stream_app.views import naming
from tests.views.alerts.scraped import Case, Series, again, ageless, closed, fresh, kpi, one, one_stuck, stale


def _burning(
    name: str,
    values: tuple[str, str],
    target: str,
    samples: tuple[str, str] = ("100", "20"),
    *,
    day: bool = False,
) -> Series:
    """A KPI in the long and in the short window of its alert, or of the slow one's."""
    windows = ("today", "30m") if day else ("30m", "5m")
    return kpi(name, values[0], target, samples[0], windows[0]) | kpi(
        name, values[1], target, samples[1], windows[1]
    )


FIRING: dict[str, list[Case]] = {
    "ServiceLevelOffTarget": [
        Case(kpi("service_level", "0.6", "0.8"), "20%"),
        Case(kpi("service_level", "0", "0.8", "20"), "80%"),
        Case(again(kpi("service_level", "0.6", "0.8")), "20%"),
        Case(kpi("service_level", "0.8", "0.95"), "15%"),
        # It began at 12 points, and sways between the two levels since.
        Case(kpi("service_level", "0.68x30 0.72x100", "0.8"), "8%"),
        # Two minutes without a scrape, or a moment within the tolerance, are not the end.
        Case(kpi("service_level", "0.6x76 _x3 0.6x40", "0.8"), "20%"),
        Case(kpi("service_level", "0.6x76 0.78x4", "0.8"), "20%", at="39m"),
    ],
    "ServiceLevelBurns": [
        Case(_burning("service_level", ("0.2", "0.1"), "0.8"), "4"),
        Case(_burning("service_level", ("0", "0"), "0.8"), "5"),
        Case(again(_burning("service_level", ("0.2", "0.1"), "0.8")), "4"),
        Case(_burning("service_level", ("0.7", "0.6"), "0.95"), "6"),
        Case(_burning("service_level", ("0.85", "0.4"), "0.95", ("20", "5")), "3"),
    ],
    "ServiceLevelBurnsSlowly": [
        Case(_burning("service_level", ("0.6", "0.65"), "0.8", ("100", "25"), day=True), "1.75"),
    ],
    "AbandonmentOffTarget": [
        Case(kpi("abandonment", "0.15", "0.05"), "10%"),
        Case(kpi("abandonment", "1", "0.05", "20"), "95%"),
    ],
    "AbandonmentBurns": [Case(_burning("abandonment", ("0.5", "0.6"), "0.05"), "10")],
    "FirstResponseOffTarget": [Case(kpi("first_response", "45", "20"), "125%")],
    "HandleTimeOffTarget": [Case(kpi("handle_time", "540", "360"), "50%")],
    "OldestWaitingOffTarget": [
        Case(kpi("oldest_waiting", "180", "120"), "50%"),
        Case(kpi("oldest_waiting", "130x10 100x100", "120"), "-16.67%"),
        Case(one_stuck(kpi("oldest_waiting", "180", "120")), "50%"),
    ],
    "BacklogOffTarget": [Case(kpi("backlog", "15", "10"), "50%")],
    "CsatOffTarget": [Case(kpi("csat", "0.6", "0.8", "20", "today"), "20%", at="50m")],
    "DataStale": [
        Case({naming.DATA_AGE: "180x120"}, "3m 0s"),
        Case(again({naming.DATA_AGE: "1x120"}) | {f'{naming.DATA_AGE}{{instance="b"}}': "180x120"}, "3m 0s"),
    ],
    "DataMissing": [Case({"up": "0x120"}, "1")],
    "DataUntrusted": [Case({naming.DATA_AGE: "1x120", naming.READY: "0x120", naming.MAX_AGE: "4x120"}, "1")],
    "DeadLetters": [
        Case(
            {
                f'{naming.DEAD_LETTERS}{{reason="json"}}': "0+5x120",
                f'{naming.EVENTS}{{result="applied"}}': "0+95x120",
                f'{naming.EVENTS}{{result="dead_letter"}}': "0+5x120",
            },
            "5%",
        )
    ],
    "LateEvents": [
        Case({naming.LATE: "0+50x120", f'{naming.EVENTS}{{result="applied"}}': "0+100x120"}, "50%")
    ],
    "NamesFull": [Case({f'{naming.NAMES_FULL}{{kind="queue"}}': "1x120"}, "1", labels={"kind": "queue"})],
    "IntervalRowsNotPublished": [
        Case({naming.PUBLISHED_AT: "1x120"}, "39m 59s"),
        Case(
            {
                f'{naming.PUBLISHED_AT}{{instance="a"}}': "1x120",
                f'{naming.PUBLISHED_AT}{{instance="b"}}': "0x120",
            },
            "39m 59s",
        ),
    ],
    "StoreSteppedBack": [Case({naming.STORE_ROLLBACKS: "3x60 4x60"}, "1", at="32m")],
}

_NIGHT = "one lost call at night"
_EMPTY = "empty queue"
_INSIDE = "inside the tolerance"
_CLOSED = "outside of opening hours"
_STALE = "stale data"

SILENT: dict[str, dict[str, Case]] = {
    "ServiceLevelOffTarget": {
        _NIGHT: Case(kpi("service_level", "0", "0.8", "1")),
        "one contact too few": Case(kpi("service_level", "0", "0.8", "19")),
        _INSIDE: Case(kpi("service_level", "0.71", "0.8")),
        "at the edge of the tolerance": Case(kpi("service_level", "0.7", "0.8", "20")),
        "better than the target": Case(kpi("service_level", "1", "0.8")),
        _EMPTY: Case(kpi("service_level", "", "0.8", "0")),
        _CLOSED: Case(closed(kpi("service_level", "0", "0.8"))),
        "another window": Case(kpi("service_level", "0", "0.8", window="5m")),
        "no target": Case(kpi("service_level", "0")),
        "another queue's target": Case(
            kpi("service_level", "0.6") | one("cc_service_level_target", "0.8x120", queue="support")
        ),
        _STALE: Case(stale(kpi("service_level", "0", "0.8"))),
        "not for long": Case(kpi("service_level", "0.9x70 0x8 0.9x40", "0.8")),
        "not yet": Case(kpi("service_level", "0.9x70 0x50", "0.8"), at="39m"),
        "never past the first level": Case(kpi("service_level", "0.72", "0.8")),
        "over, below the second level": Case(kpi("service_level", "0.6x30 0.76x100", "0.8")),
    },
    "ServiceLevelBurns": {
        _NIGHT: Case(_burning("service_level", ("0", "0"), "0.8", ("1", "1"))),
        _EMPTY: Case(_burning("service_level", ("", ""), "0.8", ("0", "0"))),
        _INSIDE: Case(_burning("service_level", ("0.55", "0.55"), "0.8")),
        "over already": Case(_burning("service_level", ("0.2", "0.9"), "0.8")),
        "just begun": Case(_burning("service_level", ("0.9", "0"), "0.8")),
        "few in the short window": Case(_burning("service_level", ("0.2", "0"), "0.8", ("100", "4"))),
        "a budget too large to burn so fast": Case(_burning("service_level", ("0", "0"), "0.5")),
        "one miss where hardly any is allowed": Case(
            _burning("service_level", ("0.95", "0.8"), "0.99", ("20", "5"))
        ),
        _CLOSED: Case(closed(_burning("service_level", ("0", "0"), "0.8"))),
        _STALE: Case(stale(_burning("service_level", ("0", "0"), "0.8"))),
    },
    "ServiceLevelBurnsSlowly": {
        "early in the day": Case(_burning("service_level", ("0", "0"), "0.8", ("99", "25"), day=True)),
        _EMPTY: Case(_burning("service_level", ("", ""), "0.8", ("0", "0"), day=True)),
        _INSIDE: Case(_burning("service_level", ("0.71", "0"), "0.8", ("100", "25"), day=True)),
        "mended by noon": Case(_burning("service_level", ("0.5", "0.8"), "0.8", ("100", "25"), day=True)),
    },
    "AbandonmentOffTarget": {
        _NIGHT: Case(kpi("abandonment", "1", "0.05", "1")),
        _INSIDE: Case(kpi("abandonment", "0.09", "0.05")),
        "at the edge of the tolerance": Case(kpi("abandonment", "0.1", "0.05")),
        _EMPTY: Case(kpi("abandonment", "", "0.05", "0")),
        _CLOSED: Case(closed(kpi("abandonment", "1", "0.05"))),
        _STALE: Case(stale(kpi("abandonment", "1", "0.05"))),
        "nobody gave up": Case(kpi("abandonment", "0", "0.05")),
    },
    "AbandonmentBurns": {
        _NIGHT: Case(_burning("abandonment", ("1", "1"), "0.05", ("1", "1"))),
        _EMPTY: Case(_burning("abandonment", ("", ""), "0.05", ("0", "0"))),
        _INSIDE: Case(_burning("abandonment", ("0.2", "0.2"), "0.05")),
        "over already": Case(_burning("abandonment", ("0.6", "0.02"), "0.05")),
    },
    "FirstResponseOffTarget": {
        "one late answer at night": Case(kpi("first_response", "900", "20", "1")),
        _INSIDE: Case(kpi("first_response", "30", "20")),
        _EMPTY: Case(kpi("first_response", "", "20", "0")),
        _CLOSED: Case(closed(kpi("first_response", "900", "20"))),
        "an email's hour": Case(kpi("first_response", "3600", "3600")),
        "at once": Case(kpi("first_response", "0", "20")),
    },
    "HandleTimeOffTarget": {
        "one long call at night": Case(kpi("handle_time", "7200", "360", "1")),
        _INSIDE: Case(kpi("handle_time", "468", "360")),
        _EMPTY: Case(kpi("handle_time", "", "360", "0")),
        "short calls": Case(kpi("handle_time", "10", "360")),
    },
    "OldestWaitingOffTarget": {
        "one call, answered in time": Case(kpi("oldest_waiting", "119", "120")),
        "at the target": Case(kpi("oldest_waiting", "120", "120")),
        _EMPTY: Case(kpi("oldest_waiting", "0", "120")),
        _CLOSED: Case(closed(kpi("oldest_waiting", "7200", "120"))),
        "a worker that is down counts on": Case(stale(kpi("oldest_waiting", "7200", "120"))),
        "nobody serves": Case({"up": "0x120"}),
        "nobody knows the age": Case(ageless(kpi("oldest_waiting", "7200", "120"))),
        "over, well below the target": Case(kpi("oldest_waiting", "130x10 80x100", "120")),
    },
    "BacklogOffTarget": {
        "no target of its own": Case(kpi("backlog", "5000")),
        _EMPTY: Case(kpi("backlog", "0", "10")),
        "at the target": Case(kpi("backlog", "10", "10")),
        _CLOSED: Case(closed(kpi("backlog", "50", "10"))),
    },
    "CsatOffTarget": {
        "one angry customer": Case(kpi("csat", "0", "0.8", "1", "today"), at="50m"),
        _EMPTY: Case(kpi("csat", "", "0.8", "0", "today"), at="50m"),
        _INSIDE: Case(kpi("csat", "0.7", "0.8", "50", "today"), at="50m"),
    },
    "DataStale": {
        "fresh": Case({naming.DATA_AGE: "3x120"}),
        "at the edge": Case({naming.DATA_AGE: "60x120"}),
        "a restart of serve": Case({naming.DATA_AGE: "1x75 _x2 1x40"}),
        "a pause of the worker": Case({naming.DATA_AGE: "1x74 70 100 1x40"}),
        "nobody says": Case({"up": "0x120"}),
        "better, though not good": Case({naming.DATA_AGE: "70x6 20x114"}),
    },
    "DataMissing": {
        "old": Case({naming.DATA_AGE: "600x120"}),
        "a restart of serve": Case({naming.DATA_AGE: "1x75 _x2 1x40"}),
    },
    "DataUntrusted": {
        "ready": Case({naming.DATA_AGE: "1x120", naming.READY: "1x120"}),
        "old, which is another alert": Case(
            {naming.DATA_AGE: "600x120", naming.READY: "0x120", naming.MAX_AGE: "4x120"}
        ),
        "a little old": Case({naming.DATA_AGE: "8x120", naming.READY: "0x120", naming.MAX_AGE: "4x120"}),
        "for a moment": Case({naming.DATA_AGE: "1x120", naming.READY: "1x74 0x2 1x40"}),
    },
    "DeadLetters": {
        "one of many": Case(
            {
                f'{naming.DEAD_LETTERS}{{reason="json"}}': "0x60 1x60",
                f'{naming.EVENTS}{{result="applied"}}': "0+100x120",
            }
        ),
        "nothing comes": Case({f'{naming.EVENTS}{{result="applied"}}': "5x120"}),
    },
    "LateEvents": {
        "a few": Case({naming.LATE: "0+5x120", f'{naming.EVENTS}{{result="applied"}}': "0+100x120"})
    },
    "NamesFull": {"room": Case({f'{naming.NAMES_FULL}{{kind="queue"}}': "0x120"})},
    "IntervalRowsNotPublished": {
        "every round": Case({naming.PUBLISHED_AT: "0+30x120"}),
        "another worker does it": Case(
            {
                f'{naming.PUBLISHED_AT}{{instance="a"}}': "0x120",
                f'{naming.PUBLISHED_AT}{{instance="b"}}': "0+30x120",
            }
        ),
        "no worker, which is another alert": Case({"up": "0x120"}),
    },
    "StoreSteppedBack": {"long ago": Case({naming.STORE_ROLLBACKS: "3x10 4x110"}, at="40m")},
}

# --- against the usual: a sample each five minutes, one week and some hours more ---

_WEEK = 7 * 24 * 12
_MORE = 200
_ALL = _WEEK + _MORE


def _usually(series: Series, shown: str = "", after: int = 100) -> Case:
    """Judged so many samples after the week."""
    open_and_fresh = {naming.DATA_AGE: f"1x{_ALL}"} | one(naming.OPEN, f"1x{_ALL}")
    return Case(open_and_fresh | series, shown, f"{(_WEEK + after) * 5}m", interval="5m")


def _came(values: str) -> Series:
    return one(naming.total("offered"), values)


def _traded(handle_time: str, csat: str, samples: tuple[int, int] = (100, 40)) -> Series:
    """Values of the week and of the day after it."""
    today = {"window": "today"}
    return (
        one("cc_handle_time_seconds", f"360x{_WEEK} {handle_time}x{_MORE}", **today)
        | one("cc_csat_ratio", f"0.85x{_WEEK} {csat}x{_MORE}", **today)
        | one("cc_handle_time_samples", f"{samples[0]}x{_ALL}", **today)
        | one("cc_csat_samples", f"{samples[1]}x{_ALL}", **today)
    )


_STOPPED = f"0+10x{_WEEK + 80} {10 * (_WEEK + 80)}x120"
FIRING |= {
    "ContactsStopped": [
        _usually(_came(_STOPPED), "100%"),
        _usually(again(_came(_STOPPED)), "100%"),
        # A trickle is no recovery: three of sixty.
        _usually(_came(f"0+10x{_WEEK + 80} {10 * (_WEEK + 80)}+0.5x120"), "95%"),
    ],
    "HandleTimeAtCsatsCost": [_usually(_traded("300", "0.75"), "16.67%")],
}
SILENT |= {
    "ContactsStopped": {
        "as usual": _usually(_came(f"0+10x{_ALL}")),
        "half of the usual": _usually(_came(f"0+10x{_WEEK + 80} {10 * (_WEEK + 80)}+5x120")),
        "a quiet queue": _usually(_came(f"0+2x{_WEEK + 80} {2 * (_WEEK + 80)}x120")),
        _CLOSED: _usually(_came(_STOPPED) | one(naming.OPEN, f"0x{_ALL}")),
        _STALE: _usually(_came(_STOPPED) | {naming.DATA_AGE: f"1x{_WEEK + 80} 600x120"}),
        "the first week": Case(_came("0+10x60 600x60") | fresh(), at="50m"),
        "just now": _usually(_came(_STOPPED), after=82),
    },
    "HandleTimeAtCsatsCost": {
        "faster, and as good": _usually(_traded("300", "0.85")),
        "faster, and a little worse": _usually(_traded("300", "0.8")),
        "worse, and no faster": _usually(_traded("360", "0.6")),
        "a little faster, and worse": _usually(_traded("325", "0.6")),
        "few surveys": _usually(_traded("300", "0.6", (100, 19))),
        _EMPTY: _usually(_traded("300", "0.6", (0, 0))),
    },
}

# One wild week among four does not move the median: 60, 60, 600 and 60 contacts in half an hour.
_WILD = (
    f"0+10x{2 * _WEEK - 50} {10 * (2 * _WEEK - 50)}+100x300 "
    f"{10 * (2 * _WEEK - 50) + 30_000}+10x{2 * _WEEK + 200}"
)
FOUR_WEEKS = {
    "a wild week among four": Case(
        {naming.DATA_AGE: f"1x{5 * _WEEK}"} | one(naming.OPEN, f"1x{5 * _WEEK}") | _came(_WILD),
        at=f"{(4 * _WEEK + 60) * 5}m",
        interval="5m",
    )
}
SILENT["ContactsStopped"] |= FOUR_WEEKS
