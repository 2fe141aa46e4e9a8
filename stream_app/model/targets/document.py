"""Settings that change meaning, per queue and channel: answer target, short abandons, policy, zone, hours, KPI targets.

A document of these is versioned in the store by ``stream-app config apply``; a worker pins one version when it claims a
partition, and a visit keeps the thresholds under which it was queued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct, convert, field, json, structs

from stream_app.model.kpis import BY_NAME
from stream_app.model.measures import Choice

from .calendars import Hours, guess
from .hours import Calendar
from .outages import Outage
from .presets import BY_PRESET
from .wishes import QueueWishes, Wishes, as_kind, as_table, check, read

DEFAULT_POLICY = "without_short_abandons"
_ANSWER_S = {"voice": 20.0, "chat": 60.0, "messaging": 60.0, "email": 3600.0}
_OTHER_ANSWER_S = 60.0
_SHORT_S = 5.0
SATISFIED: Final[Mapping[int, tuple[int, ...]]] = {5: (4, 5), 2: (2,)}
"""Scores that count as satisfied, by scale; on others it is the top quarter of the range, which gives these too."""
RISK_BELOW: Final = 2.5
"""Of one to five: nearer to the bottom than to the middle."""


class Rule(Struct, frozen=True):
    """What holds for one queue and channel.

    Attributes:
        answer_target: T, in milliseconds; within is ≤ T.
        short_abandon: who gives up within this many milliseconds is not counted as lost; at most T.
        policy: the service level's named formula.
        zone: IANA zone in which the queue's day starts.
        targets: KPI name → target in the KPI's unit.
        too_good: KPI name → beyond this, on the good side of its target, a value is suspicious.
        calendar: the business hours; ``None`` is open at all times.
        site: where it is worked, own or a partner's; ``None`` if nobody said.
        partner: whether that is somebody else's.
        unit: the business unit that it belongs to.
        csat_satisfied: scale → scores that count as satisfied.
        ces_easy: which end of the effort scale is the easy one.
        cost_per_hour: of an agent's time, in ``currency``.
        cost_per_contact: added to each contact, in ``currency``.
        currency: ISO 4217; ``None`` only where nothing costs.
        risk_below: an open contact whose predicted CSAT (1 to 5) is lower is at risk.
    """

    answer_target: int
    short_abandon: int
    policy: str
    zone: str
    targets: dict[str, float]
    calendar: Calendar | None = None
    site: str | None = None
    partner: bool = False
    unit: str | None = None
    csat_satisfied: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: SATISFIED)
    ces_easy: Literal["low", "high"] = "low"
    cost_per_hour: float | None = None
    cost_per_contact: float | None = None
    currency: str | None = None
    risk_below: float = RISK_BELOW
    too_good: Mapping[str, float] = field(default_factory=dict)

    def satisfied(self, score: float, scale: int) -> bool:
        """Whether an answer from 1 to ``scale`` is one of a satisfied customer."""
        named = self.csat_satisfied.get(scale)
        return score >= scale - (scale - 1) / 4 if named is None else score in named


_BY_LEVEL: Final = tuple(
    f for f in Wishes.__struct_fields__ if f not in {"csat_satisfied", "targets", "too_good"}
)
"""Settings of one value: a later level replaces it. The others are tables: a later level replaces entries."""
_NOTHING: Final = Wishes()
_NO_QUEUE: Final = QueueWishes()


_WRITTEN: Final = ("defaults", "channels", "queues", "calendars", "preset", "outages")


class Base(Struct, frozen=True, omit_defaults=True):
    """What a preset said when the document was applied: a later release's preset changes nothing that is in force."""

    defaults: Wishes = _NOTHING
    channels: dict[str, Wishes] = {}


