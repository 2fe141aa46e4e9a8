"""Faust as the host: worker life cycle, services, and the agent that folds batches.

The agent reads a channel, not a topic: stock topic agents acknowledge in a ``finally`` even when their body raised, and
cost 200 µs per event. Here a batch's future is resolved only after the store has confirmed the commit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import faust
import structlog
from faust.app.base import BootStrategy
from mode import Service

from .batch import Batch
from .consumer import Put
from .partition import Owned

_log = structlog.get_logger(__name__)

CONCURRENCY: Final = 4
"""Batches in flight at once: while Redis works on one, the next is folded."""
STOP_S: Final = 8.5
"""A supervisor kills after ten seconds by default."""


class _Boot(BootStrategy):
    """A boot without Faust's own Kafka client and web server, which would bind every interface and show tables."""

    enable_kafka = False
    enable_web = False


def make_app(name: str, datadir: str) -> faust.App:
    """Make the application, with nothing in it yet."""
    app = faust.App(
        name,
        broker="kafka://127.0.0.1",  # never used: see _Boot
        autodiscover=False,
        datadir=datadir,
        web_enabled=False,
        web_host="127.0.0.1",
        worker_redirect_stdouts=False,
        stream_wait_empty=False,
    )
    app.boot_strategy = _Boot(app)
    return app


def add_agent(app: faust.App) -> Put:
    """Add the agent that folds batches, and return the function that passes it one."""
    batches = app.channel(maxsize=CONCURRENCY)

    @app.agent(batches, concurrency=CONCURRENCY, name="fold")
    async def fold(stream: faust.StreamT[Batch]) -> None:
        async for batch in stream:
            owned = batch.owned
            assert isinstance(owned, Owned)  # noqa: S101 - the consumer made it
            # In its own task: the host cancels agents when it stops, and a commit in flight must be finished.
            work = asyncio.ensure_future(owned.fold(batch.slices))
            work.add_done_callback(partial(_tell, batch))
            await asyncio.wait([work])

    put: Any = batches.put  # typed for events; its queue takes whatever the agent is made for
    return cast("Put", put)


def add_service(app: faust.App, make: Callable[..., Service]) -> None:
    """Have the host start and stop a service, made by ``make`` inside the host's loop."""

    class Made(Service):
        """A class, because the host takes nothing else."""

        def __new__(cls, **kwargs: Any) -> Any:
            return make(**kwargs)

    app.service(Made)


def _tell(batch: Batch, work: asyncio.Future[None]) -> None:
    """Pass a batch's outcome on to the consumer, which handles it; an agent that raises would only be restarted."""
    if batch.done.done():
        return
    if work.cancelled():
        batch.done.cancel()
    elif (error := work.exception()) is not None:
        batch.done.set_exception(error)
    else:
        batch.done.set_result(None)


class Worker(faust.Worker):
    """Faust's worker without its debugger on a signal, its spinner and its logging set-up."""

    def __init__(self, app: faust.App, **kwargs: Any) -> None:
        super().__init__(app, override_logging=False, quiet=True, **kwargs)
        self.spinner = None

    def _install_signal_handlers_unix(self) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(sig, self._asked_to_stop, sig)
        self.loop.add_signal_handler(signal.SIGUSR1, self._show_tasks)

    def _show_tasks(self) -> None:
        """Print the stacks of all tasks, to show what a silent worker waits for."""
        for task in asyncio.all_tasks(self.loop):
            task.print_stack(limit=4, file=sys.stderr)

    def _asked_to_stop(self, sig: signal.Signals) -> None:
        _log.info("stopping", signal=sig.name)
        self.loop.call_later(STOP_S, self._end_now)
        self._schedule_shutdown(sig)

    def _end_now(self) -> None:
        """Exit even if something still hangs: what was not stored is read again by the next owner."""
        _log.warning("stopped_without_waiting", after_s=STOP_S)
        sys.stderr.flush()
        os._exit(0)
