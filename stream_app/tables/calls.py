"""A list of contacts, one row each: from the cells of a row to what happened to the contact, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from .mapping import ColumnMap
from .outcomes import WITH_AGENT, Meaning
from .values import is_nothing

DURATIONS: Final = ("wait_s", "talk_s", "hold_s", "wrap_s", "handle_s", "duration_s")
TIMES: Final = ("queued", "answered", "ended")
TEXTS: Final = (
    "queue",
    "channel",
    "contact_id",
    "agent",
    "team",
    "site",
    "customer",
    "direction",
    "outcome",
    "abandoned",
)
FIELDS: Final = (*TIMES, *DURATIONS, *TEXTS)
_SCALES: Final = {
    f"{name.removesuffix('_s')}_{unit}": (name, scale)
    for name in DURATIONS
    for unit, scale in (("ms", 1000.0), ("min", 1 / 60))
}
"""Columns in other units than seconds → the field, and how many of the unit are in a second (of minutes, a sixtieth)."""
KNOWN: Final = (*FIELDS, *_SCALES)
CALL_ALIASES: Final = {
    "start": "queued",
    "answer": "answered",
    "end": "ended",
    "id": "contact_id",
    "aht": "handle_s",
    "aht_s": "handle_s",
    **{name.removesuffix("_s"): name for name in DURATIONS},
}
TELLS_ANSWERED: Final = frozenset({"answered", "abandoned", "outcome", "talk_s", "handle_s"})
"""Without one of these it is not known which contacts were answered."""
CallCells = Mapping[str, str]
"""Field → the text of its columns, without surrounding blanks; empty ones are left out."""


class Call(Struct, gc=False):
    """What happened to one contact. Times are milliseconds since the epoch; ``None`` is not known.

    Attributes:
        line: in the file, from 1.
        contact_id: its own, or one that follows from the row.
        queued: when it came into the queue.
        answered: when an agent was connected; known of every contact with an agent, if only from its wait.
        ended: when the conversation was over, or the wait of a contact without an agent.
        meaning: what became of it.
        wait_unknown: the list does not say how long it waited.
    """

    line: int
    contact_id: str
    queue: str
    channel: str
    meaning: Meaning
    queued: int
    answered: int | None = None
    ended: int | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    hold_s: float | None = None
    wrap_s: float | None = None
    outbound: bool = False
    wait_unknown: bool = False
    agent: str | None = None
    team: str | None = None
    site: str | None = None
    customer: str | None = None

    @property
    def handle_s(self) -> float | None:
        """Its handle time in seconds, if the list has it."""
        if self.meaning not in WITH_AGENT or (self.talk_s is None and self.ended is None):
            return None
        talk = self.talk_s
        if talk is None:
            assert self.answered is not None  # noqa: S101 - with an agent it always is
            assert self.ended is not None  # noqa: S101 - see above
            talk = (self.ended - self.answered) / 1000
        return talk + (self.hold_s or 0.0) + (self.wrap_s or 0.0)


class BadRowError(Exception):
    """A row that is not a contact.

    Attributes:
        field: the field at fault.
        word: the word for an outcome whose meaning is not known.
    """

    def __init__(self, field: str, why: str, word: str | None = None) -> None:
        super().__init__(why)
        self.field = field
        self.word = word


def scaled(mapping: ColumnMap) -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """Return a map's columns by fields in seconds, and by what their numbers are to be divided."""
    columns, scales = {}, {}
    for field, names in mapping.columns.items():
        name, scale = _SCALES.get(field, (field, 1.0))
        columns[name] = names
        if scale != 1.0:
            scales[name] = scale
    return columns, scales


def cells_of_row(columns: Mapping[str, tuple[str, ...]], get: Callable[[str], str | None]) -> dict[str, str]:
    """Return the texts of a row by field; two columns of a field are joined by a blank."""
    found = {}
    for field, names in columns.items():
        if len(names) == 1:
            text = (get(names[0]) or "").strip()
        else:
            text = " ".join(part for name in names if (part := (get(name) or "").strip()))
        if text and not is_nothing(text):
            found[field] = text
    return found
