"""Outages in the targets: time spans whose numbers are not typical of other days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from .calendars import guess

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LONGEST_REASON: Final = 200


class Outage(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"begin": "from", "end": "to"},
    kw_only=True,
):
    """A time span in which something did not work.

    Attributes:
        begin: when it began, ISO 8601 in UTC.
        end: when it was over, exclusive.
        reason: what went wrong, for people.
        queues: the affected queues; empty means all.
        channels: the affected channels; empty means all.
    """

    begin: str
    end: str
    reason: str
    queues: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @classmethod
    def all_of(cls, tables: Any) -> tuple[Outage, ...]:
        """Read a list of tables with ``from``, ``to``, ``reason``, ``queues`` and ``channels``, as people write them.

        Raises:
            ValueError: one line that begins with the place; the first outage is ``outages.1``.
        """
        if not isinstance(tables, list | tuple):
            raise ValueError("outages: expected a list; write [[outages]] with two brackets")  # noqa: TRY004 - bad input
        found = [cls._of(f"outages.{n}", table) for n, table in enumerate(tables, 1)]
        return tuple(sorted(found, key=lambda outage: (outage.begin, outage.end, outage.reason)))

    @classmethod
    def _of(cls, place: str, table: Any) -> Outage:
        if not isinstance(table, dict):
            raise ValueError(f"{place}: expected a table, got {table!r}")  # noqa: TRY004 - bad input, not a bug
        known = cls.__struct_encode_fields__
        for name in table.keys() - set(known):
            raise ValueError(f"{place}.{name}: unknown key{guess(name, known)}")
        for name in ("from", "to", "reason"):
            if name not in table:
                raise ValueError(f"{place}.{name}: missing; an outage needs from, to and reason")
        begin, end = (_moment(f"{place}.{name}", table[name]) for name in ("from", "to"))
        if begin >= end:
            raise ValueError(f"{place}.to: must be later than from")
        reason = table["reason"]
        if not isinstance(reason, str) or not 0 < len(reason.strip()) <= _LONGEST_REASON:
            raise ValueError(f"{place}.reason: expected a text of 1 to {_LONGEST_REASON} characters")
        queues, channels = (_names(f"{place}.{name}", table, name) for name in ("queues", "channels"))
        return cls(begin=begin, end=end, reason=reason.strip(), queues=queues, channels=channels)

    def overlaps(self, queue: str, channel: str, start: int, end: int) -> bool:
        """Return whether it overlaps ``[start, end)``, ms, of a queue and channel."""
        return (
            (not self.queues or queue in self.queues)
            and (not self.channels or channel in self.channels)
            and _ms(self.begin) < end
            and start < _ms(self.end)
        )


@lru_cache(maxsize=10_000)
def _ms(text: str) -> int:
    """Return milliseconds since the epoch; cached, as the few times of a document are requested again and again."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND


def _moment(place: str, value: Any) -> str:
    """Convert a time with an offset, TOML's own or as text, to its stored form: in UTC, so that equal times are equal texts."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(at, datetime) and at.tzinfo is not None:
            return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"{place}: expected a time with an offset like 2026-01-05T08:00:00+01:00, got {str(value)!r}"
    )


def _names(place: str, table: dict[str, Any], name: str) -> tuple[str, ...]:
    names = table.get(name)
    if names is None:
        return ()
    if not isinstance(names, list | tuple) or not all(isinstance(n, str) and n for n in names):
        raise ValueError(f"{place}: expected a list of names")
    if not names:
        raise ValueError(f"{place}: the list is empty; leave it out to mean all {name}")
    return tuple(sorted(set(names)))
