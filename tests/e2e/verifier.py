"""The independent verifier: what Redis holds must equal what the reference makes of the same records.

It reads the documented keys and encodings by itself and imports nothing from the product. A partition is read in one atomic
script, so it can be checked at any moment, also in the middle of faults: whatever position is found, the counters must be
those of exactly the records before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import redis

from tests.reference.model import Reference

from . import agents

RESOLUTIONS_S = (10, 60, 900)
STATES = {
    1: "waiting", 2: "talking", 3: "held", 4: "wrapping", 5: "abandoned", 6: "with_bot", 7: "unanswered", 8: "contained",
}  # fmt: skip
"""Of visits; what has another number is no visit any more."""
SKETCHES = ("response", "handle", "abandon_wait", "revenue")

ROW = {
    "offered": 0, "answered": 1, "answered_in_target": 2, "abandoned": 3, "abandoned_in_target": 4, "abandoned_short": 5,
    "left": 6, "left_in_target": 7, "lost": 8, "refused": 9, "handled": 10, "talk_ms": 11, "hold_ms": 12, "wrap_ms": 13,
    "wait_ms": 14, "abandon_wait_ms": 15, "longest_wait_ms": 16,
    "missed": 32, "left_wait_ms": 33, "left_timeout": 34, "left_key": 35, "left_transfer": 36, "left_callback": 37,
    "left_empty": 38, "refused_full": 39, "refused_closed": 40, "refused_empty": 41,
    "closed_unanswered": 42, "left_not_demand": 43, "to_bot": 44, "from_bot": 45, "bot_contained": 46, "bot_abandoned": 47,
    "containments_undone": 48, "responded": 49, "response_ms": 50, "response_open_ms": 51, "replies": 52, "reply_ms": 53,
    "replies_due": 54, "replies_in_target": 55, "reopened": 56, "handled_estimated": 57, "estimated_ms": 58,
    "pending_ms": 59, "unfinished": 60,
}  # fmt: skip
"""What stands in an interval row, and where."""
OUTCOMES = ("answered", "abandoned", "left", "lost")
LOG_APPEND_TIME = 1
DAY_MS, QUARTER_MS = 86_400_000, 900_000
Row = dict[str, int]

_READ = """
local p = KEYS[1]
local names = {}
for n = 2, #KEYS do
  names[n - 1] = redis.call('HGETALL', KEYS[n])
