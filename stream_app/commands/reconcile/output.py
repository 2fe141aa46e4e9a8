"""What ``stream-app reconcile`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any, Final

import msgspec
from msgspec import Struct, structs
from rich.console import Console
from rich.table import Table

from stream_app.model.reconciling.by_contact import ContactDifference, SettledContacts
from stream_app.model.reconciling.by_interval import RowDifference, SettledTable
from stream_app.model.reconciling.conventions import CellAmounts, Conventions, RuleName, SettledVisit
from stream_app.model.reconciling.searching import changed
from stream_app.model.reconciling.their_tables import reading

WIDTH: Final = 160
_CONTACTS: Final = 3
_FORGOTTEN: Final = "(forgotten)"
_RULES: Final[Mapping[RuleName, str]] = {
    "edge": "edge of an interval or day",
    "transfer": "transfer: one contact, several visits",
    "short": "short abandonments left out",
    "time_zone": "another time zone",
    "wrap_up": "wrap-up counted at another time",
    "target": "another answer target",
    "missing_there": "they lack it",
    "missing_here": "we lack it, or what became of it",
}
_MEANINGS: Final[Mapping[tuple[str, str], str]] = {
    ("doubled", "together"): "a time that occurs twice has one row for both",
    (
        "counted_at",
        "outcome",
    ): "answers and abandonments count when they happen, not when the contact was queued",
    ("counted_at", "end"): "contacts count when they end",
    ("passed_on", "first"): "of a contact that was transferred, only the first queue counts",
    ("passed_on", "last"): "of a contact that was transferred, only the last queue counts",
    ("short", "left_out"): "short abandonments are left out",
    ("short", "offered"): "short abandonments count as offered only",
    ("handled_at", "ended"): "handle time counts when the conversation ends, not when the wrap-up does",
    ("handled_at", "answered"): "handle time counts when the contact is answered",
    ("handled_at", "queued"): "handle time counts when the contact was queued",
}


class Settlement(Struct, frozen=True):
    """What came out.

    Attributes:
        found: the comparison.
        visits: ours.
        unknown: times of which the ledger lacks contacts, from and to, ms.
    """

    found: SettledTable | SettledContacts
    visits: list[SettledVisit]
    unknown: list[tuple[int, int]]


def table(settled: Settlement, tz: str) -> str:
    """Return the differences for people, times in a zone, with the first contacts of each."""
    text = StringIO()
    console = Console(file=text, width=WIDTH)
    found = settled.found
    if isinstance(found, SettledTable):
        made = _intervals(found.differences, settled.visits, tz)
    else:
        made = _contacts(found.differences, tz)
    if made.row_count:
        console.print(made, markup=False)
    for line in (*_said(found), *_summary(found), *_strange(settled), *_unknown(settled.unknown)):
        console.print(line, markup=False, highlight=False)
    return text.getvalue()


def _intervals(differences: Iterable[RowDifference], visits: Sequence[SettledVisit], tz: str) -> Table:
    made = _headed("line", "interval", "queue", "channel", "theirs (ours)", "because of", "contacts")
    for one in differences:
        row = one.row
        cells = ", ".join(
            f"{_name(column)} {_amount(column, n)} ({_amount(column, one.ours[column])})"
            for column, n in row.cells.items()
            if _amount(column, n) != _amount(column, one.ours[column])
        )
        because = "\n".join(_RULES[rule.name] for rule in one.rules) or _left(one.remaining)
        contacts = "\n".join(_some([visits[n].contact for n in rule.contacts]) for rule in one.rules)
        at = row.wall if one.start is None or row.clock != "UTC" else reading(one.start, tz)
        line = str(row.line) if row.line else "none"
        made.add_row(line, f"{at:%Y-%m-%d %H:%M}", row.queue, row.channel, cells, because, contacts)
    return made


def _contacts(differences: Iterable[ContactDifference], tz: str) -> Table:
    made = _headed("line", "contact", "queue", "theirs (ours)", "because of")
    for one in differences:
        cells = ", ".join(
            f"{field} {_value(field, theirs, tz)} ({_value(field, ours, tz)})"
            for field, (ours, theirs) in one.differing.items()
        )
        because = "\n".join(_RULES[rule] for rule in one.rules) or "unexplained"
        line = "none" if one.line is None else str(one.line)
        made.add_row(line, one.contact or _FORGOTTEN, one.queue, cells, because)
    return made


def _headed(*heads: str) -> Table:
    made = Table(box=None, pad_edge=False)
    for head in heads:
        made.add_column(head, overflow="fold")
    return made


def _said(found: SettledTable | SettledContacts) -> list[str]:
    """Return what their conventions are, where they are not ours."""
    how = found.conventions if isinstance(found, SettledTable) else Conventions(clock=found.clock)
    lines = []
    for field in changed(how):
        if field == "clock":
            lines.append(f"their times are those of {_clock(how.clock)}")
        elif field == "targets":
            lines += [
                f"their answer target of {' '.join(filter(None, (queue, channel)))} is about {target / 1000:g} s"
                for queue, channel, target in how.targets
            ]
        else:
            lines.append(_MEANINGS[field, getattr(how, field)])
    return lines


def _clock(name: str) -> str:
    """Return a zone's name for people: signs of Etc/GMT-2 are the wrong way round."""
    if name.startswith("Etc/GMT"):
        return f"UTC{-int(name.removeprefix('Etc/GMT')):+d} all year"
    return "UTC all year" if name == "UTC" else name


