"""Queries for contacts, checked, and the cursor between their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from stream_app.model.contacts import ContactKey, ContactQuery
from stream_app.model.durations import DAY, MINUTE
from stream_app.views.cursors import WrittenCursor
from stream_app.views.intervals.query import MisfitError, instant, whole

FORMATS: Final = ("json", "csv", "parquet")
MOST_DAYS: Final = 400
"""The longest range."""
DEFAULT_LIMIT: Final = 100
MOST_ROWS: Final = 10_000
FILTERS: Final = {
    "queue": "queues",
    "channel": "channels",
    "agent": "agents",
    "team": "teams",
    "customer": "customers",
    "outcome": "outcomes",
    "case": "cases",
    "contact_reason": "contact_reasons",
}
"""Parameter → field of ``ContactQuery``."""


class ContactCursor(WrittenCursor, frozen=True, array_like=True):
    """The end of a page.

    Attributes:
        key: the place of its last contact.
        asked: a short hash of the query.
    """

    key: ContactKey
    asked: str

    @classmethod
    def parse(cls, text: str, asked: str) -> ContactKey:
        """Return the place in a cursor that ``str`` wrote.

        Raises:
            MisfitError: it is not a cursor of ours, or of another query.
        """
        cursor = cls.read(text)
        if cursor.asked != asked or not all(
            -(1 << 63) <= part < 1 << 63 for part in cursor.key if isinstance(part, int)
        ):
            raise MisfitError("cursor", "a cursor of another query; use next as it is", [])
        return cursor.key


class AskedContacts(Struct, frozen=True):
    """A query as it was asked.

    Attributes:
        query: what is looked for.
        form: one of ``FORMATS``.
        asked: a short hash of what selects contacts; it is the same for all pages of one query.
    """

    query: ContactQuery
    form: str
    asked: str


def parse_contacts(given: Mapping[str, Sequence[str]], now: int) -> AskedContacts:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.
        now: ms since the epoch; the default end of the range, to the next minute.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    one = {name: values[0] for name, values in given.items() if name not in FILTERS}
    start, end = contact_range(one, now)
    names: dict[str, Any] = {
        field: frozenset(given[parameter]) for parameter, field in FILTERS.items() if parameter in given
    }
    query = ContactQuery(start=start, end=end, when=one.get("when", "started"), **names)
    asked = sha256(msgspec.json.encode(query, order="sorted")).hexdigest()[:12]
    after = ContactCursor.parse(one["cursor"], asked) if "cursor" in one else None
    limit = whole("limit", one["limit"], 1, MOST_ROWS) if "limit" in one else DEFAULT_LIMIT
    return AskedContacts(
        msgspec.structs.replace(query, after=after, limit=limit), one.get("format", "json"), asked
    )


def contact_range(one: Mapping[str, str], now: int) -> tuple[int, int]:
    """Return the range that ``from``, ``to`` and ``tz`` say, ``[start, end)`` in ms: by default the last 24 hours.

    Raises:
        BadQueryError: one of them is wrong.
    """
    zone, named = ZoneInfo(one.get("tz", "UTC")), "tz" in one
    end = instant("to", one["to"], zone, named=named) if "to" in one else now - now % MINUTE + MINUTE
    start = instant("from", one["from"], zone, named=named) if "from" in one else end - DAY
    if start >= end:
        what = "from must be before to" if "to" in one else "from must be before to, which is now by default"
        raise MisfitError("from", what, ["a time before to"])
    if end - start > MOST_DAYS * DAY + 60 * MINUTE:
        detail = f"{(end - start) / DAY:,.0f} days are too many"
        raise MisfitError("from", detail, [f"at most {MOST_DAYS} days"])
    return start, end
