"""KPIs of the ledger as they are written: values in the KPI's unit, as everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model.events import QueueChannel
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit
from stream_app.model.ledger_numbers import SumsKey, WindowSums, chosen
from stream_app.model.ledger_values import LedgerValue, PlacedSums, values
from stream_app.model.targets.ledger_rules import EVERY, LedgerRules
from stream_app.views.contacts.wire import UnknownRange
from stream_app.views.stamping import Time

DIGITS: Final = 6
_ALSO_BY: Final = {group for kpi in FROM_LEDGER for group in kpi.also_by}

CurrencyAmounts = Annotated[dict[str, str], Meta(description="Money: currency → decimal number")]
Settled = Annotated[
    float | None,
    Meta(description="The same of those that nothing told in time can change any more; null: there are none"),
]
PartValues = Annotated[
    dict[str, float | None],
    Meta(description="Part → its value, in the KPI's unit: unresolved cases by age, …"),
]


class PolicyFigure(Struct, frozen=True):
    """A KPI by one of its formulas."""

    value: Annotated[float | None, Meta(description="In the KPI's unit; null: no data")]
    samples: Annotated[int, Meta(description="How much the value rests on")]
    settled_value: Settled | UnsetType = UNSET
    settled_samples: Annotated[int, Meta(description="How many these are")] | UnsetType = UNSET
    amounts: CurrencyAmounts | UnsetType = UNSET


class LedgerFigure(Struct, frozen=True):
    """A KPI of the ledger. What is settled is absent where a KPI does not tell that apart."""

    value: Annotated[float | None, Meta(description="In the KPI's unit; null: no data, or not computed")]
    samples: Annotated[int | None, Meta(description="How much the value rests on; null: not computed")]
    target: Annotated[float | None, Meta(description="In the KPI's unit; null: there is none")]
    settled_value: Settled | UnsetType = UNSET
    settled_samples: Annotated[int, Meta(description="How many these are")] | UnsetType = UNSET
    parts: PartValues | UnsetType = UNSET
    amounts: CurrencyAmounts | UnsetType = UNSET
    policy: Annotated[str, Meta(description="By which formula this is")] | UnsetType = UNSET
    policies: Annotated[dict[str, PolicyFigure], Meta(description="By each of its formulas")] | UnsetType = (
        UNSET
    )


LedgerFigures = dict[str, LedgerFigure]


class LedgerKpiRow(Struct, frozen=True):
    """A queue and channel, or a group. What is not known of a contact is a group of its own."""

    queue: Annotated[str | None, Meta(description="null: unknown, or rows are groups")]
    channel: Annotated[str | None, Meta(description="null: unknown, or rows are groups")]
    name: Annotated[str | None, Meta(description="Of the group; null: unknown, or rows are not groups")]
    kpis: LedgerFigures


class NamedRow(Struct, frozen=True):
    """The customers of a segment, or the agents of a team."""

    name: Annotated[str | None, Meta(description="null: unknown")]
    kpis: LedgerFigures


class LedgerAnswer(Struct, frozen=True):
    """KPIs of the ledger in a window."""

    at: Annotated[Time, Meta(description="When the answer was made")]
    as_of: Annotated[Time, Meta(description="Everything up to here is counted: the end of the window")]
    known: Annotated[
        Time,
        Meta(
            description="What had to happen by then for a number to change was told: by it numbers are settled"
        ),
    ]
    age_s: Annotated[float, Meta(description="Seconds from as_of to at")]
    stale: Annotated[bool, Meta(description="They are older than they should be")]
    problem: Annotated[str | None, Meta(description="Why; null: they are not")]
    window: str
    begin: Annotated[Time, Meta(description="The window begins here; of days in several zones the first one")]
    end: Time
    group: Annotated[str | None, Meta(description="What rows are; null: queues and channels")]
    unknown: Annotated[
        list[UnknownRange],
        Meta(
            description="When contacts were counted that are missing here, in the window: numbers are of those that are known"
        ),
    ]
    failed: Annotated[dict[str, str], Meta(description="KPI → why it could not be computed this time")]
    units: Annotated[dict[str, str], Meta(description="KPI → its unit")]
    all: Annotated[LedgerFigures, Meta(description="Over the chosen queues and channels together")]
    rows: list[LedgerKpiRow]
    segments: Annotated[list[NamedRow], Meta(description="KPIs of customers, who belong to no queue")]
    teams: Annotated[list[NamedRow], Meta(description="KPIs of agents, who belong to no queue")]


class Ledgered:
    """Makes figures of one window's sums."""

    def __init__(
        self,
        window: WindowSums,
        rules: LedgerRules,
        kpis: Iterable[FromLedger] = FROM_LEDGER,
        policy: str | None = None,
    ) -> None:
        """Take what was counted.

        Args:
            window: that.
            rules: of the targets in force.
            kpis: the wanted ones.
            policy: of first contact resolution; ``None``: that of the targets.
        """
        self._window, self._rules = window, rules
        self._policy = policy or rules.fcr_policy
        self._kpis = [*kpis]
        self._aims: dict[QueueChannel, Mapping[str, float]] = {}

    def failed(self) -> dict[str, str]:
        """Return KPI → why it could not be computed."""
        failed = self._window.failed
        return {
            kpi.name: failed[name] for kpi in self._kpis for name in sorted(kpi.families) if name in failed
        }

    def all(self, queues: frozenset[str] | None, channels: frozenset[str] | None) -> LedgerFigures:
        """Return the figures over the chosen places; those of customers and agents only if all are chosen."""
        everybody = queues is None and channels is None
        rows = {name: chosen(found, queues, channels) for name, found in self._window.families.items()}
        place = _only(queues), _only(channels)
        return {kpi.name: self.figure(kpi, rows, place) for kpi in self._kpis if everybody or kpi.placed}

    def rows(
        self, queues: frozenset[str] | None, channels: frozenset[str] | None, group: str | None
    ) -> list[LedgerKpiRow]:
        """Return the figures by queue and channel, or by a group; KPIs that can't be split by that are left out."""
        everybody = group not in {None, "queue", "channel"}
        kpis = [kpi for kpi in self._kpis if (kpi.placed or everybody) and splits(kpi, group)]
        return [
            LedgerKpiRow(
                *((key[0], key[1]) if group is None else (None, None)),
                None if group is None else key[0],
                {
                    kpi.name: self.figure(kpi, rows, _place_of(key, group))
                    for kpi in kpis
                    if not kpi.families.isdisjoint(rows)
                },
            )
            for key, rows in self._by_key(kpis, queues, channels, group)
        ]

    def named(self, *, customers: bool) -> list[NamedRow]:
        """Return the figures of customers by segment, or of agents by team."""
        kpis = [kpi for kpi in self._kpis if (kpi.customers if customers else kpi.agents)]
        return [
            NamedRow(key[0], {kpi.name: self.figure(kpi, rows, EVERY) for kpi in kpis})
            for key, rows in self._by_key(kpis, None, None, "")
        ]

    def _by_key(
        self,
        kpis: Iterable[FromLedger],
        queues: frozenset[str] | None,
        channels: frozenset[str] | None,
        group: str | None,
    ) -> Iterator[tuple[tuple[str | None, ...], dict[str, list[tuple[SumsKey, Mapping[str, int]]]]]]:
        """Yield the rows of each key, by family."""
        of_kpis = {name for kpi in kpis for name in kpi.families}
        families = {name: found for name, found in self._window.families.items() if name in of_kpis}
        by_key: dict[tuple[str | None, ...], dict[str, list[tuple[SumsKey, Mapping[str, int]]]]] = {}
        for family, found in families.items():
            for key, sums in chosen(found, queues, channels):
                of_row = by_key.setdefault(_row_key(key, group), {name: [] for name in families})
                of_row[family].append((key, sums))
        for key_ in sorted(by_key, key=lambda one: tuple((part is None, part or "") for part in one)):
            yield key_, by_key[key_]

    def figure(
        self,
        kpi: FromLedger,
        rows: Mapping[str, PlacedSums],
        place: QueueChannel,
    ) -> LedgerFigure:
        """Return a KPI of some rows together, with the target of a queue and channel."""
        found = values(kpi, rows, self._rules)
        if place not in self._aims:
            self._aims[place] = self._rules.aims(place)
        target = self._aims[place].get(kpi.name)
        policy = (self._policy if self._policy in kpi.policies else kpi.policies[0]) if kpi.policies else ""
        mine = found.get(policy)
        named = {name: _policy_figure(one) for name, one in found.items()} if kpi.policies else UNSET
        named_policy = policy if kpi.policies else UNSET
        if mine is None:
            return LedgerFigure(None, None, target, policy=named_policy, policies=named)
        parts: dict[str, float | None] = {
            name: rounded(found[name].value) for name in kpi.parts if name in found
        } or {**mine.parts}
        return LedgerFigure(
            rounded(mine.value),
            mine.samples,
            target,
            rounded(mine.settled_value) if mine.settled_samples is not None else UNSET,
            UNSET if mine.settled_samples is None else mine.settled_samples,
            parts or UNSET,
            UNSET if mine.amounts is None else mine.amounts,
            named_policy,
            named,
        )


