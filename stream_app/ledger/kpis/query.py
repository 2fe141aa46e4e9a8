"""The SQL of a family of numbers: what is counted once each, and how it is added up by groups.

It is written in what DuckDB and ClickHouse both run. The tables of ``ledger.columns`` are relations of the same names, with
moments as whole milliseconds (see ``relations``); the visits that are still open are rows of ``visits``.
``docs/semantics.md``, "From the ledger", is the specification.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, structs

DAY: Final = 86_400_000
SECOND: Final = 1000
GAP: Final = 30 * 60_000
"""How long after a contact was passed on another one may go on with it."""
GROUPS: Final = ("queue", "channel", "agent", "team", "site", "segment", "contact_reason", "handled_by")
"""What numbers are split by."""

_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]+)")
_SEGMENTS: Final = """
segments as (
    select customer, segment
    from (
        select customer, segment,
            row_number() over (partition by customer order by "at" desc, "partition" desc, "offset" desc, n desc) as nth
        from customers
        where event = 'joined' and segment is not null and customer is not null
    ) as told
    where nth = 1
)"""


class LedgerQuestion(Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        start: of the window, milliseconds since the epoch.
        end: the moment after it.
        known: up to when everything is known: a number is settled if what it waits for was over before.
        repeat_ms: for how long a contact that comes again, or a case that is reopened, takes a resolution back.
        return_ms: for how long a contact that comes again takes a bot's resolution back.
        per_channel: whether each channel is looked at for itself.
        since: visits that began before do not matter (see ``journeys.reach``).
    """

    start: int
    end: int
    known: int
    repeat_ms: int = 7 * DAY
    return_ms: int = DAY
    per_channel: bool = False
    since: int = 0


class LedgerFamily(Struct, frozen=True, kw_only=True):
    """Numbers that are found together.

    Attributes:
        name: as the catalogue calls it.
        steps: the named queries that lead to ``samples``, which has a row of whatever is counted once.
        sums: the columns of ``samples`` that are added up, whole numbers.
        groups: those of ``GROUPS`` that it can be split by.
    """

    name: str
    steps: tuple[str, ...]
    sums: tuple[str, ...]
    groups: tuple[str, ...] = GROUPS

    def sql(self, question: LedgerQuestion, groups: Sequence[str] = ()) -> str:
        """Return the SQL: a row of sums for each combination of these groups; without any, at most one row.

        Raises:
            ValueError: it can't be split by one of them.
        """
        if unknown := [name for name in groups if name not in self.groups]:
            raise ValueError(
                f"{self.name}: expected groups among {', '.join(self.groups)}, got {', '.join(unknown)}"
            )
        by_segment = "segment" in groups
        steps = (*self.steps, _SEGMENTS) if by_segment else self.steps
        lines = ["with", ",".join(steps), "select"]
        columns = [
            f"segments.segment as {name}" if name == "segment" else f"samples.{name}" for name in groups
        ]
        columns += [f"sum(samples.{name}) as {name}" for name in self.sums]
        lines += [",\n".join(columns), "from samples"]
        if by_segment:
            lines.append("left join segments on segments.customer = samples.customer")
        if groups:
            keys = ", ".join(
                "segments.segment" if name == "segment" else f"samples.{name}" for name in groups
            )
            lines.append(f"group by {keys}")
        else:
            lines.append("having count(*) > 0")
        return fill("\n".join(lines), question)


def fill(sql: str, question: LedgerQuestion) -> str:
    """Put a question's numbers where ``:name`` is."""
    numbers = {name: str(int(value)) for name, value in structs.asdict(question).items()}
    earliest = question.start - question.repeat_ms - DAY - SECOND
    latest = question.end + question.repeat_ms + SECOND
    moments = {
        "since_time": question.since,
        "day_before": question.start - DAY,
        "earliest": earliest,
        "latest": latest,
    }
    for name, at in moments.items():
        numbers[name] = time_of(at)
        numbers[f"{name}_and_gap"] = time_of(at - GAP)
    return _PARAMETER.sub(lambda found: numbers[found[1]], sql)


def time_of(at: int) -> str:
    """Write a moment as SQL, the second in which it is."""
    return f"timestamp '{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}'"
