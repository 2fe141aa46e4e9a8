"""What a map makes of a list."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

from stream_app.tables.call_list import BadCallRow, CallList
from stream_app.tables.calls import Call
from stream_app.tables.mapping import ColumnMap


class Understood(Struct):
    """What a map makes of a list.

    Attributes:
        mapping: the map.
        header: the file's columns.
        calls: the whole list, read once.
        shown: some contacts.
        meanings: meaning → contacts.
        queues: queue → contacts.
        bad: the first bad rows; ``wrong`` of them in all.
        unclear: why days and months can't be told apart.
    """

    mapping: ColumnMap
    header: list[str]
    calls: CallList | None = None
    shown: list[Call] = []
    meanings: Counter[str] = field(default_factory=Counter)
    queues: Counter[str] = field(default_factory=Counter)
    bad: list[BadCallRow] = []
    wrong: int = 0
    begin: int | None = None
    end: int | None = None
    unclear: str | None = None
