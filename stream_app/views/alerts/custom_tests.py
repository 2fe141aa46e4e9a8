"""Tests of custom rules for promtool: each fires when it should, and is silent when it should be.

They derive from the rule as it was written, not from its expression, so anybody can check with Prometheus's own tool that what
was compiled means what was written: ``promtool test rules tests/*.test.yml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from stream_app.model.alerting.local_hours import LocalHours
from stream_app.model.alerting.rules import Condition, CustomRule, seconds
from stream_app.model.durations import MINUTE
from stream_app.model.kpis.measures import Unit
from stream_app.views import naming
from stream_app.views.text import FROM_A_FILE, to_yaml

from .custom import CustomAlert
from .expressions import STALE_AFTER_S

_DAYS: Final = 8
"""Hours of a week begin within so many days of the test's beginning."""


_Values = Sequence[tuple[int, float]]
"""Minutes, and the value for so long."""


class _Case(Struct, frozen=True, kw_only=True):
    """Something that happens, as samples a minute apart, and whether the alert fires at its end.

    Attributes:
        values: of each condition's KPI, over time.
        samples: contacts in the window.
    """

    name: str
    fires: bool
    values: Sequence[_Values]
    until: int
    samples: int | None = None
    age_s: int = 1
    is_open: bool = True
    queue: str | None = None


def test_file(alert: CustomAlert, rule_file: str) -> str:
    """Write the tests of a rule, which is in ``rule_file``, relative to the tests."""
    tests = [_test(alert, case) for case in cases(alert.written)]
    document: dict[str, Any] = {"rule_files": [rule_file], "evaluation_interval": "1m", "tests": tests}
    return to_yaml(
        document,
        FROM_A_FILE,
        "Run it: promtool test rules FILE. The rule fires in some cases and is silent in the others.",
    )


def cases(rule: CustomRule) -> Iterator[_Case]:
    """Yield what a rule is tested with."""
    hold = _minutes(rule.hold)
    start = _opening(rule.hours, hold + 1)
    fired = start + hold + 1
    everything = [[(fired, _met(one))] for one in rule.conditions]
    yield _Case(name="fires", fires=True, values=everything, until=fired)
    yield from _edges(rule, everything, fired)
    if isinstance(
        rule.hours, LocalHours
    ):  # promtool begins on a Thursday at 00:00 UTC: hours take it long to reach
        yield from _outside(rule, rule.hours)
        return
    if hold:
        late = [[(start + 1, edge(one)), (hold, _met(one))] for one in rule.conditions]
        yield _Case(name="silent until it has held", fires=False, values=late, until=fired)
    silent = _Case(name="silent", fires=False, values=everything, until=fired)
    if all(one.minimum is not None for one in rule.conditions):
        few = min(one.minimum or 0 for one in rule.conditions) - 1
        yield structs.replace(silent, name="silent with too few contacts", samples=few)
    yield structs.replace(silent, name="silent while the data is stale", age_s=STALE_AFTER_S + 1)
    if rule.queues:
        yield structs.replace(silent, name="silent for another queue", queue="another queue")
    if rule.hours == "open":
        yield structs.replace(silent, name="silent while the queue is closed", is_open=False)
    if rule.has_clear:
        yield from _clearing(rule, fired)


def _edges(rule: CustomRule, everything: Sequence[_Values], fired: int) -> Iterator[_Case]:
    """Yield what happens where a condition is just not met."""
    inside = [[(fired, edge(one))] for one in rule.conditions]
    if rule.join == "any":
        for n, each in enumerate(everything):
            alone = [*inside[:n], each, *inside[n + 1 :]]
            yield _Case(name=f"fires by condition {n + 1} alone", fires=True, values=alone, until=fired)
        yield _Case(name="silent at the levels themselves", fires=False, values=inside, until=fired)
        return
    for n, each in enumerate(inside):
        others = [*everything[:n], each, *everything[n + 1 :]]
        name = f"silent while condition {n + 1} is at its level"
        yield _Case(name=name, fires=False, values=others, until=fired)


def _outside(rule: CustomRule, hours: LocalHours) -> Iterator[_Case]:
    """Yield that it is silent, soon if it is outside of its hours at first, or else when they are over."""
    hold = _minutes(rule.hold)
    if any(hours.holds(minute * MINUTE) for minute in range(hold + 2)):
        closed = _closing(hours)
        if closed is None:
            return
        until = closed + _minutes(rule.keep) + 1
    else:
        until = hold + 1
    if not hours.holds(until * MINUTE):
        values = [[(until, _met(one))] for one in rule.conditions]
        yield _Case(name="silent outside of its hours", fires=False, values=values, until=until)


