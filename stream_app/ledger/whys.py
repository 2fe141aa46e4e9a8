"""Why a number is what it is, asked of a ledger: opens what the question needs, at the position that counters have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from stream_app.model.contacts import ContactsMissingError
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Derived, IntervalsMet
from stream_app.model.targets import Targets
from stream_app.model.why import LedgerWhyQuery, Why, WhyQuery

from .contacts import translated
from .explaining import explain, span_of
from .kpis.explaining import explain_ledger, range_of_why
from .kpis.windows import unknown_in
from .libraries import library
from .reading import LedgerReader, OpenedLedger, ReadRange
from .spans import OpenVisit, parts_of
from .sql import source_of


class LedgerWhys:
    """Explains numbers; see ``model.why.Explainer``."""

    def __init__(
        self,
        reader: LedgerReader,
        turns: asyncio.Semaphore | None = None,
        known: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Set what it asks.

        Args:
            reader: reads the ledger; whoever made it closes it.
            turns: how many questions may be asked at once, together with others; one by default.
            known: up to when everything that happened was counted, ms; ``None``: up to the time of the partition that is
                furthest behind.
        """
        self._reader, self._known = reader, known
        self._turns = turns or asyncio.Semaphore(1)

    async def why(self, query: WhyQuery | LedgerWhyQuery, targets: Targets) -> Why:
        """See ``Explainer``."""
        query.check()
        if isinstance(query, LedgerWhyQuery):
            return await self._why_of_ledger(query, targets)
        start, end = span_of(query, targets)
        wanted = ReadRange(tuple(sorted({"visits", *_tables(query.kpi)})), start, end)
        with translated():
            library("duckdb")  # before anything is read
            async with self._turns, self._reader.opened(lambda _: wanted) as ledger:
                found = await explain(ledger.queries, [*open_visits(ledger)], query, targets)
        if query.kpi.is_level and not isinstance(query.kpi.measure, Derived):
            unknown = []  # whatever is open is in Redis
        else:
            cut = (one.within(found.start, found.end) for one in ledger.unknown)
            unknown = [(one.since, end if one.until is None else one.until) for one in cut if one]
        return replace(found, unknown=unknown, positions=_positions(ledger))

    async def _why_of_ledger(self, query: LedgerWhyQuery, targets: Targets) -> Why:
        wanted = range_of_why(query, targets)
        with translated():
            library("duckdb")
            async with self._turns, self._reader.opened(lambda _: wanted) as ledger:
                found = await explain_ledger(ledger, query, targets, self._known())
        unknown = unknown_in(ledger, (found.start, found.end))
        return replace(found, unknown=unknown, positions=_positions(ledger))


class NoWhys:
    """Takes the place of what explains numbers where a library is missing."""

    def __init__(self, why: str) -> None:
        """Take one line for people."""
        self._why = why

    async def why(self, query: WhyQuery | LedgerWhyQuery, targets: Targets) -> Why:
        """See ``Explainer``."""
        del query, targets
        raise ContactsMissingError(self._why)


def _positions(ledger: OpenedLedger) -> dict[str, int]:
    return {str(partition): moment.position or 0 for partition, moment in ledger.moments.items()}


def _tables(kpi: Kpi) -> Iterator[str]:
    """Yield the tables that count for a KPI."""
    measure = kpi.measure
    if isinstance(measure, Derived):
        for name, _ in measure.of:
            yield from _tables(BY_NAME[name])
    elif isinstance(measure, IntervalsMet):
        yield from _tables(BY_NAME[measure.kpi])
    yield from (source_of(part).table for part in parts_of(kpi))


def open_visits(ledger: OpenedLedger) -> Iterator[OpenVisit]:
    """Yield the visits that are not over; ids that are forgotten are not shown."""
    for coverage in ledger.coverages:
        moment = ledger.moments.get(coverage.partition)
        if moment is None:
            continue
        shown = {row["n"]: row["contact_id"] for row in coverage.open.get("visits", ())}
        for n, (contact, visit) in enumerate(moment.open_visits()):
            yield OpenVisit(contact, shown.get(n), visit)
