"""The live stream: what changed, made into bytes once for all who watch.

Every row remembers at which version it changed last. Who watches remembers the version that it was sent, and
gets all rows that are newer: however slow it is, it is sent the latest values only, and holds up nobody.
"""

import asyncio
from typing import Final
from uuid import uuid4

from msgspec import Raw, Struct

from stream_app.model.rows import Row, Snapshot

from . import wire
from .status import Status
from .wire import encode

RETRY_MS: Final = 1_000
_CACHED: Final = 64
"""How many events are kept for others who stand at the same version."""


class _Shown(Struct):
    row: Row
    text: Raw
    version: int


class Live:
    """The latest snapshot, and what changed when.

    Attributes:
        closed: nothing more will come.
    """

    def __init__(self) -> None:
        self.closed = False
        self._boot = uuid4().hex[:8]
        self._version = 0
        self._whole_at = 0  # whoever stands before this version needs everything
        self._rows: dict[tuple[str, str], _Shown] = {}
        self._at = 0
        self._status = Status(age_s=None, max_age_s=0)
        self._everyone: object = None
        self._everyone_at = 0
        self._everyone_text = Raw(b"{}")
        self._beat = b""
        self._events: dict[int, bytes] = {}
        self._next = asyncio.Event()

    def publish(self, snapshot: Snapshot, status: Status) -> None:
        """Show a newer snapshot to all who watch; at least once a second, so that they know its age."""
        self._at, self._status = snapshot.at, status
        version = self._version + 1
        changed = not self._version
        for row in snapshot.rows:
            place = (row.queue, row.channel)
            shown = self._rows.get(place)
            if shown is None or not _looks_alike(shown.row, row):
                self._rows[place] = _Shown(row, Raw(encode(wire.live_row(row, only=wire.HEADLINES))), version)
                changed = True
        if len(self._rows) > len(snapshot.rows):
            left = {(row.queue, row.channel) for row in snapshot.rows}
            self._rows = {place: shown for place, shown in self._rows.items() if place in left}
            self._whole_at, changed = version, True
        if snapshot.everyone != self._everyone:
            self._everyone, self._everyone_at, changed = snapshot.everyone, version, True
            self._everyone_text = Raw(encode(wire.of_everyone(snapshot.everyone, only=wire.HEADLINES)))
        if changed:
            self._version = version
            self._events.clear()
        beat = wire.beat(snapshot.at, status)
        age = "unknown" if beat.age_s is None else f"{beat.age_s} s"
        self._beat = b": age %s\nevent: beat\ndata: %s\n\n" % (age.encode(), encode(beat))
        self._wake()

    def close(self) -> None:
        """Send everyone home."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    async def wait(self) -> None:
        """Until the next ``publish`` or ``close``."""
        await self._next.wait()

    def beat(self) -> bytes:
        """How fresh it is, as an event, and as a comment for those who look at the bytes."""
        return self._beat

    def since(self, version: int) -> tuple[bytes, int]:
        """What is newer than a version (0: everything), as an event, and the version that it leads to.

        Nothing at all if nothing is.
        """
        if version == self._version:
            return b"", version
        event = self._events.get(version)
        if event is None:
            if len(self._events) >= _CACHED:
                self._events.clear()
            event = self._events[version] = self._event(version)
        return event, self._version

    def _event(self, version: int) -> bytes:
        whole = version < max(1, self._whole_at)
        data = {
            "at": wire.stamp(self._at),
            "age_s": wire.beat(self._at, self._status).age_s,
            "stale": self._status.stale,
            "rows": [shown.text for shown in self._rows.values() if whole or shown.version > version],
            "everyone": self._everyone_text if whole or self._everyone_at > version else {},
        }
        return b"id: %s-%d\nretry: %d\nevent: %s\ndata: %s\n\n" % (
            self._boot.encode(),
            self._version,
            RETRY_MS,
            b"snapshot" if whole else b"change",
            encode(data),
        )


def _looks_alike(shown: Row, row: Row) -> bool:
    """Whether there is nothing new to see; who waits, waits longer all the time: whole seconds will do."""
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
    if shown.too_good != row.too_good or (shown.site, shown.unit) != (row.site, row.unit):
        return False
    return all(
        value is not None and int(value) == int(row.levels[name] or 0) for name, value in shown.levels.items()
    )
