"""An export of the platform's: which of the two kinds it is, and its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from stream_app.commands.maps import call_map
from stream_app.commands.terminal import column_map
from stream_app.errors import InputError
from stream_app.ingest.batch import MAX_EVENT_BYTES
from stream_app.ingest.files import Layout, RecordFile, look
from stream_app.ingest.files.call_lists import columns_of
from stream_app.model.reconciling.by_contact import TheirContact
from stream_app.model.reconciling.conventions import COUNTS, DURATIONS
from stream_app.model.reconciling.their_tables import DAY_MINUTES, TheirInterval, instant, is_aligned
from stream_app.tables.call_list import BadCallRow, CallList, implied_map
from stream_app.tables.calls import CALL_ALIASES, KNOWN, Call
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.outcomes import BLOCKED, WITH_AGENT, plain
from stream_app.tables.proposing import propose
from stream_app.tables.reading import read
from stream_app.tables.row import TableRow
from stream_app.zones import checked_zone

_SECONDS: Final = {name.replace("_ms", "_s"): name for name in DURATIONS}
FIELDS: Final = ("start", "minutes", "queue", "channel", *COUNTS, *_SECONDS)
_NEEDED: Final = ("start", "minutes", "queue")
_OF_INTERVALS: Final = frozenset({"offered", "handled", "minutes", "answered_in_target"})
_WORDS: Final[Mapping[str, str]] = {
    "offered": "offered|calls offered|contacts offered|contacts queued|entered|calls|contacts",
    "answered": "answered|calls answered|contacts answered|accepted",
    "abandoned": "abandoned|calls abandoned|contacts abandoned",
    "answered_in_target": "answered in target|within target|within|answered within target|answered within sla|in sla",
    "abandoned_short": "abandoned short|short abandoned|short abandons|short abandonments",
    "handled": "handled|calls handled|contacts handled",
    "talk_s": "talk s|talk time|talk",
    "hold_s": "hold s|hold time|hold",
    "wrap_s": "wrap s|wrap up time|wrap up|acw|acw time|after contact work time",
    "handle_s": "handle s|handle time",
    "wait_s": "wait s|wait time|queue time",
    "start": "start|interval start|interval|time",
    "queue": "queue|queue name",
    "channel": "channel|media type",
    "minutes": "minutes",
}
_NAMES: Final = {word: field for field, words in _WORDS.items() for word in words.split("|")}
_LONGEST_DAY: Final = range(1380, 1501)
_MOST: Final = 10**12


class TheirExport(Struct, frozen=True):
    """The rows of a file, of one of the two kinds.

    Attributes:
        intervals: if it is a table by interval.
        contacts: if it is a list of contacts.
        bad: what is wrong with rows that are no contacts.
    """

    intervals: list[TheirInterval] = []
    contacts: list[TheirContact] = []
    bad: list[str] = []


def read_export(path: Path, maps: Sequence[str], tz: str) -> TheirExport:
    """Read a file.

    Args:
        path: where it is.
        maps: the options ``--map``.
        tz: the IANA zone of times without an offset, unless a map names it.

    Raises:
        InputError: it can't be read; the line names file, line and field.
        BadSettingsError: a wrong map.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    first = content.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].strip()
    header = columns_of(first) if first and first[:1] != b"[" else []
    both = column_map(maps, {*FIELDS, *KNOWN, *CALL_ALIASES}, aliases={}) or ColumnMap()
    names = {column: _NAMES.get(plain(column), column) for column in header}
    names = {column: field for column, field in names.items() if field in FIELDS}
    if {*both.fields, *names.values()} & _OF_INTERVALS:
        mapping = column_map(maps, FIELDS, aliases={}) or ColumnMap()
        zone = checked_zone(mapping.zone or tz, "--map: zone" if mapping.zone else "--tz")
        rows = read(str(path), content, FIELDS, _NEEDED, mapping=implied_map(header, mapping, names))
        return TheirExport(intervals=list(_intervals(rows, zone)))
    given = call_map(maps) or ColumnMap()
    zone = checked_zone(given.zone or tz, "--map: zone" if given.zone else "--tz")
    return _contacts(path, given, zone)


