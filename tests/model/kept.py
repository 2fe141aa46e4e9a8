"""What a store would keep of a fold, and the comparison with the independent reference."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.durations import MINUTE
from stream_app.model.fold.cells import (
    NUMBERS,
    SHIFT,
    Cell,
    CellKey,
    add_into,
    is_sketch,
    pack_cell,
    roll_up,
    unpack_cell,
)
from stream_app.model.fold.deltas import Deltas, Memory
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.visit import VisitState
from stream_app.model.intervals.columns import FIELDS, FLOW, FREE, INTERVAL_MS
from stream_app.model.intervals.counting import RowKey, Rows, add_amounts, compact
from stream_app.model.intervals.row import row_of
from stream_app.model.ports import DeadLetter
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, RESOLUTIONS, TOTAL
from stream_app.store.codec import (
    pack_agent,
    pack_clock,
    pack_visits,
    restore_ids,
    unpack_agent,
    unpack_clock,
    unpack_visits,
)
from tests.reference.model import Reference

from . import people
from .noted import counted, identities, unpacked, without_zeros
from .settings import PLAIN, World

NAMES = {number: name for name, number in NUMBERS.items()}
Place = tuple[int, int, str, str]
"""resolution, bucket start, queue, channel"""


@dataclass
class Line:
    """One record of a partition."""

    offset: int
    value: bytes | None
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 0


@dataclass
class Kept:
    """Deltas, added up the way that a store does it."""

    time: int = 0
    cells: dict[Place, bytes] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    visits: dict[str, bytes] = field(default_factory=dict)
    recent: dict[int, list[bytes]] = field(default_factory=dict)
    lasting: dict[int, list[bytes]] = field(default_factory=dict)
    clock: bytes = b""
    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead: list[DeadLetter] = field(default_factory=list)
    added: dict[CellKey, Cell] = field(default_factory=dict)
    ledger: list[bytes] = field(default_factory=list)
    agents: dict[str, bytes] = field(default_factory=dict)

    def add(self, deltas: Deltas) -> None:
        self.ledger += deltas.ledger or ()
        for key, cell in deltas.cells.items():
            add_into(self.added.setdefault(key, {}), cell)
        self.time, self.clock = deltas.time, pack_clock(0, deltas.agreement)
        self._add_cells(deltas)
        for key, amounts in deltas.rows.items():
            add_amounts(self.rows.setdefault(key, {}), amounts)
        for contact, visits in deltas.visits.items():
            assert visits or contact in self.visits, "a contact is closed that was never stored"
            if visits:
                self.visits[contact] = pack_visits(visits)
            else:
                del self.visits[contact]
        for agent, presence in deltas.agents.items():
            if presence:
                self.agents[agent] = pack_agent(presence)
            else:
                self.agents.pop(agent, None)
        self._add_ids(deltas)
        self.results.update(deltas.results)
        self.reasons.update(deltas.reasons)

    def _add_cells(self, deltas: Deltas) -> None:
        rolled = roll_up(deltas.cells, lambda resolution, start: start < self.time - KEPT[resolution])
        for (resolution, cell_key), amounts in rolled.items():
            place = (resolution, *cell_key)
            cell = unpack_cell(self.cells.get(place, pack_cell({})))
            add_into(cell, amounts)
            self.cells[place] = pack_cell(cell)
        for place in [p for p in self.cells if p[0] != TOTAL and p[1] < self.time - KEPT[p[0]]]:
            del self.cells[place]

    def _add_ids(self, deltas: Deltas) -> None:
        for minute in [m for m in self.recent if m <= deltas.forgotten]:
            del self.recent[minute]
        for day in [d for d in self.lasting if d <= deltas.outlived]:
            del self.lasting[day]
        for day, marks in deltas.lasting.items():
            self.lasting[day] = sorted([*self.lasting.get(day, ()), *marks])
        for hour, marks in deltas.recent.items():
            self.recent.setdefault(hour, []).extend(marks)

    def memory(self, rng: Random) -> Memory:
        """What a claim would restore; the order of contacts and agents is the store's, which keeps none."""
        contacts, agents = sorted(self.visits), sorted(self.agents)
        rng.shuffle(contacts)
        rng.shuffle(agents)
        visits = {c: unpack_visits(self.visits[c]) for c in contacts}
        agreement = unpack_clock(self.clock, 0)
        memory = Memory(time=self.time, open=visits, agreement=agreement, lasting=dict(self.lasting))
        memory.agents |= {agent: unpack_agent(self.agents[agent]) for agent in agents}
        for hour, marks in sorted(self.recent.items()):
            restore_ids(memory, hour, b"".join(marks))
        return memory

    def counters(self, resolution: int) -> dict[Any, dict[str, int]]:
        """Counters by cell (of the totals by queue and channel), without those that are zero."""
        out: dict[Any, dict[str, int]] = {}
        for (size, *key), packed in self.cells.items():
            if size == resolution:
                cell = unpack_cell(packed)
                counts = {NAMES[n]: v for n, v in cell.items() if v and not is_sketch(n)}
                if counts:
                    out[tuple(key if size else key[1:])] = counts
        return out

    def intervals(self) -> dict[RowKey, dict[str, int]]:
        """Interval rows by quarter, queue and channel, without what is zero, and without the backlog."""
        out: dict[RowKey, dict[str, int]] = {}
        for key, amounts in self.rows.items():
            row = row_of(key, compact(amounts))
            counts = {name: n for name in (*FIELDS, "waiting") if (n := getattr(row, name))}
            if counts:
                out[key] = counts
        return out

    def flows(self) -> dict[tuple[str, str], Counter[int]]:
        """Queue and channel → minute (its start, ms) → who came less who went."""
        out: dict[tuple[str, str], Counter[int]] = {}
        for (start, queue, channel), amounts in self.rows.items():
            for number, n in amounts.items():
                if FLOW <= number < FREE:
                    out.setdefault((queue, channel), Counter())[start + (number - FLOW) * MINUTE] += n
        return out

    def backlog(self, start: int, queue: str, channel: str) -> tuple[int, int]:
        """`backlog_start` and `backlog_max` of a quarter: sums of all flows before these moments."""
        flows = self.flows().get((queue, channel), Counter[int]())
        moments = range(start, start + INTERVAL_MS + MINUTE, MINUTE)
        depths = [sum(n for minute, n in flows.items() if minute < moment) for moment in moments]
        return depths[0], max(depths)

    def sketch(self, name: str, resolution: int) -> dict[Any, dict[int, int]]:
        out: dict[Any, dict[int, int]] = {}
        for (size, *key), packed in self.cells.items():
            if size == resolution:
                cell: Cell = unpack_cell(packed)
                counts = {n & 511: v for n, v in cell.items() if v and n >> SHIFT == NUMBERS[name]}
                if counts:
                    out[tuple(key)] = counts
        return out

    def people(self) -> tuple[Any, Any]:
        """Return the agents as they are now, and all spells that are over."""
        known = {agent: unpack_agent(packed) for agent, packed in self.agents.items()}
        return people.agents(known), people.spells(unpacked(self.ledger))

    def open_visits(self) -> list[tuple[str, str, str, str, int]]:
        return sorted(
            (contact, v.queue, v.channel, VisitState(v.state).name.lower(), v.queued_at)
            for contact, packed in self.visits.items()
            for v in unpack_visits(packed)
            if v.state < VisitState.ENDED
        )


