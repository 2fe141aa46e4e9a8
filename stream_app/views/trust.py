"""Whether there is an answer at all, and whether it may be trusted."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from . import problems, wire
from .agents.api import PATH as AGENTS
from .contacts.api import PATH as CONTACTS
from .history.api import PATH as HISTORY
from .intervals.api import PATH as INTERVALS
from .ledger.api import PATH as LEDGER
from .status import Status
from .what_if.api import PATH as WHAT_IF
from .why.api import PATH as WHY
from .wire import Problem, encode

OF_THE_STORE: Final = {
    "/v1/now",
    "/v1/at-risk",
    "/v1/abandoned",
    "/v1/trend",
    "/v1/waiting",
    INTERVALS,
    CONTACTS,
    WHY,
    WHAT_IF,
    LEDGER,
    HISTORY,
    AGENTS,
    "/v1/forecast",
    "/v1/staffing",
    "/v1/plan",
}
"""Paths that answer from what was read. Until then the stream gives the reason, and metrics are absent."""
_FRESH_ONLY: Final = {"Cache-Control": "no-store"}
_AGAIN: Final = {"Retry-After": "5"}


def guard(status: Callable[[], Status]) -> Any:
    """Make a middleware that refuses to answer until something was read: an empty list would mean that there is nothing."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path in OF_THE_STORE and not (found := status()).loaded:
            why = "; ".join(found.reasons) or "it is being read"
            problem = Problem(
                type="urn:stream-app:problem:not-loaded",
                title="Nothing read yet",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                detail=f"{why}. serve has read nothing from Redis since it started; try again, or run `stream-app check`",
                reasons=list(found.reasons),
            )
            return problems.response(problem, _FRESH_ONLY | _AGAIN)
        return await handler(request)

    return middleware


def ready(status: Status) -> web.Response:
    """Answer whether the numbers can be trusted, and, in either case, which clocks are wrong."""
    if reasons := status.problems:
        problem = Problem(
            type="urn:stream-app:problem:not-ready",
            title="Not ready",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            detail="; ".join(reasons),
            reasons=reasons,
            warnings=status.warnings,
        )
        return problems.response(problem, _FRESH_ONLY)
    return web.Response(body=encode(wire.ready(status)), content_type="application/json", headers=_FRESH_ONLY)
