"""Our own vocabulary as JSON. The example to copy for a platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Union

import msgspec

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model.events import EARLIEST_MS, LATEST_MS, TYPES, Event

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_TOO_DEEP: Final = "nested too deeply"
_Events: Final = Union[tuple(TYPES.values())]  # noqa: UP007 - built at run time
_decoder: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Events)


def decode(value: bytes) -> tuple[Event, ...]:
    """One event.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``.
        UnknownTypeError: a type that the vocabulary does not know.
    """
    try:
        event: Event = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        event = _look_again(value, error)
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


def _look_again(value: bytes, error: Exception) -> Event:
    """Off the hot path: a null where the type knows none counts as absent; else say what is wrong."""
    whole = _whole(value)
    if isinstance(error, RecursionError):
        raise UnreadableError("too_deep", _TOO_DEEP)
    if not isinstance(whole, dict):
        raise UnreadableError("invalid", _detail(error))
    if isinstance(name := whole.get("type"), str) and name not in TYPES:
        raise UnknownTypeError(name)
    present = {key: field for key, field in whole.items() if field is not None}
    if len(present) < len(whole):
        try:
            event: Event = msgspec.convert(present, _Events)
        except msgspec.ValidationError as still:
            raise UnreadableError("invalid", _detail(still)) from None
        return event
    raise UnreadableError("invalid", _detail(error))


def _whole(value: bytes) -> Any:
    _check_utf8(value)
    try:
        return msgspec.json.decode(value)
    except RecursionError:
        raise UnreadableError("too_deep", _TOO_DEEP) from None
    except msgspec.ValidationError as invalid:  # a number that nothing could hold
        raise UnreadableError("invalid", str(invalid)) from None
    except msgspec.DecodeError as syntax:
        raise UnreadableError("not_json", str(syntax)) from None


def _detail(error: Exception) -> str:
    """What is wrong and where, without what stood there."""
    what, at, place = str(error).rpartition(" - at ")
    return f"Invalid value{at}{place}" if what.startswith("Invalid") else str(error)
