"""The algebra in which KPIs are written.

Counters are stored, ratios never: a counter adds up over queues, windows, partitions and workers, so every measure
here is a function of sums. One expression is read in three ways: a number, a formula for people, a list of counters to keep.
"No data" is ``None``: never 0, never 100 %, never NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Literal

from msgspec import Struct

from stream_app.model import sketch

from .sums import Counter, Family, Sum, Sums


class Unit(Enum):
    """A KPI's unit: (Prometheus suffix, Grafana unit, how much of the stored sums makes one).

    ``GRADE`` is a ratio whose parts are scores, ``POINTS`` run from -100 to 100, ``AMOUNT`` is money in the currency given,
    ``TIMES`` how often something happens to one of them.
    """

    RATIO = ("ratio", "percentunit", 1)
    GRADE = ("ratio", "percentunit", 10_000)
    SECONDS = ("seconds", "dthms", 1000)
    CONTACTS = ("contacts", "locale", 1)
    POINTS = ("points", "none", 1)
    SCORE = ("score", "none", 1000)
    AMOUNT = ("amount", "none", 10_000)
    TIMES = ("times", "none", 1)

    @property
    def is_ratio(self) -> bool:
        """Whether it is shown as a percentage."""
        return self.suffix == "ratio"

    @property
    def suffix(self) -> str:
        """The suffix of the metric's name."""
        return self.value[0]

    @property
    def grafana(self) -> str:
        """Grafana's id of the unit."""
        return self.value[1]

    @property
    def parts(self) -> int:
        """How much of the stored sums (milliseconds, contacts) makes one base unit.

        Divide by it: a thousandth is not a binary fraction, so multiplying by one is wrong in the last digit.
        """
        return self.value[2]


class Ratio(Struct, frozen=True):
    """A sum over a sum: shares, and means of durations and scores. ``times``: 100 for points."""

    numerator: Counter | Sum
    denominator: Counter | Sum
    times: int = 1

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored for it."""
        return tuple(c for part in (self.numerator, self.denominator) for _, c in Sum.of(part).terms)

    def samples(self, sums: Sums) -> int:
        """Return the denominator: how much the value rests on."""
        return Sum.of(self.denominator).value(sums)

    def value(self, sums: Sums) -> float | None:
        """Return the ratio in stored units; ``None`` without samples."""
        n = self.samples(sums)
        return self.times * Sum.of(self.numerator).value(sums) / n if n > 0 else None

    def __str__(self) -> str:
        def bracket(part: Counter | Sum) -> str:
            return str(part) if isinstance(part, Sum) and len(part.terms) == 1 else f"({part})"

        factor = f"{self.times} * " if self.times != 1 else ""
        return f"{factor}{_text(self.numerator, bracket)} / {_text(self.denominator, bracket)}"


def _text(part: Counter | Sum, bracket: Callable[[Counter | Sum], str]) -> str:
    return part.name if isinstance(part, Counter) else bracket(part)


class Choice(Struct, frozen=True):
    """One KPI with several named definitions: a queue's targets choose one."""

    options: Mapping[str, Ratio]
    default: str

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored so that any of them can be computed."""
        return tuple(c for ratio in self.options.values() for c in ratio.counters)

    def __str__(self) -> str:
        return str(self.options[self.default])


class Either(Struct, frozen=True):
    """A ratio where there is anything to divide by, else another one."""

    first: Ratio
    other: Ratio

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored so that either can be computed."""
        return self.first.counters + self.other.counters

    def __str__(self) -> str:
        return f"{self.first}, else {self.other}"


class WindowCount(Struct, frozen=True):
    """A count over a window. Without any it is 0, which is data."""

    of: Counter

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored for it."""
        return (self.of,)

    def __str__(self) -> str:
        return self.of.name


class Revenue(Struct, frozen=True):
    """An amount of money for each contact, by currency."""

    amounts: Family
    contacts: Counter

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored for it, besides the amounts."""
        return (self.contacts,)

    def __str__(self) -> str:
        return f"{self.amounts.name} / {self.contacts.name}"


class Cost(Struct, frozen=True):
    """The cost of a contact under a queue's targets: agent time on contacts at its rate, plus a fixed cost per contact."""

    time: Sum
    contacts: Counter

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The counters that must be stored for it."""
        return (*(c for _, c in self.time.terms), self.contacts)

    def __str__(self) -> str:
        return f"({self.time}) * cost per hour / {self.contacts.name} + cost per contact"


class IntervalsMet(Struct, frozen=True):
    """The share of the day's finished 15-minute intervals with contacts in which another KPI met its target."""

    kpi: str

    @property
    def counters(self) -> tuple[Counter, ...]:
        """None of its own."""
        return ()

    def __str__(self) -> str:
        return f"intervals with {self.kpi} at target / intervals with contacts"


LevelRead = Literal[
    "count",
    "oldest",
    "at_risk",
    "awaiting",
    "oldest_awaiting",
    "open",
    "pending",
    "with_bot",
    "oldest_by_bot",
]


class Level(Struct, frozen=True):
    """A number read off the open visits: how many wait, how long the oldest has (ms), how many are at risk."""

    read: LevelRead

    @property
    def counters(self) -> tuple[Counter, ...]:
        """None: an up/down counter would drift after one lost event."""
        return ()

    @property
    def is_written(self) -> bool:
        """Whether only written channels have it."""
        return self.read in {"awaiting", "oldest_awaiting", "open", "pending"}

    def __str__(self) -> str:
        return {
            "count": "waiting now",
            "oldest": "now - start of the longest wait for a person",
            "at_risk": "open contacts with a predicted CSAT below the risk limit",
            "awaiting": "waiting for a person's message now",
            "oldest_awaiting": "now - since when the first of them waits",
            "open": "open written contacts, but for those with a bot",
            "pending": "open written contacts that are set aside",
            "with_bot": "with a bot now",
            "oldest_by_bot": "now - since when the first of them waits for the bot's message",
        }[self.read]


class Derived(Struct, frozen=True):
    """A current value that follows from other KPIs.

    Attributes:
        text: the formula, for people.
        of: (KPI, its window; ``None`` for a level), the arguments of ``how``: a level as a number, any other as a ``Value``.
        how: returns ``None`` where one of them, or the result, has no data.
    """

    text: str
    of: tuple[tuple[str, str | None], ...]
    how: Callable[..., float | None]

    @property
    def counters(self) -> tuple[Counter, ...]:
        """None of its own."""
        return ()

    def __str__(self) -> str:
        return self.text


class Value(Struct, frozen=True, gc=False):
    """A KPI in a window.

    Attributes:
        value: in the KPI's unit; ``None`` for no data, and for money, which has one value per currency.
        samples: the denominator: how much the value rests on.
        percentiles: ``p50``, ``p90``, ``p95`` in seconds, for KPIs with a distribution.
        amounts: currency → amount, for money.
        basis: what the samples are, where that depends on what is reported.
    """

    value: float | None
    samples: int
    percentiles: dict[str, float | None] | None = None
    amounts: dict[str, str] | None = None
    basis: str | None = None


Measure = Ratio | Choice | Either | WindowCount | Revenue | Cost | IntervalsMet | Level | Derived


def percentile(q: float, counts: Mapping[int, int]) -> float | None:
    """Return the q-quantile of a sketch in seconds, within ``sketch.RELATIVE_ERROR``."""
    estimate = sketch.quantile(q, counts)
    return None if estimate is None else estimate / Unit.SECONDS.parts
