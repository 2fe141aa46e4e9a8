"""Asks an opened ledger for the sums of families: the only way to them for those who serve numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from weakref import WeakKeyDictionary

from msgspec import structs

from stream_app.ledger.querying import LedgerQueries, TooLargeQueryError
from stream_app.ledger.reading import NEVER, ReadRange
from stream_app.ledger.spans import insert

from .cases import CASES, visits_of_cases
from .journeys import LookBack, reach
from .query import LOOKED_UP, LedgerFamily, LedgerQuestion, before
from .sight import EVER, NARROWED, TABLES, Sight

Group = tuple[str | None, ...]
"""The values of the names that sums are split by; ``None``: unknown."""
GroupSums = dict[Group, dict[str, int]]
"""Group → name of a sum → what it is."""
OpenStretch = tuple[str, str, int, int]
"""Queue, channel, and from when to when they are open, ms."""
Owner = tuple[str, str | None, str | None]
"""Queue, and its partner and business unit; ``None``: none."""

SLICE: Final = 1_400_000
"""Visits near a window whose journeys are found at once: about so many fit into the memory of a query (see ``querying``)."""
LISTED: Final = 4
"""How many times as many slices there are where rows are asked for, and not sums: these have ids, which are long."""
LOOK_UP_S: Final = 60.0
"""What is looked up for three families may take as long as for each of them."""
MOST: Final = 100_000
"""Groups, at most: more take more memory than ``serve`` has to spare."""


def range_of(
    questions: Collection[LedgerQuestion], families: Collection[LedgerFamily] | None = None
) -> ReadRange:
    """Return what has to be opened for these questions to some families; ``None``: to any.

    How far back journeys reach is found later, among all there is.
    """
    wanted = ReadRange(TABLES, 0, max(question.known for question in questions) + 1)
    if families is None:
        return wanted
    starts = dict.fromkeys(
        (table for table in TABLES if table != "customers"), NEVER
    )  # they have the segments
    for family in families:
        for table in family.tables(TABLES):
            narrow = family.looks_back == "not" and table in NARROWED
            since = min(question.start for question in questions) if narrow else 0
            starts[table] = min(starts.get(table, 0), since)
    return structs.replace(wanted, starts=starts)


async def bounded(queries: LedgerQueries, sql: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query.

    Raises:
        TooLargeQueryError: they are more than ``MOST``: sums of some of them would be wrong.
    """
    found = await queries.rows(sql, most=MOST + 1)
    _check(len(found))
    return found


def _check(groups: int) -> None:
    if groups > MOST:
        raise TooLargeQueryError(
            f"the ledger was asked for too much: more than {MOST:,} groups; ask for fewer"
        )


async def prepare(
    queries: LedgerQueries, hours: Iterable[OpenStretch] = (), owners: Iterable[Owner] = ()
) -> None:
    """Make an opened ledger ready for ``sums``; nothing else can be asked of it any more.

    Args:
        queries: of a ledger that was opened for ``range_of``.
        hours: when queues are open, over all that is asked; one that never is named is always open.
        owners: whose queues are; of one that is not named nobody knows.
    """
    await queries.rows(
        "CREATE TEMPORARY TABLE open_hours (queue VARCHAR, channel VARCHAR, opens_at BIGINT, closes_at BIGINT)",
        most=1,
    )
    await insert(queries, "open_hours", [*hours])
    await queries.rows(
        "CREATE TEMPORARY TABLE queue_owners (queue VARCHAR, partner VARCHAR, unit VARCHAR)", most=1
    )
    await insert(queries, "queue_owners", [*owners])


class _Kept:
    """What was found of an opened ledger, which does not change: several windows are asked of it.

    Attributes:
        sight: lets SQL see what matters.
        rows: SQL → what it found.
        apart: family and question → those of its steps that are tables already.
        reached: question → how far back its journeys have to be looked at.
    """

    def __init__(self) -> None:
        self.sight = Sight()
        self.reached: dict[LedgerQuestion, LookBack] = {}
        self.apart: dict[tuple[str, LedgerQuestion], dict[str, str]] = {}
        self.rows: dict[str, list[tuple[Any, ...]]] = {}

    def replaced(self, family: LedgerFamily, question: LedgerQuestion | None = None) -> None:
        """Forget the tables of a family, but for those of a question."""
        gone = [key for key in self.apart if key[0] == family.name and key[1] != question]
        for key in gone:
            del self.apart[key]

    def tables(self) -> Iterator[str]:
        """Yield the tables that are there for questions to come."""
        for made in self.apart.values():
            yield from made.values()


