"""What a replay reports on stderr: its progress, and what became of the records."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from stream_app.ingest import dialects
from stream_app.ingest.files import RecordFile
from stream_app.ingest.replay import Account, FileReplay
from stream_app.model.fold.deltas import Result

_AGAIN_S: Final = 0.1


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
    if unreadable(account):
        lines.append(f"{name}: {_advice(files, dialect, command, options)}")
    return "".join(f"{line}\n" for line in lines)


def unreadable(account: Account) -> bool:
    """Return whether there were lines, and not one of them was an event."""
    others = account.sent or account.before or account.left_out
    return not others and account.results.keys() == {Result.DEAD_LETTER}


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


def _advice(files: Sequence[RecordFile], dialect: str, command: str, options: str) -> str:
    """Return why nothing could be read, as far as the first lines show."""
    firsts = [file.first.strip() for file in files if file.first]
    if other := dialects.recognized(firsts, besides=dialect):
        return f"this looks like records of {other}: add --dialect {other}"
    if any(first in (b"[", b"{") or first.startswith(b"[{") for first in firsts):
        split = "jq -c 'if type==\"array\" then .[] else . end' FILE"
        return f"expected one record per line; convert it: {split} | stream-app {command} -"
    return f"no line is an event of the dialect {dialect}; check --dialect, or add {options}"
