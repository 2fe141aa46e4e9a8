"""For each alert: when it fires, and when it must be silent."""

from stream_app.model.kpis import BY_NAME
from stream_app.views import naming
from tests.views.alerts.scraped import (
    Case,
    Series,
    again,
    ageless,
    agents,
    closed,
    fresh,
    kpi,
    long,
    of_channel,
    one,
    one_stuck,
    stale,
)

MAIL = {"queue": "sales", "channel": "email"}
CHAT = {"queue": "sales", "channel": "chat"}
WHOLE = {"queue": "sales"}


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


def _written(name: str, value: str, target: str = "", samples: str = "100", channel: str = "email") -> Series:
    """A KPI of a channel in which people write."""
    return of_channel(channel, kpi(name, value, target, samples))


def _over(many: str) -> Series:
    return fresh() | {f'{naming.AGENTS_OVER_LIMIT}{{queue="sales"}}': long(many)}


def _required(many: str, **doing: str) -> Series:
    """Of two channels of the queue, whose agents are the same."""
    mail = of_channel("email", one(naming.REQUIRED_AT_WORK, "1x120"))
    return fresh() | one(naming.REQUIRED_AT_WORK, long(many)) | mail | agents(**doing)


def _workers(*started: str) -> Series:
    """When each of them started, as it says itself."""
    return {f'{naming.STARTED}{{instance="{n}"}}': values for n, values in enumerate(started)}


