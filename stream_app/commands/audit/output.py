"""What an audit prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from stream_app.ledger.auditing import Audited, Difference

SHOWN: Final = 50
"""Differences in the table; JSON has all."""
WIDTH: Final = 160


def table(found: Sequence[Audited]) -> str:
    """Return the differences as a table, and what can't be compared; nothing where all is well."""
    text = StringIO()
    console = Console(file=text, width=WIDTH)
    differences = [one for each in found for one in each.differences]
    if differences:
        made = Table(box=None, pad_edge=False)
        for head in (
            "queue",
            "channel",
            "counter",
            "from",
            "seconds",
            "partition",
            "Redis",
            "ledger",
            "offsets",
        ):
            made.add_column(head, justify="right" if head in {"seconds", "Redis", "ledger"} else "left")
        for one in differences[:SHOWN]:
            made.add_row(*_cells(one))
        console.print(made, markup=False)
        if len(differences) > SHOWN:
            console.print(f"… and {len(differences) - SHOWN:,} more; --json has all")
    for each in found:
        if each.since is None:
            console.print(
                f"partition {each.partition}: not compared: contacts are missing up to now; is a ledger kept by its worker "
                "(STREAM_APP_LEDGER)?"
            )
        elif each.since:
            console.print(
                f"partition {each.partition}: compared from {_shown(each.since)} on: the ledger knows no more"
            )
    return text.getvalue()


def summary(found: Sequence[Audited]) -> str:
    """Return the last line."""
    differences = sum(len(one.differences) for one in found)
    compared = sum(one.counters for one in found)
    buckets = sum(one.buckets for one in found)
    if not buckets:
        return "nothing was compared: no bucket is in both the ledger and Redis"
    said = "no differences" if not differences else f"{differences:,} differences"
    partitions = sum(one.since is not None for one in found)
    return f"{said}: {compared:,} values in {buckets:,} buckets of {partitions} partitions"


def to_json(found: Sequence[Audited]) -> str:
    """Return all of it for programs."""
    partitions = [
        {
            "partition": one.partition,
            "position": one.position,
            "compared_from": None if one.since is None else _shown(one.since),
            "buckets": one.buckets,
            "values": one.counters,
        }
        for one in found
    ]
    differences = [
        {**msgspec.to_builtins(one), "start": _shown(one.start), "resolution": one.resolution / 1000}
        for each in found
        for one in each.differences
    ]
    text = msgspec.json.encode({"partitions": partitions, "differences": differences})
    return msgspec.json.format(text).decode() + "\n"


def _cells(one: Difference) -> list[str]:
    return [
        one.queue,
        one.channel,
        one.counter,
        _shown(one.start),
        f"{one.resolution // 1000}",
        one.partition,
        f"{one.counted:,}",
        f"{one.found:,}",
        ", ".join(map(str, one.offsets)) or "none",
    ]


def _shown(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
