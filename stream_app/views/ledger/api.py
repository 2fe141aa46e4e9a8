"""The route ``/v1/ledger``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from stream_app.model.ledger_numbers import LedgerNumbers
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.views.contacts.api import (
    NO_LEDGER,
    PRIVATE,
    ContactSource,
    admit,
    answered_as_problems,
    away,
    unknown_header,
)
from stream_app.views.contacts.wire import UnknownRange
from stream_app.views.intervals.api import JSON
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, send
from stream_app.views.stamping import stamp
from stream_app.views.wire import encode

from .query import REFRESHED, AskedLedger, parse_ledger
from .wire import LedgerAnswer, Ledgered, unit_of

PATH: Final = "/v1/ledger"
LESS: Final = ("a shorter window", "a group with fewer names")
"""What to ask for instead of what takes too long."""


class LedgerViews:
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
        """Answer with a window."""
        with refused_as_problems():
            asked = parse_ledger({name: request.query.getall(name) for name in request.query})
        if asked.group == "agent":
            admit(self._source, request)
        kpis, targets = self._source.kpis, self._targets()
        if kpis is None:
            raise away(NO_LEDGER)
        async with self._heavy.line(request):
            latest = kpis.latest()
            numbers, stale, problem = latest.numbers, latest.stale, latest.problem
            if asked.group is not None and asked.group not in REFRESHED:
                with answered_as_problems("window", LESS):
                    families = {name for kpi in asked.kpis for name in kpi.families}
                    numbers = await kpis.ask(asked.window, asked.group, families, targets)
                stale, problem = False, ""
            if numbers is None:
                raise away(f"there are no KPIs of the ledger yet: {problem}; try again")
            at = max(self._now(), numbers.at)
            answer = await asyncio.to_thread(
                answered, asked, numbers, targets, at=at, stale=stale, problem=problem
            )
            text = await asyncio.to_thread(encode, answer)
        headers = {**PRIVATE, "Content-Type": JSON}
        if answer.unknown:
            headers["X-Unknown"] = unknown_header(numbers.windows[asked.window].unknown)
        return await send(request, [text], headers)


def answered(
    asked: AskedLedger, numbers: LedgerNumbers, targets: Targets, *, at: int, stale: bool, problem: str
) -> LedgerAnswer:
    """Return a window as it is written."""
    window = numbers.windows[asked.window]
    made = Ledgered(window, LedgerRules.of(targets), asked.kpis, asked.policy)
    places = asked.queues, asked.channels
    alone = places == (None, None) and asked.group in {None, *REFRESHED}
    return LedgerAnswer(
        at=stamp(at),
        as_of=stamp(numbers.at),
        known=stamp(numbers.known),
        age_s=(at - numbers.at) / 1000,
        stale=stale,
        problem=problem or None,
        window=asked.window,
        begin=stamp(window.start),
        end=stamp(window.end),
        group=asked.group,
        unknown=[UnknownRange(stamp(since), stamp(until)) for since, until in window.unknown],
        failed=made.failed(),
        units={kpi.name: unit_of(kpi) for kpi in asked.kpis},
        all=made.all(*places),
        rows=made.rows(*places, asked.group),
        segments=made.named(customers=True) if alone else [],
        teams=made.named(customers=False) if alone else [],
    )
