"""What would have been under other settings, asked of a ledger: opens the contacts of the time, and judges them anew."""

from __future__ import annotations

import asyncio

from stream_app.model.contacts import ContactsMissingError
from stream_app.model.durations import DAY
from stream_app.model.targets import Targets
from stream_app.model.what_if import WhatIf, WhatIfQuery

from .contacts import translated
from .hindsight import answerable, compare
from .libraries import library
from .querying import TIMEOUT_S, LedgerQueries
from .reading import LedgerReader, ReadRange

MOST_PLACES = 100_000
"""Queues and channels of which a setting is tried."""


class LedgerWhatIfs:
    """Judges contacts anew; see ``model.what_if.WhatIfAnswerer``."""

    def __init__(
        self,
        reader: LedgerReader,
        turns: asyncio.Semaphore | None = None,
        timeout_s: float | None = TIMEOUT_S,
    ) -> None:
        """Set what it asks.

        Args:
            reader: reads the ledger; whoever made it closes it.
            turns: how many questions may be asked at once, together with others; one by default.
            timeout_s: after which a question has taken too long; ``None``: never.
        """
        self._reader, self._timeout_s = reader, timeout_s
        self._turns = turns or asyncio.Semaphore(1)

    async def what_if(self, query: WhatIfQuery, targets: Targets) -> WhatIf:
        """See ``WhatIfAnswerer``."""
        wanted = ReadRange(("visits", "replies"), query.start - DAY, query.end)
        with translated():
            library("duckdb")  # before anything is read
            async with self._turns, self._reader.opened(lambda _: wanted) as ledger:
                answerable(targets, query.targets, await _places(ledger.queries, query.queue))
                found = await ledger.queries.within(
                    lambda: compare(ledger.queries, query.targets, query.start, query.end, query.queue),
                    self._timeout_s,
                )
                cut = (one.within(query.start, query.end) for one in ledger.unknown)
        unknown = [(one.since, query.end if one.until is None else one.until) for one in cut if one]
        return WhatIf(found, unknown)


class NoWhatIfs:
    """Takes the place of what judges contacts anew where a library is missing."""

    def __init__(self, why: str) -> None:
        """Take one line for people."""
        self._why = why

    async def what_if(self, query: WhatIfQuery, targets: Targets) -> WhatIf:
        """See ``WhatIfAnswerer``."""
        del query, targets
        raise ContactsMissingError(self._why)


async def _places(queries: LedgerQueries, queue: str | None) -> list[tuple[str, str]]:
    rows = await queries.rows("SELECT DISTINCT queue, channel FROM visits", most=MOST_PLACES)
    return [(name, channel) for name, channel in rows if queue in {None, name}]
