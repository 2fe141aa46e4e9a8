"""A figure of a benchmark, as ``results.json`` has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

BEGIN = "<!-- figures: begin, written by `make bench` -->"
END = "<!-- figures: end -->"


class Figure(NamedTuple):
    """One measured number, beside what it is compared with in the same run.

    Attributes:
        reference: the number it is set against, in the same unit; ``None`` where there is none.
        ratio: value against reference; the median of the rounds' ratios where there are several.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None


def table(results: Iterable[dict[str, Any]]) -> str:
    """The figures as the README shows them."""
    rows = ["| figure | value | beside | ratio |", "|---|---|---|---|"]
    for result in results:
        reference, ratio = (
            "" if result[key] is None else f"{result[key]:,.4g}" for key in ("reference", "ratio")
        )
        rows.append(
            f"| `{result['name']}` | {result['value']:,.4g} {result['unit']} | {reference} | {ratio} |"
        )
    return "\n".join(rows)


def written(readme: str, results: Iterable[dict[str, Any]]) -> str:
    """The README with the block between the marks replaced."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{rest.partition(END)[2]}"
