"""Whether the rows of the ledger, with the visits still open, add up to the counters: at any moment, read in one step."""

from __future__ import annotations

from typing import Any

import redis

from stream_app.model.fold.cells import is_sketch, unpack_cell
from stream_app.model.ledger import unpack_rows
from stream_app.store.codec import unpack_visits
from tests.model.kept import NAMES
from tests.model.noted import counted

from .verifier import KINDS, numbered, pairs, place_of

_READ = """
local p = KEYS[1]
local names = {}
for n = 2, #KEYS do
  names[n - 1] = redis.call('HGETALL', KEYS[n])
end
return {redis.call('HGETALL', p .. ':meta'), redis.call('HGETALL', p .. ':visits'), redis.call('HGETALL', p .. ':c:0:0'),
        redis.call('XRANGE', p .. ':outbox', '-', '+'), names}
"""


def check_noted(url: str, topic: str, partition: int) -> int:
    """Compare a partition's rows and open visits with its totals; return how many rows there are."""
    client: Any
    with redis.Redis.from_url(url, socket_timeout=10) as client:
        keys = [f"kpi:{{{topic}.{partition}}}", *(f"kpi:names:{kind}" for kind in KINDS)]
        meta, visits, totals, entries, found_names = client.eval(_READ, len(keys), *keys)
        names = numbered(dict(zip(KINDS, found_names, strict=True)))
    meta = pairs(meta)
    if not meta.get(b"position"):
        return 0
    assert meta.get(b"noted") == meta[b"position"], "all that was counted was noted"
    blobs, end = [], b"0"
    for _, flat in entries:
        entry = pairs(flat)
        assert entry[b"from"] == end, "entries follow each other"
        end = entry[b"to"]
        blobs.append(entry[b"rows"])
    assert end == meta.get(b"out", b"0")
    rows = [row for blob in blobs for row in unpack_rows(blob)]
    identities = [(row.offset, row.n) for row in rows]
    assert identities == sorted({*identities}), "each row once, in the log's order"
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (_, queue, channel), cell in counted(rows, map(unpack_visits, pairs(visits).values())).items():
        place = found.setdefault((queue, channel), {})
        for number, n in cell.items():
            if not is_sketch(number):
                name = NAMES[number]
                place[name] = place.get(name, 0) + n
    expected = {
        place_of(place, names): {
            names["counter"][number]: n for number, n in unpack_cell(packed).items() if n
        }
        for place, packed in pairs(totals).items()
    }
    differences = [
        f"{place}: {name}: {n} noted, {expected.get(place, {}).get(name, 0)} counted"
        for place, cell in ((place, found.get(place, {})) for place in {*expected, *found})
        for name in {*cell, *expected.get(place, {})}
        if (n := cell.get(name, 0)) != expected.get(place, {}).get(name, 0)
    ]
    assert not differences, "\n".join(differences[:10])
    return len(rows)
