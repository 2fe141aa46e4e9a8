"""``/v1/forecast`` and ``/v1/staffing``: what was asked for, and the answer or the problem."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Collection
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from http import HTTPStatus
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from aiohttp import web

from stream_app.views import problems
from stream_app.views.wire import Problem, encode

from . import wire
from .planner import (
    BadQuestionError,
    BusyError,
    NoPlanError,
    NotInstalledError,
    Place,
    PlanError,
    Planner,
    TooLittleHistoryError,
)

MOST_DAYS: Final = 42
_USUAL_DAYS: Final = 14
_CLOSE: Final = 5
_URN: Final = "urn:stream-app:problem:"
_FRESH_ONLY: Final = {"Cache-Control": "no-store"}
_AGAIN_S: Final = "5"
_STATUS: Final[dict[type[PlanError], tuple[HTTPStatus, str, str]]] = {
    NoPlanError: (HTTPStatus.CONFLICT, "no-plan", "No plan"),
    NotInstalledError: (HTTPStatus.NOT_IMPLEMENTED, "not-installed", "Not installed"),
    BusyError: (HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Not now"),
}

T = TypeVar("T")


class Plans:
    """The routes."""

    def __init__(self, planner: Planner | None) -> None:
        """Without a ``planner`` there is nothing to plan from, and that is the answer."""
        self._planner = planner

    def add_to(self, app: web.Application) -> None:
        """Serve them."""
        app.router.add_get("/v1/forecast", self.forecast)
        app.router.add_get("/v1/staffing", self.staffing)

    async def forecast(self, request: web.Request) -> web.Response:
        """``/v1/forecast``: contacts to expect."""
        _only(request, ("queue", "channel", "days", "tz"))
        days = _days(_one(request, "days"))
        zone = await _zone(_one(request, "tz"))
        planner, place = self._asked(request)
        return await _answer(planner.forecast(place, days, zone))

    async def staffing(self, request: web.Request) -> web.Response:
        """``/v1/staffing``: people whom a day needs."""
        _only(request, ("queue", "channel", "date", "tz"))
        day = _date(_one(request, "date"))
        zone = await _zone(_one(request, "tz"))
        planner, place = self._asked(request)
        return await _answer(planner.staffing(place, day, zone))

    def _asked(self, request: web.Request) -> tuple[Planner, Place]:
        """Of which queue and channel; the channel may be left out where there is one only."""
        queue, channel = _one(request, "queue"), _one(request, "channel")
        planner = self._planner
        if planner is None:
            raise problems.ProblemError(
                _problem(BusyError("no interval rows are kept here: there is nothing to plan from"))
            )
        queues = planner.queues()
        if queue is None:
            raise problems.bad_parameter("queue", "of which queue?", queues)
        channels = planner.channels(queue)
        if not channels:
            raise _unknown("queue", queue, queues)
        if channel is None and len(channels) == 1:
            return planner, (queue, channels[0])
        if channel is None:
            raise problems.bad_parameter("channel", f"{queue} has several channels: which?", channels)
        if channel not in channels:
            raise _unknown("channel", channel, channels, f" of {queue}")
        return planner, (queue, channel)


async def _answer(plan: Awaitable[object]) -> web.Response:
    try:
        answer = await plan
    except BadQuestionError as error:
        raise problems.bad_parameter(error.parameter, str(error), error.allowed) from None
    except PlanError as error:
        problem = _problem(error)
        headers = dict(_FRESH_ONLY)
        if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = _AGAIN_S
        return problems.response(problem, headers)
    return web.Response(body=encode(answer), content_type="application/json", headers=_FRESH_ONLY)


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


def _only(request: web.Request, known: tuple[str, ...]) -> None:
    if unknown := sorted(request.query.keys() - set(known)):
        raise _unknown("parameter", unknown[0], known)


def _unknown(kind: str, value: str, known: Collection[str], whose: str = "") -> problems.ProblemError:
    """Nothing is called so; the nearest first, and never thousands of names."""
    close = get_close_matches(value, known, n=_CLOSE, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    named = value if kind == "parameter" else kind
    detail = f"no {kind}{whose} is called {value!r}{hint}"
    return problems.bad_parameter(named, detail, close or sorted(known)[:MOST_DAYS])


def _one(request: web.Request, parameter: str) -> str | None:
    values = request.query.getall(parameter, [])
    if len(values) > 1:
        raise problems.bad_parameter(parameter, "one at a time", [])
    return values[0] if values else None


def _days(text: str | None) -> int:
    if text is None:
        return _USUAL_DAYS
    days = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= days <= MOST_DAYS:
        raise problems.bad_parameter("days", f"{text[:40]!r} is no whole number from 1 to {MOST_DAYS}", [])
    return days


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    raise problems.bad_parameter("date", f"{text[:40]!r} is no date like 2026-03-02", [])


async def _zone(text: str | None) -> ZoneInfo | None:
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        names = await asyncio.to_thread(_zones)  # reads a folder
    raise _unknown("tz", text[:60], names)


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
