"""What became of a contact, in the words of other programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, get_args

Meaning = Literal[
    "answered",
    "transferred",
    "abandoned",
    "voicemail",
    "callback",
    "timeout",
    "overflow",
    "blocked",
    "closed",
    "full",
    "ignored",
]
MEANINGS: Final[tuple[Meaning, ...]] = get_args(Meaning)
WITH_AGENT: Final = frozenset({"answered", "transferred"})
BLOCKED: Final = frozenset({"blocked", "closed", "full"})

_WORDS: Final[dict[Meaning, str]] = {
    "answered": (
        "answered|handled|completed|complete|connected|success|successful|taken|accepted|closed by agent|yes|ok|"
        "conversation|talk|normal|agent|answered by agent|answered inbound|"
        "angenommen|beantwortet|erfolgreich|verbunden|bearbeitet|ja|erledigt"
    ),
    "transferred": "transferred|transfer|transferred out|forwarded|weitergeleitet|verbunden mit|weiterverbunden|transfer out",
    "abandoned": (
        "abandoned|abandon|abandoned in queue|abandoned in ring|abandoned queue|short abandoned|short abandon|"
        "caller abandoned|customer abandoned|lost|hung up|hangup|caller hung up|"
        "aufgelegt|abgebrochen|aufgegeben|verloren|abbruch|vorzeitig aufgelegt"
    ),
    "voicemail": "voicemail|voice mail|left voicemail|mailbox|anrufbeantworter|sprachbox|vm",
    "callback": "callback|call back|callback requested|callback scheduled|queue callback|rückruf|rueckruf|rückruf gewünscht",
    "timeout": "timeout|timed out|queue timeout|max wait exceeded|time out|zeitüberschreitung",
    "overflow": "overflow|overflowed|flow out|flowout|interflow|interflowed|rerouted|redirected|überlauf|umgeleitet",
    "blocked": "blocked|rejected|refused|short call blocked|abgewiesen|abgelehnt|gesperrt",
    "closed": "closed|out of hours|after hours|afterhours|outside business hours|außerhalb der geschäftszeiten|geschlossen",
    "full": "queue full|full|warteschlange voll",
    "ignored": "internal|intern|test|ignored",
}
_ASSUMED: Final[dict[Meaning, str]] = {
    "abandoned": (
        "missed|no answer|noanswer|unanswered|not answered|missed call|no agent|none|no|cancelled|canceled|cancel|"
        "verpasst|nicht angenommen|unbeantwortet|entgangen|nein|keine antwort"
    ),
    "blocked": "busy|failed|congestion|error|besetzt|fehlgeschlagen",
    "ignored": "outbound|outgoing|ausgehend|waiting|in progress|active",
    "answered": "inbound|incoming|eingehend",
}
_CHANNELS: Final = {
    word: channel
    for channel, words in {
        "voice": "voice|phone|call|telephone|telefon|anruf|telephony|telefonie|audio|inbound call|phone call",
        "chat": "chat|web chat|webchat|live chat",
        "email": "email|e mail|mail",
        "messaging": "messaging|message|sms|whatsapp|messenger|text|facebook|social",
        "callback": "callback|call back|rückruf",
    }.items()
    for word in words.split("|")
}
INBOUND: Final = frozenset(["inbound", "in", "incoming", "eingehend", "ankommend", "i", "queue"])
OUTBOUND: Final = frozenset(["outbound", "out", "outgoing", "ausgehend", "abgehend", "o", "dialer"])
_BETWEEN: Final = re.compile(r"[\W_]+")


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """Return words in lower case with single blanks between them."""
    return _BETWEEN.sub(" ", text.casefold()).strip()


def _by_word(words: Mapping[Meaning, str]) -> dict[str, Meaning]:
    return {plain(word): meaning for meaning, listed in words.items() for word in listed.split("|")}


KNOWN: Final = _by_word(_WORDS)
"""Words whose meaning is hardly ever another."""
ASSUMED: Final = _by_word(_ASSUMED)
"""Words that some programs use otherwise; the likeliest meaning."""


def meaning_of(word: str) -> Meaning | None:
    """Return what a program's word for an outcome means; ``None`` for an unknown one."""
    text = plain(word)
    return KNOWN.get(text) or ASSUMED.get(text)


def channel_of(word: str) -> str:
    """Return our channel for another program's name of it; its own in lower case if it is none that we know."""
    return _CHANNELS.get(plain(word), word.lower())
