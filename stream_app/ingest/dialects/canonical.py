"""Our own vocabulary as JSON, bare or in CloudEvents 1.0. The example to copy for a platform."""

from __future__ import annotations

from typing import Any, Final, Union

import msgspec

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model.events import TYPES, Event

from . import Headers
from ._cloudevents import attributes, is_structured, merged, opened
from ._making import milliseconds
from ._reading import TOO_DEEP, check_utf8, detail, read_json

_Events: Final = Union[tuple(TYPES.values())]  # noqa: UP007 - built at run time
_decoder: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Events)


def decode(value: bytes, headers: Headers = ()) -> tuple[Event, ...]:
    """Decode one event.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``.
        UnknownTypeError: a type that the vocabulary does not know.
    """
    event: Any
    if headers and (envelope := attributes(headers)) is not None:
        event = _event(merged(envelope, read_json(value) if value else None))
    else:
        try:
            event = _decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            event = _look_again(value, error)
    if not value.isascii():  # the decoder does not look into fields that it skips
        check_utf8(value)
    if type(event.at) is not int:
        event.at = milliseconds(event.at)
    return (event,)


def _look_again(value: bytes, error: Exception) -> Event:
    """Decode off the hot path: an envelope, or nulls, which count as absent; else raise what is wrong."""
    whole = read_json(value)
    if isinstance(error, RecursionError):
        raise UnreadableError("too_deep", TOO_DEEP)
    if not isinstance(whole, dict):
        raise UnreadableError("invalid", detail(error))
    if is_structured(whole):
        return _event(opened(whole))
    return _event(whole, error)


def _event(fields: dict[str, Any], error: Exception | None = None) -> Event:
    """Make an event from its fields, with nulls counting as absent; ``error`` is raised if there are no nulls."""
    if isinstance(name := fields.get("type"), str) and name not in TYPES:
        raise UnknownTypeError(name)
    present = {key: field for key, field in fields.items() if field is not None}
    if error is not None and len(present) == len(fields):
        raise UnreadableError("invalid", detail(error))
    try:
        # A single type where it is known: a union is taken apart anew each time.
        kind: Any = TYPES[name] if isinstance(name, str) else _Events
        event: Event = msgspec.convert(present, kind)
    except msgspec.ValidationError as still:
        raise UnreadableError("invalid", detail(still)) from None
    return event
