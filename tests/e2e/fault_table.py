"""What `make chaos` writes: which faults happened how often, and that every counter was right."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict


class Fault(TypedDict):
    """One row: ``events`` is how many records were counted by then."""

    fault: str
    times: int
    events: int
    wrong_counters: int
    recovered_s: float


def note(faults: Iterable[Fault]) -> None:
    """Print rows, and add them to the table that STREAM_APP_FAULT_TABLE names, if it does."""
    rows = list(faults)
    for row in rows:
        print(row)  # noqa: T201 - the figures of the run
    if path := os.environ.get("STREAM_APP_FAULT_TABLE"):
        table = Path(path)
        before = json.loads(table.read_text()) if table.exists() else []
        table.write_text(json.dumps([*before, *rows], indent=1) + "\n")
