"""Freshdesk's numbers by its own definitions, and ours of the same tickets.

Sources: "Support metrics in Freshdesk Analytics" (support.freshdesk.com, 50000000041), "Performance distribution report"
(crmsupport.freshworks.com, 50000007673), and two answers at community.freshworks.com (10470; 13786, of Freshservice).
"""

import pytest
from hypothesis import given, strategies as st

from .differences import Difference
from .ours import OFFICE, WEEKLY, Ours, mean, opened, within
from .stories import HOUR, WRITTEN, Move, Story, gaps, several, stories, when

_RESPONSES = ("agent", "public note")
_TALK = ("customer", "agent", "public note", "note", "auto", "assigned")


def responses(story: Story) -> list[tuple[int, int]]:
    """What each reply or public note of an agent responds to: since when, and until when."""
    return gaps(story, _RESPONSES)


def first_response(story: Story) -> tuple[int, int] | None:
    """From the creation to the first reply or public note."""
    found = when(story, *_RESPONSES)
    return (story[0].at, found[0]) if found else None


@given(several(stories(_TALK)), st.sampled_from(WRITTEN))
def test_f01_first_response_time(told: list[Story], channel: str) -> None:
    theirs = mean([t[1] - t[0] for story in told if (t := first_response(story))])
    assert Ours(*told, channel=channel).kpi("first_response") == pytest.approx(theirs)


@given(several(stories(_TALK)), st.sampled_from(WRITTEN))
def test_f02_first_response_time_in_business_hours(told: list[Story], channel: str) -> None:
    theirs = mean([within(WEEKLY, *t) for story in told if (t := first_response(story))])
    ours = Ours(*told, channel=channel, targets=opened({"q": WEEKLY}))
    assert ours.kpi("first_response_business") == pytest.approx(theirs)


@given(several(stories(_TALK)), st.sampled_from(WRITTEN))
def test_f03_average_response_time(told: list[Story], channel: str) -> None:
    found = [response for story in told for response in responses(story)]
    ours = Ours(*told, channel=channel, targets=opened({"q": WEEKLY}))
    assert ours.kpi("average_response") == pytest.approx(mean([b - a for a, b in found]))
    assert ours.kpi("average_response_business") == pytest.approx(mean([within(WEEKLY, *r) for r in found]))


@given(several(stories(_TALK, ends=True)), st.sampled_from(WRITTEN))
def test_f04_resolution_time_around_the_clock(told: list[Story], channel: str) -> None:
    theirs = mean([when(story, "solved")[0] - story[0].at for story in told])
    assert Ours(*told, channel=channel).kpi("conversation_time") == pytest.approx(theirs)


@st.composite
def _tracked(draw: st.DrawFn) -> Story:
    *story, end = draw(stories(("customer", "agent"), ends=True))
    return [*story, end._replace(work_s=draw(st.integers(0, 8 * HOUR)))]


@given(several(_tracked()), st.sampled_from(WRITTEN))
def test_f05_time_tracked(told: list[Story], channel: str) -> None:
    theirs = mean([story[-1].work_s or 0 for story in told])
    assert Ours(*told, channel=channel).kpi("handle_time") == pytest.approx(theirs)


_UNASSIGNED = [Move(0, "created"), Move(60, "agent")]
_ASSIGNED = [Move(0, "created"), Move(0, "assigned"), Move(120, "agent")]
_TWO_REPLIES = [
    Move(0, "created"),
    Move(HOUR, "agent"),
    Move(2 * HOUR, "customer"),
    Move(2 * HOUR + 600, "agent"),
]
_OVERNIGHT = [Move(16 * HOUR, "created"), Move(34 * HOUR, "agent"), Move(34 * HOUR, "solved")]
_UNTRACKED = [Move(0, "created"), Move(HOUR, "agent"), Move(HOUR, "solved")]

DIFFERENCES: dict[str, list[Difference]] = {
    "f01": [lambda: (120, Ours(_UNASSIGNED, _ASSIGNED).kpi("first_response"))],
    "f03": [
        lambda: (
            sum(until - since for since, until in responses(_TWO_REPLIES)) / 1,
            Ours(_TWO_REPLIES).kpi("average_response"),
        )
    ],
    "f04": [
        lambda: (
            within(OFFICE, _OVERNIGHT[0].at, _OVERNIGHT[-1].at),
            Ours(_OVERNIGHT, targets=opened({"q": OFFICE})).kpi("conversation_time"),
        )
    ],
    "f05": [lambda: (240, Ours(_UNTRACKED).kpi("handle_time"))],
}
"""Row of the page → what it says of each of its examples."""
