"""The catalogue: every KPI, one entry each. This is the file to edit.

Adding a KPI over known facts touches this file and its worked example in ``tests/model/test_kpis.py``; metrics, API, panels,
rules and documentation follow. ``docs/semantics.md`` says when each counter moves.
"""

from typing import Final

from .facts import (
    Abandoned,
    Answered,
    Decided,
    Handled,
    Left,
    Lost,
    Missed,
    Offered,
    Refused,
    Responded,
    Transferred,
    Unfinished,
)
from .kpi import Alert, Kpi
from .measures import Choice, Counter, Level, Ratio, Sketch, Unit, count, distribution, total

offered = count("offered", Offered)
answered = count("answered", Answered)
answered_in_target = count("answered_in_target", Answered, where="in_target")
answer_wait_ms = total("answer_wait_ms", Answered, "wait")
responded = count("responded", Responded)
response_ms = total("response_ms", Responded, "after")
response = distribution("response", Responded, "after")
abandoned = count("abandoned", Abandoned)
abandoned_in_target = count("abandoned_in_target", Abandoned, where="in_target")
abandoned_short = count("abandoned_short", Abandoned, where="short")
abandoned_late = count("abandoned_late", Abandoned, where=lambda f: not f.in_target)
abandon_wait_ms = total("abandon_wait_ms", Abandoned, "wait")
left = count("left", Left)
left_in_target = count("left_in_target", Left, where="in_target")
decided = count("decided", Decided)
decided_then_abandoned = count("decided_then_abandoned", Decided, where="abandoned_later")
refused = count("refused", Refused)
missed = count("missed", Missed)
transferred = count("transferred", Transferred)
handled = count("handled", Handled)
held = count("held", Handled, where="held")
talk_ms = total("talk_ms", Handled, "talk")
hold_ms = total("hold_ms", Handled, "hold")
wrap_ms = total("wrap_ms", Handled, "wrap")
handle = distribution("handle", Handled, lambda f: f.talk + f.hold + f.wrap)
wrap_timed_out = count("wrap_timed_out", Handled, where="timed_out")
lost = count("lost", Lost)
unfinished = count("unfinished", Unfinished)

COUNTERS: Final[tuple[Counter, ...]] = (
    offered, answered, answered_in_target, answer_wait_ms, responded, response_ms,
    abandoned, abandoned_in_target, abandoned_short, abandoned_late, abandon_wait_ms,
    left, left_in_target, decided, decided_then_abandoned, refused, missed, transferred,
    handled, held, talk_ms, hold_ms, wrap_ms, wrap_timed_out, lost, unfinished,
)  # fmt: skip
SKETCHES: Final[tuple[Sketch, ...]] = (response, handle)
STORED: Final[tuple[Counter | Sketch, ...]] = (*COUNTERS, *SKETCHES)
"""Everything that is numbered in a store."""
TOTALS: Final[tuple[Counter, ...]] = (offered, answered, abandoned, handled)
"""Exported as ``cc_contacts_<name>_total``; they never fall."""

_SECONDS_TO_ANSWER: Final = {"voice": 20.0, "chat": 60.0, "messaging": 60.0, "email": 3600.0, "": 60.0}

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

