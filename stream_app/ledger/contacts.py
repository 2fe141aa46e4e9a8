"""Contacts by SQL: over the ledger's visits, those that are over and those that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.contacts import (
    WHEN,
    ContactKey,
    ContactPage,
    ContactQuery,
    ContactsAwayError,
    ContactsMissingError,
    FoundContact,
    TooMuchAskedError,
)
from stream_app.model.durations import DAY

from .libraries import LedgerMissingError, library
from .manifest import DamagedManifestError, LaterLedgerError
from .querying import FailedQueryError, LedgerQueries, TooLargeQueryError, TooSlowQueryError
from .reading import LedgerReader, ReadRange
from .storage import LedgerUnavailableError

AT_ONCE: Final = 2
"""Questions that are answered at a time; each may take as much memory as ``querying`` gives it."""
_OUTCOME: Final = """CASE
    WHEN answered_at IS NOT NULL THEN 'answered'
    WHEN abandoned_at IS NOT NULL THEN 'abandoned'
    WHEN left_at IS NOT NULL THEN 'left'
    WHEN lost_at IS NOT NULL THEN 'lost'
    WHEN contained_at IS NOT NULL THEN 'contained'
    WHEN ended_with_bot_at IS NOT NULL THEN 'ended_with_bot'
    WHEN outbound THEN 'outbound'
    WHEN state = 'open' THEN 'waiting'
    ELSE 'closed' END"""
_FIRST_DAYS: Final = (1, 8)
_LAST: Final = (1 << 63) - 1
_KEY: Final = (
    "epoch_ms(started_at)",
    "coalesce(contact_id, '')",
    "coalesce(queue, '')",
    "topic",
    '"partition"',
    f"""CASE WHEN state = 'open' THEN {_LAST} ELSE "offset" END""",
    "CASE WHEN state = 'open' THEN 0 ELSE n END",
)
_COLUMNS: Final = {
    "contact_id": "contact_id",
    "queue": "queue",
    "channel": "channel",
    "open": "state = 'open'",
    "outcome": _OUTCOME,
    "wait": "coalesce(answered_wait_ms, abandoned_wait_ms, left_wait_ms)",
    "in_target": "coalesce(answered_in_target, abandoned_in_target, left_in_target)",
    "short": "abandoned_short",
    "left_by": "left_reason",
    "response": "responded_after_ms",
    "talk": "coalesce(handled_talk_ms, outbound_handled_talk_ms)",
    "hold": "coalesce(handled_hold_ms, outbound_handled_hold_ms)",
    "wrap": "coalesce(handled_wrap_ms, outbound_handled_wrap_ms)",
    "transferred": "transferred_at IS NOT NULL OR coalesce(handled_transferred, false)",
    "outbound": "coalesce(outbound, false)",
    "agent": "agent",
    "team": "team",
    "site": "site",
    "customer": "customer",
    "case": '"case"',
    "priority": "priority",
    "contact_reason": "contact_reason",
    "wrap_up_code": "wrap_up_code",
    "version": "CASE WHEN state = 'open' THEN NULL ELSE version END",
}
"""Field of ``FoundContact`` → SQL."""
_NAMES: Final = {
    "queues": "queue",
    "channels": "channel",
    "agents": "agent",
    "teams": "team",
    "customers": "customer",
    "cases": '"case"',
    "contact_reasons": "contact_reason",
}


class LedgerContacts:
    """Finds contacts; see ``model.contacts.ContactFinder``."""

    def __init__(self, reader: LedgerReader) -> None:
        """Take what reads the ledger."""
        self._reader = reader
        self._some = asyncio.Semaphore(AT_ONCE)

    @property
    def reader(self) -> LedgerReader:
        """What reads the ledger, for others who ask."""
        return self._reader

    @property
    def turns(self) -> asyncio.Semaphore:
        """Whoever asks the ledger takes one: questions of all kinds are bounded together."""
        return self._some

    async def close(self) -> None:
        """Close what reads the ledger."""
        await self._reader.close()

    async def find(self, query: ContactQuery) -> ContactPage:
        """See ``ContactFinder``."""
        wanted = ReadRange(("visits",), query.start, query.end, started=query.when == "started")
        with translated():
            library("duckdb")  # before anything is read
        async with self._some:
            return await self._found(query, wanted)

    async def _found(self, query: ContactQuery, wanted: ReadRange) -> ContactPage:
        with translated():
            async with self._reader.opened(lambda _: wanted) as ledger:
                found = await _page(ledger.queries, query)
                (total,) = (await ledger.queries.rows(*_count(query), most=1))[0]
        unknown = [(one.since, query.end if one.until is None else one.until) for one in ledger.unknown]
        return ContactPage(found[: query.limit], total, len(found) > query.limit, unknown)


async def _page(queries: LedgerQueries, query: ContactQuery) -> list[FoundContact]:
    """Return the page, and one contact more if there are others.

    The newest come first, so the days before are only looked at if there are not enough: a month need not be read for a page.
    """
    where, values = _where(query)
    before = query.end
    if query.after is not None:
        where += f" AND ({', '.join(_KEY)}) < ({', '.join('?' * len(_KEY))})"
        values += query.after
        before = min(before, query.after[0] + 1)
    order = ", ".join(f"{part} DESC" for part in _KEY)
    columns = ", ".join((*_KEY, *_COLUMNS.values()))
    for days in (*_FIRST_DAYS, None):
        some, bounds = "started_at < ?", [_moment(before)]
        if days is not None:
            some, bounds = f"{some} AND started_at >= ?", [*bounds, _moment(max(0, before - days * DAY))]
        sql = f"SELECT {columns} FROM visits WHERE {some} AND {where} ORDER BY {order} LIMIT ?"
        rows = await queries.rows(sql, [*bounds, *values, query.limit + 1], most=query.limit + 1)
        if len(rows) > query.limit:
            break
    return [_contact(row) for row in rows]


def _count(query: ContactQuery) -> tuple[str, list[Any]]:
    where, values = _where(query)
    return f"SELECT count(*) FROM visits WHERE {where}", values


def _where(query: ContactQuery) -> tuple[str, list[Any]]:
    """Return conditions, and the values of their parameters."""
    at = f"{WHEN[WHEN.index(query.when)]}_at"  # a name of ours, and nobody else's
    parts = [f"{at} >= ? AND {at} < ?"]
    values: list[Any] = [_moment(query.start), _moment(query.end)]
    for field, column in (*_NAMES.items(), ("outcomes", f"({_OUTCOME})")):
        names: frozenset[str] | None = getattr(query, field)
        if names is not None:
            parts.append(f"{column} IN ({', '.join('?' * len(names)) or 'NULL'})")
            values += sorted(names)
    return " AND ".join(parts), values


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _contact(row: tuple[Any, ...]) -> FoundContact:
    key, rest = row[: len(_KEY)], row[len(_KEY) :]
    return FoundContact(key=ContactKey(*key), **dict(zip(_COLUMNS, rest, strict=True)))


@contextmanager
def translated() -> Iterator[None]:
    """Translate errors into those of the contract."""
    try:
        yield
    except LedgerMissingError as error:
        raise ContactsMissingError(str(error)) from None
    except (TooSlowQueryError, TooLargeQueryError) as error:
        raise TooMuchAskedError(str(error)) from None
    except (
        LedgerUnavailableError,
        StoreUnavailableError,
        QuarantinedError,
        LaterLedgerError,
        DamagedManifestError,
        FailedQueryError,
    ) as error:
        raise ContactsAwayError(str(error)) from error
