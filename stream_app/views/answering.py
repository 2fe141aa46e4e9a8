"""The middleware around every route: it checks requests against their description and answers errors with problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from multidict import MultiMapping

from . import problems
from .nearest import nearest
from .operation import Operation, Parameter
from .pieces import unhurried
from .problems import SHOWN, ProblemError, UnknownError, bad_parameter
from .sending import Heavy

LONGEST_NAME: Final = 64
"""The most characters of a parameter's name."""

_log = structlog.get_logger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NamesOf = Callable[[str], Collection[str] | None]
"""A parameter's name → the names that its values may have; ``None`` while that is not known."""


def check(query: MultiMapping[str], parameters: tuple[Parameter, ...], seen: NamesOf) -> None:
    """Reject a query that the path's description does not allow; lengths first, as patterns and names cost more.

    Raises:
        ProblemError: a parameter is too long, occurs too often, is unknown, or has a value that is not possible here.
        UnknownError: a parameter has a value that is not one of its values, or a name that was never seen.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in query:
        _check_length(name[:LONGEST_NAME], "a parameter name", len(name), LONGEST_NAME)
        if parameter := known.get(name):
            values = query.getall(name)
            _check_length(name, "a value", max(map(len, values)), parameter.longest)
            if parameter.once and len(values) > 1:
                raise bad_parameter(name, f"expected once, got {len(values):,} times", [])
            if len(values) > parameter.most:
                detail = f"expected at most {parameter.most:,} times, got {len(values):,} times"
                raise bad_parameter(name, detail, [])
    _check_values(query, known, seen)


def _check_values(query: MultiMapping[str], known: Mapping[str, Parameter], seen: NamesOf) -> None:
    for name in query:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise bad_parameter(name, f"unknown parameter {name!r}{hint}", sorted(known))
        allowed = seen(name) if known[name].seen else known[name].values or None
        if allowed is not None:
            for value in query.getall(name):
                if value not in allowed:
                    raise UnknownError(name, name, value, allowed)


def _check_length(name: str, what: str, length: int, most: int) -> None:
    if length > most:
        detail = f"{what} may have at most {most:,} characters, got {length:,}"
        raise bad_parameter(name, detail, [])


def answering(operations: Mapping[str, Operation], heavy: Heavy, seen: NamesOf) -> Middleware:
    """Make the middleware.

    Args:
        operations: path → what may be asked there.
        heavy: where requests wait that are answered with close matches.
        seen: the names of queues, channels, sites and units.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            resource = request.match_info.route.resource
            operation = operations.get(resource.canonical) if resource else None
            if operation and operation.checks:
                check(request.query, operation.parameters, seen)
            return await handler(request)
        except UnknownError as error:
            async with heavy.line(request):
                close = await unhurried(nearest(error.word, error.known))
            return problems.response(error.problem(close))
        except ProblemError as error:
            return problems.response(error.problem, error.headers)
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            allow = error.headers.get("Allow")
            missing = error.status == HTTPStatus.NOT_FOUND
            detail = f"there is no {request.path[:SHOWN]}; /docs lists all paths" if missing else ""
            problem = problems.of_status(error.status, detail)
            return problems.response(problem, {"Allow": allow} if allow else None)
        except ConnectionError:
            raise  # the client is gone: there is nobody to answer
        except Exception:  # noqa: BLE001 - one bad request must not show its trace or take the others down
            _log.exception("request_failed", path=request.path)
            return problems.response(problems.of_status(HTTPStatus.INTERNAL_SERVER_ERROR))

    return middleware
