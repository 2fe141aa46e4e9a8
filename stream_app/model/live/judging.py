"""The judgement of a row: its colour, what is off, and its place among the others.

The rule is written once, here, so that the API and the page can't contradict each other; ``docs/wallboard.md`` has it in words.
It follows the customers: who waits now, how long, and who was not answered in time. Handle time is work, not waiting: past its
target it is near it at most, and it neither colours a row nor moves it.
"""

from collections.abc import Iterable, Mapping
from math import inf, log10
from typing import Final, Literal

from msgspec import Struct

from stream_app.model.kpis import CARRIED
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Value

from .rows import KpiValues, QueueRow

State = Literal["off", "near", "recovering", "closed_waiting", "too_good", "met", "few", "none", "closed"]

FEW: Final = 10
"""A window with fewer contacts is not judged: in it, one contact decides."""
PRESENT_S: Final = 600.0
"""Where the target of the longest wait is longer, customers wrote and left; otherwise they are there, and wait."""
RECENT: Final = "5m"
"""The window that shows whether a queue recovers."""
CUSTOMERS: Final = (
    *("oldest_waiting", "oldest_awaiting_reply", "service_level", "backlog", "awaiting_reply", "abandonment"),
    *("first_response", "first_response_business"),
)
"""The KPIs that colour a row, in the order in which a badge names them; all others are work."""
_RISING: Final[Mapping[State, int]] = {
    "closed": 0,
    "none": 1,
    "few": 1,
    "met": 2,
    "too_good": 3,
    "recovering": 4,
    "near": 4,
    "closed_waiting": 4,
    "off": 5,
}
_PLAIN: Final = frozenset({"met", "none"})
_SETTLED: Final[tuple[State, ...]] = ("met", "few")
_STEP: Final = 100
_EXACT: Final = 10
_PER_DECADE: Final = 8


class Judgement(Struct, frozen=True, gc=False):
    """What is to be seen of a row in one window.

    Attributes:
        state: the colour.
        reasons: the KPIs that make it so, first the one to name.
        kpis: the state of each KPI that is not simply met or without one.
        urgency: rows with more come first; equal ones are sorted by name.
    """

    state: State
    reasons: tuple[str, ...]
    kpis: dict[str, State]
    urgency: int


class _Rule(Struct, frozen=True):
    """How one KPI is judged, looked up once: hundreds of rows are judged several times a second."""

    name: str
    higher: bool
    level: bool
    relative: bool
    tolerance: float
    colours: bool


def _rule(kpi: Kpi) -> _Rule:
    alert = kpi.threshold
    relative, tolerance = (alert.relative, alert.tolerance) if alert else (False, 0.0)
    return _Rule(kpi.name, kpi.better == "higher", kpi.is_level, relative, tolerance, kpi.name in CUSTOMERS)


_RULES: Final = tuple(map(_rule, CARRIED))
_LEVELS: Final = tuple(rule for rule in _RULES if rule.level)
_WINDOWED: Final = tuple(rule for rule in _RULES if not rule.level)
_OF_A_WINDOW: Final = tuple(rule.name for rule in _WINDOWED if rule.colours)
_NOTHING: Final = Value(None, 0)
_OLDEST: Final = {"oldest_waiting": "backlog", "oldest_awaiting_reply": "awaiting_reply"}
"""Level → how many it is the oldest of: where there are none, there is no wait to judge."""


def state_of(
    kpi: Kpi, value: float | None, target: float | None, too_good: float | None, samples: int | None
) -> State:
    """Judge one value; ``samples`` is ``None`` for a level."""
    return _state(_rule(kpi), value, target, too_good, samples)


def _state(
    rule: _Rule, value: float | None, target: float | None, too_good: float | None, samples: int | None
) -> State:
    if value is None:
        return "none"
    if samples is not None and samples < FEW and (target is not None or too_good is not None):
        return "few"
    if too_good is not None and (value > too_good if rule.higher else value < too_good):
        return "too_good"
    if target is None:
        return "none"
    far = target - value if rule.higher else value - target
    if far > 0 and rule.relative:
        far = far / target if target else inf
    if far > 0:
        far = round(far, 4)  # as the alert rules do: both agree at the very edge
    if far <= 0:
        return "met"
    return "near" if far <= rule.tolerance or not rule.colours else "off"