def _clearing(rule: CustomRule, fired: int) -> Iterator[_Case]:
    later = fired + _minutes(rule.keep) + 10
    still = [
        [(fired, _met(one)), (later - fired, _met(one) if one.clear is None else _between(one))]
        for one in rule.conditions
    ]
    yield _Case(name="fires on until its clear level", fires=True, values=still, until=later)
    over = [[(fired, _met(one)), (later - fired, _over(one))] for one in rule.conditions]
    yield _Case(name="silent when it is over", fires=False, values=over, until=later)


def _test(alert: CustomAlert, case: _Case) -> dict[str, Any]:
    rule = alert.written
    place = {
        naming.QUEUE: case.queue or next(iter(rule.queues), "example"),
        naming.CHANNEL: next(iter(rule.channels), "voice"),
    }
    labels = {"alertname": alert.name, "alertstate": "firing", **alert.labels, **place}
    return {
        "name": f"{rule.name}: {case.name}",
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in _series(rule, case, place).items()
        ],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert.name}",alertstate="firing"}}',
                "eval_time": f"{case.until}m",
                "exp_samples": [{"labels": _named("ALERTS", labels), "value": 1}] if case.fires else [],
            }
        ],
    }


def _series(rule: CustomRule, case: _Case, place: Mapping[str, str]) -> dict[str, str]:
    always = f"x{case.until}"
    info = {naming.SITE: next(iter(rule.sites), ""), naming.UNIT: next(iter(rule.units), "")}
    found = {
        naming.DATA_AGE: f"{case.age_s}{always}",
        _named(naming.OPEN, place): f"{int(case.is_open)}{always}",
        _named(naming.QUEUE_INFO, {**place, **info}): f"1{always}",
    }
    for one, values in zip(rule.conditions, case.values, strict=True):
        window = {naming.WINDOW: one.window} if one.window else {}
        text = " ".join(
            f"{value:.10g}x{minutes - (n == len(values))}" for n, (minutes, value) in enumerate(values, 1)
        )
        found[_named(naming.value(one.entry), {**place, **window})] = text
        if one.minimum is not None:
            n = one.minimum if case.samples is None else case.samples
            found[_named(naming.samples(one.entry), {**place, **window})] = f"{n}{always}"
        if one.level is None:
            found[_named(naming.target(one.entry), place)] = f"{target(one):.10g}{always}"
    return found


def _named(metric: str, labels: Mapping[str, str]) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    pairs = ",".join(f'{name}="{quoted(value)}"' for name, value in labels.items())
    return f"{metric}{{{pairs}}}"


# --- values around a level ---


def target(one: Condition) -> float:
    """Return a target for the test, with room for what is past it."""
    if one.entry.unit.is_ratio:
        return (1 + one.by) / 2 if one.side == "below" else (1 - one.by) / 2
    default = one.entry.default_target("voice") or 100.0
    return default if one.relative else max(default, 2 * abs(one.by) + 1)


def edge(one: Condition) -> float:
    """Return the value at which a condition is just not met."""
    return _past(one, one.by) if one.level is None else one.level


def _past(one: Condition, by: float) -> float:
    t = target(one)
    by = by * t if one.relative else by
    return t - by if one.side == "below" else t + by


def _met(one: Condition) -> float:
    """Return a value beyond the level, which the KPI can have."""
    at = edge(one)
    if one.entry.unit.is_ratio:
        return at / 2 if one.side == "below" else (at + 1) / 2
    away = abs(at) / 2 + 1
    if one.side == "above":
        return at + away
    return at / 2 if one.entry.unit in (Unit.SECONDS, Unit.CONTACTS) else at - away


def _clear(one: Condition) -> float:
    if one.clear is None:
        return edge(one)
    return one.clear if one.level is not None else _past(one, one.clear)


def _between(one: Condition) -> float:
    return (edge(one) + _clear(one)) / 2


def _over(one: Condition) -> float:
    """Return a value beyond the level at which it is over."""
    away = abs(_clear(one) - edge(one)) or abs(edge(one)) / 10 or 0.1
    return _clear(one) + (away if one.side == "below" else -away)


# --- moments ---


def _minutes(duration: str) -> int:
    return -(-seconds(duration) // 60)


def _opening(hours: object, minutes: int) -> int:
    """Return the first minute from which the hours hold for so long; 0 without hours of its own."""
    if not isinstance(hours, LocalHours):
        return 0
    run = 0
    for minute in range(_DAYS * 1440):
        run = run + 1 if hours.holds(minute * MINUTE) else 0
        if run > minutes:
            return minute - minutes
    raise AssertionError("checked when the rule was read")


def _closing(hours: LocalHours) -> int | None:
    """Return the first minute at which they cease to hold; ``None``: never."""
    return _first(lambda minute: hours.holds((minute - 1) * MINUTE) and not hours.holds(minute * MINUTE))


def _first(condition: Callable[[int], bool]) -> int | None:
    return next((minute for minute in range(1, _DAYS * 1440) if condition(minute)), None)