_KEPT: Final[WeakKeyDictionary[LedgerQueries, _Kept]] = WeakKeyDictionary()


async def sums(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, groups: Sequence[str] = ()
) -> GroupSums:
    """Return the sums of each group; a group in which nothing is counted is absent, or all zeros.

    Args:
        queries: of a ledger that was prepared.
        family: what is summed.
        question: over which time, by which settings.
        groups: what it is split by.

    Raises:
        ValueError: the family can't be split by one of them.
    """
    rows = await _rows(queries, family, question, groups)
    n = len(groups)

    def by_group() -> GroupSums:
        return {row[:n]: dict(zip(family.sums, row[n:], strict=True)) for row in rows}

    return await asyncio.to_thread(by_group)  # they may be many


async def sums_of_windows(
    queries: LedgerQueries,
    family: LedgerFamily,
    questions: Sequence[LedgerQuestion],
    groups: Sequence[str] = (),
) -> list[GroupSums]:
    """Return the sums of several windows that have the same end; where each sample counts once, in one pass over all of them.

    Args:
        queries: of a ledger that was prepared.
        family: what is summed.
        questions: the same but for the beginnings of their windows.
        groups: what each window is split by.
    """
    longest = min(questions, key=lambda one: one.start)
    bounds = [*sorted({one.start for one in questions}), longest.end]
    if not family.sampled or len(questions) == 1:
        return [await sums(queries, family, one, groups) for one in questions]
    periods = [*pairwise(bounds)]
    by_period = await sums_by_period(queries, family, longest, groups, periods)

    def added() -> list[GroupSums]:
        total: dict[Group, list[int]] = {}
        since: dict[int, GroupSums] = {}
        for (start, _), found in zip(reversed(periods), reversed(by_period), strict=True):
            _add(total, ((*group, *counted.values()) for group, counted in found.items()), len(groups))
            since[start] = {
                group: dict(zip(family.sums, counted, strict=True)) for group, counted in total.items()
            }
        return [since[one.start] for one in questions]

    return await asyncio.to_thread(added)


async def sums_by_period(
    queries: LedgerQueries,
    family: LedgerFamily,
    question: LedgerQuestion,
    groups: Sequence[str],
    periods: Sequence[tuple[int, int]],
) -> list[GroupSums]:
    """Return the sums of each of these consecutive periods, which are all of the question's window.

    Args:
        queries: of a ledger that was prepared.
        family: one that is ``sampled``.
        question: over which time, by which settings.
        groups: what each period is split by.
        periods: ``[start, end)`` each, ms.
    """
    rows = await _rows(queries, family, question, groups, periods)
    n = len(groups)

    def by_period() -> list[GroupSums]:
        found: list[GroupSums] = [{} for _ in periods]
        for period, *row in rows:
            found[period][tuple(row[:n])] = dict(zip(family.sums, row[n:], strict=True))
        return found

    return await asyncio.to_thread(by_period)


async def _rows(
    queries: LedgerQueries,
    family: LedgerFamily,
    question: LedgerQuestion,
    groups: Sequence[str],
    periods: Sequence[tuple[int, int]] = (),
) -> list[tuple[Any, ...]]:
    """Return rows, each of a period, if there are some, groups and sums."""
    kept = _KEPT.setdefault(queries, _Kept())
    sql = family.sql(question, groups, periods=periods)
    if sql not in kept.rows and family.needs:
        await kept.sight.look(queries, [family.needs], 0)
        if not await queries.rows(f"SELECT 1 FROM {family.needs} LIMIT 1", most=1):
            kept.rows[sql] = []
    if sql not in kept.rows:
        n = len(groups) + bool(periods)
        total: dict[tuple[Any, ...], list[int]] = {}
        async for asked, made in _slices(queries, family, question):
            rows = await bounded(queries, family.sql(asked, groups, made, periods))
            await asyncio.to_thread(_add, total, rows, n)
            _check(len(total))
        kept.rows[sql] = [(*key, *counted) for key, counted in total.items()]
    return kept.rows[sql]


