"""Lists of contacts: each row becomes the events of its contact, which are one record."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from stream_app.errors import InputError, UnreadableError
from stream_app.ingest.dialects._making import event_id, make
from stream_app.model import events as e
from stream_app.tables.call_list import NOT_UTF8, BadCallRow, CallList, RowProblem, SourceRow, implied_map
from stream_app.tables.calls import CALL_ALIASES, KNOWN, Call, cells_of_row, scaled
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.outcomes import BLOCKED

from .lines import Raw
from .refusal import FROM_WINDOWS, DamagedError, EventsLine, FileError, RefusedLine
from .tables import JsonValue, Table, cells_of
from .unfolding import elements

BEGINNINGS: Final = frozenset({"queued", "start"})
"""Columns, or mapped fields, by which a list of contacts is told from a table of events."""
_OTHERS: Final = frozenset({"at", "type", "offered", "minutes"})
"""Columns of events and of interval rows."""
_NAMES: Final = {name: name for name in KNOWN} | CALL_ALIASES
_REASONS: Final = {"timeout": "timeout", "overflow": "overflow", "voicemail": "voicemail"}
_REFUSALS: Final = {"closed": "closed", "full": "full"}


def is_call_list(fields: Iterable[str]) -> bool:
    """Return whether these columns, or mapped fields, are those of a list of contacts."""
    names = {*fields}
    return bool(names & BEGINNINGS) and not names & _OTHERS


def columns_of(first: bytes) -> list[str]:
    """Return the columns of a file that begins with this line: a header's cells, or an object's names."""
    if first.lstrip()[:1] not in (b"{", b"["):
        return cells_of(first)
    found = _object(elements(first)[0])
    return [] if isinstance(found, RowProblem) else [*found]


class CallLines:
    """The rows of one file.

    Attributes:
        calls: what was read.
        problem: why the file could not be read to its end.
    """

    def __init__(
        self,
        name: str,
        head: Raw,
        raws: Iterator[Raw],
        *,
        columns: ColumnMap | None,
        zone: str | None,
        limit: int,
        needs_outcome: bool,
    ) -> None:
        """Read all rows.

        Args:
            name: the file's, for messages.
            head: its first line.
            raws: all lines, from that one on.
            columns: where the file has the fields; columns that are named like one need no entry.
            zone: of times without an offset; UTC if none is known.
            limit: a longer row is not read.
            needs_outcome: whether it must be known which contacts were answered.

        Raises:
            FileError: the header lacks a column; or the list can't be understood as a whole.
        """
        self.problem: Exception | None = None
        self._cut = False
        self._ends = [b"", b""]
        self._name, self._zone_known = name, zone is not None
        if head[1].lstrip()[:1] in (b"{", b"["):
            rows = self._objects(head, raws, columns, limit)
        else:
            next(raws)
            rows = self._cells(name, head, raws, columns, limit)
        try:
            self.calls = CallList(name, rows, self.mapping, zone or "UTC", needs_outcome=needs_outcome)
        except InputError as error:
            raise FileError(str(error)) from error

    def values(self) -> Iterator[JsonValue]:
        """Yield the events of each row, from the oldest one on.

        Raises:
            DamagedError: the file is damaged; all rows before the damage have been delivered.
        """
        last = self.calls.rows_read - 1
        for n, call in enumerate(self.calls):
            cut = self._cut and n == last and self.calls.order == "as they stand"
            yield call.line, _value(call), cut
        if self.problem:
            raise self.problem

    @property
    def oldest(self) -> bytes:
        """What the oldest row says, whatever is read of it: it stays the same however much the list grows."""
        return self._ends[self.calls.order == "newest first"]

    def _mark(self, row: bytes) -> None:
        self._ends = [self._ends[0] or row, row]

    def release(self) -> None:
        """Forget the rows, and keep what is known of them."""
        self.calls.release()

    @property
    def notes(self) -> list[str]:
        """What whoever reads the numbers must know."""
        notes = self.calls.notes
        if self.calls.local and not self._zone_known:
            notes.append("times have no offset and were read as UTC; name their zone: --zone Europe/Berlin")
        return [f"{self._name}: {note}" for note in notes]

    def remedy(self, maps: Sequence[str] = ()) -> str | None:
        """Return what mends the rows that are not contacts; ``None`` if there are none.

        Args:
            maps: the options ``--map`` of the command that is running.
        """
        calls = self.calls
        file = "FILE" if self._name == "stdin" else self._name
        again = shlex.join(["stream-app", "columns", file, *(f"--map={text}" for text in maps)])
        if calls.unknown:
            words = ", ".join(f"{word!r} ({n:,})" for word, n in calls.unknown.most_common(5))
            first = shlex.quote(f"{calls.unknown.most_common(1)[0][0]}=abandoned")
            return (
                f"outcomes of unknown meaning: {words}; say what they mean, for example: "
                f"{again} --outcome {first} -o map.toml, and use --map map.toml"
            )
        bad = calls.wrong.total()
        if not bad:
            return None
        (name, n), *_ = calls.wrong.most_common(1)
        if name == NOT_UTF8:
            return f"rows that are not UTF-8: {n:,}; {FROM_WINDOWS.format(file=shlex.quote(file))}"
        where = f", {n:,} of them for their {calls.column(name)!r}" if name else ""
        many = f"{bad:,} rows are not contacts" if bad > 1 else "1 row is not a contact"
        return f"{many}{where}; how the columns are read: {again}"

    def _until_damage(self, raws: Iterator[Raw]) -> Iterator[Raw]:
        try:
            yield from raws
        except (OSError, DamagedError) as error:
            self.problem = error

    def _cells(
        self, name: str, head: Raw, raws: Iterator[Raw], columns: ColumnMap | None, limit: int
    ) -> Iterator[SourceRow]:
        table = CallTable(name, head, columns or ColumnMap(), limit)
        self.mapping = table.mapping
        return self._of_table(table, raws)

    def _of_table(self, table: CallTable, raws: Iterator[Raw]) -> Iterator[SourceRow]:
        for line, row, cut in table.rows(self._until_damage(raws)):
            self._cut = cut
            self._mark(bytes(row) if isinstance(row, RefusedLine) else "\x1f".join(row).encode())
            if isinstance(row, RefusedLine):
                yield line, RowProblem(row.error.reason, row.error.detail, bytes(row))
            else:
                yield line, table.cells(row)

    def _objects(
        self, head: Raw, raws: Iterator[Raw], columns: ColumnMap | None, limit: int
    ) -> Iterator[SourceRow]:
        self.mapping = implied_map(columns_of(head[1]), columns, _NAMES)
        return self._of_objects(raws, limit)

    def _of_objects(self, raws: Iterator[Raw], limit: int) -> Iterator[SourceRow]:
        places = scaled(self.mapping)[0]
        for line, value, length, ended in self._until_damage(raws):
            if not value or value.isspace():
                continue
            self._cut = not ended
            self._mark(value)
            if length > limit:
                detail = f"the line has {length} bytes; the limit is {limit}"
                yield line, RowProblem("too_large", detail, value[:512])
                continue
            for each in elements(value) if value[:1] == b"[" else [value]:
                found = _object(each)
                if isinstance(found, RowProblem):
                    yield line, found
                else:
                    yield line, cells_of_row(places, found.get)


class CallTable(Table):
    """Rows of a table of contacts.

    Attributes:
        mapping: with the columns that are named like a field.
    """

    def _columns(self, where: str, columns: ColumnMap) -> None:
        self.mapping = implied_map(self.header, columns, _NAMES)
        self._wanted = scaled(self.mapping)[0]
        names = [name for columns_of in self._wanted.values() for name in columns_of]
        self._where = {name: self._place(where, name) for name in names}

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Return the texts of a row by field."""
        where, length = self._where, len(row)

        def get(name: str) -> str | None:
            place = where[name]
            return row[place] if place < length else None

        return cells_of_row(self._wanted, get)