FIRING: dict[str, list[Case]] = {
    "ServiceLevelOffTarget": [
        Case(kpi("service_level", "0.6", "0.8"), 0.2),
        Case(kpi("service_level", "0", "0.8", "20"), 0.8),
        Case(again(kpi("service_level", "0.6", "0.8")), 0.2),
        Case(kpi("service_level", "0.8", "0.95"), 0.15),
        # It began at 12 points, and sways between the two levels since.
        Case(kpi("service_level", "0.68x30 0.72x100", "0.8"), 0.08),
        # Two minutes without a scrape, or a moment within the tolerance, are not the end.
        Case(kpi("service_level", "0.6x76 _x3 0.6x40", "0.8"), 0.2),
        Case(kpi("service_level", "0.6x76 0.78x4", "0.8"), 0.02, at="39m"),
    ],
    "ServiceLevelBurns": [
        Case(_burning("service_level", ("0.2", "0.1"), "0.8"), 4),
        Case(_burning("service_level", ("0", "0"), "0.8"), 5),
        Case(again(_burning("service_level", ("0.2", "0.1"), "0.8")), 4),
        Case(_burning("service_level", ("0.7", "0.6"), "0.95"), 6),
        Case(_burning("service_level", ("0.85", "0.4"), "0.95", ("20", "5")), 3),
    ],
    "ServiceLevelBurnsSlowly": [
        Case(_burning("service_level", ("0.6", "0.65"), "0.8", ("100", "25"), day=True), 1.75),
    ],
    "AbandonmentOffTarget": [
        Case(kpi("abandonment", "0.15", "0.05"), 0.1),
        Case(kpi("abandonment", "1", "0.05", "20"), 0.95),
    ],
    "AbandonmentBurns": [Case(_burning("abandonment", ("0.5", "0.6"), "0.05"), 10)],
    "FirstResponseOffTarget": [Case(kpi("first_response", "45", "20"), 1.25)],
    "FirstResponseBusinessOffTarget": [
        Case(_written("first_response_business", "7200", "3600"), 1, labels=MAIL)
    ],
    "OldestAwaitingReplyOffTarget": [
        Case(_written("oldest_awaiting_reply", "18000", "14400"), 0.25, labels=MAIL),
        Case(_written("oldest_awaiting_reply", "15000x20 12000x100", "14400"), -0.1667, labels=MAIL),
        Case(again(_written("oldest_awaiting_reply", "18000", "14400")), 0.25, labels=MAIL),
    ],
    "OldestUnansweredByBotOffTarget": [
        Case(_written("oldest_unanswered_by_bot", "300", "60", channel="chat"), 4, labels=CHAT)
    ],
    "HandleTimeOffTarget": [Case(kpi("handle_time", "540", "360"), 0.5)],
    "OldestWaitingOffTarget": [
        Case(kpi("oldest_waiting", "180", "120"), 0.5),
        Case(kpi("oldest_waiting", "130x10 100x100", "120"), -0.1667),
        Case(one_stuck(kpi("oldest_waiting", "180", "120")), 0.5),
        # Once it fires, numbers that stop end nothing.
        Case(kpi("oldest_waiting", "180", "120") | {naming.DATA_AGE: "1x39 600x80"}, 0.5),
    ],
    "BacklogOffTarget": [Case(kpi("backlog", "15", "10"), 0.5)],
    "CsatOffTarget": [Case(kpi("csat", "0.6", "0.8", "20", "today"), 0.2, at="50m")],
    "NobodyThere": [
        Case(kpi("backlog", "3") | agents(away="4"), 3),
        Case(kpi("backlog", "1") | agents(available="2x40 0x80"), 1),
        Case(again(kpi("backlog", "3") | agents(away="4")), 3),
        # Once it fires, numbers that stop end nothing.
        Case(kpi("backlog", "3") | agents() | {naming.DATA_AGE: "1x39 600x80"}, 3),
    ],
    "AgentsTooLong": [
        Case(_over("2"), 2, labels=WHOLE),
        Case(again(_over("1")), 1, labels=WHOLE),
        # A minute in which they are back is not the end.
        Case(_over("1x78 0x40"), 0, labels=WHOLE),
    ],
    "QueueUnderstaffed": [
        Case(_required("5", available="1", on_contact="2", wrap="1", away="7"), 2, labels=WHOLE),
        Case(again(_required("5", away="2")), 6, labels=WHOLE),
    ],
    "DataStale": [
        Case({naming.DATA_AGE: "180x120"}, 180),
        Case(again({naming.DATA_AGE: "1x120"}) | {f'{naming.DATA_AGE}{{instance="b"}}': "180x120"}, 180),
    ],
    "DataMissing": [Case({"up": "0x120"}, 1)],
    "DataUntrusted": [Case({naming.DATA_AGE: "1x120", naming.READY: "0x120", naming.MAX_AGE: "4x120"}, 1)],
    "ClocksDiffer": [
        Case({f'{naming.SKEW}{{of="serve"}}': "2x120"}, 2, labels={"of": "serve"}),
        Case(
            {f'{naming.SKEW}{{of="t.0"}}': "-120x120", f'{naming.SKEW}{{of="t.1"}}': "0x120"},
            120,
            labels={"of": "t.0"},
        ),
    ],
    "PartitionsHeld": [
        Case({naming.HELD: "4x120"}, 4),
        Case({f'{naming.HELD}{{instance="a"}}': "0x120", f'{naming.HELD}{{instance="b"}}': "3x120"}, 3),
    ],
    "DeadLetters": [
        Case(
            {
                f'{naming.DEAD_LETTERS}{{reason="json"}}': "0+5x120",
                f'{naming.EVENTS}{{result="applied"}}': "0+95x120",
                f'{naming.EVENTS}{{result="dead_letter"}}': "0+5x120",
            },
            0.05,
        )
    ],
    "LateEvents": [
        Case({naming.LATE: "0+50x120", f'{naming.EVENTS}{{result="applied"}}': "0+100x120"}, 0.5),
        Case(
            {
                f'{naming.EVENTS}{{result="late"}}': "0+20x120",
                f'{naming.EVENTS}{{result="applied"}}': "0+80x120",
            },
            0.2,
        ),
    ],
    "NamesFull": [Case({f'{naming.NAMES_FULL}{{kind="queue"}}': "1x120"}, 1, labels={"kind": "queue"})],
    "IntervalRowsNotPublished": [
        Case({naming.PUBLISHED_AT: "1x120"}, 2399),
        Case(
            {
                f'{naming.PUBLISHED_AT}{{instance="a"}}': "1x120",
                f'{naming.PUBLISHED_AT}{{instance="b"}}': "0x120",
            },
            2399,
        ),
    ],
    "RecordsMissing": [
        Case({f'{naming.GAPS}{{kind="compaction"}}': "0x60 8x60"}, 8, at="32m"),
        Case({f'{naming.GAPS}{{kind="deleted"}}': "0x60 700x60"}, 700, at="32m"),
    ],
    "IdsDroppedEarly": [Case({naming.IDS_DROPPED: "0x60 5000x60"}, 5_000, at="32m")],
    "LedgerBehind": [Case({f'{naming.LEDGER_LAG}{{partition="calls.0"}}': "0+30x120"}, 1_200, at="20m")],
    "LedgerHole": [Case({f'{naming.LEDGER_HOLES}{{partition="calls.0"}}': "1x140 2x60"}, 1, at="72m")],
    "StoreSteppedBack": [Case({naming.STORE_ROLLBACKS: "3x60 4x60"}, 1, at="32m")],
    "NpsOffTarget": [Case(kpi("nps", "-4", "50", "60", "today"), 54, at="50m")],
    "CesOffTarget": [Case(kpi("ces", "4.2", "3", "60", "today"), 1.2, at="50m")],
    "ComplianceBreached": [
        Case(kpi("compliance", "0.9166666666666666", "", "12", "today"), 1),
        Case(closed(kpi("compliance", "0", "", "1", "today")), 1),
    ],
    "ComplianceAutomaticOffTarget": [
        Case(kpi("compliance_automatic", "0.88", "0.95", "200", "today"), 0.07, at="50m")
    ],
    "AtRiskMany": [
        Case(kpi("at_risk", "5"), 5),
        Case(kpi("at_risk", "5x30 2x100"), 2),
    ],
    "ContactsInClosedQueue": [
        Case(closed(kpi("backlog", "7")), 7),
        Case(again(closed(kpi("backlog", "3"))), 3),
    ],
    "ContactLeftInClosedQueue": [Case(closed(kpi("backlog", "1")), 1, at="50m")],
    "IntervalTopicFails": [
        Case(
            {
                f'{naming.ROWS_UNSENT}{{instance="a"}}': "0x120",
                f'{naming.ROWS_UNSENT}{{instance="b"}}': "1x120",
            },
            1,
        )
    ],
    "RedisMemoryLow": [Case({naming.STORE_BYTES: "90x120", naming.STORE_LIMIT: "100x120"}, 0.9)],
    "WorkersDown": [
        Case(_workers("1x120", "2x40 stale _x79"), 1),
        Case(_workers("1x40 stale _x79"), 1),
    ],
    "WorkersRestarting": [Case(_workers("1x30 2x10 3x10 4x70", "9x120"), 3, at="28m")],
    "Watchdog": [Case({"up": "0x120"}, 1)],
}

