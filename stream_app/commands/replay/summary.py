"""What a replay reports on stderr: its progress, and what became of the records."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from stream_app.ingest import dialects
from stream_app.ingest.files import RecordFile, cells_of
from stream_app.ingest.replay import Account, FileReplay
from stream_app.model.fold.deltas import Result

from . import remedies

_AGAIN_S: Final = 0.1
_NO_OFFSET: Final = "timezone component - at `$.at`"
"""In the complaint about a time of our own events that has no offset."""
_TABLE: Final = 3
"""A first line with as many cells may be a header."""


@contextmanager
def progress(files: Sequence[RecordFile], run: FileReplay) -> Iterator[None]:
    """Show a bar on stderr if it is a terminal: by bytes read, with records per second."""
    if not sys.stderr.isatty():
        yield
        return

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    said = [0.0]
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("replay", total=None, rate="")

        def tell(file: RecordFile) -> None:
            now = time.monotonic()
            if now - said[0] < _AGAIN_S:
                return
            said[0] = now
            sizes = [each.known_size for each in files]
            shown.update(
                task,
                description=file.name,
                total=None if None in sizes else sum(size or 0 for size in sizes),
                completed=sum(each.taken for each in files),
                rate=f"{run.account.read / max(now - began, 0.001):,.0f} records/s",
            )

        run.told = tell
        yield


def summary(
    files: Sequence[RecordFile],
    run: FileReplay,
    seconds: float,
    dialect: str,
    *,
    name: str = "replay",
    command: str = "replay",
    options: str = "--format or --map",
    zone: str | None = None,
) -> str:
    """Return lines for stderr: places first, then one with all counts, then advice where nothing could be read.

    Args:
        files: the files that were read.
        run: the run, with its account.
        seconds: how long it took.
        dialect: that of the records.
        name: the command's name, to prefix lines with.
        command: the command line that reads standard input if ``-`` follows.
        options: the command's options that set the format of a file's lines.
        zone: that of times without an offset, if an option or a setting names it.
    """
    account = run.account
    lines = [f"stream-app: {place}" for place in account.complaints]
    more = account.results[Result.DEAD_LETTER] - len(account.complaints)
    if account.complaints and more > 0:
        lines.append(f"stream-app: and {more:,} more that are not events")
    lines += [
        f"stream-app: {place}: the last line is incomplete; left for the next run"
        for place in account.unfinished
    ]
    rate = account.read / max(seconds, 0.001)
    lines.append(
        f"{name}: {_count(account.read, 'record')} read in {seconds:.1f} s ({rate:,.0f}/s): {_counts(account)}"
    )
    lines += [f"{name}: {note}" for file in files if file.calls for note in file.calls.notes]
    if advice := _advice(files, run, dialect, command=command, options=options, zone=zone):
        lines.append(f"{name}: {advice}")
    return "".join(f"{line}\n" for line in lines)


def unreadable(account: Account) -> bool:
    """Return whether there were lines, and not one of them was an event or a known record."""
    others = account.sent or account.before or account.left_out
    found = {result for result, n in account.results.items() if n}
    return not others and bool(found) and found <= {Result.DEAD_LETTER, Result.UNKNOWN_TYPE}


def _counts(account: Account) -> str:
    parts = [f"{account.sent:,} sent"] if account.sent else []
    parts += [f"{account.before:,} counted before"] if account.before else []
    for result in Result:
        if n := account.results[result]:
            reasons = sorted((reason, m) for (of, reason), m in account.reasons.items() if of == result)
            why = ", ".join(f"{reason} {m:,}" for reason, m in reasons)
            parts.append(f"{result} {n:,}" + (f" ({why})" if why else ""))
    parts += [f"{account.left_out:,} left out"] if account.left_out else []
    return ", ".join(parts) or "nothing to do"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _advice(
    files: Sequence[RecordFile],
    run: FileReplay,
    dialect: str,
    *,
    command: str,
    options: str,
    zone: str | None,
) -> str | None:
    """Return what mends it, if records were lost: the command to run instead, as far as the first lines show it."""
    account = run.account
    for file in files:
        if file.calls and (remedy := file.calls.remedy(given_maps(sys.argv))):
            return remedy
    results = account.results
    firsts = [file.first.strip() for file in files if file.first]
    if results[Result.DEAD_LETTER] or unreadable(account):
        other = dialects.recognized(firsts, besides=dialect) or _table_of(firsts, dialect)
        if other:
            return f"this looks like records of {other}; run: {remedies.again('--dialect', other)}"
    has_table = dialect == "canonical" and any(not first.startswith((b"{", b"[")) for first in firsts)
    if has_table and zone is None and any(_NO_OFFSET in line for line in account.complaints):
        return f"times without an offset need their zone; run: {remedies.again('--zone', 'ZONE')}"
    if unreadable(account):
        return _way_out(firsts, dialect, command, options)
    return _lost(files, run, dialect, command, zone)


def _lost(
    files: Sequence[RecordFile], run: FileReplay, dialect: str, command: str, zone: str | None
) -> str | None:
    """Return why events were not counted, or not at their times."""
    results = run.account.results
    if results[Result.LATE]:
        return remedies.late(files, run, _count(results[Result.LATE], "record"), dialect, command)
    if of_zone := remedies.zone(run, zone):
        return of_zone
    if results[Result.UNKNOWN_TYPE]:
        n = _count(results[Result.UNKNOWN_TYPE], "record")
        return f"{n} of types that {dialect} does not know, not counted; docs/dialects.md lists those that it knows"
    return None


def _way_out(firsts: Sequence[bytes], dialect: str, command: str, options: str) -> str:
    """Return why nothing could be read, as far as the first lines show."""
    if any(dialects.is_row(dialect, cells_of(first)) for first in firsts):
        return (
            "this looks like a table without a header; add one with its columns, such as: "
            f"(echo time,callid,queuename,agent,event,data1,data2,data3,data4,data5; cat FILE) | stream-app {command} -"
        )
    if any(first in (b"[", b"{") or first.startswith(b"[{") for first in firsts):
        split = "jq -c 'if type==\"array\" then .[] else . end' FILE"
        return f"expected one record per line; convert it: {split} | stream-app {command} -"
    tables = [first for first in firsts if first[:1] not in (b"{", b"[") and len(cells_of(first)) >= _TABLE]
    if dialect == "canonical" and tables:
        files = shlex.join(word for word in sys.argv[1:] if Path(word).is_file()) or "FILE"
        return f"no line is an event; if this is a table with one row per contact: stream-app columns {files} -o map.toml"
    return f"no line is an event of the dialect {dialect}; check --dialect, or add {options}"


def _table_of(firsts: Sequence[bytes], besides: str) -> str | None:
    headers = [cells_of(first) for first in firsts]
    for name in dialects.available():
        if name != besides and any(dialects.is_header(name, cells) for cells in headers):
            return name
    return None


def given_maps(words: Sequence[str]) -> list[str]:
    """Return the options ``--map`` of a command line."""
    found = [word.removeprefix("--map=") for word in words if word.startswith("--map=")]
    return found + [value for word, value in pairwise(words) if word == "--map"]