def _intervals(rows: Sequence[TableRow], zone: str) -> Iterator[TheirInterval]:
    seen: set[tuple[str, str, datetime, bool]] = set()
    for row in rows:
        (found,) = row.moments("start", "UTC")
        exact = datetime.fromisoformat(row.text("start")).tzinfo is not None
        wall = (found.astimezone(UTC) if exact else found).replace(tzinfo=None)
        clock = "UTC" if exact else zone
        minutes = row.whole("minutes", 31 * DAY_MINUTES)
        if not exact and minutes in _LONGEST_DAY:
            minutes = DAY_MINUTES
        queue, channel = row.text("queue"), row.text("channel", "")
        key = (queue, channel, wall, False)
        second = key in seen and instant(wall, clock, fold=1) > instant(wall, clock)
        if (queue, channel, wall, second) in seen:
            raise row.wrong("start", f"{queue} has two rows for this time")
        seen.add((queue, channel, wall, second))
        made = TheirInterval(row.line, queue, channel, wall, clock, minutes, _cells(row), second)
        if not minutes or not is_aligned(made):
            raise row.wrong(
                "start", "expected intervals of 15 minutes or a multiple that begin on a quarter of an hour"
            )
        yield made


def _cells(row: TableRow) -> dict[str, int]:
    counts = {name: row.whole(name, _MOST) for name in COUNTS if row.said(name)}
    durations = {
        column: round(row.number(name, most=_MOST) * 1000)
        for name, column in _SECONDS.items()
        if row.said(name)
    }
    return {**counts, **durations}


def _contacts(path: Path, given: ColumnMap, zone: str) -> TheirExport:
    beginning = look(path, MAX_EVENT_BYTES)
    mapping = propose(beginning.header, beginning.rows, given)
    if "contact_id" not in mapping.fields:
        raise InputError(f"{path}:1: contact_id: which column has the contact's id? --map 'contact_id=…'")
    mapping = structs.replace(mapping, zone=None)
    # Read by UTC, a time without an offset is what the clock reads, whichever zone turns out to be its own.
    walls = {call.line: call.queued for call in _calls(path, mapping, "UTC")[0] if isinstance(call, Call)}
    rows, has_local = _calls(path, mapping, zone)
    bad = [f"{path}:{row.line}: {row.why}" for row in rows if isinstance(row, BadCallRow)]
    whole = "handle_s" in mapping.fields and "wrap_s" not in mapping.fields
    found = [
        _contact(call, walls[call.line], zone if has_local else "UTC", whole=whole)
        for call in rows
        if isinstance(call, Call) and not call.outbound and call.meaning not in BLOCKED
    ]
    if not found:
        raise InputError(f"{path}:1: no row is a contact; see how it is read: stream-app columns {path}")
    return TheirExport(contacts=found, bad=bad)


def _calls(path: Path, mapping: ColumnMap, zone: str) -> tuple[list[object], bool]:
    with RecordFile(path, Layout(columns=mapping, calls=True, zone=zone)) as file:
        if file.calls is None:
            raise InputError(f"{path}:1: the file is empty")
        calls: CallList = file.calls.calls
        rows: list[object] = list(calls)
        if file.calls.problem:
            raise InputError(f"{path}: {file.calls.problem}")
        if calls.unknown:
            word = next(iter(calls.unknown))
            raise InputError(
                f"{path}: outcome {word!r}: unknown meaning; write a map: stream-app columns {path} "
                f"--outcome '{word}=abandoned' -o map.toml"
            )
        return rows, bool(calls.local)


def _contact(call: Call, wall_ms: int, clock: str, *, whole: bool) -> TheirContact:
    wall = datetime.fromtimestamp(wall_ms // 1000, UTC).replace(
        tzinfo=None, microsecond=wall_ms % 1000 * 1000
    )
    outcome = "answered" if call.meaning in WITH_AGENT else call.meaning
    wait = call.wait_s
    if wait is None and call.answered is not None and not call.wait_unknown:
        wait = (call.answered - call.queued) / 1000
    return TheirContact(
        call.line,
        call.contact_id,
        call.queue,
        wall,
        clock,
        outcome if outcome in {"answered", "abandoned"} else "left",
        _ms(wait),
        None if whole else _ms(call.talk_s),
        _ms(call.hold_s),
        _ms(call.wrap_s),
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
