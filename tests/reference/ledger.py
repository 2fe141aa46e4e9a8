"""What the waits of a visit count, and in which bucket: for people, and with the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .counters import sketch_bucket

if TYPE_CHECKING:
    from .books import Books
    from .visits import Entry, Visit

LEFT_WHY = {
    "left_timeout": {"timeout", "expired"},
    "left_key": {"key"},
    "left_transfer": {"transfer", "overflow"},
    "left_callback": {"callback"},
    "left_empty": {"empty", "no_agents"},
    "closed_unanswered": {"closed"},
}
REFUSED_WHY = {
    "refused_full": {"full"},
    "refused_closed": {"closed"},
    "refused_empty": {"empty", "no_agents"},
}


def counted_as(table: dict[str, set[str]], why: str) -> dict[str, int]:
    """The one counter of an outcome's reason, if the reason is one of those that have a counter."""
    return {name: 1 for name, reasons in table.items() if why.lower() in reasons}


class Ledger:
    """Puts the moments of a wait into the books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def opened(self, visit: Visit) -> None:
        """A visit opens: it is offered, reopened or outbound."""
        self._books.history.visits.append(visit)
        if visit.outbound:
            self._books.live(visit.place, visit.started, outbound=1)
        elif visit.reopened:
            self._books.both(visit, visit.started, reopened=1)
        else:
            self._books.live(visit.place, visit.started, offered=1)
            self._books.intervals.offered(visit)

    # With the bot ------------------------------------------------------------------------------------

    def to_bot(self, visit: Visit) -> None:
        self._books.both(visit, visit.started, to_bot=1)
        self._books.intervals.to_bot(visit)

    def handed_off(self, visit: Visit) -> None:
        self._books.both(visit, visit.queued_at, from_bot=1)
        self._books.intervals.from_bot(visit)

    def contained(self, visit: Visit, at: int) -> None:
        visit.life.contained_at, visit.life.over = at, True
        self._books.both(visit, at, bot_contained=1)

    def containment_undone(self, visit: Visit) -> None:
        visit.life.contained_at = None
        self._books.both(visit, visit.since, bot_contained=-1, containments_undone=1)

    def ended_with_bot(self, visit: Visit, at: int) -> None:
        visit.life.over = True
        self._books.both(visit, at, bot_abandoned=1)

    # Outcomes: each decides the visit ------------------------------------------------------------------

    def answered(self, visit: Visit, at: int, wait: int, *, stated: bool) -> None:
        counted = {
            "answered": 1,
            "answered_in_target": wait <= visit.target,
            "answer_wait_ms": wait,
            "answer_open_ms": self._books.open(visit, at, wait),
            "answered_stated": stated,
        }
        self._books.intervals.over(visit, "answered", at, wait)
        self._enter(visit, [(at, counted), _decided(visit, at, wait)])

    def abandoned(self, visit: Visit, at: int, wait: int) -> None:
        visit.life.over = True
        late = wait > visit.target
        counted = {
            "abandoned": 1,
            "abandoned_in_target": not late,
            "abandoned_short": visit.short > 0 and wait <= visit.short,
            "abandon_wait_ms": wait,
            "abandon_open_ms": self._books.open(visit, at, wait),
            "abandoned_late": late,
        }
        when, decided = _decided(visit, at, wait)
        visit.abandonment = [(at, counted), (when, {**decided, "decided_then_abandoned": late})]
        visit.abandon_wait = wait
        self._books.intervals.over(visit, "abandoned", at, wait)
        self._enter(visit, visit.abandonment)
        self._books.counters.note(visit.place, at, "abandon_wait", wait)

    def taken_back(self, visit: Visit) -> None:
        """Subtract the abandonment where it was added."""
        visit.life.over = False
        entries = visit.abandonment
        self._enter(visit, [(at, {name: -n for name, n in counted.items()}) for at, counted in entries])
        at, waited = entries[0][0], visit.abandon_wait
        self._books.counters.take(visit.place, at, "abandon_wait", sketch_bucket(waited), -1)
        self._books.live(visit.place, at, abandonments_undone=1)
        visit.abandonment = []
        self._books.intervals.waits_again(visit)

    def is_no_demand(self, visit: Visit, why: str, wait: int) -> bool:
        """Whether nobody wanted anything; but whom people leave waiting for too long, and close, did."""
        named = why.lower() in self._books.policy.of(visit.place).not_demand
        return named and (why.lower() != "closed" or wait <= visit.target)

    def left(self, visit: Visit, at: int, wait: int, why: str, *, callback: bool, demand: bool) -> None:
        reasons = {**counted_as(LEFT_WHY, why), "left_not_demand": int(not demand)}
        visit.life.over, visit.life.demand = True, demand
        if reasons.get("left_transfer"):
            visit.life.passed_at = at
        counted = {
            **reasons,
            "left": 1,
            "left_in_target": demand and wait <= visit.target,
            "left_wait_ms": wait,
            "callbacks": callback,
        }
        self._books.intervals.over(visit, "left", at, wait, reasons)
        self._enter(visit, [(at, counted), _decided(visit, at, wait)] if demand else [(at, counted)])

    def lost(self, visit: Visit, at: int) -> None:
        visit.life.over = True
        self._books.intervals.over(visit, "lost", at)
        self._enter(visit, [(at, {"lost": 1}), _decided(visit, at, visit.waited(at))])

    def _enter(self, visit: Visit, entries: list[Entry]) -> None:
        for at, counted in entries:
            self._books.live(visit.place, at, **counted)


def _decided(visit: Visit, at: int, wait: int) -> Entry:
    """When an outcome at `at` was decided."""
    return at if wait <= visit.target else min(visit.queued_at + visit.target, at), {"decided": 1}
