"""The order in which parallel workers take tests: the longest first, so that no worker ends alone with one."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def longest_first(tests: list[T], rank: Callable[[T], int], workers: int) -> list[T]:
    """Return `tests` with those of low ranks spread over the starts of the workers' shares.

    `--dist worksteal` gives each worker one piece of the list, and what a worker has not begun is taken from its end. Tests of
    rank 0 are dealt one by one; of other ranks a worker gets neighbours, which share fixtures.
    """
    groups = [
        [test for test in tests if rank(test) == each] for each in sorted({rank(test) for test in tests})
    ]
    if groups and rank(groups[0][0]) == 0:
        groups[0] = [test for worker in range(workers) for test in groups[0][worker::workers]]
    ordered: list[T] = []
    for worker in range(workers):
        left = workers - worker
        end = len(ordered) + (len(tests) - len(ordered)) // left  # as pytest-xdist divides it
        for group in groups:
            ordered += _cut(group, min(-(-len(group) // left), end - len(ordered)))
        for group in reversed(groups):  # by what was rounded
            ordered += _cut(group, end - len(ordered))
    return ordered


def _cut(group: list[T], count: int) -> list[T]:
    """Take the first of a group, as many as there are."""
    taken, group[:count] = group[:count], []
    return taken
