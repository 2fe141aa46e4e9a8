"""The routes that answer from the ledger."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from stream_app.model.targets import Targets

from .contacts.api import PATH as CONTACTS, ContactSource, ContactViews
from .sending import Heavy
from .what_if.api import PATH as WHAT_IF, WhatIfViews
from .why.api import PATH as WHY, WhyViews


class LedgerRoutes:
    """All of them."""

    def __init__(
        self,
        source: ContactSource,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
        link: Callable[[str], str | None],
    ) -> None:
        """Set where answers come from.

        Args:
            source: what knows the contacts, and who may see them.
            targets: those in force.
            now: ms since the epoch.
            heavy: the line for large answers.
            link: contact → its address in the platform.
        """
        self._contacts = ContactViews(source, now, heavy, link)
        self._why = WhyViews(source, targets, now, heavy, link)
        self._what_if = WhatIfViews(source, targets, now, heavy)

    def add_to(self, app: web.Application) -> None:
        """Add them."""
        for path, handler in {
            CONTACTS: self._contacts.get,
            WHY: self._why.get,
            WHAT_IF: self._what_if.get,
        }.items():
            app.router.add_get(path, handler)

    def header(self, request: web.Request) -> dict[str, str]:
        """Return headers that say whether numbers can be opened here."""
        return self._why.header(request)
