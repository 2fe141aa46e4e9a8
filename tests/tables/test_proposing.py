"""From a header and some rows to the map that was meant."""

import csv
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.tables import headers
from stream_app.tables.calls import FIELDS
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.proposing import kind_of, missing, propose
from tests.ingest.lists import BEGIN, columns, contacts, shape, written

# Headers as these programs export them, a row, and what the columns mean.
EXPORTS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "Genesys Cloud": (
        (
            "Full Export Completed,Users,Remote,Date,Duration,Direction,ANI,Queue,Wrap-up,Total Queue,Total Talk,Total Hold,"
            "Total ACW,Total Handle,Abandoned,Media Type,Conversation ID"
        ),
        "YES,Ann,,1/15/26 9:00 AM,0:04:25,Inbound,+49,Billing,Done,0:00:12.345,0:03:25,0:00:00,0:00:30,0:03:55,NO,voice,e-1",
        {
            "queued": "Date",
            "wait_s": "Total Queue",
            "talk_s": "Total Talk",
            "hold_s": "Total Hold",
            "wrap_s": "Total ACW",
        }
        | {"handle_s": "Total Handle", "duration_s": "Duration", "queue": "Queue", "channel": "Media Type"}
        | {
            "contact_id": "Conversation ID",
            "agent": "Users",
            "direction": "Direction",
            "abandoned": "Abandoned",
        },
    ),
    "NICE CXone": (
        (
            "Contact ID,Master Contact ID,Skill Name,Media Type,Contact Start Date Time,In Queue (sec),Agent Time (sec),"
            "Hold Time (sec),ACW Time (sec),Abandoned,Agent Name,Team Name"
        ),
        "101,100,Sales,Phone Call,1/15/2026 9:00:01 AM,12,200,0,30,No,Ann,T1",
        {
            "queued": "Contact Start Date Time",
            "wait_s": "In Queue (sec)",
            "talk_s": "Agent Time (sec)",
            "queue": "Skill Name",
        }
        | {
            "hold_s": "Hold Time (sec)",
            "wrap_s": "ACW Time (sec)",
            "channel": "Media Type",
            "contact_id": "Contact ID",
        }
        | {"agent": "Agent Name", "team": "Team Name", "abandoned": "Abandoned"},
    ),
    "Five9": (
        (
            "CALL ID,TIMESTAMP,CALL TYPE,AGENT,DISPOSITION,ANI,DNIS,CALL TIME,TALK TIME,HOLD TIME,AFTER CALL WORK TIME,"
            "QUEUE WAIT TIME,SKILL"
        ),
        (
            '3001,"Thu, 15 Jan 2026 09:00:01",Inbound,ann@x,Answered,5551234,5559876,00:04:00,00:03:00,00:00:10,00:00:30,'
            "00:00:12,Billing"
        ),
        {
            "queued": "TIMESTAMP",
            "wait_s": "QUEUE WAIT TIME",
            "talk_s": "TALK TIME",
            "hold_s": "HOLD TIME",
            "queue": "SKILL",
        }
        | {
            "wrap_s": "AFTER CALL WORK TIME",
            "duration_s": "CALL TIME",
            "direction": "CALL TYPE",
            "outcome": "DISPOSITION",
        }
        | {"contact_id": "CALL ID", "agent": "AGENT"},
    ),
    "Talkdesk": (
        (
            "Interaction ID,Call Type,Start Time,End Time,Talkdesk Phone Number,Waiting Time,Talk Time,Hold Time,Wrap Up Time,"
            "User Name,Ring Groups"
        ),
        (
            "a1,inbound,2026-01-15 09:00:01,2026-01-15 09:04:01,+1555,12,200,0,30,Ann,billing\n"
            "a2,missed,2026-01-15 09:01:01,2026-01-15 09:02:01,+1555,60,0,0,0,,billing"
        ),
        {"contact_id": "Interaction ID", "outcome": "Call Type", "queued": "Start Time", "ended": "End Time"}
        | {"wait_s": "Waiting Time", "talk_s": "Talk Time", "hold_s": "Hold Time", "wrap_s": "Wrap Up Time"}
        | {"agent": "User Name", "queue": "Ring Groups"},
    ),
    "3CX": (
        "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Queue Name",
        "2026-01-15T09:00:01,00001,0301,801,Inbound,Answered,00:00:12,00:03:00,Service",
        {"queued": "Call Time", "contact_id": "Call ID", "direction": "Direction", "outcome": "Status"}
        | {"wait_s": "Ringing", "talk_s": "Talking", "queue": "Queue Name"},
    ),
    "Asterisk CDR": (
        (
            "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,"
            "amaflags,userfield,uniqueid"
        ),
        (
            ",0301,600,ext,A,SIP/t-1,SIP/4-2,Queue,600,2026-01-15 09:00:00,2026-01-15 09:00:12,2026-01-15 09:03:12,192,180,"
            "ANSWERED,DOC,,17676.1"
        ),
        {
            "queued": "start",
            "answered": "answer",
            "ended": "end",
            "duration_s": "duration",
            "talk_s": "billsec",
        }
        | {"outcome": "disposition", "contact_id": "uniqueid", "queue": "dst"},
    ),
    "Avaya": (
        "callid,segstart,segstop,dispvdn,dispsplit,queuetime,talktime,ansholdtime,acwtime,ans_logid,abandoned",
        "42,2026-01-15 09:00:00,2026-01-15 09:04:00,7001,11,12,180,0,30,3001,no",
        {
            "contact_id": "callid",
            "queued": "segstart",
            "ended": "segstop",
            "queue": "dispsplit",
            "wait_s": "queuetime",
        }
        | {
            "talk_s": "talktime",
            "hold_s": "ansholdtime",
            "wrap_s": "acwtime",
            "agent": "ans_logid",
            "abandoned": "abandoned",
        },
    ),
    "Zendesk Talk": (
        (
            "Call ID,Date/Time,Direction,Agent,Call Status,Wait Time (sec),Talk Time (sec),Hold Time (sec),Wrap Up Time (sec),"
            "Line,Call Duration (sec)"
        ),
        "9,2026-01-15 09:00:01 UTC,Inbound,Ann,completed,12,180,0,30,Support,222",
        {
            "contact_id": "Call ID",
            "queued": "Date/Time",
            "direction": "Direction",
            "agent": "Agent",
            "queue": "Line",
        }
        | {
            "outcome": "Call Status",
            "wait_s": "Wait Time (sec)",
            "talk_s": "Talk Time (sec)",
            "hold_s": "Hold Time (sec)",
        }
        | {"wrap_s": "Wrap Up Time (sec)", "duration_s": "Call Duration (sec)"},
    ),
    "a German telephone system": (
        "Datum,Uhrzeit,Warteschlange,Mitarbeiter,Wartezeit,Gesprächsdauer,Nachbearbeitung,Ergebnis",
        "15.01.2026,09:00,Vertrieb,Anna,00:12,03:25,00:30,angenommen",
        {"queued": "Datum+Uhrzeit", "queue": "Warteschlange", "agent": "Mitarbeiter", "wait_s": "Wartezeit"}
        | {"talk_s": "Gesprächsdauer", "wrap_s": "Nachbearbeitung", "outcome": "Ergebnis"},
    ),
    "milliseconds": (
        "conversationStart,queueName,tAnswered (ms),Talk Time (ms),agent",
        "2026-01-15T09:00:01.123Z,Billing,12000,180000,Ann",
        {"queued": "conversationStart", "queue": "queueName", "talk_ms": "Talk Time (ms)", "agent": "agent"},
    ),
}


