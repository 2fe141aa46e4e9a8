"""Targets that are allowed but hardly intended: that nearly any day meets."""

from __future__ import annotations

from collections.abc import Iterator

from .queue_targets import QueueTargets


def lax(rule: QueueTargets, channel: str) -> Iterator[str]:
    """Yield what is too easily met in a queue and channel, one line each."""
    if rule.targets["service_level"] < 0.5:
        yield f"the service_level target is {rule.targets['service_level']:.0%}, below 50 %"
    if rule.targets["abandonment"] > 0.2:
        yield f"the abandonment target is {rule.targets['abandonment']:.0%}, above 20 %"
    if channel == "voice" and rule.answer_target > 600_000:
        yield f"answer_target_s is {rule.answer_target / 1000:g}, more than ten minutes for a caller"
