"""Targets that are allowed but hardly intended: that nearly any day meets, or whose numbers would mislead."""

from __future__ import annotations

from collections.abc import Iterator

from .conversations import is_written
from .queue_targets import QueueTargets


def lax(rule: QueueTargets, channel: str) -> Iterator[str]:
    """Yield what is too easily met in a queue and channel, and what misleads; one line each."""
    if rule.targets["service_level"] < 0.5:
        yield f"the service_level target is {rule.targets['service_level']:.0%}, below 50 %"
    if rule.targets["abandonment"] > 0.2:
        yield f"the abandonment target is {rule.targets['abandonment']:.0%}, above 20 %"
    if channel == "voice" and rule.answer_target > 600_000:
        yield f"answer_target_s is {rule.answer_target / 1000:g}, more than ten minutes for a caller"
    yield from _misleading(rule, channel)


def _misleading(rule: QueueTargets, channel: str) -> Iterator[str]:
    if channel == "email" and rule.work == "stamps":
        yield 'work is "stamps": the nights between two mails would be handle time, and staffing would plan for it'
    if not is_written(channel) and rule.work == "replies":
        yield 'work is "replies" in a channel in which nobody writes: its handle time would be 0'
    if not is_written(channel) and rule.answer == "message":
        yield 'answer is "message" in a channel in which nobody writes: its contacts would never be answered'
    if rule.clock == "business" and rule.calendar is None:
        yield 'clock is "business" without a calendar: targets run by the wall clock'
    if 0 <= rule.reply_target < 1000:
        yield f"reply_target_s is {rule.reply_target / 1000:g}, less than a second"
