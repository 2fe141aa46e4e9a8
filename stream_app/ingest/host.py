"""Faust, the host: worker life cycle, services, and the agent that folds batches.

The agent stands on a channel, not on a topic: stock topic agents acknowledge in a ``finally`` even when their body raised, and
cost 200 us an event. Here a batch's future is resolved only after the store has said yes.
"""

from __future__ import annotations

import asyncio
import signal
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
            try:
                owned = batch.owned
                assert isinstance(owned, Owned)  # noqa: S101 - the consumer made it
                await owned.fold(batch.records)
            except asyncio.CancelledError:
                batch.done.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - the consumer decides; an agent that raises would be restarted
                if not batch.done.done():
                    batch.done.set_exception(error)
            else:
                if not batch.done.done():
                    batch.done.set_result(None)

    put: Any = batches.put  # typed for events; the queue behind it takes whatever the agent is made for
    return cast("Put", put)


class Worker(faust.Worker):
    """Faust's worker without a debugger behind a signal, a spinner, or a logging set-up of its own."""

    def __init__(self, app: faust.App, **kwargs: Any) -> None:
        super().__init__(app, override_logging=False, quiet=True, **kwargs)
        self.spinner = None

    def _install_signal_handlers_unix(self) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(sig, self._asked_to_stop, sig)

    def _asked_to_stop(self, sig: signal.Signals) -> None:
        _log.info("stopping", signal=sig.name)
        self._schedule_shutdown(sig)
