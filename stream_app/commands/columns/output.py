"""What ``columns`` shows and writes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.tables.calls import FIELDS, Call
from stream_app.tables.outcomes import meaning_of

from .understood import Understood

_NONE: Final = "–"  # noqa: RUF001 - the dash of all tables
_WIDTH: Final = 200
_QUEUES: Final = 8
_HEADS: Final = ("wait", "talk", "hold", "wrap")


def write(found: Understood, zone: str | None) -> None:
    """Print the map, some rows, and what there is in all."""
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_map(found))
    if found.shown:
        console.print()
        console.print(_rows(found.shown, ZoneInfo(zone or "UTC")))
    if found.calls is not None:
        console.print()
        for line in _totals(found, ZoneInfo(zone or "UTC")):
            console.print(Text(line), soft_wrap=True)


def _map(found: Understood) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("field", no_wrap=True)
    table.add_column("column")
    mapping = found.mapping
    for field in _ordered(mapping.columns):
        table.add_row(field, Text(" + ".join(mapping.columns[field])))
    for field, text in mapping.constants.items():
        table.add_row(field, Text(f"= {text}"))
    used = {name for names in mapping.columns.values() for name in names}
    rest = [name for name in found.header if name not in used and name]
    if rest:
        table.add_row("(not used)", Text(", ".join(rest)), style="dim")
    return table


def _rows(calls: Sequence[Call], zone: ZoneInfo) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("line", justify="right")
    table.add_column(f"queued ({zone})", no_wrap=True)
    for head in ("queue", "channel", "outcome"):
        table.add_column(head, no_wrap=True)
    for head in _HEADS:
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("agent", no_wrap=True)
    table.add_column("contact", no_wrap=True)
    for call in calls:
        wait = call.wait_s
        until = call.answered if call.answered is not None else call.ended
        if wait is None and not call.wait_unknown and until is not None:
            wait = (until - call.queued) / 1000
        table.add_row(
            str(call.line),
            _at(call.queued, zone),
            Text(call.queue),
            Text(call.channel),
            "outbound" if call.outbound else call.meaning,
            *(_seconds(value) for value in (wait, call.talk_s, call.hold_s, call.wrap_s)),
            Text(call.agent or _NONE),
            Text(call.contact_id),
        )
    return table


def _totals(found: Understood, zone: ZoneInfo) -> list[str]:
    calls = found.calls
    assert calls is not None  # noqa: S101 - see above
    counted = found.meanings.total()
    passed = calls.rows_read - counted - found.wrong
    parts = [f"{counted:,} contacts"]
    if passed:
        parts.append(f"{passed:,} not counted (ignored, internal, or attempts to call)")
    if found.wrong:
        parts.append(f"{found.wrong:,} bad rows")
    lines = [f"{calls.rows_read:,} rows: {', '.join(parts)}"]
    if found.begin is not None and found.end is not None:
        lines.append(f"from {_at(found.begin, zone)} to {_at(found.end, zone)}, rows {_ORDERS[calls.order]}")
    lines.append(f"outcomes: {_listed(found.meanings)}")
    lines.append(f"queues: {_listed(found.queues)}")
    lines += [f"bad: line {row.line}: {row.why}" for row in found.bad]
    if found.wrong > len(found.bad):
        lines.append(f"bad: and {found.wrong - len(found.bad):,} more")
    return lines


_ORDERS: Final = {
    "as they stand": "in the order of time",
    "newest first": "with the newest first",
    "none": "in no order",
}


def _listed(counts: Counter[str]) -> str:
    named = [f"{name} {n:,}" for name, n in counts.most_common(_QUEUES)]
    if len(counts) > _QUEUES:
        named.append(f"and {len(counts) - _QUEUES:,} more")
    return ", ".join(named) or "none"


def _at(ms: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, zone):%a %d %b %Y %H:%M:%S}"


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.0f} s"


def _ordered(fields: Iterable[str]) -> list[str]:
    """Return fields in the order of the documentation."""
    places = {name: n for n, name in enumerate(FIELDS)}
    return sorted(fields, key=lambda field: (places.get(field, len(places)), field))


def toml(found: Understood, name: str) -> str:
    """Return the content of a map's file."""
    mapping = found.mapping
    lines = [
        f"# How {_one_line(name)} is read; see docs/call-lists.md. For --map of replay, intervals and forecast.",
    ]
    for field in _ordered(mapping.columns):
        names = mapping.columns[field]
        value = _quoted(names[0]) if len(names) == 1 else f"[{', '.join(map(_quoted, names))}]"
        lines.append(f"{field} = {value}")
    lines += [f"{field} = {_quoted(f'={text}')}" for field, text in mapping.constants.items()]
    dates = mapping.dates or (found.calls.dates if found.calls is not None and found.calls.slashed else None)
    if dates:
        lines.append(f"dates = {_quoted(dates)}")
    if mapping.zone:
        lines.append(f"zone = {_quoted(mapping.zone)}")
    words = found.calls.words if found.calls is not None else {}
    if words:
        lines += ["", "[outcomes]"]
        said = {word.casefold(): meaning for word, meaning in mapping.outcomes.items()}
        for word in words:
            meaning = said.get(word.casefold()) or meaning_of(word)
            if meaning:
                lines.append(f"{_quoted(word)} = {_quoted(meaning)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    marked = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 0x20 or ord(c) == 0x7F else c
        for c in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{marked}"'


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
