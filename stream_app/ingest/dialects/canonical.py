"""Our own vocabulary as JSON. The example to copy for a platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Union

import msgspec

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model.events import EARLIEST_MS, LATEST_MS, TYPES, Event

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_decoder: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(Union[tuple(TYPES.values())])  # noqa: UP007 - built at run time


def decode(value: bytes) -> tuple[Event, ...]:
    """One event.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``.
        UnknownTypeError: a type that the vocabulary does not know.
    """
    try:
        event: Event = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(value, error) from None
    if not value.isascii():  # the decoder does not look into fields that it skips
        _check_utf8(value)
    if type(event.at) is not int:
        event.at = _milliseconds(event.at)
    return (event,)


def _milliseconds(at: Any) -> int:
    ms = int((at - _EPOCH) // _MILLISECOND)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise UnreadableError("invalid", "`at` lies outside of 2000 to 2100")
    return ms


def _check_utf8(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("bad_utf8", f"byte {error.start} is not UTF-8") from None


def _explain(value: bytes, error: Exception) -> UnreadableError | UnknownTypeError:
    """Say what is wrong with a value that is no event; off the hot path, so it may look twice."""
    try:
        _check_utf8(value)
        whole = msgspec.json.decode(value)
    except UnreadableError as unreadable:
        return unreadable
    except RecursionError:
        return UnreadableError("too_deep", "nested too deeply")
    except msgspec.ValidationError as invalid:
        return UnreadableError("invalid", str(invalid))
    except msgspec.DecodeError as syntax:
        return UnreadableError("not_json", str(syntax))
    if isinstance(whole, dict) and isinstance(name := whole.get("type"), str) and name not in TYPES:
        return UnknownTypeError(name)
    return UnreadableError("invalid", str(error))
