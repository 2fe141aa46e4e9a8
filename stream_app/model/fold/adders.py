"""What each kind of fact adds to a cell, compiled from the catalogue: one function a kind, without a loop or a look-up.

The catalogue stays the only place that says what is counted; what is compiled here adds the same, and is as fast as if it had
been written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from stream_app.model.facts import Fact
from stream_app.model.kpis import COUNTERS, FAMILIES, SKETCHES, STORED
from stream_app.model.kpis.sums import Counter, Sketch
from stream_app.model.sketch import bucket

from .cells import SHIFT, Cell

_PARTS: Final[tuple[Counter | Sketch, ...]] = (*COUNTERS, *SKETCHES)
Adder = Callable[[Cell, Any], None]
"""Adds what a fact counts to a cell that has 0 for what it does not hold."""


def adders(numbers: Mapping[str, int]) -> dict[type[Fact], Adder]:
    """Compile the catalogue: kind of fact → its adder; ``numbers`` maps each counter, sketch and family to its key."""
    return dict(_compiled(tuple(numbers.items())))


@lru_cache(
    maxsize=8
)  # stores of one version have one registry: each claim, and each audit, compiles the same
def _compiled(numbers: tuple[tuple[str, int], ...]) -> Mapping[type[Fact], Adder]:
    of = dict(numbers)
    return {kind: _adder(kind, of) for kind in {part.fact for part in STORED}}


def _adder(kind: type[Fact], numbers: Mapping[str, int]) -> Adder:
    scope: dict[str, Any] = {"bucket": bucket}
    source = "\n    ".join((f"def add_{kind.__name__}(cell, fact):", *_lines(kind, numbers)))
    exec(compile(source, f"<what {kind.__name__} adds>", "exec"), scope)  # noqa: S102 - made of our own catalogue's names
    made: Adder = scope[f"add_{kind.__name__}"]
    return made


def _lines(kind: type[Fact], numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield the body; fields that several parts read are read once."""
    parts: dict[tuple[str, ...], list[Counter | Sketch]] = {}
    for part in _PARTS:
        if part.fact is not kind:
            continue
        if isinstance(part, Counter) and part.where is not None:
            field, value = part.where
            test = (
                f"fact.{field}"
                if value is True
                else f"not fact.{field}"
                if value is False
                else f"fact.{field} == {value!r}"
            )
            yield f"if {test}: cell[{numbers[part.name]}] += 1"
        elif part.fields:
            parts.setdefault(part.fields, []).append(part)
        else:
            yield f"cell[{numbers[part.name]}] += 1"
    for fields, same in parts.items():
        yield f"n = {' + '.join(f'fact.{field}' for field in fields)}"
        for part in same:
            if isinstance(part, Sketch):
                yield f"cell[{numbers[part.name] << SHIFT} | bucket(n)] += 1"
            else:
                yield f"if n: cell[{numbers[part.name]}] += n"
    for family in (f for f in FAMILIES if f.fact is kind):
        yield f"cell[{numbers[family.name] << SHIFT} | fact.{family.by}] += fact.{family.added}"