class Targets(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The document of settings that change meaning.

    Levels: the preset, ``defaults``, ``channels.<channel>``, ``queues.<queue>``, ``queues.<queue>.channels.<channel>``. The
    later one wins, setting by setting.
    """

    defaults: Wishes = _NOTHING
    channels: dict[str, Wishes] = {}
    queues: dict[str, QueueWishes] = {}
    calendars: dict[str, Hours] = {}
    preset: str | None = None
    base: Base = Base()
    outages: tuple[Outage, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Targets:
        """Check a parsed TOML or JSON document.

        Raises:
            ValueError: one line that names the place and what is wrong with it.
        """
        for name in document.keys() - set(cls.__struct_fields__) | {"base"} & document.keys():
            raise ValueError(f"{name}: no setting is called so{guess(name, _WRITTEN)}")
        preset = as_kind("preset", document["preset"], str) if "preset" in document else None
        levels: dict[str, dict[str, Any]] = {
            table: {
                name: read(f"{table}.{name}", level, kind)
                for name, level in as_table(table, document.get(table, {})).items()
            }
            for table, kind in (("channels", Wishes), ("queues", QueueWishes))
        }
        calendars = as_table("calendars", document.get("calendars", {}))
        targets = cls(
            read("defaults", document.get("defaults", {}), Wishes),
            **levels,
            calendars={name: Hours.of(f"calendars.{name}", table) for name, table in calendars.items()},
            preset=preset,
            base=_base(preset),
            outages=Outage.all_of(document.get("outages", [])),
        )
        targets.check()
        return targets

    @classmethod
    def from_json(cls, text: bytes) -> Targets:
        """Read what ``to_json`` wrote, now or in an earlier release."""
        return json.decode(text, type=cls)

    def to_json(self) -> bytes:
        """The document as it is stored: the same settings give the same bytes."""
        return json.encode(self, order="sorted")

    def rule(self, queue: str, channel: str) -> Rule:
        """What holds for a queue and channel."""
        own = self.queues.get(queue, _NO_QUEUE)
        levels = (
            self.base.defaults,
            self.base.channels.get(channel, _NOTHING),
            self.defaults,
            self.channels.get(channel, _NOTHING),
            own,
            own.channels.get(channel, _NOTHING),
        )
        said: dict[str, Any] = {}
        targets = {k.name: t for k in BY_NAME.values() if (t := k.default_target(channel)) is not None}
        too_good: dict[str, float] = {}
        satisfied = dict(SATISFIED)
        for level in levels:
            said |= {name: value for name in _BY_LEVEL if (value := getattr(level, name)) is not None}
            targets |= level.targets
            too_good |= level.too_good
            satisfied |= {int(scale): scores for scale, scores in level.csat_satisfied.items()}
        answer_s = said.pop("answer_target_s", _ANSWER_S.get(channel, _OTHER_ANSWER_S))
        short_s = said.pop("short_abandon_s", min(_SHORT_S, answer_s))
        zone = said.pop("zone", "UTC")
        calendar = said.pop("calendar", None)
        return Rule(
            answer_target=round(answer_s * 1000),
            short_abandon=round(short_s * 1000),
            policy=said.pop("policy", DEFAULT_POLICY),
            zone=zone,
            targets=targets,
            calendar=None if calendar is None else self.calendars[calendar].calendar(zone),
            site=own.site,
            partner=own.partner,
            unit=own.unit,
            csat_satisfied=satisfied,
            too_good=too_good,
            **said,
        )

    def outage(self, queue: str, channel: str, start: int, end: int) -> str | None:
        """Why what was counted in ``[start, end)``, ms, is not like other days; ``None`` if nothing was wrong."""
        reasons = [o.reason for o in self.outages if o.overlaps(queue, channel, start, end)]
        return "; ".join(dict.fromkeys(reasons)) or None

    def external_id(self, queue: str) -> str | None:
        """What a queue is called by a platform that planners export to, if somebody said so."""
        return self.queues.get(queue, _NO_QUEUE).external_id

    @property
    def always_open(self) -> bool:
        """No queue has business hours."""
        wishes = [self.base.defaults, *self.base.channels.values(), self.defaults, *self.channels.values()]
        for own in self.queues.values():
            wishes += [own, *own.channels.values()]
        return all(wish.calendar is None for wish in wishes)

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
            check(place, wishes, self.calendars)
        for queue, own in self.queues.items():
            if own.partner and own.site is None:
                raise ValueError(f"queues.{queue}.partner: name the partner as the queue's site")
        for place, _, rule in self._rules():
            if rule.short_abandon > rule.answer_target:
                raise ValueError(
                    f"{place}: short_abandon_s ({rule.short_abandon / 1000:g}) exceeds "
                    f"answer_target_s ({rule.answer_target / 1000:g})"
                )
            if rule.currency is None and not (rule.cost_per_hour is None and rule.cost_per_contact is None):
                raise ValueError(f'{place}: costs need a currency, as in currency = "EUR"')
            for name, bound in rule.too_good.items():
                _check_side(place, name, bound, rule.targets.get(name))

    def lax(self) -> list[str]:
        """What is allowed but hardly meant: targets that nearly any day meets. One line each, with its place."""
        found: list[str] = []
        everywhere: set[tuple[str, str]] = set()
        for place, (queue, channel), rule in self._rules():
            for line in _lax(rule, channel):
                if not queue:
                    everywhere.add((channel, line))
                if not queue or (channel, line) not in everywhere:
                    found.append(f"{place}: {line}")
        return found

    def _rules(self) -> Iterator[tuple[str, tuple[str, str], Rule]]:
        """Every rule that the document can give, with its place: first those of queues that it does not name."""
        for queue in ("", *self.queues):
            own = self.queues.get(queue, _NO_QUEUE).channels
            # "" stands for every channel that has no default of its own
            for channel in dict.fromkeys((*_ANSWER_S, *self.base.channels, *self.channels, *own, "")):
                place = f"queues.{queue or '*'} ({channel or 'other channels'})"
                yield place, (queue, channel), self.rule(queue, channel)

    def with_queue(self, queue: str, **wishes: Any) -> Targets:
        """A copy with one queue's settings replaced (for tests and presets)."""
        return structs.replace(self, queues={**self.queues, queue: QueueWishes(**wishes)})


def _base(preset: str | None) -> Base:
    if preset is None:
        return Base()
    if preset not in BY_PRESET:
        raise ValueError(f"preset: no preset is called {preset!r}{guess(preset, BY_PRESET)}")
    return convert(BY_PRESET[preset].document(), Base)


def _check_side(place: str, name: str, bound: float, target: float | None) -> None:
    """Refuse a bound that a value on its target would be beyond; ValueError with the place."""
    higher = BY_NAME[name].better == "higher"
    if target is not None and (bound < target if higher else bound > target):
        side = "below" if higher else "above"
        raise ValueError(f"{place}: too_good.{name} ({bound:g}) lies {side} its target ({target:g})")


def _lax(rule: Rule, channel: str) -> Iterator[str]:
    if rule.targets["service_level"] < 0.5:
        yield f"the target of service_level is {rule.targets['service_level']:.0%}, under 50 %"
    if rule.targets["abandonment"] > 0.2:
        yield f"the target of abandonment is {rule.targets['abandonment']:.0%}, over 20 %"
    if channel == "voice" and rule.answer_target > 600_000:
        yield f"answer_target_s is {rule.answer_target / 1000:g}, more than ten minutes for a caller"


assert isinstance(BY_NAME["service_level"].measure, Choice)  # noqa: S101 - the default policy is the catalogue's
assert BY_NAME["service_level"].measure.default == DEFAULT_POLICY  # noqa: S101 - same
