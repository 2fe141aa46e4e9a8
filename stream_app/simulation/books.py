"""Keeps the ledger: what a visit's moments mean, to its customer and to a platform that tells of no messages.

In writing, people have answered when they have written; who only sees who was given a contact takes that for the answer, and
takes a bot's visit for one that waits.
"""

from typing import Final

from .desk import Request, SimulatedVisit

WORK_CAP: Final = 600_000
"""The most work that one reply may have been, in milliseconds."""


def queued(visit: SimulatedVisit) -> None:
    """Enter a visit that begins; one that is reopened was offered before."""
    desk = visit.desk
    desk.untold.offered += 1
    if visit.reopened:
        desk.row.reopened += 1
    else:
        desk.row.offered += 1


# --- with a bot ---


def to_bot(visit: SimulatedVisit, _at: int) -> None:
    """Enter the bot's first message: until it hands over, nobody waits for people."""
    visit.desk.row.to_bot += 1
    visit.clock = None


def handed_off(visit: SimulatedVisit, at: int) -> None:
    """Enter the hand-off, with which the wait for people begins."""
    visit.desk.row.from_bot += 1
    visit.with_bot = False
    visit.since = visit.clock = at
    visit.request, visit.before = Request(at), 0


def contained(visit: SimulatedVisit, _at: int) -> None:
    """Enter what the bot resolved."""
    visit.desk.row.bot_contained += 1
    visit.desk.untold.left += 1


def gave_up(visit: SimulatedVisit, at: int) -> None:
    """Enter a customer who gave up, on people or on the bot."""
    row, untold = visit.desk.row, visit.desk.untold
    untold.abandoned += 1
    untold.abandon_wait_ms += at - visit.queued_at
    if visit.with_bot:
        row.bot_abandoned += 1
        return
    row.abandoned += 1
    row.abandon_wait_ms += at - visit.since
    row.abandon_open_ms += visit.desk.at_work(visit.since, at)


# --- with people ---


def left(visit: SimulatedVisit, at: int) -> None:
    """Enter a visit that left the queue unanswered."""
    row, untold = visit.desk.row, visit.desk.untold
    row.left += 1
    row.left_wait_ms += at - visit.since
    untold.left += 1
    untold.left_wait_ms += at - visit.queued_at


def assigned(visit: SimulatedVisit, at: int) -> None:
    """Enter that an agent has the contact now; a call is answered with that."""
    untold = visit.desk.untold
    visit.assigned_at = at
    if visit.agent is not None:
        visit.agent.attended.has(at, talking=1)
    untold.answered += 1
    untold.answer_wait_ms += at - visit.queued_at
    if not visit.desk.queue.by_message:
        _answer(visit, at)
        visit.clock = None


def _answer(visit: SimulatedVisit, at: int) -> None:
    row, request = visit.desk.row, visit.request
    row.answered += 1
    wait, at_work = at - visit.since, visit.desk.at_work(visit.since, at)
    row.answer_wait_ms += wait
    row.answer_open_ms += at_work
    if visit.desk.queue.by_message:
        row.queue_responded += 1
        row.queue_response_ms += wait
        row.queue_response_open_ms += at_work
    visit.answered_at = at
    if not request.answered:
        request.answered = True
        row.responded += 1
        row.response_ms += at - request.start
        row.response_open_ms += visit.before + at_work


def heard(visit: SimulatedVisit, at: int) -> None:
    """Enter a message of the customer, who waits for a reply from the first one on."""
    visit.heard_at = at
    if visit.clock is None:
        visit.clock = at


def wrote(visit: SimulatedVisit, at: int) -> None:
    """Enter a message of the agent."""
    row, began = visit.desk.row, visit.heard_at
    if visit.desk.queue.writing.assigns:
        began = max(began, visit.assigned_at)
    if visit.wrote_at is None:
        if not visit.reopened:
            _answer(visit, at)
    else:
        began = max(began, visit.wrote_at)
    visit.wrote_at = at
    visit.work += min(at - began, WORK_CAP)
    if visit.clock is not None:
        row.replies += 1
        row.reply_ms += at - visit.clock
        row.reply_open_ms += visit.desk.at_work(visit.clock, at)
        visit.clock = None


def closed(visit: SimulatedVisit, at: int) -> None:
    """Enter a contact that an agent closed without writing."""
    row = visit.desk.row
    row.left += 1
    row.left_wait_ms += at - visit.since
    row.closed_unanswered += 1
    visit.unanswered = True
    ended(visit, at)


def ended(visit: SimulatedVisit, at: int) -> None:
    """Enter the end of a conversation, with which its agent begins to wrap up."""
    visit.over_at = at
    if visit.agent is not None:
        visit.agent.attended.has(at, talking=-1, wrapping=1)


def handled(visit: SimulatedVisit) -> None:
    """Enter the work on a visit, when all of it is done."""
    queue, row, untold = visit.desk.queue, visit.desk.row, visit.desk.untold
    visit.desk.worked(visit.over_at + visit.wrap, visit.had + visit.wrap)
    if visit.agent is not None:
        visit.agent.attended.has(visit.over_at + visit.wrap, wrapping=-1)
    untold.handled += 1
    untold.talk_ms += visit.over_at - visit.assigned_at - visit.hold
    untold.hold_ms += visit.hold
    untold.wrap_ms += visit.wrap
    untold.held += visit.hold > 0
    if visit.unanswered:
        return
    row.handled += 1
    row.pending_ms += visit.pending
    if visit.stated:
        row.handled_stated += 1
        row.talk_ms += visit.had
        row.wrap_ms += visit.wrap
    elif queue.by_replies:
        row.handled_estimated += 1
        row.talk_ms += visit.work
        row.estimated_ms += visit.work
    else:
        began = visit.queued_at if visit.reopened else visit.answered_at
        row.talk_ms += visit.over_at - began - visit.hold - visit.pending
        row.hold_ms += visit.hold
        row.wrap_ms += visit.wrap
        row.held += visit.hold > 0
    if not visit.moved:
        row.conversations += 1
        began = visit.request.start if visit.since == visit.queued_at else visit.queued_at
        row.conversation_ms += visit.over_at - began
