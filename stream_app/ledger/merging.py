"""Which files become one, so that few are left and no row is written often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .manifest import RowsFile

FILES: Final = 8
"""Files of one table and day at most: eight tables have the 64 a day and partition that are promised."""


def to_join(sizes: Sequence[int], new: int, most: int = FILES) -> int:
    """Return how many of the last files a new one joins.

    It joins those that are not larger than itself and what it has joined, as bits carry in a counter: so a row is written again
    a number of times that grows like the logarithm of the day's files. Where too many would be left, it joins one more.

    Args:
        sizes: rows of the files, in order.
        new: rows of the new one.
        most: how many files may be left, the new one included.
    """
    joined, total = 0, new
    while joined < len(sizes):
        size = sizes[-1 - joined]
        if size > total and len(sizes) - joined < most:
            break
        total += size
        joined += 1
    return joined


def of_past_days(files: Iterable[RowsFile], today: str) -> list[RowsFile]:
    """Return the files of the first table and day that is over and still has several; empty if there are none."""
    groups: dict[tuple[str, str, str], list[RowsFile]] = {}
    for file in files:
        if file.day < today:
            groups.setdefault((file.day, file.table, file.topic_id), []).append(file)
    return next((group for group in groups.values() if len(group) > 1), [])
