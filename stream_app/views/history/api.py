"""The route ``/v1/history``."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import UNSET
from multidict import MultiMapping

from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.ledger_numbers import KpiHistory
from stream_app.model.targets import Targets
from stream_app.model.why import NotExplainedError
from stream_app.views import problems
from stream_app.views.contacts.api import (
    NO_LEDGER,
    PRIVATE,
    ContactSource,
    admit,
    answered_as_problems,
    away,
    text_cell,
    unknown_header,
)
from stream_app.views.intervals.api import CSV, JSON
from stream_app.views.intervals.formats import line
from stream_app.views.ledger.wire import unit_of
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.stamping import stamp
from stream_app.views.wire import encode

from .query import AskedHistory, parse_history
from .wire import HistoryAnswer, KpiHistoryRow, rows_of, unknown_of

PATH: Final = "/v1/history"


class HistoryViews:
    """The route."""

    def __init__(
        self,
        source: ContactSource,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
    ) -> None:
        """Set where numbers come from.

        Args:
            source: what computes them, and who may see them by agent.
            targets: those in force.
            now: ms since the epoch.
            heavy: the line for large answers.
        """
        self._source, self._targets, self._now, self._heavy = source, targets, now, heavy

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page of days or weeks."""
        given = {name: request.query.getall(name) for name in request.query}
        with refused_as_problems():
            asked = parse_history(given, self._now())
        if asked.query.group == "agent":
            admit(self._source, request)
        if self._source.kpis is None:
            raise away(NO_LEDGER)
        async with self._heavy.line(request):
            with answered_as_problems():
                try:
                    found = await self._source.kpis.history(asked.query, self._targets())
                except NotExplainedError as error:
                    raise problems.misfit(error.part, str(error), [*error.allowed]) from None
            parts, headers = await asyncio.to_thread(self._written, request.query, asked, found)
        return await send(request, parts, headers)

    def _written(
        self, given: MultiMapping[str], asked: AskedHistory, found: KpiHistory
    ) -> tuple[list[bytes], dict[str, str]]:
        """Write it, in a thread."""
        rows, following = rows_of(asked, found), _next(given, asked, found)
        headers = {**PRIVATE}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        if any(found.unknown):
            headers["X-Unknown"] = unknown_header(itertools.chain.from_iterable(found.unknown))
        if asked.form == "json":
            answer = answer_of(asked, found, at=self._now(), following=following)
            return around(answer, "rows", map(encode, rows)), {**headers, "Content-Type": JSON}
        name = f"{asked.query.kpi.name}-by-{asked.by}.csv"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return [part.encode() for part in csv_of(rows)], {**headers, "Content-Type": f"{CSV}; charset=utf-8"}


def answer_of(
    asked: AskedHistory, found: KpiHistory, *, at: int, following: str | None = None
) -> HistoryAnswer:
    """Return the course of a KPI as it is written, without its rows."""
    kpi = asked.query.kpi
    return HistoryAnswer(
        at=stamp(at),
        kpi=kpi.name,
        title=kpi.title,
        unit=unit_of(kpi) if isinstance(kpi, FromLedger) else kpi.unit.suffix,
        by=asked.by,
        tz=asked.zone.key,
        group=asked.query.group,
        known=stamp(found.known),
        unknown=unknown_of(asked, found),
        rows=[],
        next=following,
    )


def csv_of(rows: list[KpiHistoryRow]) -> list[str]:
    """Return rows as lines of CSV; several values in a cell are separated by spaces."""
    return [line(KpiHistoryRow.__struct_fields__), *(line(_cells(row)) for row in rows)]


def _cells(row: KpiHistoryRow) -> list[object]:
    return [_cell(getattr(row, name)) for name in KpiHistoryRow.__struct_fields__]


def _cell(value: Any) -> object:
    if value is UNSET:
        return ""
    if isinstance(value, Mapping):
        return " ".join(f"{name}={each}" for name, each in value.items())
    return text_cell(value)


def _next(given: MultiMapping[str], asked: AskedHistory, found: KpiHistory) -> str | None:
    """Return the path of the next page: the same query from the first period on that was not answered."""
    begin = asked.following(found.done)
    if begin is None:
        return None
    kept = [(name, value) for name, value in given.items() if name not in {"from", "to"}]
    return f"{PATH}?{urlencode([*kept, ('from', stamp(begin)), ('to', stamp(asked.end))])}"
