"""What we make of conversations: the KPIs and the interval columns of all that was told, by the names that users see."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.cells import NUMBERS, Cell, add_into
from stream_app.model.fold.fold import Fold
from stream_app.model.intervals.columns import COLUMNS, written
from stream_app.model.intervals.counting import compact
from stream_app.model.intervals.row import row_of
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Value
from stream_app.model.live.formulas import formula
from stream_app.model.targets import Targets
from tests.reference.hours import FIRST_MONDAY, Weekly

from .stories import Story, events

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
Hours = Mapping[str, Sequence[Sequence[str]]]
"""Day of the week → from and to, each day."""
WEEKLY: Hours = json.loads((Path(__file__).parents[1] / "model" / "business_hours.json").read_text())[
    "weekly"
]
"""The hours of zendesk/biz's own examples."""
OFFICE: Hours = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = {written(name): name for name in COLUMNS}


def opened(hours: Mapping[str, Hours], **more: Any) -> Targets:
    """Targets of queues that are open at these hours, by queue; ``more`` is set for each of them."""
    calendars = {
        queue: {
            "zone": "UTC",
            "hours": {day: ["-".join(span) for span in spans] for day, spans in days.items()},
        }
        for queue, days in hours.items()
    }
    queues = {queue: {"calendar": queue, **more} for queue in hours}
    return Targets.of({"calendars": calendars, "queues": queues})


def within(hours: Hours, since: int, until: int) -> int:
    """Open seconds between two moments in seconds since a Monday, found without our calendar."""

    def ms(day: int, clock: str) -> int:
        hour, minute = clock.split(":")
        return (day * 24 * 60 + int(hour) * 60 + int(minute)) * 60_000

    openings = [(ms(n, a), ms(n, b)) for n, day in enumerate(_DAYS) for a, b in hours.get(day, ())]
    return Weekly(openings).within(FIRST_MONDAY + since * 1000, FIRST_MONDAY + until * 1000) // 1000


class Ours:
    """What stories have become; each is a contact of its own."""

    def __init__(self, *told: Story, targets: Targets | None = None, channel: str = "email") -> None:
        fold, self._cells = Fold(targets or Targets()), dict[tuple[str, str], Cell]()
        self._rule = (targets or Targets()).rule("q", channel)
        fold.by_broker = True
        lines = [
            (at, f"c{n}", kind, fields)
            for n, story in enumerate(told)
            for at, kind, fields in events(story, channel)
        ]
        for number, (at, contact, kind, fields) in enumerate(sorted(lines, key=lambda line: line[0])):
            stamp = round(MONDAY.timestamp() + at) * 1000
            text = {"id": f"e{number}", "type": kind, "at": stamp, "contact_id": contact, **fields}
            (event,) = decode(json.dumps(text).encode())
            assert fold.record(event, stamp) == "applied", text
        deltas = fold.take()
        for (_, queue, in_channel), cell in deltas.cells.items():
            add_into(self._cells.setdefault((queue, in_channel), {}), cell)
        self.rows = [row_of(key, compact(counted)) for key, counted in deltas.rows.items()]

    def value(self, kpi: str, queue: str = "") -> Value:
        """Return a KPI with its samples, over all queues or in one."""
        cell: Cell = {}
        for (name, _), amounts in self._cells.items():
            if queue in {"", name}:
                add_into(cell, amounts)
        computed = formula(BY_NAME[kpi], self._rule.policy, NUMBERS)
        assert computed is not None, kpi
        return computed.of(cell, 0, self._rule)

    def kpi(self, name: str, queue: str = "") -> float | None:
        """Return a KPI in its unit; ``None`` without data."""
        return self.value(name, queue).value

    def column(self, name: str, queue: str = "") -> float:
        """Return the sum of a column over all interval rows, in contacts or seconds."""
        field = _FIELDS[name]
        total = sum(cast("int", getattr(row, field)) for row in self.rows if queue in {"", row.queue})
        return total / 1000 if COLUMNS[field].unit == "ms" else total

    def next_reply(self) -> float | None:
        """Return the mean time to a reply that is not a request's first, from interval columns; ``None`` without any."""
        n = self.column("replies") - self.column("responded")
        return (self.column("reply_s") - self.column("response_s")) / n if n else None


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; ``None`` of nothing."""
    return sum(values) / len(values) if values else None
