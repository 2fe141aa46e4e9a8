"""``stream-app schedules``: who is scheduled and when, versioned in the store."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import typer

from stream_app.commands.terminal import STDIN, column_map
from stream_app.errors import BadSettingsError, InputError, QuarantinedError
from stream_app.settings import load
from stream_app.store.schedules import RedisSchedules, StoredSchedule
from stream_app.store.seen import SeenNames
from stream_app.workforce import schedules
from stream_app.workforce.schedules import Shift

from . import report

T = TypeVar("T")
MOST_VERSIONS: Final = 20

cli = typer.Typer(
    help="Manage who is scheduled for which queue, and when: versioned in the store, shown on the planning page.",
    no_args_is_help=True,
    add_completion=False,
)


_ZONE = typer.Option(metavar="ZONE", help="Zone of the times shown. Default: UTC.")


@cli.command("apply")
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or JSON with who or group, people, start, end, tz, activity, queue, channel; or an iCalendar "
            "file. - is standard input.",
        ),
    ],
    tz: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Zone of times without an offset, where a row has no tz."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns of another program: who=Agent,start=Date+From,end=Date+To,activity:=contacts,queue=Skill.",
        ),
    ] = None,
    allow_new: Annotated[
        bool,
        typer.Option("--allow-new", help="Import queues and channels that were never seen, too."),
    ] = False,
) -> None:
    """Check FILE and make it the schedule in force, all of it or nothing.

    It replaces the former one, to which restore returns. Applying the same schedule again keeps its version. People's names are
    not stored, only how many are scheduled. What a person does besides, within a shift, cuts it. For an invalid file or an
    unknown queue the exit code is 65, and nothing is imported; docs/staffing.md describes the fields.
    """
    try:
        shifts = read(file, tz, mapping or [])
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None

    async def store(redis: RedisSchedules) -> tuple[int, SeenNames, list[Shift]]:
        seen = await redis.seen()
        if not allow_new and (strange := report.strangers(shifts, seen)):
            for line in strange:
                sys.stderr.write(f"stream-app: {line}\n")
            sys.stderr.write("stream-app: nothing was imported; --allow-new imports these, too\n")
            raise SystemExit(os.EX_DATAERR)
        former: list[Shift] = []
        with suppress(QuarantinedError):  # one that can't be read is replaced, too
            former = _shifts((await redis.current())[1])
        return await redis.apply(packed(shifts)), seen, former

    version, seen, former = _with_store(store)
    zone = UTC if tz is None else ZoneInfo(tz)
    _announce(version, shifts, zone)
    now = time.time()
    for doubt in report.doubts(shifts, seen, now, zone) + report.left_out(former, shifts, now):
        sys.stderr.write(f"stream-app: {doubt}\n")


@cli.command("show")
def show() -> None:
    """Print the schedule in force, as JSON."""
    version, document = _with_store(RedisSchedules.current)
    said = {"version": version, "schedules": [_said(shift) for shift in _shifts(document)]}
    typer.echo(msgspec.json.encode(said).decode())


@cli.command("versions")
def versions(tz: Annotated[str | None, _ZONE] = None) -> None:
    """List the newest versions, the newest first; * marks the one in force."""
    zone = _zone(tz)

    async def stored(redis: RedisSchedules) -> tuple[int, list[StoredSchedule]]:
        return await redis.version(), await redis.versions(MOST_VERSIONS)

    current, found = _with_store(stored)
    if not found:
        typer.echo("no schedule was ever applied")
    for one in found:
        line = report.version_line(one.version, _shifts(one.document), one.applied_at, zone)
        typer.echo(f"{'*' if one.version == current else ' '} {line}")


@cli.command("restore")
def restore(
    version: Annotated[
        int | None,
        typer.Argument(min=1, help="The version to return to. Default: the one before the one in force."),
    ] = None,
    tz: Annotated[str | None, _ZONE] = None,
) -> None:
    """Make a former version the schedule in force: it becomes the next version, so that this can be undone, too."""
    zone = _zone(tz)

    async def back(redis: RedisSchedules) -> tuple[int, int, bytes]:
        wanted = await redis.version() - 1 if version is None else version
        document = await redis.document(wanted)
        if document is None:
            known = ", ".join(str(one.version) for one in await redis.versions(MOST_VERSIONS))
            if version is None:
                raise BadSettingsError("there is no version before the one in force")
            raise BadSettingsError(f"there is no version {wanted} to return to; there are: {known or 'none'}")
        return await redis.apply(document), wanted, document

    now, wanted, document = _with_store(back)
    typer.echo(f"restored version {wanted}")
    _announce(now, _shifts(document), zone)


@cli.command("clear")
def clear() -> None:
    """Take the schedule out of force: plans show what is required, and no gaps. restore returns to it."""
    version = _with_store(lambda redis: redis.apply(packed([])))
    typer.echo(f"version {version} is in force: no shifts")


def _announce(version: int, shifts: list[Shift], zone: tzinfo) -> None:
    places = {(shift.queue, shift.channel) for shift in shifts}
    counted = f"{len(shifts):,} shift" + ("" if len(shifts) == 1 else "s")
    of = f"{len(places):,} queue-channel" + ("" if len(places) == 1 else "s")
    typer.echo(
        "\n".join([f"version {version} is in force: {counted} for {of}", *report.report(shifts, zone)])
    )


def _with_store(ask: Callable[[RedisSchedules], Awaitable[T]]) -> T:
    """Ask the store, and close its connection."""

    async def asked() -> T:
        redis = RedisSchedules(load().redis_url.get_secret_value())
        try:
            return await ask(redis)
        finally:
            await redis.close()

    return asyncio.run(asked())


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return UTC
    try:
        schedules.check_zone(text)
    except ValueError as error:
        raise BadSettingsError(f"--tz: {error}") from None
    return ZoneInfo(text)


def _shifts(document: bytes) -> list[Shift]:
    return msgspec.json.decode(document, type=list[Shift])


def read(file: Path, zone: str | None, maps: Sequence[str] = ()) -> list[Shift]:
    """Read the shifts in a file that are work on contacts; those of the same queue and time become one.

    Raises:
        InputError: one line that names file, line and field.
        BadSettingsError: unknown time zone, or a wrong ``--map``.
    """
    _zone(zone)
    mapping = column_map(maps, schedules.KNOWN)
    try:
        content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}:1: {error.strerror}") from None
    people: Counter[tuple[str, str, float, float]] = Counter()
    for shift in schedules.read(str(file), content, zone, mapping):
        people[shift.queue, shift.channel, shift.start, shift.end] += shift.people  # type: ignore[assignment]
    return [schedules.Shift(*place, n) for place, n in sorted(people.items())]


def packed(shifts: list[Shift]) -> bytes:
    """Encode the document to store: the same schedule has the same bytes."""
    return msgspec.json.encode(shifts)


def _said(shift: Shift) -> dict[str, object]:
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (shift.start, shift.end))
    return {
        "queue": shift.queue,
        "channel": shift.channel,
        "start": start,
        "end": end,
        "people": shift.people,
    }
