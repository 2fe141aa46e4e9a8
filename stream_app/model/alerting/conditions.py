"""One condition of a custom rule, from a parsed table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.model.targets.calendars import guess

from .rules import Condition

Path = tuple[str | int, ...]
"""Keys and positions of a field, from the top of the document."""
KEYS: Final = ("kpi", "above", "below", "by", "clear", "window", "minimum")
TARGET: Final = "target"
_PERCENT: Final = re.compile(r"(-?\d+(?:\.\d+)?) ?(%|points)")
_DURATION: Final = re.compile(r"(-?\d+(?:\.\d+)?) ?(s|m|min|h)")
_SIGNED: Final = (Unit.SCORE, Unit.POINTS)
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600}
_EXPECTED: Final = f"; expected {', '.join(KEYS)}"
_ALIASES: Final = {"over": "above", "under": "below", "than": "above", "min": "minimum", "name": "kpi"}


class FieldError(ValueError):
    """A field is wrong.

    Attributes:
        path: of the field.
        why: what was expected and what was found.
    """

    def __init__(self, path: Path, why: str) -> None:
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        super().__init__(f"{place}: {why}" if place else why)
        self.path = path
        self.why = why


def condition(path: Path, table: Any, *, window: str, window_at: Path | None, minimum: int) -> Condition:
    """Check one condition.

    Args:
        path: of the condition.
        table: as it was written.
        window: the rule's, for a condition without its own.
        window_at: where the rule states it; ``None`` if it is the default.
        minimum: the rule's.

    Raises:
        FieldError: the path of the field, what was expected and what was found.
    """
    if not isinstance(table, Mapping):
        raise FieldError(
            path, f'expected a condition like {{ kpi = "abandonment", above = 0.1 }}, got {table!r}'
        )
    for name in table:
        if name not in KEYS:
            meant = f"; did you mean {_ALIASES[name]!r}?" if name in _ALIASES else guess(name, KEYS)
            raise FieldError((*path, name), f"unknown field{meant or _EXPECTED}")
    kpi = _kpi(path, table)
    sides = [name for name in ("above", "below") if name in table]
    if len(sides) != 1:
        why = (
            "expected above or below, not both" if sides else "is missing: write above or below, and a value"
        )
        raise FieldError((*path, sides[-1] if sides else "above"), why)
    side = sides[0]
    level = _level((*path, side), table[side], kpi)
    by, relative = _by(path, table, kpi, targeted=level is None)
    clear = _clear(path, table, kpi, level=level, relative=relative)
    _check_order(path, side, by if level is None else level, clear, targeted=level is None)
    return Condition(
        kpi=kpi.name,
        side="above" if side == "above" else "below",
        level=level,
        by=by,
        relative=relative,
        clear=clear,
        window=_window(path, table, kpi, window, window_at),
        minimum=_minimum(path, table, kpi, minimum),
    )


def _kpi(path: Path, table: Mapping[str, Any]) -> Kpi:
    at = (*path, "kpi")
    if "kpi" not in table:
        raise FieldError(at, "is missing")
    name = table["kpi"]
    if not isinstance(name, str) or name not in BY_NAME:
        hint = guess(name, BY_NAME) if isinstance(name, str) else ""
        raise FieldError(at, f"unknown KPI {name!r}{hint or '; `stream-app kpis` lists them'}")
    kpi = BY_NAME[name]
    if kpi.unit is Unit.AMOUNT:
        raise FieldError(at, f"{name} is an amount of money, by currency; rules can't compare it")
    return kpi


def _level(path: Path, value: Any, kpi: Kpi) -> float | None:
    """Return the level; ``None`` for the queue's target."""
    if value == TARGET:
        if not kpi.may_have_target:
            raise FieldError(path, f"{kpi.name} has no target; write a number")
        return None
    level = _number(path, value, kpi, or_else=TARGET)
    if kpi.unit.is_ratio and not 0 <= level <= 1:
        raise FieldError(
            path, f"expected a ratio from 0 to 1 (80 % is 0.8) or a text like '80 %', got {value!r}"
        )
    if level < 0 and kpi.unit not in _SIGNED:
        raise FieldError(path, f"expected a non-negative number, got {value!r}")
    if (path[-1] == "below" and level == 0 and kpi.unit not in _SIGNED) or (
        path[-1] == "above" and level == 1 and kpi.unit.is_ratio
    ):
        raise FieldError(path, f"{kpi.name} is never {path[-1]} {value!r}: the rule would not fire")
    return level