KPIS: Final[tuple[Kpi, ...]] = (
    Kpi(
        name="service_level",
        title="Service level",
        doc="Share of contacts that an agent answered within the queue's answer target.",
        source="docs/decisions/0003-live-ratios.md",
        unit=Unit.RATIO,
        better="higher",
        leading=True,
        measure=Choice(SERVICE_LEVELS, default="without_short_abandons"),
        target=0.80,
        target_why="80 % within 20 s is the contract most voice queues are run by",
        misleads="It says nothing of those who wait past the target: read the oldest waiting beside it.",
        pairs=("abandonment", "oldest_waiting"),
        alert=Alert(tolerance=0.10, window="30m", hold="5m", min_samples=20),
    ),
    Kpi(
        name="abandonment",
        title="Abandonment rate",
        doc="Share of contacts that gave up after the short-abandon threshold.",
        source="docs/decisions/0003-live-ratios.md",
        unit=Unit.RATIO,
        better="lower",
        leading=True,
        measure=Ratio(
            abandoned - abandoned_short,
            decided - abandoned_short + abandoned_late - decided_then_abandoned,
        ),
        target=0.05,
        target_why="about one caller in twenty gives up in a well staffed queue",
        misleads="A queue whose callers are sent to voicemail abandons less: read what left beside it.",
        pairs=("service_level",),
        alert=Alert(tolerance=0.05, window="30m", hold="5m", min_samples=20),
    ),
    Kpi(
        name="first_response",
        title="First response time",
        doc="From the customer's request to the first human response, mean over first responses.",
        source="docs/semantics.md",
        unit=Unit.SECONDS,
        better="lower",
        leading=True,
        measure=Ratio(response_ms, responded),
        spread=response,
        target=_SECONDS_TO_ANSWER,
        target_why="voice by the service level's 20 s, chat within a minute, email within an hour",
        misleads="Those who gave up are not in it: a mean falls when the patient ones leave.",
        pairs=("abandonment",),
        alert=Alert(
            tolerance=0.5, relative=True, window="30m", hold="10m", min_samples=20, severity="ticket"
        ),
    ),
    Kpi(
        name="handle_time",
        title="Average handle time",
        doc="Talk, hold and wrap-up of handled contacts, mean.",
        source="docs/semantics.md",
        unit=Unit.SECONDS,
        better="lower",
        measure=Ratio(talk_ms + hold_ms + wrap_ms, handled),
        spread=handle,
        target={"voice": 360.0, "chat": 600.0, "messaging": 600.0, "email": 900.0, "": 600.0},
        target_why="six minutes is the common planning figure for voice; written channels take longer",
        misleads="Short calls are not good calls: hurried agents lower it while customers call again.",
        pairs=("first_response",),
        alert=Alert(
            tolerance=0.3, relative=True, window="30m", hold="15m", min_samples=20, severity="ticket"
        ),
    ),
    Kpi(
        name="backlog",
        title="Backlog",
        doc="Contacts that wait in the queue now.",
        source="docs/semantics.md",
        unit=Unit.CONTACTS,
        better="lower",
        leading=True,
        measure=Level("count"),
        windows=(),
        misleads="Ten waiting calls are a crisis, ten waiting emails are breakfast.",
        pairs=("oldest_waiting",),
    ),
    Kpi(
        name="oldest_waiting",
        title="Oldest waiting",
        doc="How long the longest waiting contact has been in the queue.",
        source="docs/semantics.md",
        unit=Unit.SECONDS,
        better="lower",
        leading=True,
        measure=Level("oldest"),
        windows=(),
        target={"voice": 120.0, "chat": 300.0, "messaging": 300.0, "email": 14_400.0, "": 600.0},
        target_why="six times the answer target: by then somebody has been forgotten",
        misleads="One forgotten contact is enough: it says nothing of the others.",
        pairs=("backlog",),
        alert=Alert(tolerance=0.0, window=None, hold="1m", min_samples=None),
    ),
)
BY_NAME: Final[dict[str, Kpi]] = {kpi.name: kpi for kpi in KPIS}


def _check() -> None:
    """Refuse a catalogue that contradicts itself."""
    names = [part.name for part in STORED]
    if len(set(names)) < len(names) or len(BY_NAME) < len(KPIS):
        raise ValueError("two counters, sketches or KPIs share a name")
    for kpi in KPIS:
        missing = [c.name for c in kpi.measure.counters if c not in COUNTERS]
        missing += [kpi.spread.name] if kpi.spread and kpi.spread not in SKETCHES else []
        missing += [other for other in kpi.pairs if other not in BY_NAME]
        if missing:
            raise ValueError(f"{kpi.name} names {', '.join(missing)}, which the catalogue does not hold")


_check()
