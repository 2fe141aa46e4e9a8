"""``stream-app schedules``: who is there and when, versioned in the store."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:  # quick --help
    from stream_app.workforce.schedules import Shift

EX_DATAERR: Final = 65
STDIN: Final = Path("-")

cli = typer.Typer(
    help="Who is scheduled for which queue, and when: versioned in the store, shown on the planning page.",
    no_args_is_help=True,
)


@cli.command("apply")
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or JSON: who or group, people, start, end, tz, activity, queue, channel; - is standard input.",
        ),
    ],
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of times without an offset, where a row has no tz.")
    ] = None,
) -> None:
    """Check FILE and make it the roster in force, all of it or nothing.

    It replaces the one before. The same roster again keeps its version. Names of people are not stored: only how many are
    there. Queues that were never seen, and a roster of the past, are warned of on standard error. A wrong file ends it with
    exit code 65, and file, line and field are named; docs/staffing.md has the fields.
    """
    from stream_app.errors import InputError  # noqa: PLC0415 - quick --help
    from stream_app.settings import load  # noqa: PLC0415 - same
    from stream_app.store.schedules import RedisSchedules, Seen  # noqa: PLC0415 - same

    from . import rosters  # noqa: PLC0415 - same

    try:
        shifts = read(file, tz)
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(EX_DATAERR) from None

    async def store() -> tuple[int, Seen]:
        redis = RedisSchedules(load().redis_url.get_secret_value())
        try:
            seen = await redis.seen()
            return await redis.apply(packed(shifts)), seen
        finally:
            await redis.close()

    version, seen = asyncio.run(store())
    zone = UTC if tz is None else ZoneInfo(tz)
    places = {(shift.queue, shift.channel) for shift in shifts}
    stretches = f"{len(shifts):,} stretch" + ("" if len(shifts) == 1 else "es")
    of = f"{len(places):,} queue-channel" + ("" if len(places) == 1 else "s")
    typer.echo(
        "\n".join([f"version {version} is in force: {stretches} of {of}", *rosters.report(shifts, zone)])
    )
    for doubt in rosters.doubts(shifts, seen, time.time(), zone):
        sys.stderr.write(f"stream-app: {doubt}\n")


@cli.command("show")
def show() -> None:
    """Print the roster in force, as JSON."""
    import msgspec  # noqa: PLC0415 - quick --help

    from stream_app.settings import load  # noqa: PLC0415 - same
    from stream_app.store.schedules import RedisSchedules  # noqa: PLC0415 - same
    from stream_app.workforce.schedules import Shift  # noqa: PLC0415 - same

    async def current() -> tuple[int, bytes]:
        redis = RedisSchedules(load().redis_url.get_secret_value())
        try:
            return await redis.current()
        finally:
            await redis.close()

    version, document = asyncio.run(current())
    shifts = msgspec.json.decode(document, type=list[Shift])
    said = {"version": version, "schedules": [_said(shift) for shift in shifts]}
    typer.echo(msgspec.json.encode(said).decode())


def read(file: Path, zone: str | None) -> list[Shift]:
    """The stretches on contacts in a file, those of the same people, queue and time as one.

    Raises:
        InputError: one line that names file, line and field.
        BadSettingsError: no zone is called so.
    """
    from stream_app.errors import BadSettingsError, InputError  # noqa: PLC0415 - quick --help
    from stream_app.workforce import schedules  # noqa: PLC0415 - same

    if zone is not None:
        try:
            schedules.check_zone(zone)
        except ValueError as error:
            raise BadSettingsError(f"--tz: {error}") from None
    try:
        content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}:1: {error.strerror}") from None
    people: Counter[tuple[str, str, float, float]] = Counter()
    for shift in schedules.read(str(file), content, zone):
        people[shift.queue, shift.channel, shift.start, shift.end] += shift.people  # type: ignore[assignment]
    return [schedules.Shift(*place, n) for place, n in sorted(people.items())]


def packed(shifts: list[Shift]) -> bytes:
    """The document as it is stored: the same roster gives the same bytes."""
    import msgspec  # noqa: PLC0415 - quick --help

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
