"""The SQL of a family of numbers: what is counted once each, and how it is added up by groups.

It is written in what DuckDB and ClickHouse both run. The tables of ``ledger.columns`` are relations of the same names, with
moments as whole milliseconds (see ``relations``); the visits that are still open are rows of ``visits``. ``open_hours`` and
``queue_owners`` are made from the targets (see ``model.targets.ledger_rules``).
``docs/semantics.md``, "From the ledger", is the specification.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct, structs

DAY: Final = 86_400_000
SECOND: Final = 1000
GAP: Final = 30 * 60_000
"""How long after a contact was passed on another one may go on with it."""
GROUPS: Final = (
    "queue",
    "channel",
    "agent",
    "team",
    "site",
    "partner",
    "unit",
    "segment",
    "contact_reason",
    "handled_by",
)
"""What numbers are split by."""
ABOUT: Final = ("contact_id", "case_id", "customer", "agent", "criterion", "course", "queue", "channel")
"""What names whom or what a row counts; ``why`` lists these."""
LOOKED_UP: Final = "of_cases"
"""The step that looks up visits of any time, by their ids, in ``visits``."""
_OF_QUEUES: Final = frozenset({"partner", "unit"})
"""Groups that follow from the queue, by the relation ``queue_owners``: a queue, its partner and its business unit."""

_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]+)")
_WINDOW: Final = re.compile(r"(?<![:\w]):(start|end|day_before|earliest|latest)")
_BEFORE: Final = "before_"
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
        slices: into how many slices people are divided, so that no query needs more memory than there is.
        slice: the one that is asked for.
    """

    start: int
    end: int
    known: int
    repeat_ms: int = 7 * DAY
    return_ms: int = DAY
    per_channel: bool = False
    slices: int = 1
    slice: int = 0


class LedgerFamily(Struct, frozen=True, kw_only=True):
    """Numbers that are found together.

    Attributes:
        name: as the catalogue calls it.
        steps: the named queries that lead to ``samples``, which has a row of whatever is counted once.
        sums: the columns of ``samples`` that are added up, whole numbers.
        groups: those of ``GROUPS`` that it can be split by.
        looks_back: which rows matter: all that ever were, those of which something happened in the window or later, or as
            far back as ``journeys.reach`` finds for the window, or for the one just before.
        sampled: whether ``samples`` has ``sampled_at``, the moment at which each counts, so that a window is the sum of its
            periods; of all others each period is a window of its own.
        apart: steps that better become tables first: of how many rows they have, engines have no idea.
        about: the columns of ``samples`` that name whom or what a row counts, among ``ABOUT``.
        since: the column with the moment at which a row counts, or since when it is so.
        signed: whether rows take others back, so that only together they say what counts.
        needs: the table without any row of which nothing is counted.
        most: near how many visits it is refreshed; over more, only who asks is answered. 0: however many there are.
    """

    name: str
    steps: tuple[str, ...]
    sums: tuple[str, ...]
    groups: tuple[str, ...] = GROUPS
    looks_back: Literal["for_ever", "not", "by_reach", "by_reach_before"] = "for_ever"
    sampled: bool = False
    apart: tuple[str, ...] = ()
    about: tuple[str, ...] = ("contact_id", "customer", "agent", "queue", "channel")
    since: str = "sampled_at"
    signed: bool = False
    needs: str = ""
    most: int = 0

    def sql(
        self,
        question: LedgerQuestion,
        groups: Sequence[str] = (),
        made: Mapping[str, str] | None = None,
        periods: Sequence[tuple[int, int]] = (),
    ) -> str:
        """Return the SQL: a row of sums for each combination of these groups; without any, at most one row.

        Args:
            question: what is asked.
            groups: what it is split by.
            made: name of a step → a table that has its rows already; ``LOOKED_UP`` → one that has whatever that step looks up.
            periods: consecutive, all of the window: the first column is the place among these.

        Raises:
            ValueError: it can't be split by one of them.
        """
        if unknown := [name for name in groups if name not in self.groups]:
            raise ValueError(
                f"{self.name}: expected groups among {', '.join(self.groups)}, got {', '.join(unknown)}"
            )
        by_segment = "segment" in groups
        steps = [_made(step, made or {}) for step in self.steps]
        if by_segment:
            steps.append(_SEGMENTS)
        keys = [_key(name) for name in groups]
        columns = [f"{key} as {name}" for key, name in zip(keys, groups, strict=True)]
        if periods:
            keys.insert(0, period_of("samples.sampled_at", periods))
            columns.insert(0, f"{keys[0]} as period")
        columns += [f"sum(samples.{name}) as {name}" for name in self.sums]
        lines = ["with", ",".join(steps), "select", ",\n".join(columns), "from samples"]
        if by_segment:
            lines.append("left join segments on segments.customer = samples.customer")
        if _OF_QUEUES & {*groups}:
            lines.append("left join queue_owners on queue_owners.queue = samples.queue")
        lines.append(f"group by {', '.join(keys)}" if keys else "having count(*) > 0")
        return fill("\n".join(lines), question)

    def tables(self, names: Sequence[str]) -> list[str]:
        """Return which of these tables it reads."""
        steps = "\n".join(self.steps)
        return [name for name in names if re.search(rf"\b(?:from|join)\s+{name}\b", steps)]

    @property
    def by_hours(self) -> bool:
        """Whether business hours matter."""
        return any("open_hours" in step for step in self.steps)

    def rows_of(self, step: str, question: LedgerQuestion, made: Mapping[str, str]) -> str:
        """Return the SQL of a step's rows."""
        steps = [_made(one, made) for one in self.steps]
        last = [_name(one) for one in self.steps].index(step)
        return fill(f"with {','.join(steps[: last + 1])} select * from {step}", question)


