"""SQL over the ledger: DuckDB in this process, in threads of its own, with limits, and without any way out of its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

from stream_app.errors import StreamAppError

from .columns import TABLES
from .covering import OPEN, OVER, Coverage
from .libraries import library
from .storage import LedgerUnavailableError
from .tables import LedgerTable

THREADS: Final = 2
MEMORY: Final = "256MB"
TIMEOUT_S: Final = 20.0
INTERRUPT_S: Final = 0.1
T = TypeVar("T")
SETTINGS: Final = {
    "threads": THREADS,
    "memory_limit": MEMORY,
    "max_temp_directory_size": "0MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class TooSlowQueryError(StreamAppError):
    """A query took longer than it may: ask for less."""


class TooLargeQueryError(StreamAppError):
    """A query needed more memory than it may have: ask for less."""


class LedgerQueries:
    """Answers SQL. Values are parameters (``?``), never a part of the text."""

    def __init__(
        self, coverages: Sequence[Coverage], paths: Mapping[str, Path], tables: Collection[str]
    ) -> None:
        """Make the views; this reads the beginnings and ends of files, so it belongs into a thread.

        Args:
            coverages: what there is.
            paths: name of a file → its local file; files that are not here are left out.
            tables: those that are asked.

        Raises:
            LedgerMissingError: DuckDB is not installed.
            LedgerUnavailableError: a file is not there, or is none of ours.
        """
        duckdb: Any = library("duckdb")
        self._duckdb = duckdb
        self._connection: Any = duckdb.connect(":memory:", config=SETTINGS)
        self._ended = Event()
        try:
            for name in tables:
                self._make_view(TABLES[name], coverages, paths)
            allowed = ", ".join(_text(str(path)) for path in paths.values())
            self._connection.execute(f"SET allowed_paths = [{allowed}]")
            self._connection.execute("SET enable_external_access = false")
            self._connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            self._connection.close()
            first = str(error).partition("\n")[0]
            raise LedgerUnavailableError(
                f"ledger: its files can't be read: {first}; are all of them there?"
            ) from error

    def close(self) -> None:
        """Free its memory."""
        self._connection.close()

    async def rows(
        self, sql: str, parameters: Sequence[Any] = (), *, most: int, timeout_s: float = TIMEOUT_S
    ) -> list[tuple[Any, ...]]:
        """Return a query's rows, in another thread.

        Args:
            sql: the query.
            parameters: its values.
            most: the most rows that are fetched.
            timeout_s: after which it is ended.

        Raises:
            TooSlowQueryError: it was.
            TooLargeQueryError: it needs too much memory.
        """

        def fetched() -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = self._connection.execute(sql, list(parameters)).fetchmany(most)
            return found

        return await self.within(fetched, timeout_s)

    async def within(self, work: Callable[[], T], timeout_s: float | None = TIMEOUT_S) -> T:
        """Return what a function makes of this ledger, in another thread; afterwards, or when nobody waits, it has ended.

        Args:
            work: asks by ``batches``.
            timeout_s: after which it is ended; ``None``: never.

        Raises:
            TooSlowQueryError: it was.
            TooLargeQueryError: it needs too much memory.
        """
        working = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            done, _ = await asyncio.wait({working}, timeout=timeout_s)
            if not done:
                raise TooSlowQueryError(
                    f"the ledger was asked for too much: no answer within {timeout_s:g} s"
                )
            return working.result()
        except self._duckdb.OutOfMemoryException:
            raise TooLargeQueryError(
                f"the ledger was asked for too much: more than {MEMORY} are needed"
            ) from None
        finally:
            while (
                not working.done()
            ):  # also where nobody waits for it any more; it may not have begun when it is told
                self._ended.set()
                self._connection.interrupt()
                await asyncio.wait({working}, timeout=INTERRUPT_S)
            if not working.cancelled():
                working.exception()  # it was ended: nobody asks why

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield a query's rows, some at a time, in this thread: that of the work that ``within`` was given."""
        result = self._connection.execute(sql, list(parameters))
        while not self._ended.is_set() and (some := result.fetchmany(size)):
            yield some

    def _make_view(
        self, table: LedgerTable, coverages: Sequence[Coverage], paths: Mapping[str, Path]
    ) -> None:
        """Make the view of a table: its files, what is in none yet, and open visits."""
        parts = []
        for n, (topic, some) in enumerate(_by_topic(coverages).items()):
            for state, rows in ((OVER, _over(some, table.name)), (OPEN, _open(some, table.name))):
                name = f"{state}_{table.name}_{n}"
                self._connection.register(name, table.batch(rows))
                parts.append(f"SELECT *, {_text(topic)} AS topic, '{state}' AS state FROM {name}")
            parts += [
                f"SELECT *, {_text(topic)} AS topic, '{OVER}' AS state FROM {source}"
                for source in _sources(some, table.name, paths)
            ]
        if not parts:
            self._connection.register(f"no_{table.name}", table.batch([]))
            parts = [f"SELECT *, '' AS topic, '' AS state FROM no_{table.name}"]
        columns = ", ".join(f'"{name}"' for name in ("topic", *(one.name for one in table.columns), "state"))
        union = " UNION ALL BY NAME ".join(parts)
        self._connection.execute(f"CREATE VIEW {table.name} AS SELECT {columns} FROM ({union})")


def _by_topic(coverages: Iterable[Coverage]) -> dict[str, list[Coverage]]:
    found: dict[str, list[Coverage]] = {}
    for one in coverages:
        found.setdefault(one.partition.topic, []).append(one)
    return found


def _over(coverages: Iterable[Coverage], table: str) -> list[dict[str, Any]]:
    return [row for one in coverages for row in one.over.get(table, ())]


def _open(coverages: Iterable[Coverage], table: str) -> list[dict[str, Any]]:
    return [row for one in coverages for row in one.open] if table == "visits" else []


def _sources(coverages: Iterable[Coverage], table: str, paths: Mapping[str, Path]) -> Iterator[str]:
    """Yield what has the rows in files: whole ones together, and each of which only a part holds."""
    whole = []
    for one in coverages:
        for file in one.files:
            if file.table != table or file.name not in paths:
                continue
            if one.straddles(file):
                yield f'(SELECT * FROM {_files([paths[file.name]])} WHERE "offset" < {one.limit:d})'
            else:
                whole.append(paths[file.name])
    if whole:
        yield _files(whole)


def _files(paths: Iterable[Path]) -> str:
    names = ", ".join(_text(str(path)) for path in paths)
    return f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"


def _text(value: str) -> str:
    """Return a text as SQL writes it; for names of files and topics, which no parameter can be in a view."""
    return "'" + value.replace("'", "''") + "'"
