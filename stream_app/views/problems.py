"""Errors as RFC 9457 problems: ``application/problem+json``, and never a stack trace."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from aiohttp import web
from msgspec.structs import replace

from .wire import Problem, encode

CONTENT_TYPE: Final = "application/problem+json"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every answer."""
SHOWN: Final = 60
"""How many characters of a value are repeated."""
LISTED: Final = 42
"""How many allowed values are listed."""


class ProblemError(Exception):
    """An error that is answered with a problem."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.headers = headers


def response(problem: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """Return a problem as a response."""
    return web.Response(
        status=problem.status, body=encode(problem), content_type=CONTENT_TYPE, headers=headers or {}
    )


def of_status(status: int, detail: str = "") -> Problem:
    """Make a problem that its status explains."""
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)


class UnknownError(Exception):
    """An unknown name; the answer is a problem with close matches.

    Attributes:
        parameter: the parameter whose value it is, or what is in place of a parameter.
        detail: what is unknown.
        word: the unknown name.
        known: the known names.
    """

    def __init__(self, parameter: str, kind: str, word: str, known: Collection[str]) -> None:
        self.parameter, self.word, self.known = parameter, word, known
        self.detail = f"unknown {kind} {word[:SHOWN]!r}"
        super().__init__(self.detail)

    def problem(self, close: list[str]) -> Problem:
        """Make the answer; ``close`` are the known names most like it."""
        hint = f"; did you mean {close[0]!r}?" if close else ""
        what = Problem(
            type="urn:stream-app:problem:unknown-name", title="Unknown name", status=HTTPStatus.BAD_REQUEST
        )
        allowed = close or sorted(self.known)[:LISTED]
        return _of_parameter(what, self.parameter, self.detail + hint, allowed).problem


def bad_parameter(name: str, detail: str, allowed: list[str]) -> ProblemError:
    """Make the error for an unknown query parameter, or one with a value that is never valid."""
    what = Problem(
        type="urn:stream-app:problem:bad-parameter", title="Bad parameter", status=HTTPStatus.BAD_REQUEST
    )
    return _of_parameter(what, name, detail, allowed)


def misfit(name: str, detail: str, allowed: list[str]) -> ProblemError:
    """Make the error for a query parameter with a valid value that does not fit the others, or not now."""
    what = Problem(
        type="urn:stream-app:problem:parameter-does-not-fit",
        title="Parameter does not fit",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )
    return _of_parameter(what, name, detail, allowed)


def _of_parameter(what: Problem, name: str, detail: str, allowed: list[str]) -> ProblemError:
    return ProblemError(replace(what, detail=detail, parameter=name, allowed=allowed))
