"""Interval rows as text that programs import: our own CSV, and the import files of two workforce products.

Ours is RFC 4180: comma, CRLF, a header, quotes where they are needed, an empty cell for no data, ``true`` and ``false``. Names
that a spreadsheet would run get one apostrophe in front (``tables.escaping``); our reader of such files removes it again.

Amazon Connect: "Import historical data for forecasting", docs.aws.amazon.com/connect/latest/adminguide/
import-data-for-forecasting.html. ``ChannelType`` is ``CHAT`` or ``VOICE``, ``TimeStamp`` ISO 8601 in UTC with a ``Z``,
``IntervalDuration`` ``15mins`` or ``30mins``, the mean handle time in seconds, a decimal number; besides letters and digits
names may have ``- _ . ( )`` and spaces.

Genesys Cloud: "Prepare the historical data import .csv file", help.mypurecloud.com/articles/
prepare-the-historical-data-import-csv-file. ``YYYY-MM-DDThh:mm:ssZ``, media type voice, chat, email, callback or message;
handle time is the total and not the mean; skill set and language may be empty.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

from stream_app.tables.escaping import is_formula, marked
from stream_app.tables.import_files import CONNECT, GENESYS

from .wire import IntervalsRow as Row

COLUMNS: Final[tuple[str, ...]] = Row.__struct_fields__
CONNECT_CHANNELS: Final = {"voice": "VOICE", "chat": "CHAT"}
GENESYS_MEDIA: Final = {
    "voice": "Voice",
    "chat": "Chat",
    "email": "Email",
    "callback": "Callback",
    "messaging": "Message",
}
IMPORTS: Final = {"connect": CONNECT_CHANNELS, "genesys": GENESYS_MEDIA}
"""Formats for other programs → the channels that they know."""
IMPORTED_INTERVALS: Final = ("15m", "30m")
_MINUTES: Final = {15: "15mins", 30: "30mins"}

Cells = Sequence[Any]
Cut = Callable[[Row], Cells]


def wanted(row: Row, form: str) -> bool:
    """Return whether a row is written in a format.

    An import file has only final rows, none marked as an outage, no channel that the other program does not know, and
    no name that a spreadsheet would run: no platform has such a queue, and our CSV's apostrophe would be part of its name.
    """
    channels = IMPORTS.get(form)
    return channels is None or (
        row.final
        and row.outage is None
        and row.channel in channels
        and row.minutes in _MINUTES
        and not is_formula(row.queue)
    )


def header(form: str) -> str:
    """Return the first line of a table."""
    return line({"connect": CONNECT, "genesys": GENESYS}.get(form, COLUMNS))


def line(cells: Cells) -> str:
    """Return one line of a table, including its line end."""
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def cutter(form: str, external_id: Callable[[str], str | None]) -> Cut:
    """Return what makes a row's cells.

    Args:
        form: ``csv``, ``connect`` or ``genesys``.
        external_id: returns a queue's id on a platform, if the targets have one.
    """
    if form == "connect":
        return lambda row: _connect(row, external_id(row.queue) or "")
    return _genesys if form == "genesys" else _own


def table(rows: Iterable[Row], form: str, external_id: Callable[[str], str | None]) -> str:
    """Write a whole table."""
    cut = cutter(form, external_id)
    return header(form) + "".join(line(cut(row)) for row in rows)


def _own(row: Row) -> Cells:
    return [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return marked(value) if isinstance(value, str) else value


def _connect(row: Row, queue_id: str) -> Cells:
    return [
        row.queue,
        queue_id,
        CONNECT_CHANNELS[row.channel],
        _utc(row),
        _MINUTES[row.minutes],
        row.offered,
        _plain(row.average_handle_time_s or 0.0),
        row.handled,
    ]


def _genesys(row: Row) -> Cells:
    return [
        _utc(row),
        row.queue,
        GENESYS_MEDIA[row.channel],
        "",
        "",
        row.offered,
        row.handled,
        _plain(round(row.talk_s + row.hold_s + row.wrap_s, 3)),
    ]


def _utc(row: Row) -> str:
    return datetime.fromisoformat(row.start).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(seconds: float) -> str:
    """Format a number without an exponent and without trailing zeros."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
