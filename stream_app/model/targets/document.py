"""The targets: thresholds and policies per queue and channel, such as answer target, short abandons, zone, hours, KPI targets.

A document of these is versioned in the store by ``stream-app config apply``; a worker pins one version when it claims a
partition, and a visit keeps the thresholds under which it was queued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct, convert, field, json, structs

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Choice

from .calendars import Hours, guess
from .hours import Calendar
from .outages import Outage
from .overrides import Overrides, QueueOverrides, as_kind, as_table, check, read
from .presets import BY_PRESET

DEFAULT_POLICY = "without_short_abandons"
_ANSWER_S = {"voice": 20.0, "chat": 60.0, "messaging": 60.0, "email": 3600.0, "callback": 3600.0}
_OTHER_ANSWER_S = 60.0
_SHORT_S = 5.0
SATISFIED: Final[Mapping[int, tuple[int, ...]]] = {5: (4, 5), 2: (2,)}
"""Scores that count as satisfied, by scale; on other scales it is the top fourth of the range, which yields these too."""
RISK_BELOW: Final = 2.5
"""On a scale of one to five: closer to the bottom than to the middle."""


class QueueTargets(Struct, frozen=True):
    """The targets in force for one queue and channel.

    Attributes:
        answer_target: T, in milliseconds; within T is ≤ T.
        short_abandon: a contact that gives up within this many milliseconds is not counted as abandoned; at most T; 0: every
            one that gives up is counted.
        policy: the service level's named formula.
        zone: IANA zone in which the queue's day starts.
        targets: KPI name → target in the KPI's unit.
        too_good: KPI name → beyond this, on the good side of its target, a value is suspicious.
        calendar: the business hours; ``None`` means always open.
        site: the site that works it, own or a partner's; ``None`` if not stated.
        partner: whether that site is a partner's.
        unit: the business unit that owns it.
        csat_satisfied: scale → scores that count as satisfied.
        ces_easy: which end of the effort scale is the easy one.
        cost_per_hour: of an agent's time, in ``currency``.
        cost_per_contact: added to each contact, in ``currency``.
        currency: ISO 4217; ``None`` only where nothing costs.
        risk_below: an open contact whose predicted CSAT (1 to 5) is lower is at risk.
        shrinkage: planning: share of scheduled time that is not work on contacts.
        patience_s: planning: mean patience in seconds.
        occupancy_max: planning: agents are busy for at most this share of their time.
        asa_max_s: planning: the longest mean wait in seconds; ``None``: no such goal.
        concurrency: planning: contacts that one agent handles at once; calls and deferred work are always one.
        full_time_h: planning: weekly hours of a full-time agent, for FTE.
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
    shrinkage: float = 0.3
    patience_s: float = 120.0
    occupancy_max: float = 0.85
    asa_max_s: float | None = None
    concurrency: float = 1.0
    full_time_h: float = 40.0

    def satisfied(self, score: float, scale: int) -> bool:
        """Return whether an answer from 1 to ``scale`` is one of a satisfied customer."""
        named = self.csat_satisfied.get(scale)
        return score >= scale - (scale - 1) / 4 if named is None else score in named


_BY_LEVEL: Final = tuple(
    f for f in Overrides.__struct_fields__ if f not in {"csat_satisfied", "targets", "too_good"}
)
"""Keys with a single value: a later level replaces it. The others are tables: a later level replaces entries."""
_NOTHING: Final = Overrides()
_NO_QUEUE: Final = QueueOverrides()


_WRITTEN: Final = ("defaults", "channels", "queues", "calendars", "preset", "outages")


class Base(Struct, frozen=True, omit_defaults=True):
    """What a preset contained when the targets were applied: a later release's preset changes nothing that is in force."""

    defaults: Overrides = _NOTHING
    channels: dict[str, Overrides] = {}


