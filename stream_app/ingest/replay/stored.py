"""A file → a store, as the worker counts a partition: exactly once, by the position in the file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.failpoints import Failpoints
from stream_app.ingest.batch import Read, Slices
from stream_app.ingest.dialects import tells_messages
from stream_app.ingest.files import FileError, FileRecord, RecordFile
from stream_app.ingest.files.reading import SLICE
from stream_app.ingest.partition import DeadLetterLimitError, Owned
from stream_app.model.fold.deltas import Result
from stream_app.model.ports import Claim, Commit, Store
from stream_app.telemetry import Telemetry

from .run import FileReplay


async def into_store(
    file: RecordFile, store: Store, run: FileReplay, *, batch_records: int, max_dead_in_a_row: int
) -> None:
    """Fold what was not yet counted of an open file, as a partition named after its name and beginning.

    Args:
        file: open.
        store: holds the counters and the position.
        run: options and account; without a selection, because the position says how far *everything* was counted.
        batch_records: the most records of one commit.
        max_dead_in_a_row: ends the run at this many lines in a row that are not events, without storing them; 0 is no limit.

    Raises:
        FileError: the file is damaged, and everything before the damage is stored; or nothing in it is an event.
        StrictError: a line is not an event; nothing from there on is stored.
        FencedError: another replay of this file has begun.
        PositionMismatchError, RenumberedError: the store was rolled back: start again.
        StoreUnavailableError: the store can't be reached.
    """
    if not file.mark:
        return
    if file.calls is not None and file.calls.calls.order == "none":
        raise FileError(
            f"{file.name}: the rows are in no order of time, so rows that are added later could not be told from those that "
            f"were counted; sort them by {file.calls.calls.column('queued')!r}, the oldest or the newest first"
        )
    owned = _Owned(file, store, run, max_dead_in_a_row)
    await owned.take_over()
    reading = _Reading(file, owned.next_offset, run, min(SLICE, batch_records))
    while not reading.over:
        owned.numbers = reading.numbers = {}
        try:
            await owned.fold(reading.batch(batch_records))
        except DeadLetterLimitError as error:
            raise FileError(f"{file.name}: {error}") from None
    run.latest = owned.time
    if reading.problem:
        raise reading.problem


class _Reading:
    """A file, read in batches after a position.

    Attributes:
        over: whether there is nothing more to read.
        problem: the reason, if it is not the end of the file.
        numbers: offset → line, for the latest batch.
    """

    def __init__(self, file: RecordFile, position: int, run: FileReplay, most: int) -> None:
        self.over = False
        self.problem: FileError | None = None
        self.numbers: dict[int, int] = {}
        self._file = file
        self._position = position
        self._run = run
        self._slices: Iterator[list[FileRecord]] = file.slices(most)

    async def batch(self, most: int) -> Slices:
        """Yield slices until there are enough for a commit, and let other tasks run between them."""
        count = 0
        while count < most:
            try:
                found = next(self._slices, None)
            except FileError as error:
                self.problem, found = error, None
            if found is None or not self._run.left:
                self.over = True
                return
            self._run.account.read += len(found)
            if lines := self._uncounted(found):
                count += len(lines)
                yield Read(0, lines)  # a file is always read from its beginning
            self._run.told(self._file)
            await asyncio.sleep(0)

    def _uncounted(self, found: list[FileRecord]) -> list[FileRecord]:
        before = min(len(found), max(0, self._position - found[0].offset))
        self._run.account.before += before
        lines = found[before : before + self._run.left]
        if lines and lines[-1].cut and not self._is_event(lines[-1]):
            self._run.account.unfinished.append(f"{self._file.name}:{lines[-1].number}")
            lines.pop()
        self._run.left -= len(lines)
        self.numbers |= {line.offset: line.number for line in lines}
        return lines

    def _is_event(self, line: FileRecord) -> bool:
        try:
            self._run.decode(line.value or b"")
        except UnreadableError:
            return False
        except UnknownTypeError:
            return True
        return True


class _Owned(Owned):
    """A file that this run owns; keeps the account, and can refuse a commit before it is stored.

    Attributes:
        numbers: offset → line, for the records being folded.
    """

    def __init__(self, file: RecordFile, store: Store, run: FileReplay, max_dead_in_a_row: int) -> None:
        super().__init__(
            file.partition,
            store,
            run.decode,
            Telemetry(),
            Failpoints.from_environment(),
            max_bytes=file.limit,
            max_dead_in_a_row=max_dead_in_a_row,
            hears_messages=not file.calls and tells_messages(run.dialect),
        )
        self.numbers: dict[int, int] = {}
        self._file = file
        self._run = run

    @property
    def time(self) -> int:
        """How far the file was read, ms."""
        return 0 if self._fold is None else self._fold.state.time

    async def _apply(self, claim: Claim, commit: Commit) -> None:
        if commit.start is None and commit.deltas.results.keys() <= {Result.DEAD_LETTER}:
            self._run.account.folded(commit.deltas)
            first = commit.dead[0]
            raise FileError(
                f"{self._file.name}:{self.numbers[first.offset]}: {first.reason}: {first.detail}; none of the first "
                f"{len(commit.dead)} records is an event, so nothing was stored"
            )
        self._run.dead(self._file, self.numbers, commit.dead)
        await super()._apply(claim, commit)
        self._run.account.folded(commit.deltas)
