"""Breaks documents, to see whether a linter notices."""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def set_at(*path: str | int) -> Callable[[Any], Callable[[Json], None]]:
    """Return what sets the value at a path."""

    def setter(value: Any) -> Callable[[Json], None]:
        def change(document: Any) -> None:
            for step in path[:-1]:
                document = document[step]
            document[path[-1]] = value

        return change

    return setter
