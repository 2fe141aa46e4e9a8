"""Names that handbooks use for other numbers than we do."""

from __future__ import annotations

from .differences import written
from .ours import Ours
from .stories import HOUR, Move
from .test_page import PAGE

_TWO_REPLIES = [
    Move(10 * HOUR, "created"),
    Move(10 * HOUR + 60, "agent"),
    Move(10 * HOUR + 600, "customer"),
    Move(10 * HOUR + 840, "agent"),
]


def test_average_response_time_may_mean_the_first_reply() -> None:
    """Their number is ours of the first reply, and what we call by that name is the mean of all replies."""
    (line,) = (text for text in PAGE.read_text(encoding="utf-8").splitlines() if text.startswith("| h01 "))
    theirs, ours = Ours(_TWO_REPLIES).kpi("first_response"), Ours(_TWO_REPLIES).kpi("average_response")
    assert written(line) == [(theirs, ours)] == [(60, 150)]
