"""What holds for the visits of a queue and channel under the settings in force, found once and not for each visit."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from stream_app.model.events import QueueChannel
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.targets.conversations import is_written

from .visit import BOT_TALKS, BY_MESSAGE, BY_REPLIES, TELLS, WRITTEN

PLACES_MAX: Final = 10_000


class PlaceTargets(Struct, frozen=True):
    """A queue and channel, with one copy of their names for all their visits.

    Attributes:
        targets: what the settings say.
        bits: what ``seen`` of its visits begins with.
        answer_target: T, in milliseconds, where it does not differ from visit to visit.
        short_abandon: likewise.
        idle_days: of ``targets``.
        differs: it does differ.
        in_writing: what only written contacts have matters here.
    """

    queue: str
    channel: str
    targets: QueueTargets
    bits: int
    answer_target: int
    short_abandon: int
    idle_days: int
    differs: bool
    in_writing: bool


class Places(dict[QueueChannel, PlaceTargets]):
    """The places by queue and channel; one that is not known yet is found when it is asked for."""

    def __init__(self, targets: Targets, *, tells_messages: bool) -> None:
        """Take the settings, and whether the source of the events reports the messages of written contacts."""
        super().__init__()
        self._targets = targets
        self._tells = tells_messages

    def hear(self, *, messages: bool) -> None:
        """Go on with a source that reports the messages of written contacts, or does not."""
        if self._tells is not messages:
            self._tells = messages
            self.clear()

    def __missing__(self, names: QueueChannel) -> PlaceTargets:
        """Find a place."""
        if len(self) >= PLACES_MAX:  # names come from outside; a flood of them must not accumulate
            self.clear()
        queue, channel = names
        targets, tells = self._targets.rule(queue, channel), self._tells
        bits = WRITTEN if is_written(channel) else 0
        if tells:
            bits |= TELLS
        if targets.answers_by(channel, tells_messages=tells) == "message":
            bits |= BY_MESSAGE
        if targets.bot == "talks":
            bits |= BOT_TALKS
        if targets.works_by(channel, tells_messages=tells) == "replies":
            bits |= BY_REPLIES
        found = self[names] = PlaceTargets(
            queue,
            channel,
            targets,
            bits,
            targets.answer_target,
            targets.short_abandon,
            targets.idle_days,
            differs=targets.promises,
            in_writing=targets.in_writing or bits & WRITTEN != 0,
        )
        return found
