"""What the ledger's rows, with the visits that are still open, add up to."""

from collections.abc import Iterable, Mapping

from stream_app.model import facts as f
from stream_app.model.fold.cells import Cell, CellKey
from stream_app.model.fold.tally import Tally
from stream_app.model.fold.visit import REMEMBERED, Visit, Visits
from stream_app.model.ledger import Happening, StoredRow, counted_by, join_rows, unpack_facts, unpack_rows


def counted(rows: Iterable[StoredRow], open_: Iterable[Visits]) -> dict[CellKey, Cell]:
    """Cells as they would be counted from these rows and visits alone."""
    tally = Tally()
    for row in rows:
        if isinstance(row, Happening):
            facts = unpack_facts(row.facts)
            if row.sign < 0:
                facts = tuple(f.TakenBack(fact.at, (fact,)) for fact in facts)
            tally.add(facts, row.queue, row.channel)
        else:
            tally.add(_once(row.visit), row.visit.queue, row.visit.channel)
    for visits in open_:
        for visit in visits:
            if visit.state < REMEMBERED:
                tally.add(_once(visit), visit.queue, visit.channel)
    return without_zeros(tally.take())


def _once(visit: Visit) -> f.Facts:
    """What a visit counted: of each kind at most once, because a row has a place for one."""
    facts = counted_by(visit)
    assert len({type(fact) for fact in facts}) == len(facts), facts
    return facts


def without_zeros(cells: Mapping[CellKey, Cell]) -> dict[CellKey, Cell]:
    found = {key: {number: n for number, n in cell.items() if n} for key, cell in cells.items()}
    return {key: cell for key, cell in found.items() if cell}


def unpacked(rows: list[bytes]) -> tuple[StoredRow, ...]:
    return unpack_rows(join_rows(rows))


def identities(rows: Iterable[StoredRow]) -> list[tuple[int, int]]:
    """Offset and number of each row."""
    return [(row.offset, row.n) for row in rows]