def _summary(found: SettledTable | SettledContacts) -> list[str]:
    rules = Counter(name for one in found.differences for name in _names(one))
    left = sum(not one.rules for one in found.differences)
    named = "; ".join(f"{_RULES[name]} {n:,}" for name, n in rules.most_common())
    return [
        f"{found.rows:,} rows compared, {len(found.differences):,} differences, {left:,} unexplained"
        + (f": {named}" if named else "")
    ]


def _names(one: RowDifference | ContactDifference) -> set[RuleName]:
    if isinstance(one, ContactDifference):
        return {*one.rules}
    return {rule.name for rule in one.rules}


def _strange(settled: Settlement) -> list[str]:
    """Return which of their queues are none of ours."""
    ours = {(visit.queue, visit.channel) for visit in settled.visits}
    queues = {queue for queue, _ in ours}
    places = {
        (one.row.queue, one.row.channel) if isinstance(one, RowDifference) else (one.queue, "")
        for one in settled.found.differences
    }
    return [
        f"the ledger has no contacts of {' '.join(filter(None, place))} at that time; is its name another one here?"
        for place in sorted(places)
        if place not in ours and (place[1] or place[0] not in queues)
    ]


def _unknown(unknown: Iterable[tuple[int, int]]) -> list[str]:
    return [f"contacts are missing in the ledger from {_time(since)} to {_time(to)}" for since, to in unknown]


def to_json(settled: Settlement) -> str:
    """Return all of it, with all contacts, durations in seconds."""
    found = settled.found
    if isinstance(found, SettledTable):
        rows = [_interval_json(one, settled.visits) for one in found.differences]
        how = found.conventions
    else:
        rows = [_contact_json(one) for one in found.differences]
        how = Conventions(clock=found.clock)
    answer = {
        "rows": found.rows,
        "differences": rows,
        "unexplained": sum(not one.rules for one in found.differences),
        "conventions": {field: getattr(how, field) for field in changed(how)},
        "unknown": [[_time(since), _time(until)] for since, until in settled.unknown],
    }
    return msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n"


def _interval_json(one: RowDifference, visits: Sequence[SettledVisit]) -> dict[str, Any]:
    return {
        "line": one.row.line or None,
        "queue": one.row.queue,
        "channel": one.row.channel or None,
        "start": None if one.start is None else _time(one.start),
        "theirs": _in_base(one.row.cells),
        "ours": _in_base(one.ours),
        "rules": [
            {"rule": rule.name, "contacts": [visits[n].contact or None for n in rule.contacts]}
            for rule in one.rules
        ],
        "remaining": _in_base(one.remaining),
    }


def _contact_json(one: ContactDifference) -> dict[str, Any]:
    found = structs.asdict(one)
    del found["visit"]
    found["contact"] = one.contact or None
    found["differing"] = {
        field: {"ours": _json_value(field, ours), "theirs": _json_value(field, theirs)}
        for field, (ours, theirs) in one.differing.items()
    }
    return found


def _json_value(field: str, value: str | int | None) -> str | float | None:
    if isinstance(value, int):
        return _time(value) if field == "came" else value / 1000
    return value


def _in_base(amounts: CellAmounts) -> dict[str, float]:
    return {_name(column): n / 1000 if column.endswith("_ms") else n for column, n in amounts.items()}


def _name(column: str) -> str:
    return f"{column.removesuffix('_ms')}_s" if column.endswith("_ms") else column


def _amount(column: str, n: int) -> str:
    return f"{n / 1000:,.0f}" if column.endswith("_ms") else f"{n:,}"


def _left(remaining: CellAmounts) -> str:
    named = ", ".join(
        f"{_name(column)} {n / 1000 if column.endswith('_ms') else n:+,g}" for column, n in remaining.items()
    )
    return f"unexplained: {named}" if named else "unexplained"


def _some(contacts: Sequence[str]) -> str:
    named = ", ".join(contact or _FORGOTTEN for contact in contacts[:_CONTACTS])
    return named + (f" and {len(contacts) - _CONTACTS:,} more" if len(contacts) > _CONTACTS else "")


def _value(field: str, value: str | int | None, tz: str) -> str:
    if value is None:
        return "not known"
    if isinstance(value, int):
        return f"{reading(value, tz):%Y-%m-%d %H:%M:%S}" if field == "came" else f"{value / 1000:,.0f} s"
    return value


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
