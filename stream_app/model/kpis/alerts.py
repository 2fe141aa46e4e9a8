"""The kinds of alerts that an entry of the catalogue may declare.

Data only: ``views.alerts`` turns it into rules. Every kind has a level at which it fires and another, nearer to the target, at
which it clears: a value that hovers around a single level would wake people again and again. Durations are Prometheus's
(``5m``).
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Severity = Literal["page", "ticket"]
"""``page`` wakes someone, ``ticket`` waits for office hours."""

DEFERRED: Final = ("email", "callback", "messaging", "sms", "social", "letter", "fax")
"""Channels in which nobody holds the line: what would be a page elsewhere is a ticket there."""


class Threshold(Struct, frozen=True, kw_only=True):
    """The KPI misses its target by more than is tolerated.

    Attributes:
        tolerance: how far past the target, in the KPI's unit; for ``relative`` ones as a share of the target.
        clear: resolved when it is less far past the target than this, in the same unit; negative is better than the target.
        window: which of the KPI's windows is watched; ``None`` for levels, which have no window.
        hold: how long it must last before the alert fires.
        keep: how long it keeps firing after it was last seen, so that a gap does not resolve it.
        min_samples: the least volume; one abandoned call at 3 a.m. is not an incident. ``None`` for levels.
        always: also outside the queue's business hours.
        written: only on channels in which people write.
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
    written: bool = False


class Burn(Struct, frozen=True, kw_only=True):
    """The day's error budget is used up faster than the day passes, in a long and in a short window.

    The budget is what a ratio's target leaves: at a target of 80 % two contacts in ten may miss it, and if all do, the budget
    burns five times too fast. The long window shows that it matters, the short one that it is still happening (Google, The Site
    Reliability Workbook, 2018, chapter 5).

    Attributes:
        factor: how many times too fast; at most 1 / (1 - target), the fastest that it can burn.
        clear: resolved when it is slower than this in one of the windows.
        long, short: windows of the KPI.
        min_samples: the least volume in the long window; the short one needs a quarter of it.
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
    """Fewer contacts arrive than usual: less than a share of the median of the same half hour in the last weeks.

    Attributes:
        share: of the usual.
        clear: resolved when it is more than this share again.
        weeks: how many past weeks are compared; data from one of them is enough.
        usual: the least usual volume; a queue with less is never judged.
    """

    share: float
    clear: float
    weeks: int = 4
    usual: int = 20
    hold: str = "10m"
    keep: str = "5m"
    severity: Severity = "page"


class Surged(Struct, frozen=True, kw_only=True):
    """More contacts arrive than usual: a multiple of the median of the same half hour in the last weeks.

    Attributes:
        times: the usual.
        clear: resolved when it is less than this multiple again.
        weeks: how many past weeks are compared; data from one of them is enough.
        usual: the least usual volume; a queue with less is never judged.
    """

    times: float
    clear: float
    weeks: int = 4
    usual: int = 20
    hold: str = "10m"
    keep: str = "10m"
    severity: Severity = "ticket"


class TooMany(Struct, frozen=True, kw_only=True):
    """So many contacts are in this state at once, whatever the target.

    Attributes:
        least: how many.
        clear: resolved when there are fewer than this.
        closed: only while the queue is closed, and only on channels where somebody holds the line; otherwise only while open.
    """

    least: int
    clear: int = 1
    closed: bool = False
    hold: str = "5m"
    keep: str = "5m"
    severity: Severity = "ticket"


class Breached(Struct, frozen=True, kw_only=True):
    """A single contact missed what none may miss, whatever the ratio and the volume.

    Attributes:
        least: how many are too many.
        window: in which they are counted.
    """

    least: int = 1
    window: str = "today"
    hold: str = "0s"
    keep: str = "5m"
    severity: Severity = "ticket"


class Traded(Struct, frozen=True, kw_only=True):
    """One KPI improves while another, which can be ruined for its sake, gets worse.

    Both are compared with the median of the same weekday and hour in the last weeks.

    Attributes:
        against: the other KPI, a ratio where higher is better.
        gain: how much better, as a share of the median.
        clear: resolved when it is better by less than this.
        loss: how much worse the other KPI is, in points (0…1).
        window: the window of both.
        min_samples: the least volume of this KPI and of the other.
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


Alert = Threshold | Burn | Stopped | Surged | TooMany | Breached | Traded


def problem(alert: Alert) -> str | None:
    """Return why an alert contradicts itself, whatever KPI it is on; ``None`` if it does not."""
    wrong: str | None = None
    match alert:
        case Threshold(clear=clear, tolerance=tolerance) if clear >= tolerance:
            wrong = f"it would clear ({clear:g}) where it still fires ({tolerance:g})"
        case Burn(factor=factor, clear=clear) if not 0 <= clear < factor:
            wrong = f"it would clear ({clear:g}) where it still fires ({factor:g})"
        case Stopped(share=share, clear=clear, weeks=weeks, usual=usual) if (
            not 0 < share < clear <= 1 or weeks < 1 or usual < 1
        ):
            wrong = "expected 0 < share < clear <= 1, and at least one week and one usual contact"
        case Surged(times=times, clear=clear, weeks=weeks, usual=usual) if (
            not 1 < clear < times or weeks < 1 or usual < 1
        ):
            wrong = "expected 1 < clear < times, and at least one week and one usual contact"
        case TooMany(least=least, clear=clear) if not 1 <= clear <= least:
            wrong = f"it would clear below {clear}, where {least} are too many"
        case Breached(least=least) if least < 1:
            wrong = f"expected at least one breach, got {least}"
        case Traded(gain=gain, clear=clear, loss=loss, weeks=weeks) if (
            not 0 <= clear < gain < 1 or not 0 < loss < 1 or weeks < 1
        ):
            wrong = "expected 0 <= clear < gain < 1, 0 < loss < 1, and at least one week"
    return wrong
