"""What the settings document may say at each of its levels, read with the place of whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS

from .calendars import Hours, check_zone, guess

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Money = Annotated[float, Meta(ge=0, le=1_000_000)]


class Wishes(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a document may say at each of its levels; what is left out comes from the level above."""

    answer_target_s: Annotated[float, Meta(gt=0, le=2_592_000)] | None = None
    short_abandon_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    policy: str | None = None
    zone: str | None = None
    calendar: str | None = None
    ces_easy: Literal["low", "high"] | None = None
    cost_per_hour: Money | None = None
    cost_per_contact: Money | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    risk_below: Annotated[float, Meta(ge=1, le=5)] | None = None
    csat_satisfied: dict[str, tuple[int, ...]] = {}
    targets: dict[str, float] = {}
    too_good: dict[str, float] = {}


class QueueWishes(Wishes, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A queue's own, and those of its channels."""

    site: Name | None = None
    partner: bool = False
    unit: Name | None = None
    external_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    channels: dict[str, Wishes] = {}


T = TypeVar("T")
W = TypeVar("W", bound=Wishes)


def read(place: str, value: Any, kind: type[W]) -> W:
    """One level of the document.

    Raises:
        ValueError: one line that names the place and what is wrong with it.
    """
    table = as_table(place, value)
    for name in table.keys() - set(kind.__struct_fields__):
        raise ValueError(f"{place}.{name}: no setting is called so{guess(name, kind.__struct_fields__)}")
    # Entry by entry: of a table as a whole the library would not say which.
    entries = {
        field: {
            name: as_kind(f"{place}.{field}.{name}", entry, of)
            for name, entry in as_table(f"{place}.{field}", table[field]).items()
        }
        for field, of in (("targets", float), ("too_good", float), ("csat_satisfied", tuple[int, ...]))
        if field in table
    }
    channels = {
        name: read(f"{place}.channels.{name}", channel, Wishes)
        for name, channel in as_table(f"{place}.channels", table.get("channels", {})).items()
    }
    plain = {name: value for name, value in table.items() if name != "channels"} | entries
    return as_kind(place, plain | ({"channels": channels} if channels else {}), kind)


def as_table(place: str, value: Any) -> Mapping[str, Any]:
    """The value, if it is a table; otherwise ValueError with its place."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{place}: expected a table, not {value!r}")  # noqa: TRY004 - bad input, not a bug
    return value


def as_kind(place: str, value: Any, kind: type[T]) -> T:
    """The value as what it should be; otherwise ValueError with its place."""
    try:
        return convert(value, kind)
    except ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        raise ValueError(f"{place}{path.rstrip('`')}: {what[0].lower()}{what[1:]}") from None


def check(place: str, wishes: Wishes, calendars: Mapping[str, Hours]) -> None:
    """Refuse names that nothing answers to, and numbers that can't be meant; ValueError with the place."""
    if wishes.policy is not None and wishes.policy not in SERVICE_LEVELS:
        raise ValueError(
            f"{place}.policy: no policy is called {wishes.policy!r}{guess(wishes.policy, SERVICE_LEVELS)}"
        )
    if wishes.zone is not None:
        check_zone(f"{place}.zone", wishes.zone)
    if wishes.calendar is not None and wishes.calendar not in calendars:
        raise ValueError(
            f"{place}.calendar: no calendar is called {wishes.calendar!r}{guess(wishes.calendar, calendars)}"
        )
    _check_satisfied(place, wishes.csat_satisfied)
    _check_bounds(f"{place}.targets", wishes.targets, "target")
    _check_bounds(f"{place}.too_good", wishes.too_good, "bound")


def _check_bounds(place: str, bounds: Mapping[str, float], what: str) -> None:
    for name, value in bounds.items():
        if name not in BY_NAME:
            raise ValueError(f"{place}.{name}: no KPI is called so{guess(name, BY_NAME)}")
        if BY_NAME[name].unit.is_ratio and not 0 <= value <= 1:
            raise ValueError(f"{place}.{name}: a ratio's {what} lies in 0…1, not {value:g}")
        if not 0 <= value < inf:  # JSON, in which the document is stored, knows no nan either
            raise ValueError(f"{place}.{name}: a {what} is a number from 0, not {value:g}")


def _check_satisfied(place: str, satisfied: Mapping[str, tuple[int, ...]]) -> None:
    for scale, scores in satisfied.items():
        at = f"{place}.csat_satisfied.{scale}"
        if not scale.isdecimal() or scale != str(int(scale)) or not 2 <= int(scale) <= 100:
            raise ValueError(f"{at}: a scale is the number of its steps, 2 to 100")
        if not scores or len(set(scores)) < len(scores) or not all(1 <= n <= int(scale) for n in scores):
            raise ValueError(f"{at}: expected different scores from 1 to {scale}")
