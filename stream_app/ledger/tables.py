"""What every table has: columns with their kinds, from which the schema of its files follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha1
from typing import Any, Final, Literal, NamedTuple

from .libraries import library

ColumnKind = Literal["text", "texts", "integer", "number", "moment", "yes_no"]
"""``moment``: milliseconds since the epoch, UTC; ``texts``: a list."""

IDENTITY: Final = ("topic_id", "partition", "offset", "n")
"""The columns by which a row is known."""
PERSONAL: Final = ("contact_id", "customer", "case")
"""The columns that ``stream-app forget`` blanks, wherever a table has them."""


class LedgerColumn(NamedTuple):
    """A column of a table.

    Attributes:
        name: as in the files.
        kind: its type.
        required: it is never NULL.
    """

    name: str
    kind: ColumnKind
    required: bool = False


class LedgerTable:
    """A table: its name, columns and the column that has a row's time.

    Attributes:
        schema: of pyarrow.
    """

    def __init__(self, name: str, columns: Iterable[LedgerColumn], time: str) -> None:
        self.name = name
        self.columns: tuple[LedgerColumn, ...] = tuple(columns)
        self.time = time

    @cached_property
    def personal(self) -> tuple[str, ...]:
        """The columns that are blanked when somebody is forgotten."""
        return tuple(one.name for one in self.columns if one.name in PERSONAL)

    @cached_property
    def encodings(self) -> dict[str, Any]:
        """How the columns are written, as options of pyarrow's writer: a third smaller than by default.

        Numbers and times are near their neighbours. Names repeat; ids of contacts don't, and a dictionary of them is waste.
        """
        names = [one.name for one in self.columns if one.kind == "text" and one.name != "contact_id"]
        near = [one.name for one in self.columns if one.kind in {"integer", "moment"}]
        return {"use_dictionary": names, "column_encoding": dict.fromkeys(near, "DELTA_BINARY_PACKED")}

    @cached_property
    def digest(self) -> str:
        """What tells its columns from those of other versions."""
        told = ",".join(f"{one.name} {one.kind}" for one in self.columns)
        return sha1(told.encode(), usedforsecurity=False).hexdigest()[:8]

    @cached_property
    def schema(self) -> Any:
        """The schema of its files."""
        arrow = library("pyarrow")
        kinds = {
            "text": arrow.string(),
            "texts": arrow.list_(arrow.string()),
            "integer": arrow.int64(),
            "number": arrow.float64(),
            "moment": arrow.timestamp("ms", tz="UTC"),
            "yes_no": arrow.bool_(),
        }
        return arrow.schema(
            [arrow.field(one.name, kinds[one.kind], nullable=not one.required) for one in self.columns]
        )

    def batch(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Return rows, each name → value, as columns; a name that is absent is NULL."""
        arrow = library("pyarrow")
        arrays = [
            arrow.array([row.get(field.name) for row in rows], type=field.type) for field in self.schema
        ]
        return arrow.Table.from_arrays(arrays, schema=self.schema)