_NIGHT = "one lost call at night"
_EMPTY = "empty queue"
_INSIDE = "inside the tolerance"
_CLOSED = "outside of opening hours"
_STALE = "stale data"

SILENT: dict[str, dict[str, Case]] = {
    "NobodyThere": {
        _EMPTY: Case(kpi("backlog", "0") | agents(away="4")),
        "all of them are on contacts": Case(kpi("backlog", "9") | agents(on_contact="2")),
        "one is in wrap-up": Case(kpi("backlog", "9") | agents(wrap="1")),
        "nobody tells": Case(kpi("backlog", "9")),
        "another queue's agents": Case(
            kpi("backlog", "9") | {f'{naming.AGENTS}{{queue="support",doing="away"}}': "1x120"}
        ),
        "back within the minute": Case(kpi("backlog", "3") | agents(available="1x76 0x2 1x40")),
        _CLOSED: Case(closed(kpi("backlog", "3") | agents(away="4"))),
        _STALE: Case(stale(kpi("backlog", "3") | agents(away="4"))),
        "an age that nobody reports": Case(ageless(kpi("backlog", "3") | agents(away="4"))),
    },
    "AgentsTooLong": {
        _EMPTY: Case(_over("0")),
        "for a moment": Case(_over("0x74 3x4 0x40")),
        "nobody tells": Case(fresh()),
        _CLOSED: Case(closed(_over("2"))),
        _STALE: Case(stale(_over("2"))),
    },
    "QueueUnderstaffed": {
        _EMPTY: Case(_required("0", available="1")),
        "as many as are required": Case(_required("3", available="1", on_contact="2", wrap="1")),
        "a break of ten minutes": Case(_required("3", available="4x58 0x20 4x40")),
        "nobody tells": Case(fresh() | one(naming.REQUIRED_AT_WORK, "5x120")),
        "no plan": Case(fresh() | agents(available="1")),
        _CLOSED: Case(closed(_required("5", available="1"))),
        _STALE: Case(stale(_required("5", available="1"))),
    },
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
    "FirstResponseBusinessOffTarget": {
        "one mail of Friday evening": Case(_written("first_response_business", "14400", "3600", "1")),
        _INSIDE: Case(_written("first_response_business", "5400", "3600")),
        _EMPTY: Case(_written("first_response_business", "", "3600", "0")),
        _CLOSED: Case(of_channel("email", closed(kpi("first_response_business", "7200", "3600")))),
        "no promise by business hours": Case(_written("first_response_business", "7200")),
    },
    "OldestAwaitingReplyOffTarget": {
        _INSIDE: Case(_written("oldest_awaiting_reply", "14400", "14400")),
        _EMPTY: Case(_written("oldest_awaiting_reply", "0", "14400")),
        _CLOSED: Case(of_channel("email", closed(kpi("oldest_awaiting_reply", "90000", "14400")))),
        _STALE: Case(stale(_written("oldest_awaiting_reply", "90000", "14400"))),
        "answered within minutes": Case(_written("oldest_awaiting_reply", "0x70 15000x8 60x40", "14400")),
    },
    "OldestUnansweredByBotOffTarget": {
        "it answers": Case(_written("oldest_unanswered_by_bot", "4", "60", channel="chat")),
        "a long answer now and then": Case(
            _written("oldest_unanswered_by_bot", "0x70 90x4 0x4 90x4 0x40", "60", channel="chat")
        ),
        _EMPTY: Case(_written("oldest_unanswered_by_bot", "0", "60", channel="chat")),
        # Nobody reports what a bot says on the phone.
        "a call": Case(kpi("oldest_unanswered_by_bot", "300", "60")),
        _CLOSED: Case(of_channel("chat", closed(kpi("oldest_unanswered_by_bot", "300", "60")))),
        _STALE: Case(stale(_written("oldest_unanswered_by_bot", "300", "60", channel="chat"))),
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
    "ClocksDiffer": {
        "a little": Case(
            {f'{naming.SKEW}{{of="serve"}}': "0.9x120", f'{naming.SKEW}{{of="t.0"}}': "-0.9x120"}
        ),
        "for a moment": Case({f'{naming.SKEW}{{of="serve"}}': "0x70 30x4 0x40"}),
        "nobody says": Case({"up": "0x120"}),
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
        "a few": Case({naming.LATE: "0+5x120", f'{naming.EVENTS}{{result="applied"}}': "0+100x120"}),
        "one of three at night": Case(
            {naming.LATE: "0x60 1x60", f'{naming.EVENTS}{{result="applied"}}': "0x60 3x60"}
        ),
    },
    "PartitionsHeld": {
        "none": Case({naming.HELD: "0x120"}),
        "moved within the minute": Case({naming.HELD: "4x1 0x120"}, at="30m"),
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
    "RecordsMissing": {
        "markers of transactions": Case({f'{naming.GAPS}{{kind="transaction"}}': "0+5x120"}),
        "long ago": Case({f'{naming.GAPS}{{kind="deleted"}}': "0x10 700x110"}, at="40m"),
    },
    "LedgerBehind": {"a minute": Case({f'{naming.LEDGER_LAG}{{partition="calls.0"}}': "60x120"})},
    "LedgerHole": {"an old one": Case({f'{naming.LEDGER_HOLES}{{partition="calls.0"}}': "1x300"}, at="90m")},
    "IdsDroppedEarly": {"long ago": Case({naming.IDS_DROPPED: "0x4 700x300"}, at="90m")},
    "NpsOffTarget": {
        "one angry customer": Case(kpi("nps", "-100", "50", "1", "today"), at="50m"),
        _EMPTY: Case(kpi("nps", "", "50", "0", "today"), at="50m"),
        _INSIDE: Case(kpi("nps", "5", "50", "60", "today"), at="50m"),
        _STALE: Case(stale(kpi("nps", "-4", "50", "60", "today")), at="50m"),
    },
    "CesOffTarget": {
        "few answers": Case(kpi("ces", "7", "3", "49", "today"), at="50m"),
        _EMPTY: Case(kpi("ces", "", "3", "0", "today"), at="50m"),
        _INSIDE: Case(kpi("ces", "4", "3", "60", "today"), at="50m"),
    },
    "ComplianceBreached": {
        "all kept the rules": Case(kpi("compliance", "1", "", "200", "today")),
        _EMPTY: Case(kpi("compliance", "", "", "0", "today")),
        _STALE: Case(stale(kpi("compliance", "0", "", "1", "today"))),
    },
    "ComplianceAutomaticOffTarget": {
        "few reviews": Case(kpi("compliance_automatic", "0.8", "0.95", "99", "today"), at="50m"),
        _EMPTY: Case(kpi("compliance_automatic", "", "0.95", "0", "today"), at="50m"),
        _INSIDE: Case(kpi("compliance_automatic", "0.91", "0.95", "200", "today"), at="50m"),
    },
    "AtRiskMany": {
        "a few": Case(kpi("at_risk", "4")),
        _EMPTY: Case(kpi("at_risk", "0")),
        "over": Case(kpi("at_risk", "5x30 1x100")),
        _CLOSED: Case(closed(kpi("at_risk", "9"))),
        _STALE: Case(stale(kpi("at_risk", "9"))),
    },
    "ContactsInClosedQueue": {
        "while it is open": Case(kpi("backlog", "70")),
        _EMPTY: Case(closed(kpi("backlog", "0"))),
        "one lost call at 3 a.m.": Case(closed(kpi("backlog", "1"))),
        "the last ones of the day": Case(kpi("backlog", "7x60 0x60") | one(naming.OPEN, "1x50 0x70")),
        "written channels wait for the morning": Case(of_channel("email", closed(kpi("backlog", "70")))),
        _STALE: Case(stale(closed(kpi("backlog", "7")))),
    },
    "ContactLeftInClosedQueue": {
        "not for long": Case(closed(kpi("backlog", "1x50 0x70")), at="50m"),
        "while it is open": Case(kpi("backlog", "70"), at="50m"),
        _EMPTY: Case(closed(kpi("backlog", "0")), at="50m"),
    },
    "IntervalTopicFails": {
        "written": Case({naming.ROWS_UNSENT: "0x120"}),
        "for a moment": Case({naming.ROWS_UNSENT: "0x70 1x10 0x40"}),
    },
    "RedisMemoryLow": {
        "room": Case({naming.STORE_BYTES: "79x120", naming.STORE_LIMIT: "100x120"}),
        "no limit": Case({naming.STORE_BYTES: "90x120"}),
        "freed": Case({naming.STORE_BYTES: "90x20 70x100", naming.STORE_LIMIT: "100x120"}),
    },
    "WorkersDown": {
        "all there": Case(_workers("1x120", "2x120")),
        "replaced": Case(_workers("1x120", "2x40 stale _x79", "_x41 3x79")),
        "one more": Case(_workers("1x120", "_x60 2x60")),
        "nobody says": Case({"up": "0x120"}),
    },
    "WorkersRestarting": {
        "once": Case(_workers("1x60 2x60", "9x60 10x60"), at="32m"),
        "long ago": Case(_workers("1x4 2x4 3x4 4x108"), at="45m"),
    },
    "Watchdog": {},
    "StoreSteppedBack": {"long ago": Case({naming.STORE_ROLLBACKS: "3x10 4x110"}, at="40m")},
}

# --- against the usual: a sample each ten minutes, judged each half hour, one week and some hours more ---

_WEEK = 7 * 24 * 6
_MORE = 100
_ALL = _WEEK + _MORE


def _usually(series: Series, shown: float | None = None, after: int = 51) -> Case:
    """Judged so many samples after the week."""
    open_and_fresh = {naming.DATA_AGE: f"1x{_ALL}"} | one(naming.OPEN, f"1x{_ALL}")
    return Case(open_and_fresh | series, shown, f"{(_WEEK + after) * 10}m", interval="10m")


def _came(values: str) -> Series:
    """Contacts of half an hour."""
    return one(naming.value(BY_NAME["offered"]), values, window="30m")


def _then(now: str) -> Series:
    """Sixty in each half hour of the week, and of a while after it; then something else."""
    return _came(f"60x{_WEEK + 40} {now}x60")


def _traded(handle_time: str, csat: str, samples: tuple[int, int] = (100, 40)) -> Series:
    """Values of the week and of the day after it."""
    today = {"window": "today"}
    return (
        one("cc_handle_time_seconds", f"360x{_WEEK} {handle_time}x{_MORE}", **today)
        | one("cc_csat_ratio", f"0.85x{_WEEK} {csat}x{_MORE}", **today)
        | one("cc_handle_time_samples", f"{samples[0]}x{_ALL}", **today)
        | one("cc_csat_samples", f"{samples[1]}x{_ALL}", **today)
    )


_REPLAYED = one(naming.total("offered"), f"0x100 0+100000x10 1000000x{_ALL}")
"""A million contacts of the past, counted within some hours: no window of half an hour has them."""

FIRING |= {
    "ContactsStopped": [
        _usually(_then("0"), 1.0),
        _usually(again(_then("0")), 1.0),
        # A trickle is no recovery: three of sixty.
        _usually(_then("3"), 0.95),
    ],
    "ContactsSurge": [_usually(_then("132"), 2.2), _usually(again(_then("132")), 2.2)],
    "HandleTimeAtCsatsCost": [_usually(_traded("300", "0.75"), 0.1667)],
}
SILENT |= {
    "ContactsStopped": {
        "as usual": _usually(_came(f"60x{_ALL}")),
        "half of the usual": _usually(_then("30")),
        "a quiet queue": _usually(_came(f"12x{_WEEK + 40} 0x60")),
        _CLOSED: _usually(_then("0") | one(naming.OPEN, f"0x{_ALL}")),
        _STALE: _usually(_then("0") | {naming.DATA_AGE: f"1x{_WEEK + 40} 600x60"}),
        "the first week": Case(_came("60x60 0x60") | fresh(), at="50m"),
        "just now": _usually(_then("0"), after=42),
        "history replayed a week ago": _usually(_came(f"60x{_ALL}") | _REPLAYED, after=3),
        "history replayed now": _usually(
            _came(f"60x{_ALL}") | one(naming.total("offered"), f"0x{_WEEK} 0+100000x90")
        ),
    },
    "ContactsSurge": {
        "as usual": _usually(_came(f"60x{_ALL}")),
        "half as many again": _usually(_then("90")),
        "a quiet queue": _usually(_came(f"5x{_WEEK + 40} 50x60")),
        _CLOSED: _usually(_then("132") | one(naming.OPEN, f"0x{_ALL}")),
        _STALE: _usually(_then("132") | {naming.DATA_AGE: f"1x{_WEEK + 40} 600x60"}),
        "history replayed a week ago": _usually(_came(f"60x{_ALL}") | _REPLAYED, after=3),
        "history replayed now": _usually(
            _came(f"60x{_ALL}") | one(naming.total("offered"), f"0x{_WEEK} 0+100000x90")
        ),
        # Nobody counted for an hour then, and the window emptied: that is no usual volume.
        "a dead worker a week ago": _usually(
            _came(f"60x44 25x12 60x{_ALL}") | {naming.DATA_AGE: f"1x44 600x12 1x{_ALL}"}
        ),
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
_WILD = f"60x{2 * _WEEK - 25} 600x150 60x{2 * _WEEK + 100}"
SILENT["ContactsStopped"] |= {
    "a wild week among four": Case(
        {naming.DATA_AGE: f"1x{5 * _WEEK}"} | one(naming.OPEN, f"1x{5 * _WEEK}") | _came(_WILD),
        at=f"{(4 * _WEEK + 30) * 10}m",
        interval="10m",
    )
}
