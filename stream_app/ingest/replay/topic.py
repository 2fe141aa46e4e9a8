"""Files → a Kafka topic, at once or at the pace of the recording."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.files import FileError, FileRecord, RecordFile
from stream_app.kafka.producer import Record
from stream_app.model.events import key
from stream_app.model.fold.deltas import Result

from .run import FileReplay

LOOK_S: Final = 0.25
"""How often progress is reported while no record is due, seconds."""


class RecordSink(Protocol):
    """A receiver of records."""

    async def send(self, records: Sequence[Record]) -> None:
        """Send records, and return once they are safe."""


class ReplayPace:
    """The speed of a replay, which begins with the first record."""

    def __init__(
        self,
        speed: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Set the speed.

        Args:
            speed: seconds of the recording per second; ``None`` is as fast as possible.
            clock: returns seconds.
            sleep: waits for a number of seconds.
        """
        self._speed = speed
        self._clock = clock
        self.sleep = sleep
        self._began: tuple[int, float] | None = None

    def wait_s(self, at: int) -> float:
        """Return the seconds until a record of this time is due; 0 or less if it is."""
        if self._speed is None:
            return 0.0
        if self._began is None:
            self._began = (at, self._clock())
        first, began = self._began
        return began + (at - first) / 1000 / self._speed - self._clock()


async def into_topic(
    files: Iterable[RecordFile], sink: RecordSink, run: FileReplay, pace: ReplayPace | None = None
) -> None:
    """Send the files' records with their own bytes and times. What is not an event has no key, and is not sent.

    Args:
        files: in the order of time.
        sink: receives the records.
        run: options and account.
        pace: the speed; as fast as possible by default.

    Raises:
        FileError: a file is damaged, or begins before the end of the one before it; everything before that was sent.
        StrictError: a line is not an event; everything before it was sent.
        StreamAppError: the sink failed.
    """
    pace = pace or ReplayPace(None)
    for each in files:
        run.begin(each)
        with each as file:
            if file.calls is not None:
                raise FileError(
                    f"{file.name}: a list of contacts is not recorded events; count it with --direct"
                )
            for lines in file.slices():
                await _put(file, lines, sink, run, pace)
                run.told(file)
                if not run.left:
                    return


async def _put(
    file: RecordFile, lines: Sequence[FileRecord], sink: RecordSink, run: FileReplay, pace: ReplayPace
) -> None:
    due: list[Record] = []
    run.account.read += len(lines)
    try:
        for line in lines:
            record = _record(file, line, run)
            if record is None:
                continue
            if pace.wait_s(record.at) > 0:
                await _flush(due, sink, run)
                while (wait := pace.wait_s(record.at)) > 0:
                    run.told(file)
                    await pace.sleep(min(wait, LOOK_S))
            due.append(record)
            run.left -= 1
            if not run.left:
                return
    finally:  # also where a line ends the run
        await _flush(due, sink, run)


async def _flush(due: list[Record], sink: RecordSink, run: FileReplay) -> None:
    """Send what is due; a cancellation waits for what is in flight, so that the account is right."""
    if not due:
        return
    records, due[:] = due[:], []
    sending = asyncio.ensure_future(sink.send(records))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        await sending
        raise
    finally:
        if sending.done() and not sending.cancelled() and sending.exception() is None:
            run.account.sent += len(records)


def _record(file: RecordFile, line: FileRecord, run: FileReplay) -> Record | None:
    """Return the record to send for a line, with the run's key or that of its first event, and the time of its latest."""
    value = line.value or b""
    account = run.account
    try:
        events = run.decode(value)
    except UnreadableError as error:
        run.no_event(file, line.number, error.reason, error.detail)
        account.refused(error.reason)
        return None
    except UnknownTypeError:
        account.results[Result.UNKNOWN_TYPE] += 1
        return None
    if not events:
        account.results[Result.IGNORED] += 1
        return None
    if not run.selection.wants(events):
        account.left_out += 1
        return None
    at = max(event.at for event in events)
    run.latest = max(run.latest, at)
    return Record(run.key or key(events[0]), at, value)
