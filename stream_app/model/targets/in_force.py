"""Which choices about conversations are in force in a queue and channel, and whether anybody made them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from .conversations import is_written
from .document import Targets
from .overrides import Overrides

MadeBy = Literal["setting", "preset", "default"]
MADE_BY: Final[tuple[MadeBy, ...]] = ("setting", "preset", "default")


class SettingInForce(Struct, frozen=True):
    """One choice in force.

    Attributes:
        key: the key of the targets that makes it.
        value: what is in force, as people write it; empty: none.
        made_by: a level of the document, its preset, or the default for the channel.
    """

    key: str
    value: str
    made_by: MadeBy

    def __str__(self) -> str:
        return f"{self.key} {self.value}" if self.value else f"no {self.key}"


def in_force(targets: Targets, queue: str, channel: str, *, tells_messages: bool) -> list[SettingInForce]:
    """Return the choices in force, leaving out those that mean nothing in the channel.

    Args:
        targets: the document.
        queue: its queue; one that the document does not name has what holds for all.
        channel: its channel.
        tells_messages: whether the source of its contacts reports the messages of written ones.
    """
    preset, own = targets.levels(queue, channel)

    def made_by(key: str) -> MadeBy:
        if any(_says(level, key) for level in own):
            return "setting"
        return "preset" if any(_says(level, key) for level in preset) else "default"

    found = _values(targets, queue, channel, tells_messages=tells_messages)
    return [SettingInForce(key, value, made_by(key)) for key, value in found]


def _says(level: Overrides, key: str) -> bool:
    return getattr(level, key) not in (None, {})


def _values(targets: Targets, queue: str, channel: str, *, tells_messages: bool) -> Iterator[tuple[str, str]]:
    rule, written = targets.rule(queue, channel), is_written(channel)
    yield "clock", rule.clock if rule.calendar or rule.clock == "wall" else "wall (no calendar)"
    yield "answer", rule.answers_by(channel, tells_messages=tells_messages)
    yield "bot", rule.bot
    work = rule.works_by(channel, tells_messages=tells_messages)
    yield "work", work
    if work == "replies":
        yield "reply_work_cap_s", _seconds(rule.reply_work_cap)
    if written or rule.reply_target >= 0:
        yield "reply_target_s", "" if rule.reply_target < 0 else _seconds(rule.reply_target)
    yield "concurrency", f"{rule.at_once if channel == 'voice' else rule.concurrency:g}"
    if rule.idle_days:
        yield "idle_days", str(rule.idle_days)
    if written or rule.not_demand:
        yield "not_demand", "/".join(sorted(rule.not_demand))
    if rule.priorities:
        yield "priorities", "/".join(sorted(rule.priorities))


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g}"
