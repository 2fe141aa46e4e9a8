"""A manifest: which files hold a partition's valid rows. The newest one is the only truth; each is one step from the former.

Everything here is pure: functions from a manifest to what the next one says.
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream_app.errors import StreamAppError

SCHEMA: Final = 1
"""Goes up when a reader or writer of the former schema would misunderstand a manifest."""
LEVEL: Final = 6
CUTS: Final = 100
"""Steps back that are remembered."""
DIGEST: Final = 8
"""Bytes of an outbox entry's digest."""


class LaterLedgerError(StreamAppError):
    """A manifest was written by a later version of stream-app."""


class DamagedManifestError(StreamAppError):
    """A manifest is none."""


class RowsFile(Struct, frozen=True, omit_defaults=True):
    """A Parquet file. All of its rows are valid, and of one partition, table and topic id.

    Attributes:
        name: its path below the ledger's address.
        table: the table.
        day: the UTC day of partition time at which its first row was counted, such as ``2026-11-28``.
        topic_id: of the topic of its rows' offsets; empty if unknown.
        first: the smallest offset of a row.
        last: the largest one.
        rows: how many.
        size: bytes.
        since: the earliest time of a row in the table's time column, ms.
        until: the latest one.
        columns: a digest of its columns; empty if unknown. Files with the same ones are read without looking at each for them.
    """

    name: str
    table: str
    day: str
    topic_id: str
    first: int
    last: int
    rows: int
    size: int
    since: int
    until: int
    columns: str = ""


class Hole(Struct, frozen=True):
    """Offsets whose rows are lost: the outbox was full while nobody wrote.

    Attributes:
        topic_id: whose offsets.
        begin: the first one.
        end: the first one after them.
        since: partition time before them, ms; 0 if unknown.
        until: partition time after them.
    """

    topic_id: str
    begin: int
    end: int
    since: int
    until: int


class StepBack(Struct, frozen=True):
    """A step back: Redis was rolled back, or counted again, so rows from an offset on were replaced.

    Attributes:
        topic_id: whose offsets.
        offset: rows from it on were removed.
        end: how far the ledger went before.
        at: when, ms by the writer's clock.
    """

    topic_id: str
    offset: int
    end: int
    at: int


class Dropped(Struct, frozen=True):
    """A file that is valid no more, and is deleted once nobody can still be reading it.

    Attributes:
        name: its path.
        at: when it was dropped, ms by the writer's clock.
    """

    name: str
    at: int


class SentRows(Struct, frozen=True, omit_defaults=True):
    """What a topic has of a partition's rows, at least: whoever goes on sending may have sent more.

    Attributes:
        topic: its name; empty: nothing was ever sent.
        ends: id of the source's topic → the topic has all rows below this offset.
        again: likewise → offsets below that one whose rows have changed since.
    """

    topic: str = ""
    ends: dict[str, int] = {}
    again: dict[str, tuple[int, ...]] = {}


class Manifest(Struct, frozen=True, omit_defaults=True):
    """The truth about a partition, from one number to the next.

    Attributes:
        number: 1, 2, …
        writer: who wrote it, a name that no other attempt has: so a writer recognises its own.
        at: when, ms by the writer's clock.
        filed_at: when rows were added last, likewise.
        time: partition time after the last commit whose rows it holds, ms.
        topic_id: the id of the topic of that commit; empty if unknown.
        ends: topic id → the first offset that is not covered.
        files: what is valid, in order.
        holes: what is lost.
        cuts: the latest steps back.
        dropped: files to delete.
        taken: digests of the outbox entries that were taken last, in base64: they may still be in the outbox.
        forgotten: the number of the list of forgotten ids that its rows honour.
        sent: what the topic of rows has.
        schema: ``SCHEMA`` of who wrote it.
    """

    number: int = 0
    writer: str = ""
    at: int = 0
    filed_at: int = 0
    time: int = 0
    topic_id: str = ""
    ends: dict[str, int] = {}
    files: tuple[RowsFile, ...] = ()
    holes: tuple[Hole, ...] = ()
    cuts: tuple[StepBack, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    taken: str = ""
    forgotten: int = 0
    sent: SentRows = SentRows()
    schema: int = SCHEMA

    @property
    def end(self) -> int | None:
        """The first offset of the current topic that is not covered; ``None`` before any row."""
        return self.ends.get(self.topic_id)

    @property
    def digests(self) -> frozenset[bytes]:
        """The digests of the entries that were taken last."""
        packed = b64decode(self.taken)
        return frozenset(packed[at : at + DIGEST] for at in range(0, len(packed), DIGEST))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Manifest).decode


class _Version(Struct):
    schema: int = SCHEMA


def pack(manifest: Manifest) -> bytes:
    """Encode a manifest as JSON, compressed: a year of files is long, and much of it is alike."""
    return gzip.compress(_encode(manifest), LEVEL, mtime=0)


