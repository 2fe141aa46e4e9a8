"""CloudEvents 1.0 around our own events: the envelope's attributes and the data become one event's fields.

Structured mode is a JSON object, binary mode is headers with the data as the value (CloudEvents 1.0.2, JSON format and
Kafka protocol binding). Of the attributes, ``id``, ``type``, ``time`` and ``subject`` are used; they win over the data.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, Final

from stream_app.errors import UnreadableError

from ._reading import read_json

Attributes = dict[str, Any]

VERSION: Final = "1.0"
_PREFIX: Final = "ce_"


def attributes(headers: Any) -> Attributes | None:
    """Return the envelope of a record in binary mode; ``None`` if its headers are not an envelope.

    Raises:
        UnreadableError: ``bad_utf8``.
    """
    found: Attributes = {}
    for name, value in headers:
        if name.startswith(_PREFIX) and value is not None:
            try:
                found[name[len(_PREFIX) :]] = value.decode()
            except UnicodeDecodeError:
                raise UnreadableError("bad_utf8", f"header {_PREFIX}…: not UTF-8") from None
    return found if "specversion" in found else None


def is_structured(whole: Mapping[str, Any]) -> bool:
    """Return whether an object is an envelope: our own events have ``at``, envelopes don't."""
    return whole.get("specversion") is not None and whole.get("at") is None


def opened(envelope: Mapping[str, Any]) -> Attributes:
    """Turn a structured envelope into one event's fields.

    Raises:
        UnreadableError: its data can't be read.
    """
    data, encoded = envelope.get("data"), envelope.get("data_base64")
    if encoded is None:
        return merged(envelope, data)
    if data is not None:
        raise UnreadableError("invalid", "a CloudEvent has `data` or `data_base64`, not both")
    if not isinstance(encoded, str):
        raise UnreadableError("invalid", "Expected `str` - at `$.data_base64`")
    try:
        value = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):  # ValueError: not ASCII
        raise UnreadableError("invalid", "not base64 - at `$.data_base64`") from None
    return merged(envelope, read_json(value))


def merged(envelope: Mapping[str, Any], data: Any) -> Attributes:
    """Merge attributes and data into one event's fields.

    Raises:
        UnreadableError: another version, or data that is not an object.
    """
    if envelope["specversion"] != VERSION:
        raise UnreadableError("invalid", f"only version {VERSION} is read - at `$.specversion`")
    if data is not None and not isinstance(data, dict):
        raise UnreadableError("invalid", "Expected `object` - at `$.data`")
    fields = dict(data or {})
    for required in ("id", "type"):
        fields[required] = envelope.get(required)
    if (time := envelope.get("time")) is not None:
        fields["at"] = time
    if fields.get("contact_id") is None:
        fields["contact_id"] = envelope.get("subject")
    return fields
