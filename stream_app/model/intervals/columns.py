"""The columns of interval rows: each is one entry, from which storage, readers, API, CSV, Parquet and documentation derive.

A column that is counted is a field of ``IntervalRow`` with a ``Column``: its number in stored rows, its unit, what it means,
and what it is the sum of. Numbers are stored: add the next free one, never change one, and never use one again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args, get_type_hints

from msgspec import Struct

from stream_app.model.durations import MINUTE
from stream_app.model.kpis import counters as c
from stream_app.model.kpis.sums import Counter

INTERVAL_MS: Final = 900_000
MINUTES: Final = INTERVAL_MS // MINUTE

FLOW: Final = 17
"""From this number on, for each minute of an interval: contacts that came less contacts that went."""
FREE: Final = FLOW + MINUTES
"""Columns were given the numbers below ``FLOW`` first; the next ones begin here."""


class Column(Struct, frozen=True):
    """What is counted in a column.

    Attributes:
        number: where it is kept in a stored row.
        doc: what it is, for API and documentation.
        unit: ``ms`` is written in seconds.
        counter: what is added up in the interval in which it happens; ``None``: it belongs to the wait of a contact, and counts
            in the interval in which that was queued.
        largest: the largest is kept, not the sum.
    """

    number: int
    doc: str
    unit: Literal["contacts", "ms"] = "contacts"
    counter: Counter | None = None
    largest: bool = False


class IntervalRow(Struct, frozen=True, gc=False):
    """One interval of one queue and channel. Sums add up over rows; waits are those of the contacts queued in it.

    Attributes:
        start: milliseconds since the epoch.
        minutes: its true length: 1,380 and 1,500 too, for days on which clocks change.
        backlog_start: contacts in the queue when it began; ``None`` where that is not known.
        backlog_max: most contacts in the queue, of its start and the end of each of its minutes.
        final: it is complete, but for what comes late.
        revision: numbers every change of every final row, ever larger: microseconds since the epoch, or a little more; 0 while
            the row is open.
        version: 1 when it became final, one more at each change since; 0 while it is open.
        missing: 15-minute intervals in it that have begun and of which nothing is known. One without contacts is a row of
            zeros, and what is yet to come is not missing.
    """

    start: int
    minutes: int
    queue: str
    channel: str
    offered: Annotated[int, Column(0, "Contacts queued in it", counter=c.offered)] = 0
    answered: Annotated[int, Column(1, "Of those offered, answered, whenever that was")] = 0
    answered_in_target: Annotated[int, Column(2, "Of those answered, within the answer target")] = 0
    abandoned: Annotated[int, Column(3, "Of those offered, gave up")] = 0
    abandoned_in_target: Annotated[int, Column(4, "Of those who gave up, within the answer target")] = 0
    abandoned_short: Annotated[int, Column(5, "Of those who gave up, within the short-abandon threshold")] = 0
    left: Annotated[
        int, Column(6, "Of those offered, left the queue unanswered by another way: a transfer, a callback")
    ] = 0
    left_in_target: Annotated[int, Column(7, "Of those that left, within the answer target")] = 0
    lost: Annotated[int, Column(8, "Of those offered, whose outcome was never reported")] = 0
    refused: Annotated[int, Column(9, "Contacts that never got in", counter=c.refused)] = 0
    handled: Annotated[int, Column(10, "Contacts whose work was completed in it", counter=c.handled)] = 0
    talk_ms: Annotated[int, Column(11, "Talk time of those handled", "ms", c.talk_ms)] = 0
    hold_ms: Annotated[int, Column(12, "Hold time of those handled", "ms", c.hold_ms)] = 0
    wrap_ms: Annotated[int, Column(13, "Wrap-up time of those handled", "ms", c.wrap_ms)] = 0
    wait_ms: Annotated[int, Column(14, "Waits of those answered", "ms")] = 0
    abandon_wait_ms: Annotated[int, Column(15, "Waits of those who gave up", "ms")] = 0
    longest_wait_ms: Annotated[
        int, Column(16, "The longest wait that is over of a contact queued in it", "ms", largest=True)
    ] = 0
    missed: Annotated[
        int, Column(32, "Times a contact was offered to an agent who did not take it", counter=c.missed)
    ] = 0
    left_wait_ms: Annotated[int, Column(33, "Waits of those that left", "ms")] = 0
    left_timeout: Annotated[int, Column(34, "Of those that left, because their time in the queue was up")] = 0
    left_key: Annotated[int, Column(35, "Of those that left, by pressing a key")] = 0
    left_transfer: Annotated[
        int, Column(36, "Of those that left, because they were transferred or overflowed")
    ] = 0
    left_callback: Annotated[int, Column(37, "Of those that left, to be called back")] = 0
    left_empty: Annotated[int, Column(38, "Of those that left, because no agent was there")] = 0
    refused_full: Annotated[
        int, Column(39, "Of those refused, because the queue was full", counter=c.refused_full)
    ] = 0
    refused_closed: Annotated[
        int, Column(40, "Of those refused, because the queue was closed", counter=c.refused_closed)
    ] = 0
    refused_empty: Annotated[
        int, Column(41, "Of those refused, because no agent was there", counter=c.refused_empty)
    ] = 0
    closed_unanswered: Annotated[int, Column(42, "Of those that left, closed without a reply")] = 0
    left_not_demand: Annotated[
        int, Column(43, "Of those that left, spam, duplicates and the like: no demand")
    ] = 0
    to_bot: Annotated[int, Column(44, "Of those offered, were with a bot first", counter=c.to_bot)] = 0
    from_bot: Annotated[int, Column(45, "Handed over by a bot in it", counter=c.from_bot)] = 0
    bot_contained: Annotated[int, Column(46, "Resolved by a bot in it", counter=c.bot_contained)] = 0
    bot_abandoned: Annotated[
        int, Column(47, "Ended with a bot in it, unresolved", counter=c.bot_abandoned)
    ] = 0
    containments_undone: Annotated[
        int, Column(48, "Resolved by a bot in it, but came back", counter=c.containments_undone)
    ] = 0
    responded: Annotated[int, Column(49, "First responses in it", counter=c.responded)] = 0
    response_ms: Annotated[int, Column(50, "Time to these first responses", "ms", c.response_ms)] = 0
    response_open_ms: Annotated[
        int, Column(51, "Time to these first responses in business hours", "ms", c.response_open_ms)
    ] = 0
    replies: Annotated[int, Column(52, "Replies in it, those that answer included", counter=c.replies)] = 0
    reply_ms: Annotated[int, Column(53, "Time to these replies", "ms", c.reply_ms)] = 0
    replies_due: Annotated[
        int, Column(54, "Replies after the first in it, where they have a target", counter=c.replies_due)
    ] = 0
    replies_in_target: Annotated[
        int, Column(55, "Of the replies with a target, within it", counter=c.replies_in_target)
    ] = 0
    reopened: Annotated[int, Column(56, "Came back in it with a closed request", counter=c.reopened)] = 0
    handled_estimated: Annotated[
        int,
        Column(57, "Of those handled, whose work was found from the replies", counter=c.handled_estimated),
    ] = 0
    estimated_ms: Annotated[
        int, Column(58, "The part of the talk time that was found so", "ms", c.estimated_ms)
    ] = 0
    pending_ms: Annotated[
        int, Column(59, "Time for which those handled were pending", "ms", c.pending_ms)
    ] = 0
    unfinished: Annotated[
        int,
        Column(
            60, "Answered contacts closed in it because their end was never reported", counter=c.unfinished
        ),
    ] = 0
    backlog_start: int | None = None
    backlog_max: int | None = None
    final: bool = False
    revision: int = 0
    version: int = 0
    missing: int = 0

    @property
    def waiting(self) -> int:
        """Of those whose wait for a person began in it, who is still in the queue."""
        return self.for_people - self.answered - self.abandoned - self.left - self.lost

    @property
    def for_people(self) -> int:
        """Contacts whose wait for a person began in it: those offered, but for a bot's, and those that bots handed over."""
        return self.offered - self.to_bot + self.from_bot

    @property
    def demand(self) -> int:
        """Of those, who was a customer's request: the denominator of ratios."""
        return self.for_people - self.left_not_demand

    @property
    def left_other(self) -> int:
        """Of those that left, for another reason or an unknown one."""
        known = self.left_timeout + self.left_key + self.left_transfer + self.left_callback + self.left_empty
        return self.left - known - self.closed_unanswered

    @property
    def refused_other(self) -> int:
        """Of those refused, for another reason or an unknown one."""
        return self.refused - self.refused_full - self.refused_closed - self.refused_empty

    @property
    def end(self) -> int:
        """Its end, exclusive."""
        return self.start + self.minutes * MINUTE

    @property
    def handle_ms(self) -> int:
        """Talk, hold and wrap-up of those handled."""
        return self.talk_ms + self.hold_ms + self.wrap_ms


