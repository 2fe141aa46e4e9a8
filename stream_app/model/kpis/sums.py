"""What is stored of facts: running totals, distributions, and sums by member. Ratios are made of these, and never stored."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stream_app.model.facts import Fact

Sums = Mapping[str, int]
Where = tuple[str, str | bool]
"""A field of a fact, and the value that it must have."""


class Counter(Struct, frozen=True):
    """A running total fed by one kind of fact. It is declared by names, so that a fold can be compiled from it, and a query.

    Attributes:
        name: unique; numbered once in the store's registry and never reused.
        fact: the kind of fact that feeds it.
        fields: a fact adds the sum of these, in whole milliseconds; 1 if there are none.
        where: only facts of which this holds add anything.
    """

    name: str
    fact: type[Fact]
    fields: tuple[str, ...] = ()
    where: Where | None = None

    def amount(self, fact: Fact) -> int:
        """Return what a fact of its kind adds."""
        if self.where is not None and getattr(fact, self.where[0]) != self.where[1]:
            return 0
        return sum(getattr(fact, field) for field in self.fields) if self.fields else 1

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


def count(name: str, fact: type[Fact], where: str | Where | None = None) -> Counter:
    """Count facts: all of them, those whose field ``where`` is true, or those where it has a value."""
    condition = (where, True) if isinstance(where, str) else where
    return Counter(name, fact, (), condition and (_known(fact, condition[0]), condition[1]))


def total(name: str, fact: type[Fact], *fields: str) -> Counter:
    """Add up fields of each fact (milliseconds)."""
    return Counter(name, fact, tuple(_known(fact, field) for field in fields))


def _known(fact: type[Fact], field: str) -> str:
    if field not in fact.__struct_fields__:
        raise ValueError(
            f"{fact.__name__} has no field {field!r}; it has {', '.join(fact.__struct_fields__)}"
        )
    return field


class Sketch(Struct, frozen=True):
    """A distribution of durations, kept as counts of exponential buckets (see ``model.sketch``).

    Attributes:
        name: as of a counter.
        fact: likewise.
        fields: the duration is the sum of these.
    """

    name: str
    fact: type[Fact]
    fields: tuple[str, ...]

    def value(self, fact: Fact) -> int:
        """Return the duration of a fact of its kind, in milliseconds."""
        return sum(getattr(fact, field) for field in self.fields)


def distribution(name: str, fact: type[Fact], *fields: str) -> Sketch:
    """Keep the distribution of a duration of each fact, in milliseconds."""
    return Sketch(name, fact, tuple(_known(fact, field) for field in fields))


class Family(Struct, frozen=True):
    """Sums keyed by a small number, kept like a sketch: amounts of money by currency.

    Attributes:
        name: as of a counter.
        fact: likewise.
        added: the field that is added up.
        by: the one that is the key, below 512.
    """

    name: str
    fact: type[Fact]
    added: str
    by: str

    def amount(self, fact: Fact) -> int:
        """Return what a fact of its kind adds."""
        return int(getattr(fact, self.added))

    def member(self, fact: Fact) -> int:
        """Return under which number."""
        return int(getattr(fact, self.by))


def family(name: str, fact: type[Fact], amount: str, member: str) -> Family:
    """Add up one field of each fact by another one, which is below 512."""
    return Family(name, fact, _known(fact, amount), _known(fact, member))
