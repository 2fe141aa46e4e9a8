"""The order in which parallel workers take tests: the longest first, so that no worker ends alone with one."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def longest_first(tests: list[T], is_long: Callable[[T], bool], workers: int) -> list[T]:
    """Return `tests` with the long ones spread over the starts of the workers' shares.

    `--dist worksteal` gives each worker one piece of the list, and what a worker has not begun is taken from its end.
    """
    long = [test for test in tests if is_long(test)]
    rest = iter([test for test in tests if not is_long(test)])
    ordered: list[T] = []
    for worker in range(workers):
        size = (len(tests) - len(ordered)) // (workers - worker)  # as pytest-xdist divides it
        first = long[worker::workers][:size]
        ordered += first
        ordered += [next(rest) for _ in range(size - len(first))]
    return ordered
