"""Files → a Kafka topic, at once or at the pace of the recording."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.files import Line, RecordFile
from stream_app.model.deltas import Result
from stream_app.model.events import key
from stream_app.producer import Record

from .run import Run

LOOK_S: Final = 0.25
"""While a record is not due, whoever watches is told so often."""


class Sink(Protocol):
    """Where records go."""

    async def send(self, records: Sequence[Record]) -> None:
        """Take records; returns when they are safe."""


class Pace:
    """Speed of a replay: the first record begins it."""

    def __init__(
        self,
        speed: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Say how fast.

        Args:
            speed: seconds of the recording per second; ``None`` is as fast as it goes.
            clock: seconds.
            sleep: waits so many seconds.
        """
        self._speed = speed
        self._clock = clock
        self.sleep = sleep
        self._began: tuple[int, float] | None = None

    def wait_s(self, at: int) -> float:
        """Seconds until a record of this time is due; not above 0 if it is."""
        if self._speed is None:
            return 0.0
        if self._began is None:
            self._began = (at, self._clock())
        first, began = self._began
        return began + (at - first) / 1000 / self._speed - self._clock()


async def into_topic(files: Iterable[RecordFile], sink: Sink, run: Run, pace: Pace | None = None) -> None:
    """Send the files' records, with their own bytes and times. What is no event has no key, and is not sent.

    Args:
        files: in the order of time.
        sink: takes them.
        run: how.
        pace: at once by default.

    Raises:
        FileError: a file breaks off; all before the damage was sent.
        StrictError: a line is no event; all before it was sent.
        StreamAppError: the sink failed.
    """
    pace = pace or Pace(None)
    for each in files:
        with each as file:
            for lines in file.slices():
                await _put(file, lines, sink, run, pace)
                run.told(file)
                if not run.left:
                    return


async def _put(file: RecordFile, lines: Sequence[Line], sink: Sink, run: Run, pace: Pace) -> None:
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
    finally:  # also when a line ends the run
        await _flush(due, sink, run)


async def _flush(due: list[Record], sink: Sink, run: Run) -> None:
    """Send what is due; a cancellation waits for what is under way, so that the account is right."""
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


def _record(file: RecordFile, line: Line, run: Run) -> Record | None:
    """What is to be sent of a line: under the key of its first event, at the time of its latest."""
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
    return Record(key(events[0]), max(event.at for event in events), value)
