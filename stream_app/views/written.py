"""Answers that may be long, written row by row."""

from collections.abc import Callable

from stream_app.model.live.next_wait import InLine
from stream_app.model.live.rows import QueueGroup, Snapshot
from stream_app.model.live.running import AtRisk
from stream_app.model.pieces import Pieces

from . import wire, wire_lists
from .sending import around
from .status import Status
from .wire import encode


def now(
    snapshot: Snapshot,
    status: Status,
    groups: list[QueueGroup] | None,
    kpis: wire.Some,
    began: Callable[[str, str], wire.Began] = lambda _queue, _channel: {},
) -> Pieces[list[bytes]]:
    """Write ``/v1/now``; a snapshot no longer changes. ``began`` returns since when a row's states are what they are."""
    rows: list[bytes] = []
    for row in snapshot.rows:
        rows.append(encode(wire.live_row(row, kpis, began(row.queue, row.channel))))
        yield
    everyone = wire.of_everyone(snapshot.everyone, kpis)
    if groups is None:
        return around(wire.now(snapshot.at, status, [], everyone), "rows", rows)
    rolled: list[bytes] = []
    for group in groups:
        rolled.append(encode(wire.live_group(group, kpis)))
        yield
    *first, last = around(wire.now(snapshot.at, status, [], everyone, []), "rows", rows)
    return [*first, *around(last, "groups", rolled)]


def waiting(at: int, status: Status, found: list[InLine], link: wire_lists.Link) -> Pieces[list[bytes]]:
    """Write ``/v1/waiting``, contact by contact."""
    contacts: list[bytes] = []
    for one in found:
        contacts.append(encode(wire_lists.waiting_contact(one, link(one.contact))))
        yield
    return around(wire_lists.waiting(at, status, len(found)), "contacts", contacts)


def at_risk(at: int, status: Status, found: list[AtRisk], link: wire_lists.Link) -> Pieces[list[bytes]]:
    """Write ``/v1/at-risk``, contact by contact."""
    contacts: list[bytes] = []
    for one in found:
        contacts.append(encode(wire_lists.at_risk_contact(one, link(one.contact))))
        yield
    return around(wire_lists.at_risk(at, status, len(found)), "contacts", contacts)
