"""Editions of the specification in Redis, and how versions that know nothing of editions are kept from counting on.

Their claim looks only at types: each minute that is listed in a partition's index must be a string. One that is none of ours
and a hash ends it before it has taken anything, with an error that quotes the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

FOR_FORMER: Final = "counted by a later version of stream-app, so upgrade this worker"
"""What the index of minutes lists beside minutes, for whoever takes all of it for minutes."""


def minutes_of(members: Iterable[bytes]) -> Iterator[int]:
    """Yield the minutes of an index, in its order."""
    return (int(member) for member in members if member != FOR_FORMER.encode())
