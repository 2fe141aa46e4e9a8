"""What people's replies and work count, and in which bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .books import Books
    from .visits import Visit


class Work:
    """Puts responses, replies and the end of the work into the books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def answered(self, visit: Visit, at: int, wait: int) -> None:
        """A request had its first response: the customer waited through all of its visits."""
        before = max(0, visit.queued_at - visit.request.start)
        open_ms = visit.request.open_before + self._books.open(visit, at, wait)
        self._responded(visit, at, before + wait, open_ms)

    def responded(self, visit: Visit, at: int, gap: int) -> None:
        """An outbound visit had its first response."""
        self._responded(visit, at, gap, self._books.open(visit, at, gap))

    def _responded(self, visit: Visit, at: int, duration: int, open_ms: int) -> None:
        self._books.both(visit, at, responded=1, response_ms=duration, response_open_ms=open_ms)
        self._books.counters.note(visit.place, at, "response", duration)

    def queue_responded(self, visit: Visit, at: int, duration: int) -> None:
        """A person of this queue responded; only the first time counts, and where people write."""
        if visit.queue_responded or visit.outbound or visit.reopened or not visit.written:
            return
        visit.queue_responded = True
        self._books.live(
            visit.place,
            at,
            queue_responded=1,
            queue_response_ms=duration,
            queue_response_open_ms=self._books.open(visit, at, duration),
        )

    def replied(self, visit: Visit, at: int, gap: int, *, answers: bool) -> None:
        visit.life.replies += 1
        self._books.both(visit, at, replies=1, reply_ms=gap)
        self._books.live(visit.place, at, reply_open_ms=self._books.open(visit, at, gap))
        target = visit.rules.reply_target
        if target is not None and not answers:
            took = self._books.policy.of(visit.place).elapsed(at - gap, at)
            self._books.both(visit, at, replies_due=1, replies_in_target=took <= target)

    def reopened(self, visit: Visit, at: int) -> None:
        self._books.both(visit, at, reopened=1)

    def unfinished(self, visit: Visit, at: int) -> None:
        visit.life.over = True
        self._books.both(visit, at, unfinished=1)

    def missed(self, visit: Visit, at: int) -> None:
        self._books.both(visit, at, missed=1)

    def transferred(self, visit: Visit, at: int) -> None:
        visit.life.passed_at = at
        if not visit.outbound:
            self._books.live(visit.place, at, transferred=1)

    def handled(self, visit: Visit, at: int, *, timed_out: bool) -> None:
        talk, hold, wrap, pending = visit.durations()
        life = visit.life
        life.handled_at, life.over, life.work, life.pending = at, True, talk + hold + wrap, pending
        if visit.outbound:
            self._books.live(visit.place, at, outbound_handled=1, outbound_ms=talk + hold + wrap)
            return
        in_row = {"handled": 1, "talk_ms": talk, "hold_ms": hold, "wrap_ms": wrap, "pending_ms": pending}
        if visit.estimated:
            in_row |= {"handled_estimated": 1, "estimated_ms": talk}
        self._books.both(visit, at, **in_row)
        transferred = life.transferred = "contact.transferred" in visit.taken
        self._books.live(
            visit.place,
            at,
            handled_transferred=transferred,
            handled_stated=bool(visit.stated),
            held=hold > 0 or (visit.hold_began and not visit.written),
            wrap_timed_out=timed_out,
        )
        self._books.counters.note(visit.place, at, "handle", talk + hold + wrap)
        if not transferred:
            self._conversed(visit, at)

    def _conversed(self, visit: Visit, at: int) -> None:
        """A conversation is over that nobody passed on."""
        start = visit.started if visit.was_bots else visit.request.start
        end = at if visit.over_at is None else visit.over_at
        self._books.live(visit.place, at, conversations=1, conversation_ms=max(0, end - start))
