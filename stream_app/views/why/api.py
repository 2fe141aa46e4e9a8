"""The route ``/v1/why``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Derived, IntervalsMet
from stream_app.model.targets import Targets
from stream_app.model.why import LedgerWhyQuery, NotExplainedError, Why, WhyQuery
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
from stream_app.views.contacts.wire import UnknownRange
from stream_app.views.intervals.api import CSV, JSON
from stream_app.views.intervals.formats import line
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.stamping import stamp
from stream_app.views.wire import encode

from .query import AskedWhy, parse_why
from .wire import (
    Contribution,
    WhyAnswer,
    contribution,
    figure_of,
    in_unit,
    interval_row,
    left_out_of,
    part_row,
    terms_of,
    unit_of,
)

PATH: Final = "/v1/why"
NO_CONTACTS: Final = "is not made of contacts, but of intervals or of other KPIs; ask for json"


class WhyViews:
    """The route."""

    def __init__(
        self,
        source: ContactSource,
        targets: Callable[[], Targets],
        now: Callable[[], int],
        heavy: Heavy,
        link: Callable[[str], str | None],
    ) -> None:
        """Set where explanations come from.

        Args:
            source: who may see contacts, and what explains numbers by them.
            targets: those in force.
            now: the moment that live values are of, ms.
            heavy: the line for large answers.
            link: contact → its address in the platform.
        """
        self._source, self._targets, self._now = source, targets, now
        self._heavy, self._link = heavy, link

    def header(self, request: web.Request) -> dict[str, str]:
        """Return headers that say whether numbers can be opened here."""
        shown = self._source.whys is not None and self._source.admits(request.host)
        return {**PRIVATE, "X-Contacts": "shown" if shown else "hidden"}

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with an explanation."""
        admit(self._source, request)
        given = {name: request.query.getall(name) for name in request.query}
        with refused_as_problems():
            asked = parse_why(given, self._now())
        kpi = asked.query.kpi
        if asked.form == "csv" and isinstance(kpi, Kpi) and isinstance(kpi.measure, Derived | IntervalsMet):
            raise problems.misfit("format", f"{kpi.name} {NO_CONTACTS}", ["json"])
        if self._source.whys is None:
            raise away(NO_LEDGER)
        async with self._heavy.line(request):
            with answered_as_problems():
                try:
                    why = await self._source.whys.why(asked.query, self._targets())
                except NotExplainedError as error:
                    raise problems.misfit(error.part, str(error), [*error.allowed]) from None
            parts, headers = await asyncio.to_thread(self._written, request.query, asked, why)
        return await send(request, parts, headers)

    def _written(
        self, given: Mapping[str, str], asked: AskedWhy, why: Why
    ) -> tuple[list[bytes], dict[str, str]]:
        """Write it, in a thread."""
        kpi = asked.query.kpi
        rows = [contribution(kpi, one, self._link) for one in why.contacts]
        following = _next(given, asked.query, why)
        headers = {**PRIVATE, "X-Total": str(why.total)}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        if why.unknown:
            headers["X-Unknown"] = unknown_header(why.unknown)
        if asked.form == "json":
            answer = self._answer(asked.query, why, following)
            return around(answer, "rows", map(encode, rows)), {**headers, "Content-Type": JSON}
        headers["Content-Disposition"] = f'attachment; filename="why-{kpi.name}.csv"'
        text = [line(Contribution.__struct_fields__), *(line(_cells(row)) for row in rows)]
        return [part.encode() for part in text], {**headers, "Content-Type": f"{CSV}; charset=utf-8"}

    def _answer(self, query: WhyQuery | LedgerWhyQuery, why: Why, following: str | None) -> WhyAnswer:
        return answer(query, why, at=self._now(), following=following)


def answer(query: WhyQuery | LedgerWhyQuery, why: Why, *, at: int, following: str | None = None) -> WhyAnswer:
    """Return an explanation as it is written, without the contacts."""
    kpi = query.kpi
    of = kpi.measure.kpi if isinstance(kpi, Kpi) and isinstance(kpi.measure, IntervalsMet) else kpi.name
    return WhyAnswer(
        at=stamp(at),
        kpi=kpi.name,
        title=kpi.title,
        unit=unit_of(kpi),
        queue=query.queue,
        channel=query.channel,
        window=query.window,
        begin=stamp(why.start),
        end=stamp(why.end),
        figure=figure_of(kpi, why.value),
        formulas={**why.formulas},
        numerator=in_unit(kpi, why.numerator),
        denominator=why.denominator,
        terms=terms_of(why),
        left_out=left_out_of(why),
        targets_versions=[*why.versions],
        positions={**why.positions},
        unknown=[UnknownRange(stamp(since), stamp(until)) for since, until in why.unknown],
        total=why.total,
        next=following,
        intervals=[interval_row(of, one, path_of) for one in why.intervals],
        parts=[part_row(kpi, one, path_of) for one in why.parts if isinstance(kpi, Kpi)],
        rows=[],
    )


def path_of(asked: Mapping[str, str]) -> str:
    """Return the path of a question."""
    return f"{PATH}?{urlencode(asked)}"


def _next(given: Mapping[str, str], query: WhyQuery | LedgerWhyQuery, why: Why) -> str | None:
    """Return the path of the next page: of a window, of its time as it is now."""
    skip = query.skip + query.limit
    if skip >= why.total:
        return None
    kept = {name: value for name, value in given.items() if name != "skip"}
    one_start = query.window != "today" or (query.queue is not None and query.channel is not None)
    if query.window is not None and one_start:
        kept.pop("window", None)
        kept |= {"from": stamp(why.start), "to": stamp(why.end)}
    return path_of({**kept, "skip": str(skip)})


def _cells(row: Contribution) -> list[object]:
    """Return a row's values in the order of its columns; several in a cell are separated by spaces."""
    values = [getattr(row, name) for name in Contribution.__struct_fields__]
    return [
        " ".join(f"{name}={each}" for name, each in value.items())
        if isinstance(value, dict)
        else text_cell(value)
        for value in values
    ]