class Targets(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The versioned document of targets.

    Levels: the preset, ``defaults``, ``channels.<channel>``, ``queues.<queue>``, ``queues.<queue>.channels.<channel>``. The
    later one wins, key by key.
    """

    defaults: Overrides = _NOTHING
    channels: dict[str, Overrides] = {}
    queues: dict[str, QueueOverrides] = {}
    calendars: dict[str, Hours] = {}
    preset: str | None = None
    base: Base = Base()
    outages: tuple[Outage, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Targets:
        """Parse and check a TOML or JSON document.

        Raises:
            ValueError: one line that names the place and what is wrong with it.
        """
        if "rules" in document:
            raise ValueError("rules: alert rules are a file of their own, for stream-app render --rules")
        for name in document.keys() - set(cls.__struct_fields__) | {"base"} & document.keys():
            raise ValueError(f"{name}: unknown key{guess(name, _WRITTEN)}")
        preset = as_kind("preset", document["preset"], str) if "preset" in document else None
        levels: dict[str, dict[str, Any]] = {
            table: {
                name: read(f"{table}.{name}", level, kind)
                for name, level in as_table(table, document.get(table, {})).items()
            }
            for table, kind in (("channels", Overrides), ("queues", QueueOverrides))
        }
        calendars = as_table("calendars", document.get("calendars", {}))
        targets = cls(
            read("defaults", document.get("defaults", {}), Overrides),
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
        """Read the output of ``to_json``, of this or an earlier release."""
        return json.decode(text, type=cls)

    def to_json(self) -> bytes:
        """Encode the document for storage: equal targets produce equal bytes."""
        return json.encode(self, order="sorted")

    def rule(self, queue: str, channel: str) -> QueueTargets:
        """Return the targets in force for a queue and channel."""
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
        return QueueTargets(
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
        """Return why the counts of ``[start, end)``, ms, are not typical; ``None`` if no outage is recorded."""
        reasons = [o.reason for o in self.outages if o.overlaps(queue, channel, start, end)]
        return "; ".join(dict.fromkeys(reasons)) or None

    def external_id(self, queue: str) -> str | None:
        """Return a queue's name on the platform that planners export to, if the targets state one."""
        return self.queues.get(queue, _NO_QUEUE).external_id

    @property
    def always_open(self) -> bool:
        """Whether no queue has business hours."""
        overrides = [self.base.defaults, *self.base.channels.values(), self.defaults, *self.channels.values()]
        for own in self.queues.values():
            overrides += [own, *own.channels.values()]
        return all(one.calendar is None for one in overrides)

    def check(self) -> None:
        """Refuse unknown names and numbers that contradict each other.

        Raises:
            ValueError: one line that names the place.
        """
        places: list[tuple[str, Overrides]] = [("defaults", self.defaults)]
        places += [(f"channels.{c}", w) for c, w in self.channels.items()]
        for queue, own in self.queues.items():
            places.append((f"queues.{queue}", own))
            places += [(f"queues.{queue}.channels.{c}", w) for c, w in own.channels.items()]
        for place, overrides in places:
            check(place, overrides, self.calendars)
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
        """Return what is allowed but hardly intended: targets that nearly any day meets. One line each, with its place."""
        found: list[str] = []
        everywhere: set[tuple[str, str]] = set()
        for place, (queue, channel), rule in self._rules():
            for line in _lax(rule, channel):
                if not queue:
                    everywhere.add((channel, line))
                if not queue or (channel, line) not in everywhere:
                    found.append(f"{place}: {line}")
        return found

    def _rules(self) -> Iterator[tuple[str, tuple[str, str], QueueTargets]]:
        """Yield every rule that the document can produce, with its place: first those of queues that it does not name."""
        for queue in ("", *self.queues):
            own = self.queues.get(queue, _NO_QUEUE).channels
            # "" stands for every channel that has no default of its own
            for channel in dict.fromkeys((*_ANSWER_S, *self.base.channels, *self.channels, *own, "")):
                place = f"queues.{queue or '*'} ({channel or 'other channels'})"
                yield place, (queue, channel), self.rule(queue, channel)

    def with_queue(self, queue: str, **overrides: Any) -> Targets:
        """Return a copy with one queue's targets replaced (for tests and presets)."""
        return structs.replace(self, queues={**self.queues, queue: QueueOverrides(**overrides)})


def _base(preset: str | None) -> Base:
    if preset is None:
        return Base()
    if preset not in BY_PRESET:
        raise ValueError(f"preset: unknown preset {preset!r}{guess(preset, BY_PRESET)}")
    return convert(BY_PRESET[preset].document(), Base)


def _check_side(place: str, name: str, bound: float, target: float | None) -> None:
    """Refuse a bound that a value on its target would be beyond; raise ValueError with the place."""
    higher = BY_NAME[name].better == "higher"
    if target is not None and (bound < target if higher else bound > target):
        side = "below" if higher else "above"
        raise ValueError(f"{place}: too_good.{name} ({bound:g}) must not be {side} the target ({target:g})")


def _lax(rule: QueueTargets, channel: str) -> Iterator[str]:
    if rule.targets["service_level"] < 0.5:
        yield f"the service_level target is {rule.targets['service_level']:.0%}, below 50 %"
    if rule.targets["abandonment"] > 0.2:
        yield f"the abandonment target is {rule.targets['abandonment']:.0%}, above 20 %"
    if channel == "voice" and rule.answer_target > 600_000:
        yield f"answer_target_s is {rule.answer_target / 1000:g}, more than ten minutes for a caller"


assert isinstance(BY_NAME["service_level"].measure, Choice)  # noqa: S101 - the default policy is the catalogue's
assert BY_NAME["service_level"].measure.default == DEFAULT_POLICY  # noqa: S101 - same
