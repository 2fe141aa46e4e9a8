"""Asks an opened ledger for the sums of families: the only way to them for those who serve numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from msgspec import structs

from stream_app.ledger.parquet_files import day_of
from stream_app.ledger.querying import LedgerQueries, TooLargeQueryError
from stream_app.ledger.reading import NEVER, ReadRange
from stream_app.ledger.spans import insert

from .journeys import reach
from .query import LedgerFamily, LedgerQuestion
from .relations import view

Group = tuple[str | None, ...]
"""The values of the names that sums are split by; ``None``: unknown."""
GroupSums = dict[Group, dict[str, int]]
"""Group → name of a sum → what it is."""
OpenStretch = tuple[str, str, int, int]
"""Queue, channel, and from when to when they are open, ms."""
Owner = tuple[str, str | None, str | None]
"""Queue, and its partner and business unit; ``None``: none."""

TABLES: Final = ("visits", "replies", "cases", "customers", "opinions", "criteria", "trainings")
"""What families read."""
_NARROWED: Final = ("visits", "replies")
"""Of these, files are left out in which all is over too early; what is known of a customer or a case stays true."""
_EVER: Final = 1 << 62
SLICE: Final = 1_400_000
"""Visits near a window whose journeys are found at once: about so many fit into the memory of a query (see ``querying``)."""
LISTED: Final = 4
"""How many times as many slices there are where rows are asked for, and not sums: these have ids, which are long."""
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
            narrow = family.looks_back == "not" and table in _NARROWED
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
        rows: SQL → what it found.
        apart: family → the question for which its steps became tables.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        self.apart: dict[str, LedgerQuestion] = {}

    def serves(self, family: LedgerFamily, question: LedgerQuestion) -> bool:
        """Return whether the tables that a family has are good for a question, too."""
        earlier = self.apart.get(family.name)
        if earlier is None or not family.nests:
            return False
        same = structs.replace(earlier, start=question.start, end=question.end) == question
        return same and earlier.start <= question.start and question.end <= earlier.end


_KEPT: Final[WeakKeyDictionary[LedgerQueries, _Kept]] = WeakKeyDictionary()


async def sums(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, groups: Sequence[str] = ()
) -> GroupSums:
    """Return the sums of each group; a group in which nothing is counted is absent, or all zeros.

    Ask for a long window before the shorter ones in it: much of what is found for it serves them, too.

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
        if family.looks_back == "by_reach":  # they are found once, for they take long, and are few in a slice
            table = f"samples_of_{family.name}"
            await queries.rows(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {rows}", most=1)
            rows = f"select * from {table}"
        yield rows


async def _slices(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, times: int = 1
) -> AsyncIterator[tuple[LedgerQuestion, dict[str, str]]]:
    """Yield what is asked of each slice of people, and the steps that are tables by then."""
    slices, made = await _see(queries, family, question, times)
    for number in range(slices):
        asked = structs.replace(question, slices=slices, slice=number)
        yield asked, made | await _apart(queries, family, asked, made)


def _add(total: dict[tuple[Any, ...], list[int]], rows: Iterable[tuple[Any, ...]], n: int) -> None:
    """Add the sums that follow the first ``n`` columns, which are the group."""
    for row in rows:
        before = total.get(row[:n], [0] * (len(row) - n))
        total[row[:n]] = [one + int(more) for one, more in zip(before, row[n:], strict=True)]


async def _see(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, times: int
) -> tuple[int, dict[str, str]]:
    """Let SQL see what matters; return into how many slices people are divided, and the steps that are tables now."""
    if family.looks_back != "by_reach":
        await _look_back(queries, question.start if family.looks_back == "not" else 0)
        return 1, {}

    async def run(sql: str, since: int) -> int | None:
        await _look_back(queries, since)
        found = await queries.rows(sql, most=1)
        return None if not found or found[0][0] is None else int(found[0][0])

    since, made = await reach(question, run)
    await _look_back(queries, since)
    near = ReadRange(TABLES, question.start - question.repeat_ms, _EVER)
    return 1 + times * queries.rows_of("visits", near.has) // SLICE, made


async def _apart(
    queries: LedgerQueries, family: LedgerFamily, question: LedgerQuestion, made: Mapping[str, str]
) -> dict[str, str]:
    """Make tables of a family's steps, unless there are some that serve; return which."""
    kept, found = _KEPT.setdefault(queries, _Kept()), dict[str, str]()
    serves = kept.serves(family, question)
    for step in family.apart:
        table = f"{step}_of_{family.name}"
        if not serves:
            rows = family.rows_of(step, question, {**made, **found})
            await queries.rows(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {rows}", most=1)
        found[step] = table
    if not serves:
        kept.apart[family.name] = question
    return found


async def _look_back(queries: LedgerQueries, since: int) -> None:
    """Let SQL see the tables without the files in which all is over before a moment, ms: only to open them takes long."""
    schema = f"since_{day_of(since).replace('-', '_')}"
    if not await queries.rows(
        "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", [schema], most=1
    ):
        fits = ReadRange(TABLES, since, _EVER).has
        await queries.rows(f"CREATE SCHEMA {schema}", most=1)
        for table in TABLES:
            source = queries.source(table, fits) if table in _NARROWED else queries.source(table)
            await queries.rows(view("duckdb", table, f"({source})", f"{schema}.{table}"), most=1)
    await queries.rows(f"USE {schema}", most=1)
