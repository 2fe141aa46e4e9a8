"""What mends a run: the very command, as far as the run and the files' first lines show it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stream_app.clocks import wall_ms
from stream_app.ingest import dialects
from stream_app.ingest.dialects import Zoned
from stream_app.ingest.files import RecordFile
from stream_app.ingest.replay import FileReplay

_CLOCKS_DIFFER_MS: Final = 600_000
"""A stamp that is this far ahead of the wall clock is in the wrong zone; less may be a clock that is a little fast."""
_SORTED: Final = {"queue_log": "sort -s -t '|' -k 1,1n", "json": "jq -c -s 'sort_by(.at)[]'"}
"""How lines of a kind are put in the order of time."""
_UNPACKED: Final = {".gz": "zcat", ".zst": "zstdcat", ".zstd": "zstdcat"}


def again(option: str, value: str) -> str:
    """Return the command that is running, with an option added, or changed if it was given."""
    given = sys.argv[1:]
    if option in given:
        at = given.index(option)
        del given[at : at + 2]
    given = [each for each in given if not each.startswith(f"{option}=")]
    return shlex.join(["stream-app", *given, option, value])


def zone(run: FileReplay, named: str | None) -> str | None:
    """Return what to say about times without an offset; ``named`` is their zone, if anybody named one."""
    if not isinstance(run.dialect, Zoned) or not run.dialect.was_local():
        return None
    if run.latest > wall_ms() + _CLOCKS_DIFFER_MS:
        wrong = f"the last stamp, {shown(run.latest)}, is later than now, in the zone {named or 'UTC'}"
        return f"{wrong}: are these local times? with the zone of the clock that wrote them, run: {again('--zone', 'ZONE')}"
    if named is not None:
        return None
    if run.account.sent:
        return "times without an offset: workers read them as local times of STREAM_APP_SOURCE_ZONE, by default UTC"
    return (
        "times without an offset were read as UTC; if the clock that wrote them was not set to it, run: "
        + again("--zone", "ZONE")
    )


def late(files: Sequence[RecordFile], run: FileReplay, late_records: str, dialect: str, command: str) -> str:
    """Return why records came too late, and what to do; ``late_records`` says how many they are."""
    said = f"{late_records} came too late to count"
    first = run.account.first_late
    if first is None:
        return f"{said}: lines out of the order of time, or one stamp far in the future; sort the lines, or remove that one"
    said += f", the first at {first.file}:{first.number} ({shown(first.at)})"
    if first.ahead is not None:
        where = f"line {first.ahead} before it is stamped {shown(first.reached)}, far ahead of its neighbours"
        return f"{said}: {where}; leave it out, run: {_without(files, first.file, first.ahead, command)}"
    said += f", behind {shown(first.reached)}: the lines are not in the order of time"
    if first.file == "stdin":
        return f"{said}; name the files instead of - and they are read in the order of their stamps, or sort the lines"
    sort = _SORTED.get(_kind(files, dialect))
    if sort is None:
        return f"{said}; sort them by time"
    return f"{said}; sort them, run: {_read(files)} | {sort} | {_piped(files, command)}"


def _kind(files: Sequence[RecordFile], dialect: str) -> str:
    if dialects.file_format(dialect) == "queue_log" and all(b"|" in file.first for file in files):
        return "queue_log"
    # Only our own events have their time in a field of this name, and stand on lines of their own.
    own = dialect == "canonical" and all(file.first.startswith(b"{") for file in files)
    return "json" if own else ""


def _read(files: Sequence[RecordFile]) -> str:
    tools = [f"{_UNPACKED.get(Path(file.name).suffix, 'cat')} {shlex.quote(file.name)}" for file in files]
    return tools[0] if len(tools) == 1 else f"{{ {'; '.join(tools)}; }}"


def _without(files: Sequence[RecordFile], name: str, number: int, command: str) -> str:
    if name == "stdin":
        return f"… | sed {number}d | {_piped(files, command)}"
    parts = [f"{_read([file])} | sed {number}d" if file.name == name else _read([file]) for file in files]
    read = parts[0] if len(parts) == 1 else f"{{ {'; '.join(parts)}; }}"
    return f"{read} | {_piped(files, command)}"


def _piped(files: Sequence[RecordFile], command: str) -> str:
    """Return the command that is running, with standard input in place of its files."""
    names = {file.name for file in files}
    options = [word for word in sys.argv[1:] if word not in names and word != "-"]
    return shlex.join(["stream-app", *options, "-"]) if options else f"stream-app {command} -"


def shown(at: int) -> str:
    """Return a time as people read it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
