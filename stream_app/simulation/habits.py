"""How agents keep to their shifts: they come late, move their breaks, sit in meetings, and forget to log off."""

from random import Random
from typing import Final

from msgspec import Struct

from stream_app.model.durations import HOUR

from .floor import FloorState
from .staffing import AgentShift

LONG_ENOUGH_FOR_A_BREAK_H: Final = 5
"""In shorter shifts there are no breaks, meetings or trainings."""
_MEETING, _TRAINING = 0.1, 0.88
"""When they begin, as parts of the shift: never while it is time for the break."""


class Habits(Struct, frozen=True):
    """How agents keep to their shifts: shares, and durations in seconds.

    Attributes:
        late: of the shifts, those that an agent begins late, by up to ``late_s``.
        moved: of the breaks, those that begin earlier or later than planned, by up to ``moved_s``.
        overrun: of the breaks, those that take longer, by up to ``overrun_s``.
        meeting: of the shifts, those with a team meeting of ``away_s`` in the first part.
        training: of the shifts, those with a training of ``away_s`` near the end.
        forgotten: of the shifts, those after which the agent does not log off: nobody tells their end.
        tells_wrap: whether the platform tells the wrap-up after each contact as a state of its agent.
    """

    late: float = 0.0
    late_s: float = 720.0
    moved: float = 0.0
    moved_s: float = 600.0
    overrun: float = 0.0
    overrun_s: float = 480.0
    meeting: float = 0.0
    training: float = 0.0
    away_s: float = 1800.0
    forgotten: float = 0.0
    tells_wrap: bool = False

    def wrong(self) -> str | None:
        """Return the name of a share that is none, or of a duration that is negative."""
        shares = ("late", "moved", "overrun", "meeting", "training", "forgotten")
        bad = (name for name in shares if not 0 <= getattr(self, name) <= 1)
        spans = (name for name in ("late_s", "moved_s", "overrun_s", "away_s") if getattr(self, name) < 0)
        return next(bad, next(spans, None))


PUNCTUAL: Final = Habits()


class Away(Struct, frozen=True):
    """A stretch in which an agent takes no contacts, in milliseconds."""

    begin: int
    end: int
    state: FloorState
    reason: str


class Workday(Struct, frozen=True):
    """One agent's day.

    Attributes:
        begin: when the agent comes; ``end``: when the shift ends.
        away: what is between, in order; it does not overlap.
        forgets: the agent does not log off.
    """

    begin: int
    end: int
    away: tuple[Away, ...]
    forgets: bool


def workday(habits: Habits, shift: AgentShift, begin: int, rest: tuple[int, int], rng: Random) -> Workday:
    """Return a day as it goes.

    Args:
        habits: what may happen.
        shift: the agent's.
        begin: when it begins on that day.
        rest: begin and length of the planned break; a length of 0 is none.
        rng: of this day alone: what an agent does depends on no other one.
    """
    hours = shift.end - shift.begin
    end = begin + hours * HOUR

    def drawn(share: float, most_s: float) -> int:
        happens, much = rng.random() < share, rng.random()
        return round(most_s * 1000 * much) if happens else 0

    late = drawn(habits.late, habits.late_s)
    moved = drawn(habits.moved, habits.moved_s) * (1 if rng.random() < 0.5 else -1)
    longer = drawn(habits.overrun, habits.overrun_s)
    met, trained, forgets = (
        rng.random() < share for share in (habits.meeting, habits.training, habits.forgotten)
    )
    away: list[Away] = []
    if hours >= LONG_ENOUGH_FOR_A_BREAK_H:
        span = round(habits.away_s * 1000)
        if met:
            at = begin + round(hours * HOUR * _MEETING)
            away.append(Away(at, at + span, "meeting", "team meeting"))
        if rest[1]:
            at = rest[0] + moved
            away.append(Away(at, at + rest[1] + longer, "break", "lunch"))
        if trained:
            at = begin + round(hours * HOUR * _TRAINING)
            away.append(Away(at, at + span, "training", "product training"))
    # With long durations one may run into the next: it then begins when that is over, and the shift ends when it does.
    kept: list[Away] = []
    free = begin + late
    for one in away:
        cut = Away(max(one.begin, free), min(one.end, end), one.state, one.reason)
        if cut.begin < cut.end:
            kept.append(cut)
            free = cut.end
    return Workday(begin + late, end, tuple(kept), forgets)
