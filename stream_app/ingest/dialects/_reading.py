"""From a record's bytes to JSON, or to the reason why it is none; shared by the dialects."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stream_app.errors import UnreadableError

TOO_DEEP: Final = "nested too deeply"


def check_utf8(value: bytes) -> None:
    """Decoders don't look into fields that they skip.

    Raises:
        UnreadableError: ``bad_utf8``.
    """
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("bad_utf8", f"byte {error.start} is not UTF-8") from None


def read_json(value: bytes) -> Any:
    """Any JSON value.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep``; ``invalid`` for a number that nothing could hold.
    """
    check_utf8(value)
    try:
        return msgspec.json.decode(value)
    except RecursionError:
        raise UnreadableError("too_deep", TOO_DEEP) from None
    except msgspec.ValidationError as invalid:
        raise UnreadableError("invalid", str(invalid)) from None
    except msgspec.DecodeError as syntax:
        raise UnreadableError("not_json", str(syntax)) from None


def lowered(fields: Any) -> dict[str, Any]:
    """An object with its keys in lower case, nulls left out; what is no object has no fields."""
    if type(fields) is not dict:
        return {}
    return {key.lower(): field for key, field in fields.items() if field is not None}


def detail(error: Exception) -> str:
    """What is wrong and where, without what stood there."""
    what, at, place = str(error).rpartition(" - at ")
    return f"Invalid value{at}{place}" if what.startswith("Invalid") else str(error)
