"""What the moments of a visit count, and in which bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .counters import sketch_bucket

if TYPE_CHECKING:
    from .counters import Counters, Key
    from .intervals import Intervals
    from .visits import Entry, Visit


LEFT_WHY = {
    "timeout": {"timeout", "expired"},
    "key": {"key"},
    "transfer": {"transfer", "overflow"},
    "callback": {"callback"},
    "empty": {"empty", "no_agents"},
}
REFUSED_WHY = {"full": {"full"}, "closed": {"closed"}, "empty": {"empty", "no_agents"}}


def counted_as(table: dict[str, set[str]], outcome: str, why: str) -> dict[str, int]:
    """The one counter of an outcome's reason, if the reason is one of those that have a counter."""
    return {f"{outcome}_{name}": 1 for name, reasons in table.items() if why.lower() in reasons}


class Ledger:
    """Puts every moment of a visit into the counters. There are no business hours: all of a time is open."""

    def __init__(self, counters: Counters, intervals: Intervals) -> None:
        self._counters, self._intervals = counters, intervals

    def add(self, place: Key, at: int, **amounts: int) -> None:
        """Add the amounts in the buckets that hold `at`."""
        self._counters.add(place, at, amounts)

    def in_row(self, place: Key, at: int, **amounts: int) -> None:
        """Add the amounts to the interval row in which `at` lies."""
        self._intervals.done(place, at, amounts)

    def opened(self, visit: Visit) -> None:
        if visit.outbound:
            self.add(visit.place, visit.queued_at, outbound=1)
        else:
            self.add(visit.place, visit.queued_at, offered=1)
            self._intervals.offered(visit)

    # Outcomes: each decides the visit ------------------------------------------------------------------

    def answered(self, visit: Visit, at: int, wait: int, *, stated: bool) -> None:
        counted = {
            "answered": 1,
            "answered_in_target": wait <= visit.target,
            "answer_wait_ms": wait,
            "answered_stated": stated,
            "bot_met": visit.met_bot,
        }
        self._intervals.over(visit, "answered", at, wait)
        self._enter(visit, [(at, counted), _decided(visit, at, wait)])

    def abandoned(self, visit: Visit, at: int, wait: int) -> None:
        late = wait > visit.target
        counted = {
            "abandoned": 1,
            "abandoned_in_target": not late,
            "abandoned_short": visit.short > 0 and wait <= visit.short,
            "abandon_wait_ms": wait,
            "abandoned_late": late,
            "bot_met": visit.met_bot,
        }
        when, decided = _decided(visit, at, wait)
        visit.abandonment = [(at, counted), (when, {**decided, "decided_then_abandoned": late})]
        visit.abandon_wait = wait
        self._intervals.over(visit, "abandoned", at, wait)
        self._enter(visit, visit.abandonment)
        self._counters.note(visit.place, at, "abandon_wait", wait)

    def taken_back(self, visit: Visit) -> None:
        """Subtract the abandonment where it was added."""
        entries = visit.abandonment
        self._enter(visit, [(at, {name: -n for name, n in counted.items()}) for at, counted in entries])
        at, waited = entries[0][0], visit.abandon_wait
        self._counters.take(visit.place, at, "abandon_wait", sketch_bucket(waited), -1)
        self.add(visit.place, at, abandonments_undone=1)
        visit.abandonment = []
        self._intervals.waits_again(visit)

    def left(self, visit: Visit, at: int, wait: int, why: str, *, callback: bool, contained: bool) -> None:
        counted = {
            **counted_as(LEFT_WHY, "left", why),
            "left": 1,
            "left_in_target": wait <= visit.target,
            "left_wait_ms": wait,
            "callbacks": callback,
            "bot_met": visit.met_bot or contained,
            "bot_contained": contained,
        }
        self._intervals.over(visit, "left", at, wait, counted_as(LEFT_WHY, "left", why))
        self._enter(visit, [(at, counted), _decided(visit, at, wait)])

    def lost(self, visit: Visit, at: int) -> None:
        self._intervals.over(visit, "lost", at)
        self._enter(visit, [(at, {"lost": 1}), _decided(visit, at, visit.waited(at))])

    def _enter(self, visit: Visit, entries: list[Entry]) -> None:
        for at, counted in entries:
            self._counters.add(visit.place, at, counted)

    # Responses, and the end of the work ----------------------------------------------------------------

    def responded(self, visit: Visit, at: int, duration: int) -> None:
        """The first response came `duration` after what it answers."""
        self.add(visit.place, at, responded=1, response_ms=duration, response_open_ms=duration)
        self._counters.note(visit.place, at, "response", duration)

    def replied(self, visit: Visit, at: int, gap: int) -> None:
        self.add(visit.place, at, replies=1, reply_ms=gap, reply_open_ms=gap)

    def handled(self, visit: Visit, at: int, *, timed_out: bool) -> None:
        talk, hold, wrap = visit.talk, visit.hold, visit.wrap
        if visit.outbound:
            self.add(visit.place, at, outbound_handled=1, outbound_ms=talk + hold + wrap)
            return
        self.add(
            visit.place,
            at,
            handled=1,
            handled_transferred="contact.transferred" in visit.taken,
            handled_stated=visit.states_durations,
            talk_ms=talk,
            hold_ms=hold,
            wrap_ms=wrap,
            held=visit.hold_began or hold > 0,
            wrap_timed_out=timed_out,
        )
        self._counters.note(visit.place, at, "handle", talk + hold + wrap)
        self.in_row(visit.place, at, handled=1, talk_ms=talk, hold_ms=hold, wrap_ms=wrap)


def _decided(visit: Visit, at: int, wait: int) -> Entry:
    """When an outcome at `at` was decided."""
    return at if wait <= visit.target else min(visit.queued_at + visit.target, at), {"decided": 1}
