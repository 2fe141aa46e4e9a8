"""All routes that the ledger answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from stream_app.model.live.rows import Snapshot
from stream_app.model.targets import Targets
from stream_app.views.contacts.api import PATH as CONTACTS, ContactSource, ContactViews
from stream_app.views.history.api import PATH as HISTORY, HistoryViews
from stream_app.views.sending import Heavy
from stream_app.views.what_if.api import PATH as WHAT_IF, WhatIfViews
from stream_app.views.why.api import PATH as WHY, WhyViews

from .api import PATH as LEDGER, LedgerViews
from .metrics import LedgerMetrics, LedgerSeries


class LedgerRoutes:
    """Contacts, why a number is what it is, and what needs more than one contact or more than today."""

    def __init__(
        self,
        source: ContactSource,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
        link: Callable[[str], str | None],
    ) -> None:
        """Set where they come from.

        Args:
            source: what knows contacts, and who may see them.
            targets: those in force.
            now: ms since the epoch.
            heavy: the line for large answers.
            link: contact → its address in the platform.
        """
        self._contacts = ContactViews(source, now, heavy, link)
        self._why = WhyViews(source, targets, now, heavy, link)
        self._what_if = WhatIfViews(source, targets, now, heavy)
        self._ledger = LedgerViews(source, targets, now, heavy)
        self._history = HistoryViews(source, targets, now, heavy)
        self._source, self._targets, self._now = source, targets, now
        self._metrics = LedgerMetrics()

    def header(self, request: web.Request) -> dict[str, str]:
        """Return headers that say whether numbers can be opened here, and whether there are KPIs of the ledger."""
        return {**self._why.header(request), "X-Ledger": "served" if self._source.kpis else "none"}

    async def series(self, snapshot: Snapshot) -> LedgerSeries:
        """Return KPIs of the ledger for Prometheus, by the queues and channels that live values have."""
        kpis = self._source.kpis
        if kpis is None:
            return []
        latest, places = kpis.latest(), [(row.queue, row.channel) for row in snapshot.rows]
        return await asyncio.to_thread(self._metrics.series, latest, self._targets(), places, self._now())

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get(CONTACTS, self._contacts.get)
        app.router.add_get(WHY, self._why.get)
        app.router.add_get(WHAT_IF, self._what_if.get)
        app.router.add_get(LEDGER, self._ledger.get)
        app.router.add_get(HISTORY, self._history.get)
