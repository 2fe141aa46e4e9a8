"""The description of a path: ``openapi`` documents it, ``answering`` checks requests against it."""

from http import HTTPStatus
from typing import Any

from msgspec import Struct


class Parameter(Struct, frozen=True):
    """A query parameter.

    Attributes:
        name: its name.
        text: what it means.
        values: all its possible values, where these are few.
        once: it may be given once; otherwise up to ``most`` times.
        schema: the schema of its value; text by default.
        required: whether it must be given.
        longest: the most characters of a value.
        most: how often it may be given.
        seen: whether its values are names, of which those that were never seen are rejected.
    """

    name: str
    text: str
    values: tuple[str, ...] = ()
    once: bool = False
    schema: dict[str, Any] | None = None
    required: bool = False
    longest: int = 256
    most: int = 200
    seen: bool = False


class Operation(Struct, frozen=True, kw_only=True):
    """A path and a method that it answers to.

    Attributes:
        method: in lower case; its parameters are checked for GET.
        body: the type of a request's JSON.
        answer: the type of a 200, or its media type where it is not JSON.
        fails: status → when.
        problems: status → the types of its problem, where there is more than the usual one.
        media: other media types of a 200, on request.
        unchanged: when a 304 is the answer.
        example: a query, or a body, for the description.
    """

    path: str
    name: str
    summary: str
    answer: Any
    method: str = "get"
    body: Any = None
    text: str = ""
    parameters: tuple[Parameter, ...] = ()
    fails: dict[int, str] = {}
    problems: dict[int, tuple[Any, ...]] = {}
    media: tuple[str, ...] = ()
    unchanged: str = ""
    example: str = ""

    @property
    def checks(self) -> bool:
        """Whether unknown parameters are rejected; pages accept whatever their scripts read."""
        return HTTPStatus.BAD_REQUEST in self.fails
