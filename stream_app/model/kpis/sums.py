"""What is stored of facts: running totals, distributions, and sums by member. Ratios are made of these, and never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Struct

from stream_app.model.facts import Fact

F = TypeVar("F", bound=Fact)
Sums = Mapping[str, int]


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
        """Return a counter as a sum of one; a sum as it is."""
        return part if isinstance(part, Sum) else cls(((1, part),))

    def __add__(self, other: Counter | Sum) -> Sum:
        return Sum(self.terms + Sum.of(other).terms)

    def __sub__(self, other: Counter) -> Sum:
        return Sum((*self.terms, (-1, other)))

    def value(self, sums: Sums) -> int:
        """Return the sum over a window."""
        return sum(sign * sums.get(counter.name, 0) for sign, counter in self.terms)

    def __str__(self) -> str:
        words = (f"{'+' if sign > 0 else '-'} {counter.name}" for sign, counter in self.terms)
        return " ".join(words).removeprefix("+ ")


def count(name: str, fact: type[F], where: str | Callable[[F], bool] | None = None) -> Counter:
    """Count facts (those whose field ``where`` is true, or for which it holds)."""
    return Counter(
        name, fact, (lambda _: 1) if where is None else _reading(fact, where), always=where is None
    )


def total(name: str, fact: type[F], amount: str | Callable[[F], int]) -> Counter:
    """Add up a field of each fact, or a number computed from it (milliseconds)."""
    return Counter(name, fact, _reading(fact, amount))


def _reading(fact: type[F], part: str | Callable[[F], int]) -> Callable[[F], int]:
    """Return what reads a number off a fact. A named field is read without entering Python: this is the hot path."""
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
    """Keep the distribution of a duration of each fact, in milliseconds."""
    return Sketch(name, fact, _reading(fact, value))


class Family(Struct, frozen=True):
    """Sums keyed by a small number, kept like a sketch: amounts of money by currency."""

    name: str
    fact: type[Fact]
    amount: Callable[[Any], int]
    member: Callable[[Any], int]


def family(name: str, fact: type[F], amount: str, member: str) -> Family:
    """Add up one field of each fact by another one, which is below 512."""
    return Family(name, fact, _reading(fact, amount), _reading(fact, member))
