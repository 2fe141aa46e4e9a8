"""What ``stream-app what-if`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from stream_app.ledger.hindsight import Compared
from stream_app.model.kpis import BY_NAME

WIDTH: Final = 140
Found = Mapping[tuple[str, str], Sequence[Compared]]
Unknown = Sequence[tuple[int, int]]


def table(found: Found, unknown: Unknown) -> str:
    """Return what would have been otherwise, place by place; all places together come first."""
    text = StringIO()
    console = Console(file=text, width=WIDTH)
    made = Table(box=None, pad_edge=False)
    for head in ("queue", "channel", "KPI", "policy", "was", "would have been", "of"):
        made.add_column(head, justify="right" if head in {"was", "would have been", "of"} else "left")
    same = 0
    for (queue, channel), rows in found.items():
        for one in rows:
            if (one.was, one.samples_was) == (one.would, one.samples_would):
                same += 1
                continue
            made.add_row(
                queue or "all",
                channel,
                BY_NAME[one.kpi].title,
                one.policy,
                _shown(one.kpi, one.was),
                _shown(one.kpi, one.would),
                f"{one.samples_would:,}",
            )
    if made.row_count:
        console.print(made, markup=False)
    console.print(f"{made.row_count:,} numbers would have been otherwise, {same:,} the same")
    for since, until in unknown:
        console.print(f"contacts are missing from {_time(since)} to {_time(until)}")
    return text.getvalue()


def _shown(kpi: str, value: float | None) -> str:
    unit = BY_NAME[kpi].unit
    if value is None:
        return "no data"
    if unit.is_ratio:
        return f"{value / unit.parts:.1%}"
    return f"{value / unit.parts:,.1f} {unit.suffix}"


def to_json(found: Found, unknown: Unknown) -> str:
    """Return all of it, in base units."""
    rows = [
        {
            "queue": queue or None,
            "channel": channel or None,
            "kpi": one.kpi,
            "policy": one.policy or None,
            "was": _base(one.kpi, one.was),
            "would": _base(one.kpi, one.would),
            "samples_was": one.samples_was,
            "samples_would": one.samples_would,
        }
        for (queue, channel), some in found.items()
        for one in some
    ]
    answer = {"rows": rows, "unknown": [[_time(since), _time(until)] for since, until in unknown]}
    return msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n"


def _base(kpi: str, value: float | None) -> float | None:
    return None if value is None else value / BY_NAME[kpi].unit.parts


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
