"""The keys of the targets at each of their levels, read with the place of each mistake."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from stream_app.model.events import Name
from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit

from .calendars import Hours, check_zone, guess
from .conversations import IDLE_DAYS, LONGEST_CONTAINMENT_H, Answer, Bot, Clock, WorkFrom

_UNITS: Final = {name: kpi.unit for name, kpi in BY_NAME.items()}
_LEDGER_UNITS: Final = {kpi.name: kpi.unit for kpi in FROM_LEDGER}
FcrPolicy = Literal["by_case", "by_repeat", "by_survey"]
Money = Annotated[float, Meta(ge=0, le=1_000_000)]


class PriorityOverrides(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The targets of one priority; a missing key is that of the queue."""

    answer_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None
    short_abandon_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    reply_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None


class Overrides(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of any level of the targets; a missing key comes from the level above."""

    answer_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None
    short_abandon_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    policy: str | None = None
    zone: str | None = None
    calendar: str | None = None
    ces_easy: Literal["low", "high"] | None = None
    cost_per_hour: Money | None = None
    overhead_per_hour: Money | None = None
    cost_per_contact: Money | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    risk_below: Annotated[float, Meta(ge=1, le=5)] | None = None
    shrinkage: Annotated[float, Meta(ge=0, le=0.95)] | None = None
    patience_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    occupancy_max: Annotated[float, Meta(gt=0, le=1)] | None = None
    asa_max_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    concurrency: Annotated[float, Meta(ge=1, le=100)] | None = None
    full_time_h: Annotated[float, Meta(gt=0, le=168)] | None = None
    clock: Clock | None = None
    bot: Bot | None = None
    answer: Answer | None = None
    work: WorkFrom | None = None
    reply_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None
    reply_work_cap_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    request_gap_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    containment_return_h: Annotated[float, Meta(ge=0, le=LONGEST_CONTAINMENT_H)] | None = None
    idle_days: Annotated[int, Meta(ge=1, le=IDLE_DAYS)] | None = None
    not_demand: tuple[Name, ...] | None = None
    priorities: dict[str, PriorityOverrides] = {}
    csat_satisfied: dict[str, tuple[int, ...]] = {}
    targets: dict[str, float] = {}
    too_good: dict[str, float] = {}


class LedgerOverrides(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of ``ledger``: they are the same for all queues, for a customer's contacts are in many."""

    fcr_policy: FcrPolicy | None = None
    repeat_days: Annotated[int, Meta(ge=1, le=90)] | None = None
    repeat_per_channel: bool | None = None
    bot_return_h: Annotated[float, Meta(gt=0, le=2160)] | None = None


class AgentOverrides(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of ``agents``: they are the same for all queues, for an agent may serve many.

    Attributes:
        idle_h: after how many hours of silence an agent is taken to have left.
        limits: state or reason → after how many minutes of it the agent is listed as too long in it.
    """

    idle_h: Annotated[float, Meta(gt=0, le=48)] | None = None
    limits: dict[Name, Annotated[float, Meta(gt=0, le=1440)]] = {}


_TABLE_OF: Final = {
    **dict.fromkeys(LedgerOverrides.__struct_fields__, "ledger"),
    **dict.fromkeys(AgentOverrides.__struct_fields__, "agents"),
}
"""Key → the table in which it is the same for all queues."""


class QueueOverrides(Overrides, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of a queue, with those of its channels."""

    site: Name | None = None
    partner: bool = False
    unit: Name | None = None
    external_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    channels: dict[str, Overrides] = {}


T = TypeVar("T")
W = TypeVar("W", bound=Overrides)


def read(place: str, value: Any, kind: type[W]) -> W:
    """Read one level of the document.

    Raises:
        ValueError: one line that names the place and what is wrong with it.
    """
    table = as_table(place, value)
    for name in table.keys() - set(kind.__struct_fields__):
        if name in _TABLE_OF:
            raise ValueError(
                f"{place}.{name}: expected in the table {_TABLE_OF[name]}: it is the same for all queues"
            )
        raise ValueError(f"{place}.{name}: unknown key{guess(name, kind.__struct_fields__)}")
    # Entry by entry: for a table as a whole the library would not name the entry.
    entries = {
        field: {
            name: as_kind(f"{place}.{field}.{name}", entry, of)
            for name, entry in as_table(f"{place}.{field}", table[field]).items()
        }
        for field, of in (("targets", float), ("too_good", float), ("csat_satisfied", tuple[int, ...]))
        if field in table
    }
    if "priorities" in table:
        entries["priorities"] = {
            name: read_plain(f"{place}.priorities.{name}", entry, PriorityOverrides)
            for name, entry in as_table(f"{place}.priorities", table["priorities"]).items()
        }
    channels = {
        name: read(f"{place}.channels.{name}", channel, Overrides)
        for name, channel in as_table(f"{place}.channels", table.get("channels", {})).items()
    }
    plain = {name: value for name, value in table.items() if name != "channels"} | entries
    return as_kind(place, plain | ({"channels": channels} if channels else {}), kind)


def read_plain(place: str, value: Any, kind: type[T]) -> T:
    """Read a table of single values, whose type is a struct; raise ValueError with the place of a mistake."""
    table, known = as_table(place, value), getattr(kind, "__struct_fields__", ())
    for name in table.keys() - set(known):
        raise ValueError(f"{place}.{name}: unknown key{guess(name, known)}")
    return as_kind(place, table, kind)


def as_table(place: str, value: Any) -> Mapping[str, Any]:
    """Return the value if it is a table; otherwise raise ValueError with its place."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{place}: expected a table, got {value!r}")  # noqa: TRY004 - bad input, not a bug
    return value


def as_kind(place: str, value: Any, kind: type[T]) -> T:
    """Convert the value to its type; otherwise raise ValueError with its place."""
    try:
        return convert(value, kind)
    except ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        raise ValueError(f"{place}{path.rstrip('`')}: {what[0].lower()}{what[1:]}") from None


def check(place: str, overrides: Overrides, calendars: Mapping[str, Hours]) -> None:
    """Refuse unknown names and invalid numbers; raise ValueError with the place."""
    if overrides.policy is not None and overrides.policy not in SERVICE_LEVELS:
        raise ValueError(
            f"{place}.policy: unknown policy {overrides.policy!r}{guess(overrides.policy, SERVICE_LEVELS)}"
        )
    if overrides.zone is not None:
        check_zone(f"{place}.zone", overrides.zone)
    if overrides.calendar is not None and overrides.calendar not in calendars:
        raise ValueError(
            f"{place}.calendar: unknown calendar {overrides.calendar!r}{guess(overrides.calendar, calendars)}"
        )
    _check_satisfied(place, overrides.csat_satisfied)
    _check_bounds(f"{place}.targets", overrides.targets, _UNITS | _LEDGER_UNITS)
    _check_bounds(f"{place}.too_good", overrides.too_good, _UNITS)


def _check_bounds(place: str, bounds: Mapping[str, float], units: Mapping[str, Unit]) -> None:
    for name, value in bounds.items():
        if name not in units:
            raise ValueError(f"{place}.{name}: unknown KPI{guess(name, units)}")
        if units[name].is_ratio and not 0 <= value <= 1:
            raise ValueError(f"{place}.{name}: expected a ratio from 0 to 1 (80 % is 0.8), got {value:g}")
        if not 0 <= value < inf:  # JSON, in which the document is stored, has no nan either
            raise ValueError(f"{place}.{name}: expected a non-negative number, got {value:g}")


def _check_satisfied(place: str, satisfied: Mapping[str, tuple[int, ...]]) -> None:
    for scale, scores in satisfied.items():
        at = f"{place}.csat_satisfied.{scale}"
        if not scale.isdecimal() or scale != str(int(scale)) or not 2 <= int(scale) <= 100:
            raise ValueError(f"{at}: expected the number of steps of the scale, from 2 to 100")
        if not scores or len(set(scores)) < len(scores) or not all(1 <= n <= int(scale) for n in scores):
            raise ValueError(f"{at}: expected distinct scores from 1 to {scale}")


def check_short(place: str, short: int, answer: int) -> None:
    """Refuse a short-abandon threshold beyond the answer target; raise ValueError with the place."""
    if short > answer:
        raise ValueError(
            f"{place}: short_abandon_s ({short / 1000:g}) exceeds answer_target_s ({answer / 1000:g})"
        )


def check_side(place: str, name: str, bound: float, target: float | None) -> None:
    """Refuse a bound that a value on its target would be beyond; raise ValueError with the place."""
    higher = BY_NAME[name].better == "higher"
    if target is not None and (bound < target if higher else bound > target):
        side = "below" if higher else "above"
        raise ValueError(f"{place}: too_good.{name} ({bound:g}) must not be {side} the target ({target:g})")
