"""The targets: thresholds and policies per queue and channel, such as answer target, short abandons, zone, hours, KPI targets.

A document of these is versioned in the store by ``stream-app config apply``; a worker pins one version when it claims a
partition, and a visit keeps the thresholds under which it was queued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, convert, json, structs

from stream_app.model.durations import HOUR
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Choice

from . import conversations as rules
from .calendars import Hours, guess
from .conversations import PriorityTargets
from .lax import lax
from .outages import Outage
from .overrides import (
    AgentOverrides,
    LedgerOverrides,
    Overrides,
    PriorityOverrides,
    QueueOverrides,
    as_kind,
    as_table,
    check,
    check_short,
    check_side,
    read,
    read_plain,
)
from .presets import BY_PRESET
from .promises import ledger_targets, promised
from .queue_targets import SATISFIED, QueueTargets

DEFAULT_POLICY = "without_short_abandons"
_ANSWER_S = {"voice": 20.0, "chat": 60.0, "messaging": 60.0, "email": 3600.0, "callback": 3600.0}
_OTHER_ANSWER_S = 60.0
_SHORT_S = 5.0
_TABLES: Final = frozenset({"csat_satisfied", "targets", "too_good", "priorities"})
_BY_LEVEL: Final = tuple(name for name in Overrides.__struct_fields__ if name not in _TABLES)
"""Keys with a single value: a later level replaces it. The others are tables: a later level replaces entries."""
_NOTHING: Final = Overrides()
_NO_QUEUE: Final = QueueOverrides()


_WRITTEN: Final = ("defaults", "channels", "queues", "ledger", "agents", "calendars", "preset", "outages")


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
    ledger: LedgerOverrides = LedgerOverrides()
    calendars: dict[str, Hours] = {}
    preset: str | None = None
    base: Base = Base()
    outages: tuple[Outage, ...] = ()
    agents: AgentOverrides = AgentOverrides()

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
            ledger=read_plain("ledger", document.get("ledger", {}), LedgerOverrides),
            agents=read_plain("agents", document.get("agents", {}), AgentOverrides),
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

    def changed(self, document: Mapping[str, Any]) -> Targets:
        """Return these with some settings changed; ``document`` has only those, under the names of a TOML document.

        Raises:
            ValueError: one line that names the place and what is wrong with it.
        """
        whole = json.decode(self.to_json())
        for table, said in document.items():
            if table == "defaults":
                read(table, said, Overrides)
            elif table in {"channels", "queues"}:
                for name, level in as_table(table, said).items():
                    read(f"{table}.{name}", level, Overrides if table == "channels" else QueueOverrides)
            else:
                raise ValueError(f"{table}: expected a setting of defaults, channels or queues")
        _merge(whole, document)
        targets = self.from_json(json.encode(whole))
        targets.check()
        return targets

    def to_json(self) -> bytes:
        """Encode the document for storage: equal targets produce equal bytes."""
        return json.encode(self, order="sorted")

    def rule(self, queue: str, channel: str) -> QueueTargets:
        """Return the targets in force for a queue and channel."""
        own = self.queues.get(queue, _NO_QUEUE)
        by_preset, by_setting = self.levels(queue, channel)
        levels = (*by_preset, *by_setting)
        said: dict[str, Any] = {}
        too_good: dict[str, float] = {}
        satisfied = dict(SATISFIED)
        priorities: dict[str, PriorityOverrides] = {}
        for level in levels:
            said |= {name: value for name in _BY_LEVEL if (value := getattr(level, name)) is not None}
            too_good |= level.too_good
            satisfied |= {int(scale): scores for scale, scores in level.csat_satisfied.items()}
            priorities |= level.priorities
        answer_s = said.pop("answer_target_s", _ANSWER_S.get(channel, _OTHER_ANSWER_S))
        short_s = said.pop("short_abandon_s", min(_SHORT_S, answer_s))
        zone = said.pop("zone", "UTC")
        calendar = said.pop("calendar", None)
        reply_s = said.pop("reply_target_s", None)
        not_demand = said.pop("not_demand", rules.not_demand(channel))
        clock = said.pop("clock", None) or rules.clock(channel, has_hours=calendar is not None)
        preset, mine = ([level.targets for level in some] for some in (by_preset, by_setting))
        by_hours = clock == "business" and calendar is not None
        return QueueTargets(
            answer_target=round(answer_s * 1000),
            short_abandon=round(short_s * 1000),
            policy=said.pop("policy", DEFAULT_POLICY),
            zone=zone,
            targets=promised(channel, preset, mine, by_business_hours=by_hours),
            ledger_targets=ledger_targets([*preset, *mine]),
            calendar=None if calendar is None else self.calendars[calendar].calendar(zone),
            site=own.site,
            partner=own.partner,
            unit=own.unit,
            csat_satisfied=satisfied,
            too_good=too_good,
            at_once=said.get("concurrency", 1.0) if rules.is_written(channel) else 1.0,
            clock=clock,
            bot=said.pop("bot", None) or rules.bots(channel),
            reply_target=_ms(reply_s),
            reply_work_cap=_ms(said.pop("reply_work_cap_s", rules.WORK_CAP_S)),
            request_gap=_ms(said.pop("request_gap_s", rules.REQUEST_GAP_S)),
            containment_return=round(said.pop("containment_return_h", rules.CONTAINMENT_H) * HOUR),
            idle_days=said.pop("idle_days", None) or rules.idle_days(channel),
            not_demand=frozenset(reason.lower() for reason in not_demand),
            priorities={name: _priority(own, answer_s, short_s, reply_s) for name, own in priorities.items()},
            **said,
        )

    def levels(self, queue: str, channel: str) -> tuple[tuple[Overrides, ...], tuple[Overrides, ...]]:
        """Return the levels of a queue and channel: the preset's, and the document's own, which win; the last one most."""
        own = self.queues.get(queue, _NO_QUEUE)
        return (
            (self.base.defaults, self.base.channels.get(channel, _NOTHING)),
            (
                self.defaults,
                self.channels.get(channel, _NOTHING),
                own,
                own.channels.get(channel, _NOTHING),
            ),
        )

    def channels_named(self, queue: str) -> list[str]:
        """Return the channels that the document names for a queue, and those that have a default of their own."""
        own = self.queues.get(queue, _NO_QUEUE).channels
        return [*dict.fromkeys((*_ANSWER_S, *self.base.channels, *self.channels, *own))]

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
            check_short(place, rule.short_abandon, rule.answer_target)
            for name, priority in rule.priorities.items():
                check_short(f"{place}.priorities.{name}", priority.short_abandon, priority.answer_target)
            if rule.currency is None and rule.has_costs:
                raise ValueError(f'{place}: costs need a currency, as in currency = "EUR"')
            for name, bound in rule.too_good.items():
                check_side(place, name, bound, rule.targets.get(name))

    def lax(self) -> list[str]:
        """Return what is allowed but hardly intended: targets that nearly any day meets. One line each, with its place."""
        found: list[str] = []
        everywhere: set[tuple[str, str]] = set()
        for place, (queue, channel), rule in self._rules():
            for line in lax(rule, channel):
                if not queue:
                    everywhere.add((channel, line))
                if not queue or (channel, line) not in everywhere:
                    found.append(f"{place}: {line}")
        return found

    def _rules(self) -> Iterator[tuple[str, tuple[str, str], QueueTargets]]:
        """Yield every rule that the document can produce, with its place: first those of queues that it does not name."""
        for queue in ("", *self.queues):
            # "" stands for every channel that has no default of its own
            for channel in (*self.channels_named(queue), ""):
                place = f"queues.{queue or '*'} ({channel or 'other channels'})"
                yield place, (queue, channel), self.rule(queue, channel)

    def with_queue(self, queue: str, **overrides: Any) -> Targets:
        """Return a copy with one queue's targets replaced (for tests and presets)."""
        return structs.replace(self, queues={**self.queues, queue: QueueOverrides(**overrides)})


def _ms(seconds: float | None) -> int:
    return -1 if seconds is None else round(seconds * 1000)


def _priority(
    own: PriorityOverrides, answer_s: float, short_s: float, reply_s: float | None
) -> PriorityTargets:
    """Return a priority's targets; what it does not say is the queue's."""
    answer_s = answer_s if own.answer_target_s is None else own.answer_target_s
    short_s = min(short_s, answer_s) if own.short_abandon_s is None else own.short_abandon_s
    reply_s = reply_s if own.reply_target_s is None else own.reply_target_s
    return PriorityTargets(_ms(answer_s), _ms(short_s), _ms(reply_s))


def _base(preset: str | None) -> Base:
    if preset is None:
        return Base()
    if preset not in BY_PRESET:
        raise ValueError(f"preset: unknown preset {preset!r}{guess(preset, BY_PRESET)}")
    return convert(BY_PRESET[preset].document(), Base)


assert isinstance(BY_NAME["service_level"].measure, Choice)  # noqa: S101 - the default policy is the catalogue's
assert BY_NAME["service_level"].measure.default == DEFAULT_POLICY  # noqa: S101 - same


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(mine := into.get(name, {}), dict):
            into[name] = mine
            _merge(mine, value)
        else:
            into[name] = value
