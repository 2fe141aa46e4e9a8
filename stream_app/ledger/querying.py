"""SQL over the ledger: DuckDB in this process, in threads of its own, with limits, and without any way out of its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

from msgspec import Struct

from stream_app.errors import StreamAppError

from .columns import TABLES
from .covering import OPEN, OVER, Coverage
from .libraries import library
from .manifest import RowsFile
from .storage import LedgerUnavailableError

TIMEOUT_S: Final = 20.0
INTERRUPT_S: Final = 0.1
T = TypeVar("T")
SETTINGS: Final = {
    "max_temp_directory_size": "0MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class QueryLimits(Struct, frozen=True):
    """What queries may take.

    Attributes:
        threads: of one query.
        memory: of all that are asked of one opened ledger, as DuckDB writes it. That of most among ten million visits, a
            month's journeys, takes 200 MB.
    """

    threads: int = 2
    memory: str = "256MB"


class TooSlowQueryError(StreamAppError):
    """A query took longer than it may: ask for less."""


class TooLargeQueryError(StreamAppError):
    """A query needed more memory than it may have: ask for less."""


class FailedQueryError(StreamAppError):
    """A query can't be answered, however often it is asked: by a value in the ledger that is out of range, say."""


class LedgerQueries:
    """Answers SQL. Values are parameters (``?``), never a part of the text."""

    def __init__(
        self,
        coverages: Sequence[Coverage],
        paths: Mapping[str, Path],
        tables: Collection[str],
        limits: QueryLimits = QueryLimits(),  # noqa: B008 - it is frozen
    ) -> None:
        """Make the views; this reads the beginnings and ends of files, so it belongs into a thread.

        Args:
            coverages: what there is.
            paths: name of a file → its local file; files that are not here are left out.
            tables: those that are asked.
            limits: what queries may take.

        Raises:
            LedgerMissingError: DuckDB is not installed.
            LedgerUnavailableError: a file is not there, or is none of ours.
        """
        duckdb: Any = library("duckdb")
        self._duckdb = duckdb
        self._coverages, self._paths = coverages, paths
        self._limits = limits
        own = {"threads": limits.threads, "memory_limit": limits.memory}
        self._connection: Any = duckdb.connect(":memory:", config=SETTINGS | own)
        self._ended = Event()
        try:
            self._connection.execute("SET TimeZone = 'UTC'")
            for n, some in enumerate(_by_topic(coverages).values()):
                self._register(n, some, tables)
            for name in tables:
                self._connection.execute(f"CREATE VIEW {name} AS {self.source(name)}")
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
            FailedQueryError: DuckDB refuses it.
            LedgerUnavailableError: a file can't be read.
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
                f"the ledger was asked for too much: more than {self._limits.memory} are needed"
            ) from None
        except self._duckdb.IOException as error:
            first = str(error).partition("\n")[0]
            raise LedgerUnavailableError(f"ledger: its files can't be read: {first}") from error
        except self._duckdb.Error as error:  # its message may quote what is in the ledger
            raise FailedQueryError(
                f"the ledger can't answer this: DuckDB reports {type(error).__name__}; is a value in it out of range?"
            ) from error
        finally:
            while (
                not working.done()
            ):  # also where nobody waits for it any more; it may not have begun when it is told
                self._ended.set()
                self._connection.interrupt()
                await asyncio.wait({working}, timeout=INTERRUPT_S)
            if not working.cancelled():
                working.exception()  # it was ended: nobody asks why

    def add_table(self, name: str, table: Any) -> None:
        """Make a table of Arrow's visible to queries."""
        self._connection.register(name, table)

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield a query's rows, some at a time, in this thread: that of the work that ``within`` was given."""
        result = self._connection.execute(sql, list(parameters))
        while not self._ended.is_set() and (some := result.fetchmany(size)):
            yield some

    def source(self, name: str, fits: Callable[[RowsFile], bool] = lambda _: True) -> str:
        """Return the query of all that a table has: its files, as far as they fit, what is in none yet, and open visits."""
        table = TABLES[name]
        parts = []
        for n, (topic, some) in enumerate(_by_topic(self._coverages).items()):
            parts += [
                f"SELECT *, {_text(topic)} AS topic, '{state}' AS state FROM {state}_{name}_{n}"
                for state in (OVER, OPEN)
            ]
            parts += [
                f"SELECT *, {_text(topic)} AS topic, '{OVER}' AS state FROM {source}"
                for source in _sources(some, name, self._paths, fits)
            ]
        if not parts:
            self._connection.register(f"no_{name}", table.batch([]))
            parts = [f"SELECT *, '' AS topic, '' AS state FROM no_{name}"]
        columns = ", ".join(f'"{one}"' for one in ("topic", *(one.name for one in table.columns), "state"))
        return f"SELECT {columns} FROM ({' UNION ALL BY NAME '.join(parts)})"

    def rows_of(self, name: str, fits: Callable[[RowsFile], bool]) -> int:
        """Return how many rows the files of a table have, of those that fit."""
        return sum(
            file.rows for one in self._coverages for file in one.files if file.table == name and fits(file)
        )

    def _register(self, n: int, coverages: Sequence[Coverage], tables: Iterable[str]) -> None:
        """Make the rows of a topic that are in no file visible."""
        for name in tables:
            for state, rows in ((OVER, _over(coverages, name)), (OPEN, _open(coverages, name))):
                self._connection.register(f"{state}_{name}_{n}", TABLES[name].batch(rows))


def _by_topic(coverages: Iterable[Coverage]) -> dict[str, list[Coverage]]:
    found: dict[str, list[Coverage]] = {}
    for one in coverages:
        found.setdefault(one.partition.topic, []).append(one)
    return found


def _over(coverages: Iterable[Coverage], table: str) -> list[dict[str, Any]]:
    return [row for one in coverages for row in one.over.get(table, ())]


def _open(coverages: Iterable[Coverage], table: str) -> list[dict[str, Any]]:
    return [row for one in coverages for row in one.open.get(table, ())]


def _sources(
    coverages: Iterable[Coverage], table: str, paths: Mapping[str, Path], fits: Callable[[RowsFile], bool]
) -> Iterator[str]:
    """Yield what has the rows in files: whole ones with the same columns together, and each of which only a part holds."""
    whole: dict[str, list[Path]] = {}
    for one in coverages:
        for file in one.files:
            if file.table != table or file.name not in paths or not fits(file):
                continue
            if one.straddles(file):
                yield f'(SELECT * FROM {_files([paths[file.name]])} WHERE "offset" < {one.limit:d})'
            else:
                whole.setdefault(file.columns, []).append(paths[file.name])
    for columns, some in whole.items():
        yield _files(some, alike=bool(columns))


def _files(paths: Iterable[Path], *, alike: bool = False) -> str:
    """Return what reads files; only where they are not known to have the same columns, each is opened for them first."""
    names = ", ".join(_text(str(path)) for path in paths)
    union = "false" if alike else "true"
    return f"read_parquet([{names}], union_by_name = {union}, hive_partitioning = false)"


def _text(value: str) -> str:
    """Return a text as SQL writes it; for names of files and topics, which no parameter can be in a view."""
    return "'" + value.replace("'", "''") + "'"
