"""Choices about conversations that are allowed and whose numbers would mislead, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from stream_app.model.durations import DAY
from stream_app.model.kpis import BY_NAME

from .conversations import DEFERRED, is_written
from .document import Targets
from .promises import promised_wait
from .queue_targets import QueueTargets

_WEEK: Final = 7
_SENT: Final = "send message.sent where an agent writes, or set answer to assignment"


class Misleading(Struct, frozen=True):
    """One choice that misleads: what is chosen and what comes of it; and what to do."""

    detail: str
    advice: str


class Traffic(Struct, frozen=True):
    """What was counted in a queue and channel so far: contacts, agents' messages for which customers waited, and answers."""

    answered: int = 0
    replies: int = 0
    handed_off: int = 0
    closed_unanswered: int = 0
    fcr_answers: int = 0


def misleading(
    targets: Targets,
    queue: str,
    channel: str,
    *,
    now: int,
    tells_messages: bool,
    traffic: Traffic | None = None,
) -> Iterator[Misleading]:
    """Yield what misleads in a queue and channel.

    Args:
        targets: the document.
        queue: its queue; one that the document does not name has what holds for all.
        channel: its channel.
        now: from when on calendars are looked at, ms.
        tells_messages: whether the source of its contacts reports the messages of written ones.
        traffic: what was counted there; ``None``: unknown.
    """
    rule = targets.rule(queue, channel)
    yield from _clocks(targets, queue, channel, rule, now)
    yield from _work(rule, channel, tells_messages=tells_messages)
    yield from _ends(rule, now)
    if rule.overhead_per_hour and not rule.cost_per_hour:
        yield Misleading(
            f"overhead_per_hour is {rule.overhead_per_hour:g} without cost_per_hour: an hour of work costs its overhead only",
            "set cost_per_hour, too",
        )
    if traffic is not None and is_written(channel):
        yield from _counted(rule, channel, traffic, tells_messages=tells_messages)


def _clocks(targets: Targets, queue: str, channel: str, rule: QueueTargets, now: int) -> Iterator[Misleading]:
    if rule.clock == "business" and rule.calendar is None:
        yield Misleading(
            "clock is business without a calendar: targets run by the wall clock", "give the queue a calendar"
        )
    if not rule.by_business_hours or rule.calendar is None:
        return
    if promised_wait(rule.calendar, now, rule.answer_target) is None:
        yield Misleading(
            f"clock is business, but the calendar has less than answer_target_s ({rule.answer_target / 1000:g}) within 366 "
            "days: targets run by the wall clock",
            "correct the calendar, or set clock to wall",
        )
        return
    for level in targets.levels(queue, channel)[1]:
        for name in level.targets:
            twin = BY_NAME[name].twin if name in BY_NAME else None
            if twin and twin not in level.targets:
                yield Misleading(
                    f"targets.{name} ({level.targets[name]:g}) is held against {twin}, because business hours are promised "
                    f"there: {name} itself is shown, and never judged",
                    f"write targets.{twin}, or set clock to wall",
                )


def _work(rule: QueueTargets, channel: str, *, tells_messages: bool) -> Iterator[Misleading]:
    if channel in DEFERRED and rule.work == "stamps" and tells_messages:
        yield Misleading(
            "work is stamps: the handle time contains the customers' time between two messages, and staffing plans for it",
            "set work to replies, or state talk_s",
        )
    if not is_written(channel) and rule.work == "replies":
        yield Misleading(
            "work is replies in a channel in which nobody writes: its handle time would be 0",
            "set work to stamps",
        )
    if not is_written(channel) and rule.answer == "message":
        yield Misleading(
            "answer is message in a channel in which nobody writes: its contacts would never be answered",
            "set answer to assignment",
        )
    if channel == "voice" and rule.concurrency > 1:
        yield Misleading(
            f"concurrency is {rule.concurrency:g}, and one agent talks to one caller: 1 is used",
            "set it below channels.chat, or wherever agents have several contacts at once",
        )


def _ends(rule: QueueTargets, now: int) -> Iterator[Misleading]:
    if 0 <= rule.reply_target < 1000:
        yield Misleading(
            f"reply_target_s is {rule.reply_target / 1000:g}, less than a second",
            "it is in seconds; leave it out for none",
        )
    if not rule.idle_days:
        return
    own = rule.priorities.values()
    longest = max(rule.answer_target, rule.reply_target, *(max(p.answer_target, p.reply_target) for p in own))
    waits = [longest]
    if rule.by_business_hours and rule.calendar is not None:
        # Which weekday a wait begins on decides how long it is by the wall clock.
        waits += [promised_wait(rule.calendar, now + n * DAY, longest) or longest for n in range(_WEEK)]
    if max(waits) > rule.idle_days * DAY:
        yield Misleading(
            f"idle_days is {rule.idle_days}, and a target ({longest / 1000:g} s) may end {max(waits) / DAY:.1f} days after the "
            "wait began: contacts are lost before they are late",
            "raise idle_days",
        )


def _counted(
    rule: QueueTargets, channel: str, traffic: Traffic, *, tells_messages: bool
) -> Iterator[Misleading]:
    by = rule.answers_by(channel, tells_messages=tells_messages)
    if by == "assignment" and traffic.replies:
        yield Misleading(
            f"answer is assignment, but agents write, too (replies so far: {traffic.replies:,}): being assigned counts as the "
            "answer",
            "set answer to message",
        )
    if by == "assignment" and tells_messages and traffic.answered and not traffic.replies:
        yield Misleading(
            f"an assignment counts as the answer (so far: {traffic.answered:,}), and no message of an agent ever came: waits "
            "end when an agent gets a contact, not when somebody writes",
            "send message.sent where an agent writes",
        )
    if by == "message" and traffic.closed_unanswered and not traffic.answered:
        yield Misleading(
            "answer is message, and no message of an agent ever came: no contact was answered, and some were closed without a "
            f"reply (so far: {traffic.closed_unanswered:,})",
            _SENT,
        )
    if traffic.handed_off and 0 <= rule.reply_target < rule.answer_target:
        yield Misleading(
            f"reply_target_s ({rule.reply_target / 1000:g}) is shorter than answer_target_s ({rule.answer_target / 1000:g}), "
            f"within which a contact is answered that a bot hands off (so far: {traffic.handed_off:,}): no further reply may "
            "take as long as their first one",
            "lower answer_target_s to it, or raise it",
        )