def judged(row: QueueRow, window: str) -> Judgement:
    """Judge a row in one of its windows."""
    return judged_in(row, (window,))[window]


def judged_in(row: QueueRow, windows: Iterable[str]) -> dict[str, Judgement]:
    """Judge a row in some of its windows."""
    levels, targets = row.levels, row.targets
    if not row.open:
        state: State = "closed_waiting" if levels.get("backlog") and _is_present(row) else "closed"
        return dict.fromkeys(windows, Judgement(state, (), {}, _urgency(row, state, {})))
    now: dict[str, State] = {
        rule.name: _state(
            rule, levels.get(rule.name), targets.get(rule.name), row.too_good.get(rule.name), None
        )
        if levels.get(_OLDEST.get(rule.name, rule.name)) or rule.name not in _OLDEST
        else "none"
        for rule in _LEVELS
    }
    return {name: _in_window(row, name, now) for name in windows}


def _in_window(row: QueueRow, window: str, now: Mapping[str, State]) -> Judgement:
    values, targets, too_good = row.windows.get(window, {}), row.targets, row.too_good
    states = dict(now)
    for rule in _WINDOWED:
        name = rule.name
        value = values.get(name, _NOTHING)
        states[name] = _state(rule, value.value, targets.get(name), too_good.get(name), value.samples)
    notable = {name: its for name, its in states.items() if its not in _PLAIN}
    state, reasons = _together(row, window, states, notable)
    return Judgement(state, reasons, notable, _urgency(row, state, values))


def _together(
    row: QueueRow, window: str, states: Mapping[str, State], notable: Mapping[str, State]
) -> tuple[State, tuple[str, ...]]:
    if notable:
        if off := tuple(name for name in CUSTOMERS if notable.get(name) == "off"):
            return ("recovering" if _recovers(row, window, off) else "off"), off
        if near := tuple(name for name in CUSTOMERS if notable.get(name) == "near"):
            return "near", near
        if good := tuple(name for name, its in notable.items() if its == "too_good"):
            return "too_good", good
    windowed = [states.get(name) for name in _OF_A_WINDOW]
    for state in _SETTLED:
        if state in windowed:
            return state, ()
    return ("met" if "met" in (states.get(name) for name in CUSTOMERS) else "none"), ()


def _recovers(row: QueueRow, window: str, off: tuple[str, ...]) -> bool:
    """Return whether only the past is off: nobody waits too long, and those of the last minutes were answered in time."""
    if window == RECENT or row.late or any(name in row.levels for name in off):
        return False
    level, target = row.recent.get("service_level"), row.targets.get("service_level")
    if level is None or level.value is None or target is None or level.value < target:
        return False
    gave_up, most = row.recent.get("abandonment"), row.targets.get("abandonment")
    return gave_up is None or gave_up.value is None or most is None or gave_up.value <= most


def _is_present(row: QueueRow) -> bool:
    return row.targets.get("oldest_waiting", PRESENT_S) <= PRESENT_S


def _urgency(row: QueueRow, state: State, values: KpiValues) -> int:
    """Pack what rows are sorted by into one number: colour, presence, who waits too long, how long, who was not served."""
    halves = max(_halves(row, name) for name in _OLDEST)
    out = _RISING[state] * 2 + (_is_present(row) and state != "closed")
    for part in (_about(row.late), halves, _about(_unserved(row, values))):
        out = out * _STEP + part
    return out


def _halves(row: QueueRow, name: str) -> int:
    """Return how many halves of its target a wait has lasted."""
    target = row.targets.get(name)
    return min(_STEP - 1, int(2 * (row.levels.get(name) or 0.0) / target)) if target else 0


def _unserved(row: QueueRow, values: KpiValues) -> int:
    """Return how many customers of the window more than the targets allow were not answered in time, or gave up."""
    out = 0.0
    for name, sign in (("service_level", -1), ("abandonment", 1)):
        value, target = values.get(name), row.targets.get(name)
        if value and value.value is not None and target is not None and value.samples >= FEW:
            out += max(0.0, sign * (value.value - target)) * value.samples
    return round(out)


def _about(n: int) -> int:
    """Return a number in steps, from ten on of about a third, so that two rows that are alike don't keep changing places."""
    return n if n < _EXACT else min(_STEP - 1, _EXACT + int(_PER_DECADE * log10(n / _EXACT)))
