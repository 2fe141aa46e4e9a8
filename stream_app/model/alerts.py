"""When a person is told: the kinds of alerts that an entry of the catalogue may name.

Data only: ``views.alerts`` makes rules of it. Every kind has a level at which it begins and another, nearer to the target, at
which it is over: a value that sways around one level would wake people again and again. Durations are Prometheus's (``5m``).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["page", "ticket"]
"""``page`` wakes someone, ``ticket`` waits for office hours."""


class Threshold(Struct, frozen=True, kw_only=True):
    """The KPI misses its target by more than is tolerated.

    Attributes:
        tolerance: how far past the target, in the KPI's unit; for ``relative`` ones as a share of the target.
        clear: over when it is less far past the target than this, in the same unit; negative is better than the target.
        window: which of the KPI's windows is watched; ``None`` for levels, which have no window.
        hold: for how long it must last before anybody is told.
        keep: for how long it goes on after it was seen last, so that a gap does not end it.
        min_samples: the least volume; one lost call at 3 a.m. is no incident. ``None`` for levels.
        always: also outside of the queue's opening hours.
    """

    tolerance: float
    clear: float
    relative: bool = False
    window: str | None = "30m"
    hold: str = "5m"
    keep: str = "5m"
    min_samples: int | None = 20
    severity: Severity = "page"
    always: bool = False


class Burn(Struct, frozen=True, kw_only=True):
    """What may go wrong in a day is used up faster than the day passes, in a long and in a short window.

    Of a ratio's target the rest is the budget: at a target of 80 % two contacts in ten may miss it, and if all do, the budget
    burns five times too fast. The long window says that it matters, the short one that it still goes on (Google, The Site
    Reliability Workbook, 2018, chapter 5).

    Attributes:
        factor: how many times too fast; at most 1 / (1 - target), for more can't be.
        clear: over when it is slower than this in one of the windows.
        long, short: windows of the KPI.
        min_samples: the least volume in the long window; the short one has a quarter of it.
    """

    factor: float
    clear: float
    long: str = "30m"
    short: str = "5m"
    hold: str = "2m"
    keep: str = "5m"
    min_samples: int = 20
    severity: Severity = "page"


class Stopped(Struct, frozen=True, kw_only=True):
    """Fewer contacts come than usual: less than a share of the median of the same half hour in the last weeks.

    Attributes:
        share: of the usual.
        clear: over when it is more than this share again.
        weeks: how many are looked at; one of them is enough.
        usual: the fewest that are usually there; a queue that has fewer is never judged.
    """

    share: float
    clear: float
    weeks: int = 4
    usual: int = 20
    hold: str = "10m"
    keep: str = "5m"
    severity: Severity = "page"


class Traded(Struct, frozen=True, kw_only=True):
    """It gets better while another KPI, which can be ruined for its sake, gets worse.

    Both against the median of the same weekday and hour in the last weeks.

    Attributes:
        against: the other KPI, a ratio of which higher is better.
        gain: how much better, as a share of the median.
        clear: over when it is better by less than this.
        loss: how much worse the other one is, in points (0…1).
        window: of both.
        min_samples: the least volume, of this one and of the other.
    """

    against: str
    gain: float
    clear: float
    loss: float
    window: str = "today"
    weeks: int = 4
    min_samples: tuple[int, int] = (50, 20)
    hold: str = "30m"
    keep: str = "30m"
    severity: Severity = "ticket"


Alert = Threshold | Burn | Stopped | Traded


def problem(alert: Alert) -> str | None:
    """Why an alert could not be meant, whatever it is of; ``None`` if it can."""
    match alert:
        case Threshold(clear=clear, tolerance=tolerance) if clear >= tolerance:
            return f"it would be over ({clear:g}) while it still begins ({tolerance:g})"
        case Burn(factor=factor, clear=clear) if not 0 <= clear < factor:
            return f"it would be over ({clear:g}) while it still begins ({factor:g})"
        case Stopped(share=share, clear=clear, weeks=weeks, usual=usual) if (
            not 0 < share < clear <= 1 or weeks < 1 or usual < 1
        ):
            return "a share and the larger one at which it is over lie in 0…1, over one week or more"
        case Traded(gain=gain, clear=clear, loss=loss, weeks=weeks) if (
            not 0 <= clear < gain < 1 or not 0 < loss < 1 or weeks < 1
        ):
            return "a gain, the smaller one at which it is over, and a loss lie in 0…1, over one week or more"
    return None
