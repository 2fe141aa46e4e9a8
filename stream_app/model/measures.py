"""The algebra that KPIs are written in.

Counters are stored, ratios never are: a counter adds up over queues, windows, partitions and workers, so every measure
here is a function of sums. One expression has three readings: a number, a formula for people, a list of counters to keep.
"No data" is ``None``: never 0, never 100 %, never NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, Literal, TypeVar

from msgspec import Struct

from . import sketch
from .facts import Fact

F = TypeVar("F", bound=Fact)
Sums = Mapping[str, int]


class Unit(Enum):
    """A KPI's unit: (Prometheus suffix, Grafana unit, how much of the stored sums makes one)."""

    RATIO = ("ratio", "percentunit", 1)
    SECONDS = ("seconds", "s", 1000)
    CONTACTS = ("contacts", "short", 1)

    @property
    def suffix(self) -> str:
        """What the metric's name ends with."""
        return self.value[0]

    @property
    def grafana(self) -> str:
        """Grafana's id of the unit."""
        return self.value[1]

    @property
    def parts(self) -> int:
        """How much of the stored sums (milliseconds, contacts) makes one base unit.

        Divide by it: a thousandth is no binary fraction, and multiplying by it is wrong in the last digit.
        """
        return self.value[2]


class Counter(Struct, frozen=True):
    """A running total fed by one kind of fact.

    Attributes:
        name: unique; numbered once in the store's registry and never reused.
        fact: the kind of fact that feeds it.
        amount: what a fact adds: whole milliseconds, or a truth value (0 or 1).
        always: every fact of the kind adds 1 (spares the call in the hot path).
    """

    name: str
    fact: type[Fact]
    amount: Callable[[Any], int]
    always: bool = False

    def __add__(self, other: Counter | Sum) -> Sum:
        return Sum(((1, self),)) + other

    def __sub__(self, other: Counter) -> Sum:
        return Sum(((1, self), (-1, other)))


class Sum(Struct, frozen=True):
    """Counters added and subtracted."""

    terms: tuple[tuple[int, Counter], ...]

    @classmethod
    def of(cls, part: Counter | Sum) -> Sum:
        """A counter is a sum of one."""
        return part if isinstance(part, Sum) else cls(((1, part),))

    def __add__(self, other: Counter | Sum) -> Sum:
        return Sum(self.terms + Sum.of(other).terms)

    def __sub__(self, other: Counter) -> Sum:
        return Sum((*self.terms, (-1, other)))

    def value(self, sums: Sums) -> int:
        """The sum over a window."""
        return sum(sign * sums.get(counter.name, 0) for sign, counter in self.terms)

    def __str__(self) -> str:
        words = (f"{'+' if sign > 0 else '-'} {counter.name}" for sign, counter in self.terms)
        return " ".join(words).removeprefix("+ ")


def count(name: str, fact: type[F], where: str | Callable[[F], bool] | None = None) -> Counter:
    """How many facts there were (those whose field ``where`` is true, or for which it holds)."""
    return Counter(
        name, fact, (lambda _: 1) if where is None else _reading(fact, where), always=where is None
    )


def total(name: str, fact: type[F], amount: str | Callable[[F], int]) -> Counter:
    """The sum of a field of each fact, or of a number computed from it (milliseconds)."""
    return Counter(name, fact, _reading(fact, amount))


def _reading(fact: type[F], part: str | Callable[[F], int]) -> Callable[[F], int]:
    """What reads a number off a fact. A field's name is read without entering Python: this is the hot path."""
    if not isinstance(part, str):
        return part
    if part not in fact.__struct_fields__:
        raise ValueError(f"{fact.__name__} has no field {part!r}; it has {', '.join(fact.__struct_fields__)}")
    return attrgetter(part)


class Sketch(Struct, frozen=True):
    """A distribution of durations, kept as counts of exponential buckets (see ``model.sketch``)."""

    name: str
    fact: type[Fact]
    value: Callable[[Any], int]


def distribution(name: str, fact: type[F], value: str | Callable[[F], int]) -> Sketch:
    """The distribution of a duration of each fact, in milliseconds."""
    return Sketch(name, fact, _reading(fact, value))


class Ratio(Struct, frozen=True):
    """A sum over a sum: shares, and means of durations."""

    numerator: Counter | Sum
    denominator: Counter | Sum

    @property
    def counters(self) -> tuple[Counter, ...]:
        """What must be stored for it."""
        return tuple(c for part in (self.numerator, self.denominator) for _, c in Sum.of(part).terms)

    def samples(self, sums: Sums) -> int:
        """The denominator: how much the value rests on."""
        return Sum.of(self.denominator).value(sums)

    def value(self, sums: Sums) -> float | None:
        """The ratio in stored units; ``None`` without samples."""
        n = self.samples(sums)
        return Sum.of(self.numerator).value(sums) / n if n > 0 else None

    def __str__(self) -> str:
        def bracket(part: Counter | Sum) -> str:
            return str(part) if isinstance(part, Sum) and len(part.terms) == 1 else f"({part})"

        return f"{_text(self.numerator, bracket)} / {_text(self.denominator, bracket)}"


def _text(part: Counter | Sum, bracket: Callable[[Counter | Sum], str]) -> str:
    return part.name if isinstance(part, Counter) else bracket(part)


class Choice(Struct, frozen=True):
    """One KPI, several named definitions: a queue's settings say which one holds."""

    options: Mapping[str, Ratio]
    default: str

    @property
    def counters(self) -> tuple[Counter, ...]:
        """What must be stored so that any of them can be computed."""
        return tuple(c for ratio in self.options.values() for c in ratio.counters)

    def __str__(self) -> str:
        return str(self.options[self.default])


class Level(Struct, frozen=True):
    """A number read off the set of visits that wait now: how many, or how long the oldest has (ms)."""

    read: Literal["count", "oldest"]

    @property
    def counters(self) -> tuple[Counter, ...]:
        """None: an up/down counter would drift after one lost event."""
        return ()

    def __str__(self) -> str:
        return "waiting now" if self.read == "count" else "now - queued of the longest waiting contact"


Measure = Ratio | Choice | Level


def percentile(q: float, counts: Mapping[int, int]) -> float | None:
    """The q-quantile of a sketch in seconds, within ``sketch.RELATIVE_ERROR``."""
    estimate = sketch.quantile(q, counts)
    return None if estimate is None else estimate / Unit.SECONDS.parts
