"""``/v1/forecast`` and ``/v1/staffing``: reading the request, and the answer or the problem."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Collection
from datetime import date
from http import HTTPStatus
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web

from stream_app.model.events import QueueChannel
from stream_app.views import problems
from stream_app.views.sending import send
from stream_app.views.wire import Problem, encode

from . import wire
from .planner import (
    BadQuestionError,
    BusyError,
    NoPlanError,
    NotInstalledError,
    PlanError,
    Planner,
    TooLittleHistoryError,
)

MOST_DAYS: Final = 42
_USUAL_DAYS: Final = 14
_OUTLOOK_DAYS: Final = 7
_URN: Final = "urn:stream-app:problem:"
_FRESH_ONLY: Final = {"Cache-Control": "no-store"}
_AGAIN_S: Final = "5"
_STATUS: Final[dict[type[PlanError], tuple[HTTPStatus, str, str]]] = {
    NoPlanError: (HTTPStatus.CONFLICT, "no-plan", "No plan"),
    NotInstalledError: (HTTPStatus.NOT_IMPLEMENTED, "not-installed", "Not installed"),
    BusyError: (HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Not now"),
}

T = TypeVar("T")


class PlanRoutes:
    """The planning routes."""

    def __init__(self, planner: Planner | None) -> None:
        """Take the planner; without one the routes answer that there is nothing to plan from."""
        self._planner = planner

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application."""
        app.router.add_get("/v1/forecast", self.forecast)
        app.router.add_get("/v1/staffing", self.staffing)
        app.router.add_get("/v1/plan", self.outlook)

    async def forecast(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/forecast``: the forecast of contacts."""
        days = _days(request.query.get("days"))
        planner, place = self._asked(request)
        return await _answer(request, planner.forecast(place, days, _zone(request)))

    async def staffing(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/staffing``: the agents that a day requires."""
        day = _date(request.query.get("date"))
        planner, place = self._asked(request)
        return await _answer(request, planner.staffing(place, day, _zone(request)))

    async def outlook(self, request: web.Request) -> web.StreamResponse:
        """Answer ``/v1/plan``: totals and gaps of the coming days, of one queue or of all."""
        days = _days(request.query.get("days"), _OUTLOOK_DAYS)
        queue, channel = request.query.get("queue"), request.query.get("channel")
        if queue is None and channel is not None:
            raise problems.misfit("channel", "expected a queue with it", [])
        planner = self._planner_or_refuse()
        if queue is not None and channel is None:
            channels = planner.channels(queue)
            if not channels:
                raise _unknown("queue", "queue", queue, planner.queues())
            places = [(queue, one) for one in channels]
        elif queue is not None:
            places = [self._asked(request)[1]]
        else:
            places = [(name, one) for name in planner.queues() for one in planner.channels(name)]
        return await _answer(request, planner.outlook(places, days, _zone(request)))

    def _planner_or_refuse(self) -> Planner:
        if self._planner is None:
            raise problems.ProblemError(
                _problem(BusyError("no interval rows are kept here, so there is nothing to plan from"))
            )
        return self._planner

    def _asked(self, request: web.Request) -> tuple[Planner, QueueChannel]:
        """Read the queue and channel; the channel is optional if there is only one."""
        queue, channel = request.query.get("queue"), request.query.get("channel")
        planner = self._planner_or_refuse()
        queues = planner.queues()
        if queue is None:
            raise problems.bad_parameter("queue", "expected a queue", queues)
        channels = planner.channels(queue)
        if not channels:
            raise _unknown("queue", "queue", queue, queues)
        if channel is None and len(channels) == 1:
            return planner, (queue, channels[0])
        if channel is None:
            raise problems.misfit("channel", f"{queue} has several channels; choose one", channels)
        if channel not in channels:
            raise _unknown("channel", f"{queue} channel", channel, channels)
        return planner, (queue, channel)


async def _answer(request: web.Request, plan: Awaitable[object]) -> web.StreamResponse:
    try:
        answer = await plan
    except BadQuestionError as error:
        raise problems.misfit(error.parameter, str(error), error.allowed) from None
    except PlanError as error:
        problem = _problem(error)
        headers = dict(_FRESH_ONLY)
        if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = _AGAIN_S
        return problems.response(problem, headers)
    return await send(request, [encode(answer)], {**_FRESH_ONLY, "Content-Type": "application/json"})


def _problem(error: PlanError) -> Problem:
    if isinstance(error, TooLittleHistoryError):
        return wire.TooLittleHistory(
            type=f"{_URN}too-little-history",
            title="Too little history",
            status=HTTPStatus.CONFLICT,
            detail=str(error),
            queue=error.place[0],
            channel=error.place[1],
            history_days=error.days,
            more_days=error.more_days,
        )
    status, name, title = _STATUS[type(error)]
    return Problem(type=f"{_URN}{name}", title=title, status=status, detail=str(error))


def _unknown(parameter: str, kind: str, value: str, known: Collection[str]) -> problems.UnknownError:
    """Make the error for a name that is unknown."""
    return problems.UnknownError(parameter, kind, value, sorted(known))


def _days(text: str | None, usual: int = _USUAL_DAYS) -> int:
    if text is None:
        return usual
    days = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= days <= MOST_DAYS:
        raise problems.bad_parameter(
            "days", f"expected a whole number from 1 to {MOST_DAYS}, got {text[:40]!r}", []
        )
    return days


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    raise problems.bad_parameter("date", f"expected a date like 2026-03-02, got {text[:40]!r}", [])


def _zone(request: web.Request) -> ZoneInfo | None:
    text = request.query.get("tz")
    return None if text is None else ZoneInfo(text)
