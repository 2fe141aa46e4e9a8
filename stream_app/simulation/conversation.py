"""The conversation between the answer and the end of the wrap-up, planned when an agent takes the contact."""

from functools import partial

from stream_app.model import events as e

from . import books
from .aftermath import overhear
from .desk import LONGEST_WRAP, SimulatedVisit
from .stage import Stage, Then


def converse(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Plan a conversation that begins now; draw the visit's talk, hold and wrap times."""
    desk = visit.desk
    queue, rng = desk.queue, desk.talks
    talk = visit.talk = desk.talk()
    wrap = visit.wrap = min(desk.wrap(), LONGEST_WRAP)
    if not visit.reopened and desk.chance(queue.writing.unanswered):
        _close(stage, visit, at + desk.reply())
        return
    if queue.hold_share and rng.random() < queue.hold_share:
        hold = visit.hold = desk.hold()
        begins = at + 1 + int(rng.random() * (talk - 1))
        stage.later(begins, visit.event(e.Held, stage.id(), begins))
        stage.later(begins + hold, visit.event(e.Resumed, stage.id(), begins + hold))
    end = at + talk + visit.hold
    overhear(stage, visit, at + talk // 2)
    if queue.by_message:
        _write(stage, visit, at, end)
    visit.stated = desk.chance(queue.writing.stated)
    target = stage.transfer_target(visit, end) if queue.transfer_share else None
    if target is None:
        if desk.chance(queue.writing.pending):
            end = _pause(stage, visit, end)
        by = "customer" if rng.random() < 0.6 else "agent"
        over = visit.event(e.Ended, stage.id(), end, by=by, talk_s=_talk_s(visit, end - at))
        stage.later(end, over, partial(stage.hang_up, visit))
    else:
        kind = "warm" if rng.random() < 0.5 else "blind"
        talk_s = _talk_s(visit, end - at)
        moved = visit.event(e.Transferred, stage.id(), end, to_queue=target.name, kind=kind, talk_s=talk_s)
        stage.later(end, moved, partial(stage.pass_on, visit, target))
    _wrap_up(stage, visit, end + wrap)


def _talk_s(visit: SimulatedVisit, took: int) -> float | None:
    """Return the work that the platform states of a conversation that took so many milliseconds; ``None``: none."""
    return (took - visit.pending) / 1000 if visit.stated else None


def _wrap_up(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    wrap_s = visit.wrap / 1000 if visit.stated else None
    stage.later(at, visit.event(e.Wrapped, stage.id(), at, wrap_s=wrap_s), partial(stage.finish, visit))


def _close(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Plan that nobody writes: there is nothing to answer."""
    stage.later(at, visit.event(e.Ended, stage.id(), at, by="agent"), partial(books.closed, visit))
    _wrap_up(stage, visit, at + visit.wrap)


def _pause(stage: Stage, visit: SimulatedVisit, at: int) -> int:
    """Plan a question to the customer, and the last reply after the answer to it; return when that is sent."""
    pending = visit.pending = visit.desk.pending()
    resumes, end = at + pending, at + pending + visit.desk.reply()
    stage.later(at, visit.event(e.Held, stage.id(), at), partial(stage.set_aside, visit))
    customer_writes(stage, visit, resumes)
    stage.later(resumes, visit.event(e.Resumed, stage.id(), resumes))
    _agent_writes(stage, visit, end)
    return end


def _write(stage: Stage, visit: SimulatedVisit, at: int, end: int) -> None:
    """Plan the first reply, and the messages exchanged after it."""
    desk = visit.desk
    random = desk.talks.random
    mean = desk.queue.messages
    first = min(at + desk.reply(), end) if mean else end
    if desk.chance(desk.queue.writing.notes):
        noted = at + (first - at) // 2
        stage.later(noted, visit.event(e.MessageSent, stage.id(), noted, private=True))
    _agent_writes(stage, visit, first)
    if first == end:
        return
    # A geometric distribution: after each message the conversation is equally likely to be over.
    go_on, times = mean / (mean + 1), []
    while random() < go_on:
        times.append(first + int(random() * (end - first)))
    times.sort()
    for n, when in enumerate(times):
        if n % 2:
            _agent_writes(stage, visit, when)
        else:
            customer_writes(stage, visit, when)


def _agent_writes(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    stage.later(at, visit.event(e.MessageSent, stage.id(), at), partial(books.wrote, visit))


def customer_writes(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Plan a message of the customer."""
    stage.later(at, visit.event(e.MessageReceived, stage.id(), at), partial(books.heard, visit))


def with_bot(stage: Stage, visit: SimulatedVisit, at: int, until: int, *, settles: bool) -> None:
    """Plan a bot that greets and asks, then hands the contact to people or resolves it, between ``at`` and ``until``."""
    step = (until - at) // 4
    customer_writes(stage, visit, at)
    _bot_writes(stage, visit, at + step, partial(_taken_by_bot, visit))
    customer_writes(stage, visit, at + 2 * step)
    if visit.desk.chance(visit.desk.queue.writing.bot_given_up):
        gone = at + 3 * step
        stage.later(gone, visit.event(e.Abandoned, stage.id(), gone), partial(_given_up, visit))
        return
    _bot_writes(stage, visit, until, partial(_bot_replied, visit))
    if settles:
        stage.later(until, visit.event(e.Ended, stage.id(), until, by="bot"), partial(_settled, visit))
    else:
        stage.later(until, visit.event(e.HandedOff, stage.id(), until), partial(_handed_off, stage, visit))


def _bot_writes(stage: Stage, visit: SimulatedVisit, at: int, then: Then) -> None:
    stage.later(at, visit.event(e.MessageSent, stage.id(), at, bot=True), then)


def _taken_by_bot(visit: SimulatedVisit, at: int) -> None:
    visit.with_bot = True
    books.to_bot(visit, at)


def _bot_replied(visit: SimulatedVisit, _at: int) -> None:
    visit.clock = None


def _settled(visit: SimulatedVisit, at: int) -> None:
    visit.waiting = visit.with_bot = False
    books.contained(visit, at)


def _given_up(visit: SimulatedVisit, at: int) -> None:
    visit.waiting = False
    books.gave_up(visit, at)
    visit.with_bot = False


def _handed_off(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    books.handed_off(visit, at)
    stage.wait(visit, at)
