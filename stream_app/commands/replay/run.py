"""The work of ``replay``: from options to files, their replay, and its summary."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from stream_app.commands.config import document as targets_document
from stream_app.commands.maps import recorded_map
from stream_app.errors import BadSettingsError
from stream_app.ingest import dialects
from stream_app.ingest.batch import MAX_EVENT_BYTES
from stream_app.ingest.dialects import FileFormat
from stream_app.ingest.files import FileError, Layout, RecordFile, readable
from stream_app.ingest.files.reading import STDIN
from stream_app.ingest.replay import (
    FileReplay,
    ReplayPace,
    Selection,
    in_order,
    into_store,
    into_topic,
    report,
)
from stream_app.kafka.connection import security
from stream_app.kafka.producer import Topic
from stream_app.logs import configure
from stream_app.settings import Settings, load
from stream_app.store.redis import RedisStore
from stream_app.zones import checked_zone

from .summary import progress, summary, unreadable

_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    files: list[Path]
    dialect: str | None = None
    zone: str | None = None
    form: FileFormat | None = None
    maps: list[str] = []
    topic: str | None = None
    key: str | None = None
    speed: float | None = None
    direct: bool = False
    report: bool = False
    targets: Path | None = None
    queues: list[str] = []
    channels: list[str] = []
    begin: str | None = None
    end: str | None = None
    limit: int | None = None
    strict: bool = False

    def check(self) -> None:
        """Refuse options that have no effect together: ignoring one silently would mislead.

        Raises:
            BadSettingsError: one line that names the option.
        """
        told: dict[str, Any] = {
            "--topic": self.topic,
            "--key": self.key,
            "--speed": self.speed,
            "--report": self.report,
            "--targets": self.targets,
            "--queue": self.queues,
            "--channel": self.channels,
            "--from": self.begin,
            "--to": self.end,
        }
        wrong: tuple[str, ...]
        if not self.direct:
            wrong, why = ("--report", "--targets"), "only works with --direct, which needs no Kafka"
        elif self.report:
            wrong, why = ("--topic", "--key", "--speed"), "only works for Kafka, without --direct"
        else:
            wrong = tuple(name for name in told if name != "--report")
            why = "does not work with --direct alone, which counts everything by the store's targets; add --report"
        for name in wrong:
            if told[name]:
                raise BadSettingsError(f"{name}: {why}")
        if self.files.count(STDIN) > 1:
            raise BadSettingsError("-: standard input can be read only once")
        if self.topic is not None and not _TOPIC.fullmatch(self.topic):
            raise BadSettingsError(
                f"--topic: invalid name {self.topic!r}; use 1 to 249 of A-Z, a-z, 0-9, '.', '_' and '-'"
            )


def replay(options: ReplayOptions) -> None:
    """Replay, and report on stderr what became of the records.

    Raises:
        BadSettingsError: a wrong option or setting.
        StreamAppError: Kafka or Redis refused.
        SystemExit: 65 for a file or, with ``--strict``, a line; 130 or 143 for a signal.
    """
    options.check()
    settings = None if options.report else load()
    dialect = options.dialect or (settings.dialect if settings else "canonical")
    zone = options.zone or (settings.source_zone if settings else "UTC")
    columns = recorded_map(options.maps)
    layout = Layout(
        dialect=dialect,
        format=options.form,
        columns=columns,
        limit=settings.max_event_bytes if settings else MAX_EVENT_BYTES,
        zone=options.zone or (columns and columns.zone) or _set_zone(settings),
    )
    layout.check()
    run = FileReplay(
        decoder(dialect, zone),
        selection=_selection(options),
        limit=options.limit,
        strict=options.strict,
        key=options.key or dialects.key_of(dialect),
    )
    targets = targets_document.asked_for(options.targets)
    gc.set_threshold(400_000, 50, 100)  # as in a worker: events make no cycles
    files = [RecordFile(path, layout) for path in options.files]
    interrupts = Interrupts(wait=all(file.known_size is not None for file in files))
    began = time.monotonic()
    rows, code = None, 0
    try:
        readable(options.files)
        files = ordered(files, run)
        with progress(files, run):
            if settings is None:
                rows = report(files, targets, run)
            elif options.direct:
                interrupts.run(_into_store(files, run, settings))
            else:
                interrupts.run(_into_topic(files, run, settings, options))
    except FileError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        code = os.EX_DATAERR
    except InterruptedByError as interruption:
        sys.stderr.write("stream-app: interrupted\n")
        code = 128 + interruption.number
    finally:  # also where Kafka or Redis ends it
        if rows is not None:
            _print(rows)
        if run.account.read or rows is not None:
            named = options.zone or _set_zone(settings)
            sys.stderr.write(summary(files, run, time.monotonic() - began, dialect, zone=named))
    if not code and unreadable(run.account):  # zeros are not an answer
        code = os.EX_DATAERR
    if code:
        raise SystemExit(code)


def ordered(files: list[RecordFile], run: FileReplay, name: str = "replay") -> list[RecordFile]:
    """Return files in the order of time, and say so on stderr if they were given in another."""
    found = in_order(files, run.dialect)
    if found != files:
        names = ", ".join(file.name for file in found)
        sys.stderr.write(f"{name}: read in the order of their first stamps: {names}\n")
    return found


class InterruptedByError(KeyboardInterrupt):
    """A signal. Whenever it comes, nothing is half done: the position is stored together with the counts."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Interrupts:
    """Handling of SIGINT and SIGTERM: finish what is in flight; a second signal ends it at once."""

    def __init__(self, *, wait: bool) -> None:
        """Install the handlers; ``wait`` for the event loop to stop, which it can't while a pipe has nothing to read."""
        self._wait = wait
        self._task: asyncio.Task[None] | None = None
        self._number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, _frame: object) -> None:
        if self._wait and self._task and not self._number:
            self._number = number
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)
        else:
            raise InterruptedByError(number)

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Run the work to its end, or to the first signal."""
        asyncio.run(self._until_told(work))
        if self._number:
            raise InterruptedByError(self._number)

    async def _until_told(self, work: Coroutine[None, None, None]) -> None:
        self._task = asyncio.create_task(work)
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            await self._task  # to raise its error


async def _into_store(files: list[RecordFile], run: FileReplay, settings: Settings) -> None:
    if settings.log_level == "info":  # too much for a command with a progress bar
        settings = settings.model_copy(update={"log_level": "warning"})
    configure(settings)
    store = RedisStore(settings.redis_url.get_secret_value(), queue_cap=settings.queue_cap)
    try:
        for each in files:
            run.begin(each)
            with each as file:
                await into_store(
                    file,
                    store,
                    run,
                    batch_records=settings.batch_records,
                    max_dead_in_a_row=settings.max_dead_in_a_row,
                )
            if not run.left:
                return
    finally:
        await store.close()


async def _into_topic(
    files: list[RecordFile], run: FileReplay, settings: Settings, options: ReplayOptions
) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is raised as well
    async with Topic(security(settings), options.topic or settings.topic) as topic:
        await into_topic(files, topic, run, ReplayPace(options.speed))


def _set_zone(settings: Settings | None) -> str | None:
    """Return the zone that a setting names, if it was set."""
    return settings.source_zone if settings and "source_zone" in settings.model_fields_set else None


def decoder(dialect: str, zone: str) -> dialects.Decode:
    """Load the dialect and the zone that options name; BadSettingsError names the option."""
    checked_zone(zone, "--zone")
    try:
        return dialects.load(dialect, zone)
    except BadSettingsError as error:
        raise BadSettingsError(str(error).replace("STREAM_APP_DIALECT", "--dialect", 1)) from None


def _selection(options: ReplayOptions) -> Selection:
    begin, end = _moment("--from", options.begin), _moment("--to", options.end)
    if begin is not None and end is not None and begin >= end:
        raise BadSettingsError("--to: expected a time later than --from")
    return Selection(options.queues, options.channels, begin, end)


def _moment(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadSettingsError(
            f"{option}: expected a time with an offset, e.g. 2026-01-05T08:00:00Z, got {text!r}"
        )
    return round(at.timestamp() * 1000)


def _print(rows: list[Any]) -> None:
    """Print one row per line, so that two reports can be compared by eye."""
    lines = ",\n ".join(msgspec.json.encode(row).decode() for row in rows)
    sys.stdout.buffer.write(f"[{lines}]\n".encode())
    sys.stdout.buffer.flush()
