"""Errors as RFC 9457 says: ``application/problem+json``, and never a trace of how it came about."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from .wire import Problem, encode

CONTENT_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ProblemError(Exception):
    """Answer with a problem."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.headers = headers


def response(problem: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """A problem on the wire."""
    return web.Response(
        status=problem.status, body=encode(problem), content_type=CONTENT_TYPE, headers=headers or {}
    )


def of_status(status: int, detail: str = "") -> Problem:
    """A problem that its status says all about."""
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)


def bad_parameter(name: str, detail: str, allowed: list[str]) -> ProblemError:
    """A query parameter that nobody knows, or with a value that it can't have."""
    return ProblemError(
        Problem(
            type="urn:stream-app:problem:bad-parameter",
            title="Bad parameter",
            status=HTTPStatus.BAD_REQUEST,
            detail=detail,
            parameter=name,
            allowed=allowed,
        )
    )


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into a problem."""
    try:
        return await handler(request)
    except ProblemError as error:
        return response(error.problem, error.headers)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        allow = error.headers.get("Allow")
        return response(of_status(error.status), {"Allow": allow} if allow else None)
    except ConnectionError:
        raise  # they are gone: there is nobody to tell
    except Exception:  # noqa: BLE001 - one bad request must not show its trace, nor take the others down
        _log.exception("request_failed", path=request.path)
        return response(of_status(HTTPStatus.INTERNAL_SERVER_ERROR))
