"""Questions what if, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from stream_app.model.targets import Targets
from stream_app.model.what_if import JUDGED_BY, WhatIfQuery, idle_settings
from stream_app.views.contacts.query import contact_range
from stream_app.views.intervals.query import BadQueryError, MisfitError
from stream_app.views.problems import SHOWN

EXAMPLES: Final = [
    "queues.sales.answer_target_s=30",
    "channels.voice={answer_target_s=15, short_abandon_s=10}",
    "defaults.clock='wall'",
]
LONGEST_SETTING: Final = 1_000
MOST_SETTINGS: Final = 50


def parse_what_if(given: Mapping[str, Sequence[str]], now: int, targets: Targets) -> WhatIfQuery:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.
        now: ms since the epoch; the default end of the range, to the next minute.
        targets: those in force, of which some are tried otherwise.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    one = {name: values[0] for name, values in given.items() if name != "set"}
    start, end = contact_range(one, now)
    if "set" not in given:
        raise BadQueryError("set", "expected a target to try", EXAMPLES)
    try:
        would = tried(targets, given["set"])
    except (ValueError, OverflowError) as error:
        raise MisfitError("set", _first(str(error)), EXAMPLES) from None
    return WhatIfQuery(start=start, end=end, targets=would, queue=one.get("queue"))


def tried(targets: Targets, changes: Sequence[str]) -> Targets:
    """Return targets with some changed, one ``name=value`` each as in the targets file.

    Raises:
        ValueError: they are none, or change nothing that can be computed; one line.
    """
    try:
        document = tomllib.loads("\n".join(changes))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(
            f"expected targets as in a TOML file, such as queues.sales.answer_target_s=30: {error}"
        ) from None
    except RecursionError:
        raise ValueError("expected targets as in a TOML file, got brackets within too many others") from None
    would = targets.changed(document)
    if idle := idle_settings(document):
        raise ValueError(
            f"{idle[0]} changes no number that what-if computes; expected one of {', '.join(sorted(JUDGED_BY))}"
        )
    return would


def _first(text: str) -> str:
    """Return the first line of a message, which may repeat what was given."""
    line = text.partition("\n")[0]
    return line if len(line) <= 5 * SHOWN else line[: 5 * SHOWN] + "…"
