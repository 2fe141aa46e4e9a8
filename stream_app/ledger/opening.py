"""From settings to what reads the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from stream_app.model.contacts import ContactPage, ContactQuery, ContactsMissingError
from stream_app.settings import Settings, days_by_table
from stream_app.store.moments import Moments

from .cached_files import CachedFiles
from .contacts import LedgerContacts
from .libraries import LedgerMissingError
from .places import open_storage
from .querying import QueryLimits
from .reading import LedgerReader
from .what_ifs import LedgerWhatIfs, NoWhatIfs
from .whys import LedgerWhys, NoWhys

_log = structlog.get_logger(__name__)


class NoContacts:
    """Takes the place of what finds contacts where a library is missing."""

    def __init__(self, why: str) -> None:
        """Take one line for people."""
        self.missing = why

    async def find(self, query: ContactQuery) -> ContactPage:
        """See ``ContactFinder``."""
        del query
        raise ContactsMissingError(self.missing)

    async def close(self) -> None:
        """Do nothing."""


def open_contacts(settings: Settings) -> LedgerContacts | NoContacts | None:
    """Return what finds contacts; ``None`` without a ledger.

    Raises:
        BadSettingsError: its address is none.
    """
    if not settings.ledger:
        return None
    try:
        return LedgerContacts(open_ledger(settings))
    except LedgerMissingError as error:
        _log.warning("no_contacts", error=str(error))
        return NoContacts(str(error))


def open_whys(
    contacts: LedgerContacts | NoContacts | None, known: Callable[[], int | None] = lambda: None
) -> LedgerWhys | NoWhys | None:
    """Return what explains numbers by these contacts; it is closed with them. ``known``: see ``LedgerWhys``."""
    if contacts is None:
        return None
    if isinstance(contacts, NoContacts):
        return NoWhys(contacts.missing)
    return LedgerWhys(contacts.reader, contacts.turns, known)


def open_what_ifs(contacts: LedgerContacts | NoContacts | None) -> LedgerWhatIfs | NoWhatIfs | None:
    """Return what judges these contacts anew; it is closed with them."""
    if contacts is None:
        return None
    if isinstance(contacts, NoContacts):
        return NoWhatIfs(contacts.missing)
    return LedgerWhatIfs(contacts.reader, contacts.turns)


def open_ledger(
    settings: Settings,
    limits: QueryLimits = QueryLimits(),  # noqa: B008 - it is frozen
    copies: Path | None = None,
) -> LedgerReader:
    """Return what reads the ledger; it connects with the first question.

    Args:
        settings: where it is.
        limits: what queries may take.
        copies: where copies of a bucket's files are; ``None``: in the system's folder for temporary files.

    Raises:
        BadSettingsError: there is no ledger, or none at such an address.
        LedgerMissingError: the library for buckets is not installed.
    """
    storage = open_storage(settings)
    cache = CachedFiles(storage, settings.ledger_cache_bytes, copies)
    moments = Moments(settings.redis_url.get_secret_value())
    return LedgerReader(storage, moments, days_by_table(settings.ledger_days), cache, limits)