end
local cells = {}
for _, size in ipairs({'10000', '60000', '900000'}) do
  for _, start in ipairs(redis.call('ZRANGE', p .. ':i:' .. size, 0, -1)) do
    cells[#cells + 1] = {size, start, redis.call('HGETALL', p .. ':c:' .. size .. ':' .. start)}
  end
end
cells[#cells + 1] = {'0', '0', redis.call('HGETALL', p .. ':c:0:0')}
local rows = {}
for _, day in ipairs(redis.call('ZRANGE', p .. ':d', 0, -1)) do
  rows[#rows + 1] = {day, redis.call('HGETALL', p .. ':d:' .. day)}
end
return {redis.call('HGETALL', p .. ':meta'), redis.call('HGETALL', p .. ':results'),
        redis.call('HGETALL', p .. ':visits'), cells, redis.call('XLEN', p .. ':dead'), rows, names,
        redis.call('HGETALL', p .. ':agents')}
"""
KINDS = ("counter", "queue", "channel")


class Logged(NamedTuple):
    """A record as it stands in Kafka."""

    offset: int
    timestamp: int
    value: bytes | None
    timestamp_type: int = 0


@dataclass
class Found:
    """What Redis holds of a partition, decoded."""

    position: int
    time: int
    rollbacks: int
    results: dict[str, int]
    visits: list[tuple[str, str, str, str, int]]
    counters: dict[int, dict[Any, dict[str, int]]]
    sketches: dict[tuple[str, int], dict[Any, dict[int, int]]]
    rows: dict[Any, Row]
    dead: int
    agents: dict[str, Any]


@dataclass
class Verifier:
    """Checks the partitions of a topic against ``ledger``: partition → its records in offset order."""

    url: str
    topic: str
    ledger: Mapping[int, Sequence[Logged]]
    checks: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _references: dict[int, tuple[int, int, Reference]] = field(default_factory=dict)

    def check(self, partition: int) -> int:
        """Compare one partition now; gives the position that was found. Differences are kept in ``wrong``."""
        client: Any
        with redis.Redis.from_url(self.url, socket_timeout=10) as client:
            found = self.read(client, partition)
        self.checks[partition] += 1
        reference = self._reference(partition, found.position)
        for what, expected, actual in self._pairs(reference, found):
            if expected != actual:
                self.wrong.append(
                    f"partition {partition} at {found.position}: {what}: {_difference(expected, actual)}"
                )
        return found.position

    def published(self) -> dict[Any, Row]:
        """Interval rows as they are published, by start, queue and channel."""
        client: Any
        with redis.Redis.from_url(self.url, socket_timeout=10) as client:
            names = numbered({kind: client.hgetall(f"kpi:names:{kind}") for kind in KINDS})
            out = {}
            for day in client.zrange("kpi:{rows}:days", 0, -1):
                for place, packed in client.hgetall(f"kpi:{{rows}}:day:{int(day)}").items():
                    for quarter, kept in enumerate(msgspec.msgpack.decode(packed)[1]):
                        if kept is not None:
                            start = int(day) * DAY_MS + quarter * QUARTER_MS
                            out[start, *place_of(place, names)] = row_of(kept[0])
        return out

    def expected_rows(self, positions: Mapping[int, int]) -> dict[Any, Row]:
        """What the partitions' rows add up to."""
        total: dict[Any, Row] = {}
        for partition, position in positions.items():
            for key, row in self._reference(partition, position).rows().items():
                mine = total.setdefault(key, {})
                for name, n in row.items():
                    add = max if name == "longest_wait_ms" else int.__add__
                    mine[name] = add(mine.get(name, 0), n)
        return {key: {name: n for name, n in row.items() if n} for key, row in total.items()}

    def expected_spells(self, positions: Mapping[int, int]) -> list[Any]:
        """The spells of all partitions' agents that are over, sorted."""
        return sorted(spell for each in positions.items() for spell in self._reference(*each).spells())

    def done(self, partition: int, position: int) -> bool:
        """Whether a position is the end of the partition's records."""
        records = self.ledger.get(partition, ())
        return not records or position > records[-1].offset

    def read(self, client: Any, partition: int) -> Found:
        """One atomic look at a partition."""
        keys = [f"kpi:{{{self.topic}.{partition}}}", *(f"kpi:names:{kind}" for kind in KINDS)]
        meta, results, visits, cells, dead, rows, found_names, told = client.eval(_READ, len(keys), *keys)
        # In the same look: a name may be numbered just before the commit that uses it.
        names = numbered(dict(zip(KINDS, found_names, strict=True)))
        meta, results = pairs(meta), {k.decode(): int(v) for k, v in pairs(results).items()}
        found = Found(
            position=int(meta.get(b"position") or 0),
            time=int(meta.get(b"time") or 0),
            rollbacks=int(meta.get(b"rollbacks") or 0),
            results=results,
            visits=sorted(
                (contact.decode(), visit[0], visit[1], STATES[visit[2]], visit[3])
                for contact, packed in pairs(visits).items()
                for visit in msgspec.msgpack.decode(packed)
                if visit[2] in STATES
            ),
            counters={size: {} for size in (0, *RESOLUTIONS_S)},
            sketches={(name, size): {} for name in SKETCHES for size in RESOLUTIONS_S},
            rows=dict(_rows(rows, names)),
            dead=dead,
            agents=agents.stored(pairs(told)),
        )
        for size, start, fields in cells:
            for place, packed in pairs(fields).items():
                key: Any = place_of(place, names)
                if int(size):
                    key = (int(start), *key)
                self._unpack(found, int(size) // 1000, key, msgspec.msgpack.decode(packed), names["counter"])
        return found

    @staticmethod
    def _unpack(found: Found, size: int, key: Any, cell: dict[int, int], names: dict[int, str]) -> None:
        for number, n in cell.items():
            if number < 512:
                found.counters[size].setdefault(key, {})[names[number]] = n
            elif n:
                found.sketches[names[number >> 9], size].setdefault(key, {})[number & 511] = n

    def _reference(self, partition: int, position: int) -> Reference:
        """The reference after all records before ``position``; goes on from the last one where it can."""
        index, reached, reference = self._references.get(partition) or (0, 0, _from_the_start())
        if position < reached:
            index, reference = 0, _from_the_start()
        records = self.ledger.get(partition, ())
        while index < len(records) and records[index].offset < position:
            record = records[index]
            by_broker = record.timestamp_type == LOG_APPEND_TIME
            reference.feed(record.offset, record.value, record.timestamp, by_broker=by_broker)
            index += 1
        if position:
            reference.skip_to(position)
        self._references[partition] = (index, position, reference)
        return reference

    @staticmethod
    def _pairs(reference: Reference, found: Found) -> list[tuple[str, Any, Any]]:
        results = Counter({k: n for k, n in reference.results.items() if n})
        results.update({f"{result}:{reason}": n for (result, reason), n in reference.reasons.items() if n})
        counted = {k: n for k, n in found.results.items() if k != "applied:late"}
        out: list[tuple[str, Any, Any]] = [
            ("results", dict(results), counted),
            ("sum of results", found.position, sum(n for k, n in counted.items() if ":" not in k)),
            ("dead letters", reference.results["dead_letter"], found.dead),
            ("partition time", reference.partition_time, found.time),
            ("open visits", reference.open_visits(), found.visits),
            ("agents", reference.agents(), found.agents),
            ("interval rows", reference.rows(), {key: row for key, row in found.rows.items() if row}),
            ("totals", reference.totals(), _nonzero(found.counters[0])),
        ]
        for size in RESOLUTIONS_S:
            out.append((f"cells of {size} s", reference.cells(size), _nonzero(found.counters[size])))
            out += [
                (f"sketch {name} of {size} s", reference.sketch(name, size), found.sketches[name, size])
                for name in SKETCHES
            ]
        return out


def numbered(names: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """Kind → number → name."""
    return {
        kind: {int(number): name.decode() for name, number in pairs(flat).items()}
        for kind, flat in names.items()
    }


def _rows(days: Any, names: dict[str, dict[int, str]]) -> Iterator[tuple[Any, Row]]:
    """A partition's own interval rows: (start, queue, channel) and the row."""
    for member, fields in days:
        day, _, place = member.partition(b":")
        for quarter, packed in pairs(fields).items():
            start = int(day) * DAY_MS + int(quarter) * QUARTER_MS
            yield (start, *place_of(place, names)), row_of(msgspec.msgpack.decode(packed))


def place_of(place: bytes, names: dict[str, dict[int, str]]) -> tuple[str, str]:
    """Queue and channel of a field ``Q.C``."""
    queue, channel = (int(n) for n in place.split(b"."))
    return names["queue"].get(queue, "other"), names["channel"].get(channel, "other")


def row_of(counted: Sequence[int]) -> Row:
    """A row without what is zero, and who still waits."""
    row = {name: counted[number] for name, number in ROW.items() if number < len(counted)}
    waited = row.get("offered", 0) - row.get("to_bot", 0) + row.get("from_bot", 0)
    row["waiting"] = waited - sum(row.get(name, 0) for name in OUTCOMES)
    return {name: n for name, n in row.items() if n}


def _from_the_start() -> Reference:
    """Topics of these tests begin at offset 0; what is missing there is a gap."""
    reference = Reference()
    reference.skip_to(0)
    return reference


def pairs(flat: Any) -> dict[bytes, bytes]:
    return dict(flat) if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))


def _nonzero(cells: dict[Any, dict[str, int]]) -> dict[Any, dict[str, int]]:
    trimmed = {key: {name: n for name, n in cell.items() if n} for key, cell in cells.items()}
    return {key: cell for key, cell in trimmed.items() if cell}


def _difference(expected: Any, actual: Any) -> str:
    if isinstance(expected, dict):
        keys = [k for k in expected.keys() | actual.keys() if expected.get(k) != actual.get(k)]
        return f"{len(keys)} differ, such as {keys[0]}: expected {expected.get(keys[0])}, found {actual.get(keys[0])}"
    if isinstance(expected, list):
        missing, extra = [x for x in expected if x not in actual], [x for x in actual if x not in expected]
        return f"missing {missing[:2]}, too many {extra[:2]}"
    return f"expected {expected}, found {actual}"
