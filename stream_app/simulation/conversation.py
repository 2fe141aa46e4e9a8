"""The conversation between the answer and the end of the wrap-up, planned when an agent takes the contact."""

from functools import partial

from stream_app.model import events as e

from .aftermath import overhear
from .desk import LONGEST_WRAP, SimulatedVisit
from .stage import Stage


def converse(stage: Stage, visit: SimulatedVisit, at: int) -> None:
    """Plan a conversation that begins now; draw the visit's talk, hold and wrap times."""
    desk = visit.desk
    queue, rng = desk.queue, desk.talks
    talk = visit.talk = desk.talk()
    wrap = visit.wrap = min(desk.wrap(), LONGEST_WRAP)
    if queue.hold_share and rng.random() < queue.hold_share:
        hold = visit.hold = desk.hold()
        begins = at + 1 + int(rng.random() * (talk - 1))
        stage.later(begins, visit.event(e.Held, stage.id(), begins))
        stage.later(begins + hold, visit.event(e.Resumed, stage.id(), begins + hold))
    end = at + talk + visit.hold
    overhear(stage, visit, at + talk // 2)
    if queue.by_message:
        _write(stage, visit, at, end)
    target = stage.transfer_target(visit, end) if queue.transfer_share else None
    if target is None:
        by = "customer" if rng.random() < 0.6 else "agent"
        stage.later(end, visit.event(e.Ended, stage.id(), end, by=by))
    else:
        kind = "warm" if rng.random() < 0.5 else "blind"
        moved = visit.event(e.Transferred, stage.id(), end, to_queue=target.name, kind=kind)
        stage.later(end, moved, partial(stage.pass_on, visit, target))
    wrapped = visit.event(e.Wrapped, stage.id(), end + wrap)
    stage.later(end + wrap, wrapped, partial(stage.finish, visit))


def _write(stage: Stage, visit: SimulatedVisit, at: int, end: int) -> None:
    """Plan the first reply, and the messages exchanged after it."""
    desk = visit.desk
    row, random = desk.row, desk.talks.random
    mean = desk.queue.messages
    first = min(at + desk.reply(), end) if mean else end
    after = first - visit.clock

    def responded(_: int) -> None:
        row.responded += 1
        row.response_ms += after

    stage.later(first, visit.event(e.MessageSent, stage.id(), first), responded)
    if first == end:
        return
    # A geometric distribution: after each message the conversation is equally likely to be over.
    go_on, times = mean / (mean + 1), []
    while random() < go_on:
        times.append(first + int(random() * (end - first)))
    times.sort()
    for n, when in enumerate(times):
        kind = e.MessageSent if n % 2 else e.MessageReceived
        stage.later(when, visit.event(kind, stage.id(), when))


def with_bot(stage: Stage, visit: SimulatedVisit, at: int, until: int, *, settles: bool) -> None:
    """Plan a bot that greets and asks, then hands the contact to people or resolves it, between ``at`` and ``until``."""
    step = (until - at) // 4
    for when, bot in ((at, False), (at + step, True), (at + 2 * step, False), (until, True)):
        event: e.Event
        if bot:
            event = visit.event(e.MessageSent, stage.id(), when, bot=True)
        else:
            event = visit.event(e.MessageReceived, stage.id(), when)
        stage.later(when, event)
    if settles:
        stage.later(until, visit.event(e.Ended, stage.id(), until, by="bot"))
    else:
        stage.later(until, visit.event(e.HandedOff, stage.id(), until))