def unpack(packed: bytes, name: str) -> Manifest:
    """Invert ``pack``; ``name`` is only for the message.

    Raises:
        LaterLedgerError: its schema is not known yet.
        DamagedManifestError: it is not a manifest.
    """
    try:
        packed = gzip.decompress(packed)
        schema = msgspec.json.decode(packed, type=_Version).schema
        if schema > SCHEMA:
            raise LaterLedgerError(
                f"ledger: {name} has schema {schema}, and this version of stream-app knows only {SCHEMA}; upgrade it"
            )
        return _decode(packed)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise DamagedManifestError(
            f"ledger: {name} is not a manifest of stream-app ({error}); was it changed by hand?"
        ) from None


def pack_digests(digests: Iterable[bytes]) -> str:
    """Encode ``Manifest.taken``."""
    return b64encode(b"".join(digests)).decode()


def same_topic(one: str, other: str) -> bool:
    """Return whether two topic ids may be of one topic: older brokers have none."""
    return one == other or not one or not other


def end_of(manifest: Manifest, topic_id: str) -> int | None:
    """Return the first offset of a topic that is not covered; ``None`` if there was nothing of this topic."""
    return max((end for known, end in manifest.ends.items() if same_topic(known, topic_id)), default=None)


def straddling(manifest: Manifest, topic_id: str, offset: int) -> list[RowsFile]:
    """Return the files of which a cut at an offset keeps only a part."""
    return [
        file
        for file in manifest.files
        if same_topic(file.topic_id, topic_id) and file.first < offset <= file.last
    ]


def cut(manifest: Manifest, topic_id: str, offset: int, at: int) -> Manifest:
    """Remove all rows of a topic from an offset on; files that straddle it must have been replaced before."""
    end = end_of(manifest, topic_id) or offset

    def stays(file: RowsFile) -> bool:
        return not same_topic(file.topic_id, topic_id) or file.last < offset

    def shortened(hole: Hole) -> Hole:
        return replace(hole, end=min(hole.end, offset)) if same_topic(hole.topic_id, topic_id) else hole

    return replace(
        drop(manifest, {file.name for file in manifest.files if not stays(file)}, at),
        ends={
            known: min(up_to, offset) if same_topic(known, topic_id) else up_to
            for known, up_to in manifest.ends.items()
        },
        holes=tuple(hole for hole in map(shortened, manifest.holes) if hole.begin < hole.end),
        sent=cut_sent(manifest.sent, topic_id, offset),
        cuts=(*manifest.cuts, StepBack(topic_id, offset, end, at))[-CUTS:],
    )


def cut_sent(sent: SentRows, topic_id: str, offset: int) -> SentRows:
    """Return what a topic has of rows that still hold, when all of a topic's rows from an offset on are replaced."""
    ends = {
        known: min(up_to, offset) if same_topic(known, topic_id) else up_to
        for known, up_to in sent.ends.items()
    }
    return replace(sent, ends=ends)


def sent_again(sent: SentRows, changed: Mapping[str, Collection[int]]) -> SentRows:
    """Return what a topic has after rows have changed; ``changed``: topic id → their offsets."""
    again = {known: {*some} for known, some in sent.again.items()}
    for topic_id, offsets in changed.items():
        before = {offset for offset in offsets if offset < sent.ends.get(topic_id, 0)}
        again[topic_id] = again.get(topic_id, set()) | before
    return replace(sent, again={known: tuple(sorted(some)) for known, some in again.items() if some})


def drop(manifest: Manifest, names: Collection[str], at: int) -> Manifest:
    """Remove files."""
    return replace(
        manifest,
        files=tuple(file for file in manifest.files if file.name not in names),
        dropped=(*manifest.dropped, *(Dropped(name, at) for name in sorted(names))),
    )


def swap(manifest: Manifest, former: Collection[str], files: Iterable[RowsFile], at: int) -> Manifest:
    """Put files in the place of others."""
    return add(drop(manifest, former, at), files)


def add(manifest: Manifest, files: Iterable[RowsFile]) -> Manifest:
    """Add files, and keep all in order."""
    return replace(
        manifest,
        files=tuple(
            sorted((*manifest.files, *files), key=lambda f: (f.day, f.table, f.first, f.last, f.name))
        ),
    )


def without_expired(manifest: Manifest, oldest: Callable[[str], str], at: int) -> Manifest:
    """Drop the files of days before the oldest one that is kept; ``oldest`` returns it by table."""
    return drop(manifest, {file.name for file in manifest.files if file.day < oldest(file.table)}, at)


def next_of(manifest: Manifest, **changes: Any) -> Manifest:
    """Return the next manifest."""
    return replace(manifest, number=manifest.number + 1, schema=SCHEMA, **changes)
