"""Close matches for a mistyped name."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from typing import Final

from stream_app.model.pieces import Pieces

LONGEST: Final = 64
"""Longer names are not typed by hand, and the cost of a comparison grows with the square of the length."""


def nearest(word: str, known: Iterable[str], n: int = 3, cutoff: float = 0.6) -> Pieces[list[str]]:
    """Find the known names closest to a word, closest first; compared one by one, as there may be thousands.

    Like ``difflib.get_close_matches``, but case-insensitive.
    """
    if len(word) > LONGEST:
        return []
    found: list[tuple[float, str]] = []
    compared = SequenceMatcher(b=word.casefold())
    for name in known:
        if len(name) <= LONGEST:
            compared.set_seq1(name.casefold())
            ratios = (compared.real_quick_ratio, compared.quick_ratio, compared.ratio)
            if all(ratio() >= cutoff for ratio in ratios):
                found.append((compared.ratio(), name))
        yield
    return [name for _, name in nlargest(n, found)]