async def samples_of(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion
) -> AsyncIterator[str]:
    """Yield SQL for the rows that a family's sums add up, of one slice of people after the other.

    Each is good until the next one is asked for. Args as of ``sums``.
    """
    async for asked, made in _slices(queries, family, question, LISTED):
        rows = family.rows_of("samples", asked, made)
        if family.looks_back.startswith(
            "by_reach"
        ):  # they are found once, for they take long, and are few in a slice
            table = f"samples_of_{family.name}"
            await queries.rows(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {rows}", most=1)
            rows = f"select * from {table}"
        yield rows


async def _slices(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, times: int = 1
) -> AsyncIterator[tuple[LedgerQuestion, dict[str, str]]]:
    """Yield what is asked of each slice of people, and the steps that are tables by then."""
    kept = _KEPT.setdefault(queries, _Kept())
    slices, made = await _see(queries, family, question, times)
    for number in range(slices):
        asked = structs.replace(question, slices=slices, slice=number)
        apart = await _apart(queries, family, asked, made)
        yield asked, made | apart
        kept.replaced(family)
        for table in {*apart.values()} - {*kept.tables()}:
            await queries.rows(f"DROP TABLE {table}", most=1)


def _add(total: dict[tuple[Any, ...], list[int]], rows: Iterable[tuple[Any, ...]], n: int) -> None:
    """Add the sums that follow the first ``n`` columns, which are the group."""
    for row in rows:
        before = total.get(row[:n], [0] * (len(row) - n))
        total[row[:n]] = [one + int(more) for one, more in zip(before, row[n:], strict=True)]


async def _see(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, times: int
) -> tuple[int, dict[str, str]]:
    """Let SQL see what matters; return into how many slices people are divided, and the steps that are tables now."""
    kept = _KEPT[queries]
    tables = [*{"customers": 0, **dict.fromkeys(family.tables(TABLES))}]  # they have the segments
    if family.looks_back not in {"by_reach", "by_reach_before"}:
        await kept.sight.look(queries, tables, question.start if family.looks_back == "not" else 0)
        return 1, {}

    async def run(sql: str, since: int, until: int) -> int | None:
        await kept.sight.look(queries, ["visits"], since, until)
        found = await queries.rows(sql, most=1)
        return None if not found or found[0][0] is None else int(found[0][0])

    if family.looks_back == "by_reach_before":
        question = before(question)
    if question not in kept.reached:
        kept.reached[question] = await reach(question, run)
    since, made = kept.reached[question]
    await kept.sight.look(queries, tables, since)
    near = ReadRange(TABLES, question.start - question.repeat_ms, EVER)
    return 1 + times * queries.rows_of("visits", near.has) // SLICE, made


async def _apart(
    queries: LedgerQueries,
    family: LedgerFamily,
    question: LedgerQuestion,
    made: Mapping[str, str],
    last: str = "",
) -> dict[str, str]:
    """Make tables of a family's steps, up to the last one, if it is named, unless they are there; return which there are."""
    kept = _KEPT[queries]
    found = kept.apart.get((family.name, question), {})
    for step in family.apart:
        if step not in found:
            kept.replaced(family, question)
            table = f"{step}_of_{family.name}"
            rows = family.rows_of(step, question, {**made, **found})
            await queries.rows(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {rows}", most=1)
            found = {**found, step: table}
        if step == last:
            break
    return found


async def look_up_together(queries: LedgerQueries, question: LedgerQuestion) -> None:
    """Look up what the families of cases need once for all of them.

    Args:
        queries: of a ledger that was prepared.
        question: what they will be asked next, that of the longest window.

    Raises:
        TooSlowQueryError: it takes too long: ask them without.
        TooLargeQueryError: it needs too much memory: likewise.
    """
    kept, table = _KEPT.setdefault(queries, _Kept()), "visits_of_cases"
    apart = dict[str, dict[str, str]]()
    for family in CASES:
        await _see(queries, family, question, 1)
        apart[family.name] = await _apart(queries, family, question, {}, "told")
    rows = visits_of_cases([one["told"] for one in apart.values()])
    await queries.rows(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {rows}", most=1, timeout_s=LOOK_UP_S)
    kept.apart = {(name, question): {**made, LOOKED_UP: table} for name, made in apart.items()}
