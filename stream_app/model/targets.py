"""Settings that change meaning, per queue and channel: answer target, short abandons, policy, zone, KPI targets.

A document of these is versioned in the store by ``stream-app config apply``; a worker pins one version when it claims a
partition, and a visit keeps the thresholds under which it was queued.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from math import inf
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, ValidationError, convert, json, structs

from .kpis import BY_NAME, SERVICE_LEVELS
from .measures import Choice, Unit

DEFAULT_POLICY = "without_short_abandons"
_ANSWER_S = {"voice": 20.0, "chat": 60.0, "messaging": 60.0, "email": 3600.0}
_OTHER_ANSWER_S = 60.0
_SHORT_S = 5.0


class Rule(Struct, frozen=True):
    """What holds for one queue and channel.

    Attributes:
        answer_target: T, in milliseconds; within is ≤ T.
        short_abandon: who gives up within this many milliseconds is not counted as lost; at most T.
        policy: the service level's named formula.
        zone: IANA zone in which the queue's day starts.
        targets: KPI name → target in the KPI's unit.
    """

    answer_target: int
    short_abandon: int
    policy: str
    zone: str
    targets: dict[str, float]


class Wishes(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a document may say at each of its levels; what is left out comes from the level above."""

    answer_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None
    short_abandon_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    policy: str | None = None
    zone: str | None = None
    targets: dict[str, float] = {}


class QueueWishes(Wishes, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A queue's own, and those of its channels."""

    channels: dict[str, Wishes] = {}


class Targets(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The document of settings that change meaning.

    Levels: ``defaults``, ``channels.<channel>``, ``queues.<queue>``, ``queues.<queue>.channels.<channel>``. The later one wins,
    setting by setting.
    """

    defaults: Wishes = Wishes()
    channels: dict[str, Wishes] = {}
    queues: dict[str, QueueWishes] = {}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Targets:
        """Check a parsed TOML or JSON document.

        Raises:
            ValueError: one line that names the place and what is wrong with it.
        """
        try:
            targets = convert(document, cls)
        except ValidationError as error:
            raise ValueError(str(error)) from None
        targets.check()
        return targets

    @classmethod
    def from_json(cls, text: bytes) -> Targets:
        """Read what ``to_json`` wrote."""
        return json.decode(text, type=cls)

    def to_json(self) -> bytes:
        """The document as it is stored: the same settings give the same bytes."""
        return json.encode(self, order="sorted")

    def rule(self, queue: str, channel: str) -> Rule:
        """What holds for a queue and channel."""
        queue_wishes = self.queues.get(queue, QueueWishes())
        levels = (
            self.defaults,
            self.channels.get(channel, Wishes()),
            queue_wishes,
            queue_wishes.channels.get(channel, Wishes()),
        )
        said: dict[str, Any] = {}
        targets = {k.name: t for k in BY_NAME.values() if (t := k.default_target(channel)) is not None}
        for level in levels:
            said |= {
                field: value
                for field in ("answer_target_s", "short_abandon_s", "policy", "zone")
                if (value := getattr(level, field)) is not None
            }
            targets |= level.targets
        answer_s = said.get("answer_target_s", _ANSWER_S.get(channel, _OTHER_ANSWER_S))
        short_s = said.get("short_abandon_s", min(_SHORT_S, answer_s))
        return Rule(
            answer_target=round(answer_s * 1000),
            short_abandon=round(short_s * 1000),
            policy=said.get("policy", DEFAULT_POLICY),
            zone=said.get("zone", "UTC"),
            targets=targets,
        )

    def check(self) -> None:
        """Refuse names that nothing answers to and numbers that contradict each other.

        Raises:
            ValueError: one line that names the place.
        """
        places: list[tuple[str, Wishes]] = [("defaults", self.defaults)]
        places += [(f"channels.{c}", w) for c, w in self.channels.items()]
        for queue, own in self.queues.items():
            places.append((f"queues.{queue}", own))
            places += [(f"queues.{queue}.channels.{c}", w) for c, w in own.channels.items()]
        for place, wishes in places:
            _check_wishes(place, wishes)
        for queue in (*self.queues, ""):
            own_channels = self.queues.get(queue, QueueWishes()).channels
            # "" stands for every channel that has no default of its own
            for channel in dict.fromkeys((*_ANSWER_S, *self.channels, *own_channels, "")):
                rule = self.rule(queue, channel)
                if rule.short_abandon > rule.answer_target:
                    raise ValueError(
                        f"queues.{queue or '*'} ({channel or 'other channels'}): short_abandon_s "
                        f"({rule.short_abandon / 1000:g}) exceeds answer_target_s ({rule.answer_target / 1000:g})"
                    )

    def with_queue(self, queue: str, **wishes: Any) -> Targets:
        """A copy with one queue's settings replaced (for tests and presets)."""
        return structs.replace(self, queues={**self.queues, queue: QueueWishes(**wishes)})


def _check_wishes(place: str, wishes: Wishes) -> None:
    if wishes.policy is not None and wishes.policy not in SERVICE_LEVELS:
        raise ValueError(
            f"{place}.policy: no policy is called {wishes.policy!r}{_guess(wishes.policy, SERVICE_LEVELS)}"
        )
    if wishes.zone is not None:
        try:
            ZoneInfo(wishes.zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{place}.zone: no time zone is called {wishes.zone!r}") from None
    for name, value in wishes.targets.items():
        if name not in BY_NAME:
            raise ValueError(f"{place}.targets.{name}: no KPI is called so{_guess(name, BY_NAME)}")
        if BY_NAME[name].unit is Unit.RATIO and not 0 <= value <= 1:
            raise ValueError(f"{place}.targets.{name}: a ratio's target lies in 0…1, not {value:g}")
        if not 0 <= value < inf:  # JSON, in which the document is stored, knows no nan either
            raise ValueError(f"{place}.targets.{name}: a target is a number from 0, not {value:g}")


def _guess(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


assert isinstance(BY_NAME["service_level"].measure, Choice)  # noqa: S101 - the default policy is the catalogue's
assert BY_NAME["service_level"].measure.default == DEFAULT_POLICY  # noqa: S101 - same
