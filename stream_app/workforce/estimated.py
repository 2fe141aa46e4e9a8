"""How reliable a handle time is: which part of it was estimated from replies, and what can't be one at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from .volumes import Volume

TOO_HIGH: Final[Mapping[str, float]] = {"short": -0.09, "half a day": 0.67, "overnight": 0.67}
"""By how much estimated work exceeds what agents did, by how long mail lay before somebody began it, if nobody tells when that
was: measured on simulated mail of six minutes of work, with ``reply_work_cap_s`` 600 (``tests/simulation/test_estimates.py``).
"""
WITH_ASSIGNMENTS: Final = -0.14
"""The same, however long mail lay, where ``contact.answered`` tells when an agent begins: wrap-up and what exceeds the cap."""
_MEASURED_CAP_S: Final = 600.0
LONGEST_S: Final = 4 * 3600.0
"""A mean handle time beyond this is not what people did: it contains nights, or the customers' time."""
_AT_CAP: Final = 0.95
_PAGE: Final = "docs/staffing.md#estimated-handle-times"


class HandleTimeTrust(Struct, frozen=True):
    """How reliable the handle time of a queue and channel is.

    Attributes:
        estimated: the share of it that was estimated from replies; ``None``: unknown.
        too_high: by which share the estimated part may be too high at worst; ``None`` where nothing is known to be estimated.
        doubt: why it can't be a handle time; ``None``: nothing speaks against it.
    """

    estimated: float | None = None
    too_high: float | None = None
    doubt: str | None = None

    def notes(self, queue: str, channel: str) -> list[str]:
        """Return what whoever reads a plan must know about it, a line each."""
        found = []
        if self.estimated:
            worst = (
                f"; where mail waits for hours before anyone starts on it, that may be {self.too_high:.0%} too high"
                if self.too_high
                else ""
            )
            found.append(
                f"{queue} ({channel}): {self.estimated:.0%} of the handle time is estimated from replies{worst} ({_PAGE})"
            )
        if self.doubt:
            found.append(f"{queue} ({channel}): {self.doubt}")
        return found


def too_high(cap_s: float) -> float:
    """Return by which share estimated work was too high at worst, if one reply may have been ``cap_s`` seconds of work.

    Mail that lies for longer counts as that, so the error grows with it; 0: it can only be too low.
    """
    return max(0.0, (1 + max(TOO_HIGH.values())) * cap_s / _MEASURED_CAP_S - 1)


def trust(volumes: Sequence[Volume], cap_s: float) -> HandleTimeTrust:
    """Return how reliable the handle time of the rows of one queue and channel is.

    Args:
        volumes: its rows.
        cap_s: the most work that one reply may have been, in seconds.
    """
    timed = [v for v in volumes if v.handle_s is not None]
    known = [(v.estimated_s, v.spent_s) for v in timed if v.estimated_s is not None]
    estimated, seconds = sum(part for part, _ in known), sum(whole for _, whole in known)
    share = min(1.0, estimated / seconds) if seconds > 0 else None
    handled = sum(v.handled for v in timed)
    mean = sum(v.spent_s for v in timed) / handled if handled else 0.0
    # Replies and the end of their contact may be in different rows.
    observed = [(v.estimated_s or 0.0, v.replies) for v in volumes if v.replies is not None]
    replies = sum(n for _, n in observed)
    worst = too_high(cap_s) if share else None
    if replies and sum(part for part, _ in observed) >= _AT_CAP * cap_s * replies:
        return HandleTimeTrust(
            share,
            worst,
            f"nearly every reply counts as reply_work_cap_s ({cap_s:g} s): the handle time is that setting, and not measured; "
            "send contact.answered when an agent begins, or state talk_s",
        )
    return HandleTimeTrust(share, worst, doubt_of(mean))


def trust_in_mean(
    known: Iterable[tuple[float | None, float | None]], share: float | None, cap_s: float
) -> HandleTimeTrust:
    """Return how reliable the handle times of a forecast are.

    Args:
        known: expected contacts and their mean handle time in seconds, by interval or day.
        share: the share of it that was estimated; ``None``: unknown.
        cap_s: the most work that one reply may have been, in seconds.
    """
    timed = [(contacts or 0.0, mean_s) for contacts, mean_s in known if mean_s is not None]
    contacts = sum(count for count, _ in timed)
    mean = sum(count * mean_s for count, mean_s in timed) / contacts if contacts else None
    return HandleTimeTrust(share, too_high(cap_s) if share else None, doubt_of(mean))


def doubt_of(mean_s: float | None) -> str | None:
    """Return why a mean can't be a handle time; ``None``: nothing speaks against it."""
    if mean_s is None or mean_s <= LONGEST_S:
        return None
    return (
        f"a mean handle time of {mean_s / 3600:,.1f} hours is not what people did: it contains nights, or the customers' time; "
        "set work to replies, or state talk_s"
    )


def by_place(volumes: Iterable[Volume]) -> dict[tuple[str, str], list[Volume]]:
    """Return the rows of each queue and channel."""
    found: dict[tuple[str, str], list[Volume]] = {}
    for volume in volumes:
        found.setdefault((volume.queue, volume.channel), []).append(volume)
    return found
