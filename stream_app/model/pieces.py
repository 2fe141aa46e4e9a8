"""Work in pieces: a generator that pauses now and then, so that the caller can let other work run in between."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Pieces = Generator[None, None, T]
"""Yields where it may pause, and returns the result."""


def whole(pieces: Pieces[T]) -> T:
    """Run to the end without pausing and return the result."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made
