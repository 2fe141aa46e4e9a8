"""The libraries of the ledger, which are an optional extra and slow to import."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from stream_app.errors import StreamAppError, how_to_install


class LedgerMissingError(StreamAppError):
    """A library that the ledger needs is not installed."""


def library(name: str) -> Any:
    """Import a library (``pyarrow``, or a module of it).

    Raises:
        LedgerMissingError: it is not installed; one line says how to install it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        what = name.partition(".")[0]
        raise LedgerMissingError(f"the ledger needs {what}: {how_to_install('ledger')}") from None
