"""What ``stream-app what-if`` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from stream_app.model.kpis import BY_NAME
from stream_app.model.what_if import WhatIf, WhatIfQuery
from stream_app.views.what_if.wire import what_if_answer, what_if_rows

WIDTH: Final = 140


def table(found: WhatIf) -> str:
    """Return what would have been different, place by place; all places together come first."""
    text = StringIO()
    console = Console(file=text, width=WIDTH)
    made = Table(box=None, pad_edge=False)
    for head in ("queue", "channel", "KPI", "policy", "was", "would have been", "of"):
        made.add_column(head, justify="right" if head in {"was", "would have been", "of"} else "left")
    same = 0
    for (queue, channel), rows in found.compared.items():
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
    console.print(f"{made.row_count:,} numbers would have been different, {same:,} the same")
    for since, until in found.unknown:
        console.print(f"contacts are missing from {_time(since)} to {_time(until)}")
    return text.getvalue()


def _shown(kpi: str, value: float | None) -> str:
    unit = BY_NAME[kpi].unit
    if value is None:
        return "no data"
    if unit.is_ratio:
        return f"{value / unit.parts:.1%}"
    return f"{value / unit.parts:,.1f} {unit.suffix}"


def to_json(query: WhatIfQuery, found: WhatIf) -> str:
    """Return all of it, as /v1/what-if answers."""
    answer = msgspec.structs.replace(what_if_answer(query, found), rows=[*what_if_rows(found)])
    return msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
