"""Named service-level formulas: where sources disagree, a queue's targets name one, and every number carries the name."""

from typing import Final

from .counters import (
    abandoned,
    abandoned_in_target,
    abandoned_late,
    abandoned_short,
    answered,
    answered_in_target,
    decided,
    left_in_target,
)
from .measures import Ratio

SERVICE_LEVELS: Final[dict[str, Ratio]] = {
    "answered_of_offered": Ratio(answered_in_target, decided),
    "without_short_abandons": Ratio(answered_in_target, decided - abandoned_short),
    "answered_or_abandoned": Ratio(answered_in_target, answered + abandoned),
    "answered_or_abandoned_late": Ratio(answered_in_target, answered + abandoned_late),
    "answered_only": Ratio(answered_in_target, answered),
    "ignoring_early_abandons": Ratio(answered_in_target, decided - abandoned_in_target),
    "abandons_count_as_met": Ratio(answered_in_target + abandoned_in_target, decided),
    "answered_or_abandoned_without_short": Ratio(answered_in_target, answered + abandoned - abandoned_short),
    "removed_within": Ratio(answered_in_target + abandoned_in_target + left_in_target, decided),
}
