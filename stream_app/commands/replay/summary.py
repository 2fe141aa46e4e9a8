"""What a replay says on stderr: how far it is, and what became of the records."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from stream_app.ingest.files import RecordFile
from stream_app.ingest.replay import Account, Run
from stream_app.model.deltas import Result

_QUEUE_LOG: Final = re.compile(rb"\d{9,}(\.\d+)?\|[^|]*\|[^|]*\|[^|]*\|[A-Z]+")
_AGAIN_S: Final = 0.1


@contextmanager
def progress(files: Sequence[RecordFile], run: Run) -> Iterator[None]:
    """A bar on stderr, if somebody can see it: by bytes read, with records a second."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.progress import (  # noqa: PLC0415 - same
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

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
    run: Run,
    seconds: float,
    dialect: str,
    *,
    name: str = "replay",
    command: str = "replay",
    options: str = "--format or --map",
) -> str:
    """Lines for stderr: places first, then one with all counts, then advice where nothing could be read.

    Args:
        files: what was read.
        run: how, with its account.
        seconds: how long it took.
        dialect: of the records.
        name: of the command, before its lines.
        command: what reads standard input if ``-`` follows.
        options: of the command, which say what a file's lines are.
    """
    account = run.account
    lines = [f"stream-app: {place}" for place in account.complaints]
    more = account.results[Result.DEAD_LETTER] - len(account.complaints)
    if account.complaints and more > 0:
        lines.append(f"stream-app: and {more:,} more that are no events")
    lines += [
        f"stream-app: {place}: the last line is cut; left for the next run" for place in account.unfinished
    ]
    rate = account.read / max(seconds, 0.001)
    lines.append(
        f"{name}: {_count(account.read, 'record')} read in {seconds:.1f} s ({rate:,.0f}/s): {_counts(account)}"
    )
    if unreadable(account):
        lines.append(f"{name}: {_advice(files, dialect, command, options)}")
    return "".join(f"{line}\n" for line in lines)


def unreadable(account: Account) -> bool:
    """Whether there were lines, and not one of them was an event."""
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
    """Why nothing could be read, as far as first lines tell."""
    firsts = [file.first.strip() for file in files if file.first]
    if dialect != "asterisk" and any(map(_QUEUE_LOG.match, firsts)):
        return "this looks like Asterisk's queue_log: add --dialect asterisk"
    if any(first in (b"[", b"{") or first.startswith(b"[{") for first in firsts):
        split = "jq -c 'if type==\"array\" then .[] else . end' FILE"
        return f"one record a line is read: {split} | stream-app {command} -"
    return f"no line is an event of {dialect}: is --dialect right, or is {options} needed?"
