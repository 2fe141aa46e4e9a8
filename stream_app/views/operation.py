"""What there is to say of a path that answers: ``openapi`` makes the description of it."""

from typing import Any

from msgspec import Struct


class Parameter(Struct, frozen=True):
    """A query parameter, repeatable unless it may be given ``once``. ``schema`` is that of its value; else it is text."""

    name: str
    text: str
    values: tuple[str, ...] = ()
    once: bool = False
    schema: dict[str, Any] | None = None
    required: bool = False


class Operation(Struct, frozen=True, kw_only=True):
    """A path that answers to GET.

    Attributes:
        answer: the type of a 200, or a media type where it is not JSON.
        fails: status → when.
        problems: status → the types of its problem, where some say more than others.
        media: other media types of a 200, for those who ask for them.
        unchanged: when a 304 is the answer.
    """

    path: str
    name: str
    summary: str
    answer: Any
    text: str = ""
    parameters: tuple[Parameter, ...] = ()
    fails: dict[int, str] = {}
    problems: dict[int, tuple[Any, ...]] = {}
    media: tuple[str, ...] = ()
    unchanged: str = ""
