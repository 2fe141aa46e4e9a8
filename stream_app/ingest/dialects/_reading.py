"""From a record's bytes to JSON, or to the reason why they are not JSON; shared by the dialects."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stream_app.errors import UnreadableError

TOO_DEEP: Final = "nested too deeply"


def check_utf8(value: bytes) -> None:
    """Check the encoding of a whole record: decoders don't look into fields that they skip.

    Raises:
        UnreadableError: ``bad_utf8``.
    """
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("bad_utf8", f"byte {error.start} is not UTF-8") from None


def read_json(value: bytes) -> Any:
    """Decode any JSON value.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep``; ``invalid`` for a number that is too large.
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
    """Return an object's fields with keys in lower case, without nulls; no fields for anything else."""
    if type(fields) is not dict:
        return {}
    return {key.lower(): field for key, field in fields.items() if field is not None}


def detail(error: Exception) -> str:
    """Describe what is wrong and where, without quoting the value."""
    what, at, place = str(error).rpartition(" - at ")
    return f"Invalid value{at}{place}" if what.startswith("Invalid") else str(error)