def folded(
    lines: Sequence[Line],
    cuts: Iterable[int] = (),
    restarts: Iterable[int] = (),
    *,
    targets: Targets | None = None,
    tells_messages: bool = True,
    seed: int = 0,
) -> Kept:
    """Fold the lines, committing after those numbers of them, and starting again from what was kept."""
    targets = targets or Targets()
    rng, kept, fold = Random(seed), Kept(), Fold(targets, tells_messages=tells_messages, noted=Noted(on=True))
    restarting = set(restarts)
    bounds = sorted({0, len(lines), *(c for c in (*cuts, *restarting) if 0 < c < len(lines))})
    for start, end in pairwise(bounds):
        if start in restarting:
            fold = Fold(targets, memory=kept.memory(rng), tells_messages=tells_messages, noted=Noted(on=True))
        commit = fold_records(fold, lines[start:end], _next_offset(lines, start), decode)
        kept.add(commit.deltas)
        restored, remembered = kept.memory(rng), fold.state
        for name in ("time", "agreement", "lasting", "agents"):
            assert getattr(restored, name) == getattr(remembered, name), f"{name} is not restored"
        assert len(restored.recent) == len(remembered.recent)
        kept.dead += commit.dead
    assert kept.memory(rng).recent.days == fold.state.recent.days
    rows = unpacked(kept.ledger)
    assert counted(rows, kept.memory(rng).open.values()) == without_zeros(kept.added)
    assert (found := identities(rows)) == sorted({*found}), "each once, in the log's order"
    return kept


def _next_offset(lines: Sequence[Line], index: int) -> int:
    return lines[index - 1].offset + 1 if index else lines[0].offset


def referred(
    lines: Iterable[Line],
    *,
    world: World = PLAIN,
    recent_max: int = 10_000_000,
    lasting_max: int = 2_000_000,
) -> Reference:
    reference = world.reference(recent_max=recent_max, lasting_max=lasting_max)
    for line in lines:
        reference.feed(line.offset, line.value, line.timestamp, by_broker=line.timestamp_type == 1)
    return reference


def differences(reference: Reference, kept: Kept) -> list[str]:
    """Where a fold departs from the specification; empty if nowhere."""
    agents, spells = kept.people()
    pairs: list[tuple[str, Any, Any]] = [
        ("results", +reference.results, +kept.results),
        ("reasons", +reference.reasons, +kept.reasons),
        ("dead letters", reference.results["dead_letter"], len(kept.dead)),
        ("time", reference.partition_time, kept.time),
        ("open visits", reference.open_visits(), kept.open_visits()),
        ("totals", reference.totals(), kept.counters(TOTAL)),
        ("interval rows", reference.rows(), kept.intervals()),
        ("agents", reference.agents(), agents),
        ("spells", reference.spells(), spells),
    ]
    quarters = {
        (start + later, q, c) for start, q, c in kept.rows for later in (-INTERVAL_MS, 0, INTERVAL_MS)
    }
    pairs += [(f"backlog of {key}", reference.backlog(*key), kept.backlog(*key)) for key in sorted(quarters)]
    for size in RESOLUTIONS:
        seconds = size // 1000
        pairs.append((f"cells of {seconds} s", reference.cells(seconds), kept.counters(size)))
        pairs += [
            (f"{name} of {seconds} s", reference.sketch(name, seconds), kept.sketch(name, size))
            for name in ("response", "handle", "abandon_wait", "revenue")
        ]
    return [f"{what}: expected {a}, found {b}" for what, a, b in pairs if a != b]
