"""Events of an iCalendar file (RFC 5545) as rows: a shift is an event, its queue a property of it.

``start``, ``end`` and ``tz`` come from DTSTART, DTEND and TZID; ``who`` from ATTENDEE or, without one, ``group`` from SUMMARY;
``queue``, ``channel`` and ``activity`` from X-QUEUE (or CATEGORIES), X-CHANNEL and X-ACTIVITY. All properties are columns, too,
by their names, so that others can be mapped. Events that repeat are refused: their exporter knows until when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stream_app.errors import InputError

BEGIN: Final = "BEGIN:VCALENDAR"
_LINE: Final = re.compile(
    r'(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:])*)*):(?P<value>.*)'
)
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)')
_TIME: Final = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)")
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_REPEATS: Final = frozenset({"RRULE", "RDATE", "RECURRENCE-ID"})
_MAIL: Final = "mailto:"

Properties = dict[str, tuple[int, Mapping[str, str], str]]
"""Name → line, parameters and value of the first such property of an event."""


def events(name: str, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield line and fields of each event that was not cancelled.

    Raises:
        InputError: one line with file, line and property: an event that repeats, lasts whole days, or lacks its times.
    """
    event: Properties | None = None
    begin = 0
    for line, content in _unfolded(text):
        found = _LINE.fullmatch(content)
        if found is None:
            raise InputError(f"{name}:{line}: expected NAME:VALUE as in iCalendar, got {content[:40]!r}")
        key, value = found["name"].upper(), found["value"]
        if (key, value.upper()) == ("BEGIN", "VEVENT"):
            event, begin = {}, line
        elif (key, value.upper()) == ("END", "VEVENT") and event is not None:
            if event.get("STATUS", (0, {}, ""))[2].upper() != "CANCELLED":
                yield begin, _fields(name, begin, event)
            event = None
        elif event is not None:
            parameters = {k.upper(): v.strip('"') for k, v in _PARAMETER.findall(found["parameters"])}
            event.setdefault(key, (line, parameters, _ESCAPED.sub(_plain, value)))


def _fields(name: str, begin: int, event: Properties) -> dict[str, Any]:
    for key in _REPEATS & event.keys():
        raise InputError(
            f"{name}:{event[key][0]}: {key}: events that repeat are not read; export each of them"
        )
    fields: dict[str, Any] = {key: value for key, (_, _, value) in event.items()}
    for field, key in (("start", "DTSTART"), ("end", "DTEND")):
        if key not in event:
            raise InputError(f"{name}:{begin}: {key}: this event has none")
        line, parameters, value = event[key]
        found = _TIME.fullmatch(value)
        if found is None:
            raise InputError(
                f"{name}:{line}: {key}: expected a time like 20260105T090000, got {value[:40]!r}"
            )
        year, month, day, hour, minute, second, utc = found.groups()
        fields[field] = f"{year}-{month}-{day}T{hour}:{minute}:{second}{'+00:00' if utc else ''}"
        if "TZID" in parameters:
            fields["tz"] = parameters["TZID"]
    _, parameters, attendee = event.get("ATTENDEE", (0, {}, ""))
    if who := parameters.get("CN") or (
        attendee[len(_MAIL) :] if attendee.lower().startswith(_MAIL) else attendee
    ):
        fields["who"] = who
    else:
        fields["group"] = fields.get("SUMMARY") or "a shift"
    fields["queue"] = fields.get("X-QUEUE") or fields.get("CATEGORIES", "")
    fields["channel"] = fields.get("X-CHANNEL", "")
    fields["activity"] = fields.get("X-ACTIVITY") or "contacts"
    return fields


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines with the number of their first physical one: a line that begins with a blank continues."""
    whole, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in {" ", "\t"}:
            whole += line[1:]
            continue
        if whole:
            yield begin, whole
        whole, begin = line, number
    if whole:
        yield begin, whole


def _plain(escaped: re.Match[str]) -> str:
    return "\n" if escaped[1] in "nN" else escaped[1]
