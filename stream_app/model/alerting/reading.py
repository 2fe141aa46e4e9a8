"""Custom alert rules from a parsed TOML document; the first mistake is refused with the place of its field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from stream_app.model.targets.calendars import WEEKDAYS, Hours, guess

from .conditions import FieldError, Path, check_minimum, condition
from .local_hours import LocalHours
from .rules import MINIMUM, WINDOW, Condition, CustomRule, seconds

KEYS: Final = (
    *("name", "severity", "all", "any", "window", "minimum", "hold", "hours"),
    *("queues", "channels", "sites", "units", "receiver", "do", "runbook"),
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _'()-]{0,59}")
_RECEIVER: Final = (
    re.compile(r"[a-z][a-z0-9_-]{0,39}"),
    "a name in lower-case letters, digits, - and _",
)
_TEXT: Final = (
    re.compile(r"[^${}\x00-\x1f]{1,200}"),
    "a line of at most 200 characters without dollar signs and braces",
)
_URL: Final = (re.compile(r"https?://[^\s${}]+"), "an address that begins with http:// or https://")
_MOST_RULES: Final = 200
_MOST_CONDITIONS: Final = 8
_LONGEST_HOLD_S: Final = 86_400
_LONGEST_NAME: Final = 256
_EXPECTED: Final = f"; expected {', '.join(KEYS)}"
_ALIASES: Final = {
    "for": "hold",
    "min": "minimum",
    "minimum_contacts": "minimum",
    "min_samples": "minimum",
    "when": "all",
    "conditions": "all",
    "team": "receiver",
    "to": "receiver",
    "action": "do",
    "site": "sites",
    "unit": "units",
}


def read(document: Mapping[str, Any], taken: Collection[str] = ()) -> tuple[CustomRule, ...]:
    """Check a document and return its rules.

    Args:
        document: the parsed TOML.
        taken: names of alerts that exist already.

    Raises:
        FieldError: the path of the field, what was expected and what was found.
    """
    for name in document:
        if name != "rules":
            raise FieldError((name,), f"unknown table {name!r}; rules are written as [[rules]]")
    if "rules" not in document:
        raise FieldError((), "expected at least one [[rules]]; write rules = [] for none")
    tables = document["rules"]
    if not isinstance(tables, list):
        raise FieldError(("rules",), "expected a list; write [[rules]] with two brackets")
    if len(tables) > _MOST_RULES:
        raise FieldError(("rules", _MOST_RULES), f"expected at most {_MOST_RULES} rules, got {len(tables)}")
    found: list[CustomRule] = []
    known = {alert.lower() for alert in taken}
    slugs: dict[str, str] = {}
    for n, table in enumerate(tables):
        rule = _rule(("rules", n), table)
        if rule.name.lower() in known:
            raise FieldError(
                ("rules", n, "name"), f"{rule.name!r} is the name of a built-in alert; choose another"
            )
        if rule.slug in slugs:
            other = slugs[rule.slug]
            raise FieldError(
                ("rules", n, "name"), f"{rule.name!r} is too similar to another rule's name, {other!r}"
            )
        slugs[rule.slug] = rule.name
        found.append(rule)
    return tuple(found)


def _rule(path: Path, table: Any) -> CustomRule:
    if not isinstance(table, Mapping):
        raise FieldError(path, f"expected a table, got {table!r}")
    for name in table:
        if name not in KEYS:
            meant = f"; did you mean {_ALIASES[name]!r}?" if name in _ALIASES else guess(name, KEYS)
            raise FieldError((*path, name), f"unknown field{meant or _EXPECTED}")
    name = _needed(path, table, "name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        why = f"expected 1 to 60 letters, digits, spaces and _ ' ( ) -, beginning with a letter, got {name!r}"
        raise FieldError((*path, "name"), why)
    severity = _needed(path, table, "severity")
    if severity not in ("page", "ticket"):
        hint = guess(severity, ("page", "ticket")) if isinstance(severity, str) else ""
        raise FieldError((*path, "severity"), f"expected page or ticket, got {severity!r}{hint}")
    join, conditions = _conditions(path, table)
    hold, hours = _hold(path, table), _hours((*path, "hours"), table.get("hours", "open"))
    if isinstance(hours, LocalHours) and seconds(hold) >= hours.longest * 60:
        why = (
            f"{hold} is longer than its hours ({hours.longest / 60:g} h at a time): the rule would never fire"
        )
        raise FieldError((*path, "hold"), why)
    return CustomRule(
        name=name,
        severity=severity,
        join="any" if join == "any" else "all",
        conditions=conditions,
        hold=hold,
        hours=hours,
        queues=_names(path, table, "queues"),
        channels=_names(path, table, "channels"),
        sites=_names(path, table, "sites"),
        units=_names(path, table, "units"),
        receiver=_matching(path, table, "receiver", _RECEIVER),
        do=_matching(path, table, "do", _TEXT) or "",
        runbook=_matching(path, table, "runbook", _URL),
    )


def _needed(path: Path, table: Mapping[str, Any], name: str) -> Any:
    if name not in table:
        raise FieldError((*path, name), "is missing")
    return table[name]


def _conditions(path: Path, table: Mapping[str, Any]) -> tuple[str, tuple[Condition, ...]]:
    joins = [name for name in ("all", "any") if name in table]
    if len(joins) != 1:
        why = (
            "a rule has one of all and any, not both"
            if joins
            else "is missing: list the conditions in all = [...] or any = [...]"
        )
        raise FieldError((*path, joins[-1] if joins else "all"), why)
    at = (*path, joins[0])
    listed = table[joins[0]]
    if not isinstance(listed, list):
        raise FieldError(at, f"expected a list of conditions, got {listed!r}")
    if not 0 < len(listed) <= _MOST_CONDITIONS:
        raise FieldError(at, f"expected 1 to {_MOST_CONDITIONS} conditions, got {len(listed)}")
    window = table.get("window", WINDOW)
    if not isinstance(window, str):
        raise FieldError((*path, "window"), f"expected a window like 30m, got {window!r}")
    least = table.get("minimum", MINIMUM)
    check_minimum((*path, "minimum"), least)
    stated = (*path, "window") if "window" in table else None
    found = tuple(
        condition((*at, n), each, window=window, window_at=stated, minimum=least)
        for n, each in enumerate(listed)
    )
    if "window" in table and all(one.window is None for one in found):
        raise FieldError(
            (*path, "window"), "no condition has a window: these KPIs are levels, as they are now"
        )
    if "minimum" in table and all(one.minimum is None for one in found):
        raise FieldError(
            (*path, "minimum"), "no condition rests on a number of contacts: these KPIs are levels or volumes"
        )
    return joins[0], found


def _hold(path: Path, table: Mapping[str, Any]) -> str:
    hold = table.get("hold", "5m")
    at = (*path, "hold")
    if not isinstance(hold, str):
        raise FieldError(at, f"expected a duration like 90s or 5m, got {hold!r}")
    try:
        length = seconds(hold)
    except ValueError as error:
        raise FieldError(at, str(error)) from None
    if length > _LONGEST_HOLD_S:
        raise FieldError(at, f"expected at most 24h, got {hold}")
    return hold


def _hours(path: Path, value: Any) -> Any:
    if value in ("open", "always"):
        return value
    if isinstance(value, str):
        example = 'or hours of its own like { zone = "Europe/Berlin", mon-fri = ["08:00-18:00"] }'
        raise FieldError(
            path, f"expected open, always {example}, got {value!r}{guess(value, ('open', 'always'))}"
        )
    if not isinstance(value, Mapping):
        raise FieldError(path, f"expected open, always or a table of weekdays, got {value!r}")
    if "zone" not in value:
        raise FieldError(
            (*path, "zone"), 'is missing: hours of its own need a time zone, like zone = "Europe/Berlin"'
        )
    days = {name: periods for name, periods in value.items() if name != "zone"}
    for name in days:
        if any(part not in WEEKDAYS for part in name.split("-")[:2]):
            raise FieldError(
                (*path, name), f"unknown weekday {name!r}; use {' '.join(WEEKDAYS)}, or a range like mon-fri"
            )
    try:
        return LocalHours(Hours.of("", {"zone": value["zone"], "hours": days}))
    except ValueError as error:
        place, _, why = str(error).partition(": ")
        inner = tuple(part for part in place.split(".") if part and part != "hours")
        raise FieldError((*path, *inner), why) from None


def _names(path: Path, table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    if name not in table:
        return ()
    names = table[name]
    at = (*path, name)
    if not isinstance(names, list) or not all(
        isinstance(n, str) and 0 < len(n) <= _LONGEST_NAME for n in names
    ):
        raise FieldError(at, f'expected a list of names like ["billing"], got {names!r}')
    if not names:
        raise FieldError(at, f"the list is empty; leave it out to mean all {name}")
    return tuple(dict.fromkeys(names))


def _matching(
    path: Path, table: Mapping[str, Any], name: str, form: tuple[re.Pattern[str], str]
) -> str | None:
    value = table.get(name)
    if name in table and not (isinstance(value, str) and form[0].fullmatch(value)):
        raise FieldError((*path, name), f"expected {form[1]}, got {value!r}")
    return value
