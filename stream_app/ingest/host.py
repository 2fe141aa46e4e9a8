"""Faust, the host: worker life cycle, services, and the agent that folds batches.

The agent stands on a channel, not on a topic: stock topic agents acknowledge in a ``finally`` even when their body raised, and
cost 200 us an event. Here a batch's future is resolved only after the store has said yes.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from typing import Any, Final, cast

import faust
import structlog
from faust.app.base import BootStrategy

from .batch import Batch
from .kafka import Put
from .partition import Owned

_log = structlog.get_logger(__name__)

CONCURRENCY: Final = 4
"""Batches under way at once: while Redis works on one, the next is folded."""


class _Boot(BootStrategy):
    """No Kafka client of Faust's own, and no web server: it would bind every interface and show tables."""

    enable_kafka = False
    enable_web = False


def make_app(name: str, datadir: str) -> faust.App:
    """The application, with nothing in it yet."""
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
    """Add the agent that folds batches; gives what hands one to it."""
    batches = app.channel(maxsize=CONCURRENCY)

    @app.agent(batches, concurrency=CONCURRENCY, name="fold")
    async def fold(stream: faust.StreamT[Batch]) -> None:
        async for batch in stream:
            owned = batch.owned
            assert isinstance(owned, Owned)  # noqa: S101 - the consumer made it
            # A task of its own: the host cancels agents when it stops, and a commit under way is to be finished.
            work = asyncio.ensure_future(owned.fold(batch.slices))
            work.add_done_callback(partial(_tell, batch))
            await asyncio.wait([work])

    put: Any = batches.put  # typed for events; the queue behind it takes whatever the agent is made for
    return cast("Put", put)


def _tell(batch: Batch, work: asyncio.Future[None]) -> None:
    """How a batch ended is for the consumer to judge; an agent that raises would only be restarted."""
    if batch.done.done():
        return
    if work.cancelled():
        batch.done.cancel()
    elif (error := work.exception()) is not None:
        batch.done.set_exception(error)
    else:
        batch.done.set_result(None)


class Worker(faust.Worker):
    """Faust's worker without a debugger behind a signal, a spinner, or a logging set-up of its own."""

    def __init__(self, app: faust.App, **kwargs: Any) -> None:
        super().__init__(app, override_logging=False, quiet=True, **kwargs)
        self.spinner = None

    def _install_signal_handlers_unix(self) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(sig, self._asked_to_stop, sig)
        self.loop.add_signal_handler(signal.SIGUSR1, self._show_tasks)

    def _show_tasks(self) -> None:
        """For whoever wonders what a silent worker waits for."""
        for task in asyncio.all_tasks(self.loop):
            task.print_stack(limit=4, file=sys.stderr)

    def _asked_to_stop(self, sig: signal.Signals) -> None:
        _log.info("stopping", signal=sig.name)
        self._schedule_shutdown(sig)