def proposed(header: str, rows: str) -> dict[str, str]:

    cells = [*csv.reader([header, *rows.splitlines()])]
    found = propose(cells[0], cells[1:])
    return {field: "+".join(names) for field, names in found.columns.items()}


@pytest.mark.parametrize("name", EXPORTS)
def test_the_usual_exports_are_understood(name: str) -> None:
    header, rows, expected = EXPORTS[name]
    assert proposed(header, rows) == expected


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_map_that_was_meant_is_proposed(seed: int) -> None:

    chance = Random(seed)
    of = shape(chance)
    text = written(contacts(chance, 60, BEGIN, 900), of).decode()
    cells = [*csv.reader(text.splitlines(), delimiter=of.delimiter)]
    found = propose(cells[0], cells[1:])
    assert found.columns == columns(of)
    assert not missing(found)


def test_what_the_user_says_is_kept() -> None:
    given_map = ColumnMap({"queued": ("when",)}, {"queue": "q"}, {"zonk": "abandoned"}, "day-first", "UTC")
    found = propose(
        ["when", "start", "queue"], [["2026-01-15 09:00:00", "2026-01-15 09:00:00", "x"]], given_map
    )
    assert found.columns["queued"] == ("when",)
    assert "queue" not in found.columns
    assert (found.constants, found.outcomes) == ({"queue": "q"}, {"zonk": "abandoned"})
    assert (found.dates, found.zone, found.complete) == ("day-first", "UTC", True)


def test_what_no_column_has_is_asked_for() -> None:
    found = propose(["colour"], [["red"], ["blue"]])
    assert found.columns == {}
    assert [*missing(found)] == ["queued", "queue", "outcome"]
    assert all("--map" in question for question in missing(found).values())


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([], "empty"),
        (["2026-01-15 09:00", "15/01/2026 09:00"], "time"),
        (["2026-01-15", "2026-01-16"], "date"),
        (["15/01/2026 00:00:00", "16/01/2026 00:00:00"], "date"),
        (["9:00 AM", "10:00 PM"], "hour"),
        (["09:00:00", "17:30:00"], "hour"),
        (["0:00:12", "0:03:25"], "duration"),
        (["12", "205"], "duration"),
        (["1767603600", "1767603601"], "time"),
        (["Yes", "no"], "truth"),
        (["Billing"], "text"),
    ],
)
def test_cells_have_a_kind(cells: list[str], kind: str) -> None:
    assert kind_of(cells) == kind


def test_the_vocabulary_names_only_fields() -> None:
    assert {*headers.TIMES, *headers.DURATIONS, *headers.TEXTS} <= {*FIELDS}
    for names in (*headers.TIMES.values(), *headers.DURATIONS.values(), *headers.TEXTS.values()):
        assert all(headers.words(name) == name for name in names.split("|"))
