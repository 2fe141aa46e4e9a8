"""Moments as the HTTP interface sends them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

Time = Annotated[str, Meta(description="RFC 3339, with offset", extra_json_schema={"format": "date-time"})]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(at: int) -> str:
    """Format milliseconds since the epoch as RFC 3339."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")
