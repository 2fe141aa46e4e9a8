"""The live stream: changes, encoded once for all clients.

Every row remembers the version at which it last changed. A client remembers the version that it was sent, and
gets all rows that are newer: however slow it is, it is sent only the latest values, and holds up nobody.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from msgspec import Raw, Struct

from stream_app.model.live.expected_wait import ExpectedWait
from stream_app.model.live.judging import Judgement, State, judged_in
from stream_app.model.live.rows import Chosen, QueueRow, RowPlace, Snapshot, everywhere
from stream_app.model.pieces import Pieces, whole

from . import wire
from .stamping import stamp
from .status import Status
from .wire import encode

RETRY_MS: Final = 1_000
_CACHED: Final = 64
"""How many events are kept for other clients at the same version."""


class _Shown(Struct, gc=False):
    row: QueueRow
    text: Raw
    version: int
    began: wire.Began


class Live:
    """The latest snapshot, and when each row changed.

    Attributes:
        closed: whether the stream has ended.
    """

    def __init__(self) -> None:
        self.closed = False
        self._boot = uuid4().hex[:8]
        self._version = 0
        self._whole_at = 0  # clients before this version need everything
        self._rows: dict[tuple[str, str], _Shown] = {}
        self._at = 0
        self._status = Status(age_s=None, max_age_s=0)
        self._everyone: object = None
        self._everyone_at = 0
        self._everyone_text = Raw(b"{}")
        self._beat = b""
        self._events: dict[tuple[int, str], bytes] = {}
        self._next = asyncio.Event()

    def publish(self, snapshot: Snapshot, status: Status) -> None:
        """Publish a newer snapshot to all clients; at least once a second, so that they know its age."""
        whole(self.published(snapshot, status))

    def published(self, snapshot: Snapshot, status: Status) -> Pieces[None]:
        """Do what ``publish`` does row by row; clients see all of it or nothing. One at a time.

        Until something was read there are no rows to show, not even an empty list: clients get the reason.
        """
        if status.loaded:
            yield from self._show(snapshot)
        self._at, self._status = snapshot.at, status
        beat = wire.beat(snapshot.at, status)
        age = "unknown" if beat.age_s is None else f"{beat.age_s} s"
        self._beat = b": age %s\nevent: beat\ndata: %s\n\n" % (age.encode(), encode(beat))
        self._wake()

    def _show(self, snapshot: Snapshot) -> Pieces[None]:
        version = self._version + 1
        new: dict[tuple[str, str], _Shown] = {}
        for row in snapshot.rows:
            place = (row.queue, row.channel)
            shown = self._rows.get(place)
            if shown is None or not _looks_alike(shown.row, row):
                judgements = judged_in(row, row.windows)
                began = _began(snapshot.at, judgements, shown.began if shown else {})
                text = Raw(encode(wire.live_row(row, wire.CARRIED, began, judgements)))
                new[place] = _Shown(row, text, version, began)
            yield
        changed = bool(new) or not self._version
        self._rows |= new
        if len(self._rows) > len(snapshot.rows):
            left = {(row.queue, row.channel) for row in snapshot.rows}
            self._rows = {place: shown for place, shown in self._rows.items() if place in left}
            self._whole_at, changed = version, True
        if snapshot.everyone != self._everyone:
            self._everyone, self._everyone_at, changed = snapshot.everyone, version, True
            self._everyone_text = Raw(encode(wire.of_everyone(snapshot.everyone, only=wire.CARRIED)))
        if changed:
            self._version = version
            self._events.clear()

    def began(self, queue: str, channel: str) -> wire.Began:
        """Return since when each state of a row is, as of the latest snapshot."""
        shown = self._rows.get((queue, channel))
        return shown.began if shown else {}

    def close(self) -> None:
        """End the stream for all clients."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    async def wait(self) -> None:
        """Wait until the next ``publish`` or ``close``."""
        await self._next.wait()

    def beat(self) -> bytes:
        """Return how fresh it is, as an event, and as a comment for people who read the bytes."""
        return self._beat

    def since(self, version: int, chosen: Chosen = everywhere, query: str = "") -> tuple[bytes, int]:
        """Return what is newer than a version (0: everything) as an event, and the version that it leads to.

        The event is empty if nothing is newer.

        Args:
            version: what the client has.
            chosen: the rows that it asked for.
            query: how it asked: clients that asked alike share their events.
        """
        if version == self._version:
            return b"", version
        event = self._events.get((version, query))
        if event is None:
            if len(self._events) >= _CACHED:
                self._events.clear()
            event = self._events[version, query] = self._event(version, chosen)
        return event, self._version

    def _event(self, version: int, chosen: Chosen) -> bytes:
        whole = version < max(1, self._whole_at)
        rows = [
            shown.text
            for shown in self._rows.values()
            if (whole or shown.version > version) and (chosen is everywhere or chosen(_place(shown.row)))
        ]
        everyone = whole or self._everyone_at > version
        if not (whole or rows or everyone):
            return b""
        data = {
            "at": stamp(self._at),
            "age_s": wire.beat(self._at, self._status).age_s,
            "stale": self._status.stale,
            "rows": rows,
            "everyone": self._everyone_text if everyone else {},
        }
        return b"id: %s-%d\nretry: %d\nevent: %s\ndata: %s\n\n" % (
            self._boot.encode(),
            self._version,
            RETRY_MS,
            b"snapshot" if whole else b"change",
            encode(data),
        )


def _place(row: QueueRow) -> RowPlace:
    return RowPlace(row.queue, row.channel, row.site, row.partner, row.unit)


def _began(at: int, judgements: Mapping[str, Judgement], before: wire.Began) -> wire.Began:
    """Return since when each state is; that of the first states is unknown."""
    out: dict[str, tuple[State, int | None]] = {}
    for window, found in judgements.items():
        known = before.get(window)
        out[window] = known if known and known[0] == found.state else (found.state, at if known else None)
    return out


def _looks_alike(shown: QueueRow, row: QueueRow) -> bool:
    """Return whether there is nothing new to see; waits grow all the time, so they are compared in whole seconds."""
    if shown is row:
        return True
    if shown.windows is not row.windows and shown.windows != row.windows:
        return False
    if (shown.totals, shown.policy, shown.targets, shown.open) != (
        row.totals,
        row.policy,
        row.targets,
        row.open,
    ):
        return False
    if (shown.late, shown.counts, shown.agents, _seconds(shown.next_wait)) != (
        row.late,
        row.counts,
        row.agents,
        _seconds(row.next_wait),
    ):
        return False
    if shown.too_good != row.too_good or (shown.site, shown.unit) != (row.site, row.unit):
        return False
    return all(_whole(value) == _whole(row.levels[name]) for name, value in shown.levels.items())


def _seconds(wait: ExpectedWait | None) -> tuple[int, int, int] | None:
    return None if wait is None else (int(wait.mean), int(wait.low), int(wait.high))


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
