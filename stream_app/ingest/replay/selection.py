"""Selection of recorded events by queue, channel and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from stream_app.model.events import Event, Queued, Refused

CONTACTS: Final = 200_000
"""Contacts whose queues are remembered; beyond that, the oldest are forgotten."""
_EVER: Final = 1 << 62


class Selection:
    """Queues, channels and a range of event time.

    Most events name no queue. They follow their contact: it was queued there before.

    Attributes:
        by_time: whether a time range is set.
    """

    def __init__(
        self,
        queues: Iterable[str] = (),
        channels: Iterable[str] = (),
        begin: int | None = None,
        end: int | None = None,
    ) -> None:
        """Set what is selected: no queues means all queues; ``begin`` is inclusive, ``end`` exclusive, both in ms."""
        self._queues = frozenset(queues)
        self._channels = frozenset(channels)
        self._begin = -_EVER if begin is None else begin
        self._end = _EVER if end is None else end
        self.by_time = begin is not None or end is not None
        self._by_place = bool(self._queues or self._channels)
        self._places: dict[str, tuple[tuple[str, str], ...]] = {}

    def wants_place(self, queue: str | None, channel: str | None) -> bool:
        """Return whether a queue and channel are selected."""
        return (not self._queues or queue in self._queues) and (
            not self._channels or channel in self._channels
        )

    def wants_time(self, events: Sequence[Event]) -> bool:
        """Return whether one of a record's events is in the time range."""
        return any(self._begin <= event.at < self._end for event in events)

    def wants(self, events: Sequence[Event]) -> bool:
        """Return whether one of a record's events is selected. Call it for every record, in order: contacts are followed."""
        here = [self._is_here(event) for event in events] if self._by_place else [True]
        return True in here and (not self.by_time or self.wants_time(events))

    def _is_here(self, event: Event) -> bool:
        contact = getattr(event, "contact_id", None)
        queue, channel = getattr(event, "queue", None), getattr(event, "channel", None)
        if isinstance(event, Queued):
            self._follow(event)
        elif contact is not None and not isinstance(event, Refused):
            known = self._places.get(contact, ())
            fitting = [p for p in known if queue in (None, p[0]) and channel in (None, p[1])]
            if fitting:
                return any(self.wants_place(*place) for place in fitting)
        return self.wants_place(queue, channel)

    def _follow(self, event: Queued) -> None:
        place, known = (event.queue, event.channel), self._places.get(event.contact_id, ())
        if place not in known:
            if len(self._places) >= CONTACTS:
                del self._places[next(iter(self._places))]
            self._places[event.contact_id] = (*known, place)
