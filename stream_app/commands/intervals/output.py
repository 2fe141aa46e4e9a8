"""Output of interval rows by the command: a table for people, files for programs, all or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import StringIO
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.errors import BadSettingsError
from stream_app.views.intervals import formats, parquet
from stream_app.views.intervals.wire import IntervalsRow
from stream_app.views.wire import encode

ExternalId = Callable[[str], str | None]
_FILE_WIDTH: Final = 160
_NONE: Final = "–"  # noqa: RUF001 - no data, not a minus


class Output(Struct, frozen=True):
    """Where rows go, and how.

    Attributes:
        form: table, csv, json, parquet, connect or genesys.
        out: a file; ``None`` is standard output.
        zone: IANA zone of the rows' times.
    """

    form: str
    out: Path | None
    zone: str

    def check(self) -> None:
        """Refuse an output that can't be written, before the work and not after it.

        Raises:
            BadSettingsError: one line that names the option.
        """
        if self.out is not None and not self.out.parent.is_dir():
            raise BadSettingsError(f"--out: folder not found: {self.out.parent}")
        if self.out is not None and self.out.is_dir():
            raise BadSettingsError(f"--out: expected a file, got the folder {self.out}")
        if self.form != "parquet":
            return
        if self.out is None and sys.stdout.isatty():
            raise BadSettingsError("--format: parquet is binary; write it to a file with --out FILE")
        try:
            parquet.library()
        except parquet.ParquetMissingError as error:
            raise BadSettingsError(f"--format: {error}") from None

    def write(self, rows: Sequence[IntervalsRow], external_id: ExternalId) -> None:
        """Write all rows.

        Raises:
            BadSettingsError: the file can't be written.
        """
        if self.form == "table" and self.out is None:
            _show(rows, sys.stdout)
            return
        content = self._bytes(rows, external_id)
        if self.out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        try:
            _replace(self.out, content)
        except OSError as error:
            raise BadSettingsError(f"--out: {self.out}: {error.strerror}") from None

    def _bytes(self, rows: Sequence[IntervalsRow], external_id: ExternalId) -> bytes:
        if self.form == "parquet":
            return parquet.to_bytes(rows, self.zone)
        if self.form == "json":
            return b"[" + b",\n ".join(map(encode, rows)) + b"]\n"
        if self.form == "table":
            text = StringIO()
            _show(rows, text)
            return text.getvalue().encode()
        return formats.table(rows, self.form, external_id).encode()


def _replace(path: Path, content: bytes) -> None:
    """Replace a file as a whole or not at all; what is not a regular file, such as a pipe, is written to."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()  # a link stays a link
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            Path(file.name).chmod(mode)
            Path(file.name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(file.name).unlink()
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- for people ---

_HEADS: Final = (
    "offered", "answered", "service level", "abandoned", "abandonment", "ASA", "longest", "handled", "AHT", "deepest",
)  # fmt: skip


def _show(rows: Sequence[IntervalsRow], into: Any) -> None:
    console = Console(file=into)
    if not console.is_terminal:
        console.width = _FILE_WIDTH  # in a file, nothing is truncated
    ordered = sorted(rows, key=lambda row: (row.queue, row.channel))  # stable: times stay in order
    for (queue, channel), of in groupby(ordered, key=lambda row: (row.queue, row.channel)):
        mine = list(of)
        policies = ", ".join(dict.fromkeys(row.policy for row in mine))
        table = Table(
            title=Text(f"{queue} {channel}: service level {policies}", style="table.title"),
            title_justify="left",
            box=None,
            pad_edge=False,
        )
        table.add_column("start", no_wrap=True)
        for head in _HEADS:
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for row in mine:
            table.add_row(*_cells(row), Text(_note(row)), style="" if row.final else "dim")
        console.print(table)


def _cells(row: IntervalsRow) -> tuple[str, ...]:
    return (
        f"{row.start[:10]} {row.start[11:16]}{row.start[19:]}",
        f"{row.offered:,}",
        f"{row.answered:,}",
        _percent(row.service_level),
        f"{row.abandoned:,}",
        _percent(row.abandonment),
        _seconds(row.average_speed_of_answer_s),
        _seconds(row.longest_wait_s if row.offered else None),
        f"{row.handled:,}",
        _seconds(row.average_handle_time_s),
        _NONE if row.backlog_max is None else f"{row.backlog_max:,}",
    )


def _note(row: IntervalsRow) -> str:
    notes = [] if row.final else ["not final"]
    notes += (
        [f"{row.missing} {'interval' if row.missing == 1 else 'intervals'} missing"] if row.missing else []
    )
    notes += [row.outage] if row.outage else []
    return ", ".join(notes)


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.0f} s"
