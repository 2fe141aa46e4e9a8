"""The route ``/v1/what-if``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from stream_app.model.targets import Targets
from stream_app.model.what_if import NotAnswerableError, WhatIf, WhatIfQuery
from stream_app.views import problems
from stream_app.views.contacts.api import (
    NO_LEDGER,
    PRIVATE,
    ContactSource,
    admit,
    answered_as_problems,
    away,
    unknown_header,
)
from stream_app.views.intervals.api import JSON
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.wire import encode

from .query import parse_what_if
from .wire import what_if_answer, what_if_rows

PATH: Final = "/v1/what-if"


class WhatIfViews:
    """The route."""

    def __init__(
        self,
        source: ContactSource,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
    ) -> None:
        """Set where answers come from.

        Args:
            source: who may see contacts, and what judges them anew.
            targets: those in force.
            now: ms since the epoch.
            heavy: the line for large answers.
        """
        self._source, self._targets, self._now, self._heavy = source, targets, now, heavy

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with what was, and what would have been."""
        admit(self._source, request)
        given = {name: request.query.getall(name) for name in request.query}
        targets = self._targets()
        with refused_as_problems():
            query = parse_what_if(given, self._now(), targets)
        if self._source.what_ifs is None:
            raise away(NO_LEDGER)
        async with self._heavy.line(request):
            with answered_as_problems():
                try:
                    found = await self._source.what_ifs.what_if(query, targets)
                except NotAnswerableError as error:
                    raise problems.misfit("set", str(error), []) from None
            parts, headers = await asyncio.to_thread(_written, query, found)
        return await send(request, parts, headers)


def _written(query: WhatIfQuery, found: WhatIf) -> tuple[list[bytes], dict[str, str]]:
    """Write it, in a thread."""
    headers = {**PRIVATE, "Content-Type": JSON}
    if found.unknown:
        headers["X-Unknown"] = unknown_header(found.unknown)
    return around(what_if_answer(query, found), "rows", map(encode, what_if_rows(found))), headers