def splits(kpi: FromLedger, group: str | None) -> bool:
    """Return whether a KPI can be split by a group that not all of its kind know."""
    return group not in _ALSO_BY or group in kpi.also_by


def _only(names: frozenset[str] | None) -> str:
    """Return the only name; of several, or all, none in particular."""
    return next(iter(names)) if names is not None and len(names) == 1 else ""


def _place_of(key: tuple[str | None, ...], group: str | None) -> QueueChannel:
    """Return whose target a row has: that of its queue and channel, or of what it knows of these."""
    match group:
        case None:
            return key[0] or "", key[1] or ""
        case "queue":
            return key[0] or "", ""
        case "channel":
            return "", key[0] or ""
    return EVERY


def _row_key(key: SumsKey, group: str | None) -> tuple[str | None, ...]:
    match group:
        case None:
            return key.queue, key.channel
        case "queue":
            return (key.queue,)
        case "channel":
            return (key.channel,)
    return (key.name,)


def _policy_figure(value: LedgerValue) -> PolicyFigure:
    amounts = UNSET if value.amounts is None else value.amounts
    if value.settled_samples is None:
        return PolicyFigure(rounded(value.value), value.samples, amounts=amounts)
    settled = rounded(value.settled_value), value.settled_samples
    return PolicyFigure(rounded(value.value), value.samples, *settled, amounts)


def rounded(value: float | None) -> float | None:
    """Round a value: more digits than anybody reads."""
    return None if value is None else round(value, DIGITS)


def unit_of(kpi: FromLedger) -> str:
    """Return what its values are in."""
    return "amount" if kpi.unit is Unit.AMOUNT else kpi.unit.suffix
