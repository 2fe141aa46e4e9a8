"""What the columns of usual exports are called: of contact-centre platforms, telephone systems and help desks.

Headers are compared in lower case and without what stands between words, units in brackets left out.
"""

from __future__ import annotations

import re
from typing import Final

_UNIT: Final = re.compile(
    r"[(\[]\s*(?P<unit>[^)\]]*)[)\]]\s*$|[ _](?P<bare>ms|msec|millis|milliseconds)$", re.IGNORECASE
)
_MILLISECONDS: Final = re.compile(r"ms|msec|millis(econds)?", re.IGNORECASE)
_MINUTES: Final = re.compile(r"min(ute)?s?|minuten", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

TIMES: Final = {
    "queued": (
        "queued|queued at|queue entry|queue entry time|queue start|queue start time|queue time|enqueued|enqueued at|"
        "enqueue time|entered queue|in queue at|eingang in warteschlange|eingangszeit|"
        "start|started|start time|start date|start datetime|start date time|started at|starttime|starttimestamp|"
        "call start|call start time|call started|call begin|contact start|contact start time|contact start date time|"
        "conversation start|conversation start time|conversation start date|interaction start|interaction start time|"
        "session start time|begin|begin time|beginn|startzeit|startzeitpunkt|anrufbeginn|anrufzeit|anrufstart|eingang|"
        "call time|call date time|calldate|call date|call datetime|call timestamp|date time|datetime|date and time|"
        "timestamp|time stamp|arrival|arrival time|arrived|arrived at|created|created at|initiated|"
        "initiation timestamp|segstart|segment start|offered|offered at|received|received at|incoming at|"
        "datum uhrzeit|datum und uhrzeit|zeitpunkt|zeitstempel|date|datum|time|zeit|uhrzeit"
    ),
    "answered": (
        "answered|answered at|answer time|answer|answer date|time answered|answer timestamp|answertimestamp|connected|"
        "connected at|connect time|connected to agent timestamp|agent connect|agent connect time|agent answer time|"
        "agent start|agent start time|pickup|pickup time|picked up at|accepted at|accept time|"
        "angenommen|angenommen um|annahme|annahmezeit|rufannahme|gesprächsbeginn|verbunden um|beantwortet um"
    ),
    "ended": (
        "end|ended|ended at|end time|end date|end datetime|endtime|call end|call end time|call ended|contact end|"
        "contact end time|conversation end|conversation end time|interaction end|interaction end time|session end time|"
        "hangup|hangup time|hung up at|disconnect|disconnected|disconnect time|disconnect timestamp|completed at|"
        "finished|finish time|release time|segstop|segment end|"
        "ende|endzeit|endzeitpunkt|anrufende|gesprächsende|beendet|beendet um|auflegezeit"
    ),
}
DATES: Final = "date|datum|day|tag|call date|start date|startdatum|anrufdatum|calldate|contact date"
HOURS: Final = "time|zeit|uhrzeit|start time|startzeit|call time|anrufzeit|anrufuhrzeit|starttime|contact time|beginn|start"
DURATIONS: Final = {
    "wait_s": (
        "wait|wait time|wait duration|waiting|waiting time|queue wait|queue wait time|queue time|queue duration|"
        "time in queue|in queue time|inqueue|in queue|total queue|total wait|acd wait|time to answer|speed of answer|"
        "asa|answer speed|ring time|ringing|ringing time|queue secs|queuetime|disptime|abandon time|time to abandon|"
        "wait time seconds|wartezeit|wartedauer|warteschlangenzeit|zeit in warteschlange|klingelzeit"
    ),
    "talk_s": (
        "talk|talk time|talk duration|talking|talking time|total talk|talk secs|talktime|billsec|bill sec|billable|"
        "conversation time|conversation duration|active time|agent talk time|agent time|acd time|interact|interaction time|"
        "gespräch|gesprächszeit|gesprächsdauer|sprechzeit|sprechdauer|redezeit"
    ),
    "hold_s": (
        "hold|hold time|hold duration|total hold|on hold|on hold time|held time|holdtime|ansholdtime|hold secs|agent hold time|"
        "haltezeit|haltedauer|halten|gehalten"
    ),
    "wrap_s": (
        "wrap|wrap up|wrapup|wrap time|wrap up time|wrapup time|wrap duration|acw|acw time|acwtime|acw duration|total acw|"
        "after call work|after call work time|after call time|after contact work|after contact work time|post call time|"
        "agent acw time|nachbearbeitung|nachbearbeitungszeit|nacharbeit|nacharbeitszeit"
    ),
    "handle_s": (
        "handle|handle time|handle duration|handling time|total handle|total handle time|aht|agent handle time|"
        "bearbeitungszeit|bearbeitungsdauer"
    ),
    "duration_s": (
        "duration|call duration|call length|length|total duration|total time|total call time|call time|total length|"
        "conversation length|contact duration|interaction duration|dauer|anrufdauer|gesamtdauer|verbindungsdauer"
    ),
}
TEXTS: Final = {
    "outcome": (
        "outcome|disposition|call disposition|result|call result|status|call status|final status|completion status|"
        "contact status|state|call state|call outcome|disconnect type|call type|talkdesk call type|"
        "ergebnis|anrufergebnis|anrufstatus|anruftyp|zustand"
    ),
    "agent": (
        "agent|agent name|agent id|agent email|agent full name|agents|user|user name|users|username|handled by|"
        "answered by|taken by|operator|employee|ans logid|answering agent|destination agent|"
        "mitarbeiter|mitarbeiter name|bearbeiter|agentenname|angenommen von"
    ),
    "queue": (
        "queue|queue name|queue id|queues|skill|skill name|skills|acd queue|acd group|split|split skill|dispsplit|"
        "call queue|ring group|ring groups|service|service name|campaign|hunt group|business unit|inbound queue|"
        "warteschlange|warteschlangen|abteilung|gruppe|hotline|rufgruppe|department|group|group name|vdn|dispvdn|line|"
        "phone display name|team queue|dst|dcontext"
    ),
    "channel": "channel|media|media type|channel type|contact type|interaction type|type of contact|kanal|medium|medientyp",
    "contact_id": (
        "contact id|call id|callid|conversation id|interaction id|session id|uniqueid|unique id|ucid|linkedid|linked id|"
        "id|interaction|contact|master contact id|call uuid|call uid|uuid|anruf id|vorgang|vorgangsnummer|anrufid|gesprächs id"
    ),
    "direction": (
        "direction|call direction|originating direction|initial direction|initiation method|richtung|anrufrichtung|"
        "call type|anruftyp"
    ),
    "answered": "answered|is answered|was answered|handled|answered yn|angenommen|beantwortet|answer",
    "abandoned": "abandoned|abandon|is abandoned|abandoned yn|abn|aufgelegt|abgebrochen|abandoned in queue",
    "team": "team|team name|agent team|agent group",
    "site": "site|location|standort",
}


def words(header: str) -> str:
    """Return a header for looking it up: in lower case, without units, single blanks between words."""
    bare = _UNIT.sub("", header.strip())
    return _BETWEEN.sub(" ", _CAMEL.sub(" ", bare).casefold()).strip()


def unit(header: str) -> str:
    """Return what a header says its numbers are in: ``ms``, ``min``, or else ``s``."""
    found = _UNIT.search(header.strip())
    said = (found["unit"] or found["bare"] or "") if found else ""
    if _MILLISECONDS.fullmatch(said.strip()):
        return "ms"
    return "min" if _MINUTES.fullmatch(said.strip()) else "s"


def rank(header: str, names: str) -> int | None:
    """Return at which place of a list of names a header stands, from 0; ``None`` if it is not there."""
    found = words(header)
    listed = names.split("|")
    for text in (found, found.replace(" ", "")):
        if text in listed:
            return listed.index(text)
    return None
