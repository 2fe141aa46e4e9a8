"""``make bench``: measure, print, and write the results and the tables in the docs; arguments choose groups."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import (
    freshness,
    hostile,
    intervals,
    ledger,
    ledger_kpis,
    memory,
    people,
    reading,
    throughput,
    why,
    workforce,
)
from .figures import Figure, headlines, in_order, written

RESULTS = Path(__file__).with_name("results.json")
README = RESULTS.parents[1] / "README.md"
PERFORMANCE = RESULTS.parents[1] / "docs" / "performance.md"
GROUPS: dict[str, Callable[[], list[Figure]]] = {
    "memory": memory.measure,
    "reading": reading.measure,
    "people": people.measure,
    "intervals": intervals.measure,
    "ledger": ledger.measure,
    "ledger_kpis": ledger_kpis.measure,
    "why": why.measure,
    "workforce": workforce.measure,
    "freshness": freshness.measure,
    "hostile": hostile.measure,
    "throughput": throughput.measure,
}


def main() -> None:
    """Measure the given groups; the others keep their last figures."""
    wanted = sys.argv[1:] or list(GROUPS)
    if unknown := set(wanted) - set(GROUPS):
        sys.exit(f"unknown group {', '.join(sorted(unknown))}; use one of {', '.join(GROUPS)}")
    known = {f["name"]: f for f in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    for name in wanted:
        print(f"{name} …", flush=True)
        started = time.monotonic()
        known |= {figure.name: figure._asdict() for figure in GROUPS[name]()}
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    RESULTS.write_text(json.dumps(list(known.values()), indent=1) + "\n")
    README.write_text(written(README.read_text(), headlines(known.values())))
    PERFORMANCE.write_text(written(PERFORMANCE.read_text(), in_order(known.values())))
    table = Table("figure", "value", "unit", "reference", "ratio")
    for figure in known.values():
        cells = (
            f"{v:,.3g}" if isinstance(v, float | int) and v is not None else ""
            for v in (figure["value"], figure["reference"], figure["ratio"])
        )
        value, reference, ratio = cells
        table.add_row(figure["name"], value, figure["unit"], reference, ratio)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
