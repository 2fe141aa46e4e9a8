"""What an event loop was told about errors that nobody looked at."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

_ALL_AFTER: Final = 300
"""After so many tests all is looked through again: garbage may have been frozen while it was in use."""
_tests = count(1)


@contextmanager
def background_errors(loop: asyncio.AbstractEventLoop) -> Iterator[list[str]]:
    """Collect, one line each, what `loop` hands its exception handler: tasks that raised, failed callbacks.

    The list is complete when the context has ended.
    """
    errors: list[str] = []

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        source = context.get("task") or context.get("future") or context.get("handle")
        errors.append(f"{context['message']}: {context.get('exception')!r} in {source!r}")

    before = loop.get_exception_handler()
    loop.set_exception_handler(note)
    try:
        yield errors
        # A task says that it raised when it is collected, and a traceback's cycle may keep it until then.
        if next(_tests) % _ALL_AFTER == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()  # what is left is looked through once, not again after each of the next tests
    finally:
        loop.set_exception_handler(before)