def _number(path: Path, value: Any, kpi: Kpi, or_else: str = "") -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    if isinstance(value, str):
        if kpi.unit.is_ratio and (found := _PERCENT.fullmatch(value)):
            return round(float(found[1]) / 100, 10)
        if kpi.unit is Unit.SECONDS and (found := _DURATION.fullmatch(value)):
            return float(found[1]) * _SECONDS[found[2]]
    forms = "a number"
    if kpi.unit.is_ratio:
        forms = "a ratio like 0.8 or '80 %'"
    elif kpi.unit is Unit.SECONDS:
        forms = "seconds like 90, or '90s' or '2m'"
    hint = guess(value, (or_else,)) if isinstance(value, str) and or_else else ""
    raise FieldError(path, f"expected {forms}{f' or {or_else!r}' if or_else else ''}, got {value!r}{hint}")


def _by(path: Path, table: Mapping[str, Any], kpi: Kpi, *, targeted: bool) -> tuple[float, bool]:
    if "by" not in table:
        return 0.0, False
    at, value = (*path, "by"), table["by"]
    if not targeted:
        raise FieldError(at, "only works with a target: it states how far past it the value must be")
    relative = isinstance(value, str) and value.endswith("%") and not kpi.unit.is_ratio
    found = _PERCENT.fullmatch(value) if relative else None
    by = round(float(found[1]) / 100, 10) if found else _number(at, value, kpi)
    if kpi.unit.is_ratio and not -1 < by < 1:
        raise FieldError(at, f"expected less than 1 (10 points are 0.1), got {value!r}")
    if relative and "below" in table and by >= 1:
        raise FieldError(at, f"expected less than 100 % below the target, got {value!r}")
    return by, relative


def _clear(
    path: Path, table: Mapping[str, Any], kpi: Kpi, *, level: float | None, relative: bool
) -> float | None:
    if "clear" not in table:
        return None
    at, value = (*path, "clear"), table["clear"]
    if value == TARGET:
        if level is None:
            return 0.0
        raise FieldError(at, f"expected a value, because the condition compares with {level:g}; got 'target'")
    found = _PERCENT.fullmatch(value) if relative and isinstance(value, str) else None
    if relative and not found:
        raise FieldError(at, f"expected a share of the target like '10 %', as in by; got {value!r}")
    return round(float(found[1]) / 100, 10) if found else _number(at, value, kpi)


def _check_order(path: Path, side: str, level: float, clear: float | None, *, targeted: bool) -> None:
    """Refuse an alert that would clear where it still fires. Distances past a target grow on either side."""
    if clear is None:
        return
    nearer = clear < level if targeted or side == "above" else clear > level
    if not nearer:
        what = "by" if targeted else side
        direction = "less" if targeted or side == "above" else "more"
        raise FieldError(
            (*path, "clear"),
            f"it would clear ({clear:g}) where it still fires; expected {direction} than {what} ({level:g})",
        )


def _window(
    path: Path, table: Mapping[str, Any], kpi: Kpi, window: str, window_at: Path | None
) -> str | None:
    own = table.get("window")
    at = (*path, "window") if "window" in table else window_at
    if kpi.is_level:
        if "window" in table:
            raise FieldError((*path, "window"), f"{kpi.name} is a level, as it is now: it has no window")
        return None
    chosen = window if own is None else own
    if chosen in kpi.windows:
        return str(chosen)
    if at is None:  # nobody stated one
        return kpi.windows[0]
    raise FieldError(at, f"{kpi.name} is kept for {', '.join(kpi.windows)}, not for {chosen!r}")


def _minimum(path: Path, table: Mapping[str, Any], kpi: Kpi, minimum: int) -> int | None:
    if "minimum" in table:
        check_minimum((*path, "minimum"), table["minimum"])
        if not kpi.has_samples:
            raise FieldError((*path, "minimum"), f"{kpi.name} does not rest on a number of contacts")
        return int(table["minimum"])
    return minimum if kpi.has_samples else None


def check_minimum(path: Path, value: Any) -> None:
    """Refuse what is not a number of contacts.

    Raises:
        FieldError: with the path.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise FieldError(path, f"expected a whole number of contacts, at least 1, got {value!r}")