def _name(step: str) -> str:
    return step.split(maxsplit=1)[0]


def period_of(at: str, periods: Sequence[tuple[int, int]], first: int = 0) -> str:
    """Return SQL for the place of a moment, in ms, among consecutive periods; it looks at few of their bounds."""
    if len(periods) == 1:
        return f"cast({first} as bigint)"  # a plain number in `group by` is the place of a column
    middle = len(periods) // 2
    before, after = period_of(at, periods[:middle], first), period_of(at, periods[middle:], first + middle)
    return f"case when {at} < {periods[middle][0]:d} then {before} else {after} end"


def _made(step: str, made: Mapping[str, str]) -> str:
    name = _name(step)
    if name == LOOKED_UP and name in made:
        return re.sub(r"\bvisits\b", made[name], step)
    return f"\n{name} as (select * from {made[name]})" if name in made else step


def _key(group: str) -> str:
    """Return the column that has a group."""
    relation = "segments" if group == "segment" else "queue_owners" if group in _OF_QUEUES else "samples"
    return f"{relation}.{group}"


def fill(sql: str, question: LedgerQuestion) -> str:
    """Put a question's numbers where ``:name`` is."""
    numbers = {name: str(int(value)) for name, value in structs.asdict(question).items()}
    numbers |= _bounds("", question)
    if _BEFORE in sql:
        numbers |= _bounds(_BEFORE, before(question))
    return _PARAMETER.sub(lambda found: numbers[found[1]], sql)


def before(question: LedgerQuestion) -> LedgerQuestion:
    """Return the same question about the window just before, which is as long."""
    return structs.replace(
        question, start=question.start - (question.end - question.start), end=question.start
    )


def in_window_before(step: str) -> str:
    """Return a step that asks about the window just before, which is as long."""
    return _WINDOW.sub(rf":{_BEFORE}\1", step)


def _bounds(prefix: str, question: LedgerQuestion) -> dict[str, str]:
    """Return the bounds of a window, and near which visits matter."""
    bounds = {"start": str(question.start), "end": str(question.end)}
    moments = {
        "start_time": question.start,
        "end_time": question.end + SECOND,
        "day_before": question.start - DAY,
        "earliest": question.start - question.repeat_ms - DAY - SECOND,
        "latest": question.end + question.repeat_ms + SECOND,
    }
    for name, at in moments.items():
        bounds[name] = time_of(at)
        bounds[f"{name}_and_gap"] = time_of(at - GAP)
    return {f"{prefix}{name}": bound for name, bound in bounds.items()}


def time_of(at: int) -> str:
    """Write a moment as SQL, the second in which it is."""
    return f"timestamp '{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}'"
