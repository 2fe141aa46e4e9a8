"""A process that computes beside ``serve``: at low priority, and gone when its parent is gone."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Final

import structlog

NICE: Final = 10
LIMIT_S: Final = 120.0
"""Without an answer for this long it is considered hung, and is replaced."""
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

_log = structlog.get_logger(__name__)


class ProcessError(Exception):
    """No answer: the process died twice, or hung."""


class Process:
    """Runs functions on bytes, one at a time. It starts with the first, and again after it died.

    Attributes:
        context: how it starts. It is not forked: a fork would have the server's sockets, and threads that don't run.
        nice: by how much its priority is lower than ours.
    """

    nice = NICE
    context: BaseContext = multiprocessing.get_context("spawn")

    def __init__(
        self, limit_s: float = LIMIT_S, *, computes: str = "plans", ended: Callable[[], None] = lambda: None
    ) -> None:
        """Set it up.

        Args:
            limit_s: the time after which an answer is no longer expected.
            computes: what it computes, for logs and errors.
            ended: is called in a thread when it has ended, however: it is killed, and can't tidy up by itself.
        """
        self._limit_s = limit_s
        self._computes = computes
        self._ended = ended
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The process id, if it is running."""
        # The library has no other way to its processes before Python 3.14, and none to end them.
        return list(self._pool._processes) if self._pool and self._pool._processes else []  # noqa: SLF001

    async def ask(self, function: Callable[[bytes], bytes], question: bytes) -> bytes:
        """Run a function of a module there.

        Raises:
            ProcessError: see there.
        """
        for _ in range(2):  # the caller is not to blame for what killed it before
            if self._closed:
                break
            pool = self._pool = self._pool or ProcessPoolExecutor(
                1, self.context, initializer=_begin, initargs=(self.nice,)
            )
            try:
                # Starting a process takes longer than the event loop may be blocked.
                future = await asyncio.to_thread(pool.submit, function, question)
            except RuntimeError:  # it broke while idle, or was ended meanwhile
                await self._drop(pool)
                continue
            try:
                async with asyncio.timeout(self._limit_s):
                    return await asyncio.wrap_future(future)
            except BrokenProcessPool:
                if self._pool is not pool:  # ended by us, or replaced by the caller that noticed first
                    continue
                _log.warning("process_died", computes=self._computes)
                await self._drop(pool)
            except TimeoutError:
                _log.warning("process_hangs", computes=self._computes, after_s=self._limit_s)
                await self._drop(pool)
                raise ProcessError(f"no answer within {self._limit_s:g} s") from None
        raise ProcessError(f"the process that computes {self._computes} died")

    async def close(self) -> None:
        """End it, whatever it is doing. Afterwards every request fails."""
        self._closed = True
        if self._pool:
            await self._drop(self._pool)

    async def _drop(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - see pids
            process.kill()
        await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self._ended)


def _begin(nice: int) -> None:
    """Prepare the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    with contextlib.suppress(OSError):
        os.nice(nice)
    for name in _THREADS:
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the parent ends: a parent that was killed can't end us, and no request would ever come again."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(0)