def _columns() -> dict[str, Column]:
    hints = get_type_hints(IntervalRow, include_extras=True)
    return {
        name: found
        for name, hint in hints.items()
        for found in get_args(hint)[1:]
        if isinstance(found, Column)
    }


COLUMNS: Final = _columns()
"""Name in ``IntervalRow`` → its column."""
FIELDS: Final = tuple(COLUMNS)
PLACES: Final = {name: column.number for name, column in COLUMNS.items()}
"""Name → number."""
WIDTH: Final = max(PLACES.values()) + 1
"""Numbers of columns are below this; those of the minutes' flows may be among them."""
LONGEST: Final = PLACES["longest_wait_ms"]
if len({*PLACES.values()}) < len(PLACES) or any(FLOW <= number < FREE for number in PLACES.values()):
    raise ValueError(
        f"columns: expected different numbers, none from {FLOW} to {FREE - 1}, which are the minutes' flows"
    )
LARGEST: Final = frozenset(column.number for column in COLUMNS.values() if column.largest)


def written(name: str) -> str:
    """Return the name of a column outside of this program, where times are in seconds."""
    return f"{name.removesuffix('_ms')}_s" if name in COLUMNS and COLUMNS[name].unit == "ms" else name


DERIVED: Final = {
    "waiting": "Contacts whose wait for a person began in it, still in the queue",
    "left_other": "Of those that left, for another reason or an unknown one",
    "refused_other": "Of those refused, for another reason or an unknown one",
}
"""Counts that follow from the rest and are not stored, so that sums hold in rows of any age; name → what it is."""
_AFTER: Final = {"lost": "waiting", "closed_unanswered": "left_other", "refused_empty": "refused_other"}
SEQUENCE: Final = tuple(
    field for name in COLUMNS for field in ((name, _AFTER[name]) if name in _AFTER else (name,))
)
"""Attributes of ``IntervalRow`` that are counts, in the order in which they are written."""

WRITTEN: Final = (
    *("start", "minutes", "queue", "channel"),
    *map(written, SEQUENCE),
    *("backlog_start", "backlog_max"),
    *("service_level", "abandonment"),
    *("average_speed_of_answer_s", "average_abandon_wait_s", "average_handle_time_s"),
    *("final", "revision", "version", "revised_at", "missing", "policy", "waits_by", "handling_by", "outage"),
)
"""Fields of a row as it is written, in the order of CSV's columns."""