def objects_of(value: bytes) -> list[dict[str, str]]:
    """Return the objects on a line, as texts."""
    found = [_object(each) for each in (elements(value) if value[:1] == b"[" else [value])]
    return [each for each in found if not isinstance(each, RowProblem)]


def _object(value: bytes) -> dict[str, str] | RowProblem:
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return RowProblem("not_json", str(error), value[:512])
    if not isinstance(found, dict):
        return RowProblem("invalid", "expected a JSON object", value[:512])
    return {key: _text(field) for key, field in found.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(call: Any) -> bytes:
    if isinstance(call, BadCallRow):
        return RefusedLine.of(call.start or b"{}", call.reason, call.why)
    if not isinstance(call, Call):
        return EventsLine.of(b"{}", ())
    try:
        return EventsLine.of(call.contact_id.encode(), events_of(call))
    except (UnreadableError, UnicodeEncodeError) as error:
        return RefusedLine.of(
            b"{}", getattr(error, "reason", "bad_utf8"), getattr(error, "detail", str(error))
        )


def events_of(call: Call) -> Sequence[e.Event]:
    """Return the events of a contact, in their order.

    Raises:
        UnreadableError: ``invalid``: a field breaks a limit of the vocabulary.
    """
    of = (call.contact_id, call.queue, call.queued)
    same = {
        "contact_id": call.contact_id,
        "queue": call.queue,
        "channel": call.channel,
        "team": call.team,
        "site": call.site,
        "customer": call.customer,
    }
    if call.meaning in BLOCKED:
        reason = _REFUSALS.get(call.meaning)
        return (make(e.Refused, id=event_id(*of, "refused"), at=call.queued, reason=reason, **same),)
    # Lists are in no strict order, and what is a day late still counts if it recurs.
    queued = make(e.Queued, id=event_id(*of, "queued"), at=call.queued, recurs=True, **same)
    if call.answered is None:
        return queued, _unanswered(call, of, same)
    same |= {"agent": call.agent, "direction": "outbound" if call.outbound else "inbound"}
    answered = make(e.Answered, id=event_id(*of, "answered"), at=call.answered, wait_s=call.wait_s, **same)
    found: list[e.Event] = [answered] if call.outbound else [queued, answered]
    if call.ended is None:
        return found
    spent = {"talk_s": call.talk_s, "hold_s": call.hold_s}
    kind: type[e.ContactEvent] = e.Transferred if call.meaning == "transferred" else e.Ended
    found.append(make(kind, id=event_id(*of, "ended"), at=call.ended, **spent, **same))
    wrapped = call.ended + round((call.wrap_s or 0.0) * 1000)
    found.append(
        make(e.Wrapped, id=event_id(*of, "wrapped"), at=wrapped, wrap_s=call.wrap_s, **spent, **same)
    )
    return found


def _unanswered(call: Call, of: tuple[object, ...], same: Mapping[str, Any]) -> e.Event:
    at, wait = call.ended or call.queued, call.wait_s
    if call.meaning == "abandoned":
        return make(e.Abandoned, id=event_id(*of, "abandoned"), at=at, wait_s=wait, **same)
    if call.meaning == "callback":
        return make(e.CallbackScheduled, id=event_id(*of, "callback"), at=at, wait_s=wait, **same)
    reason = _REASONS.get(call.meaning)
    return make(e.LeftQueue, id=event_id(*of, "left"), at=at, wait_s=wait, reason=reason, **same)
