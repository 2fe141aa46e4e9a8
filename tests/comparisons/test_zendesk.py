"""Zendesk's numbers by its own definitions, and ours of the same tickets.

Sources, at support.zendesk.com: "About native Support time duration metrics" (4408834848154), "Calculating first reply time"
(4408821871642), "How does Zendesk record its business hour metrics" (5654110765338), "Defining SLA policies"
(4408829459866); at developer.zendesk.com: "Ticket metric event types reference" and "Ticket Metrics". What counts in
which status is as GitLab's handbook has it ("Metrics definitions").
"""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from stream_app.model.targets import Targets

from .differences import Difference
from .ours import OFFICE, WEEKLY, Ours, mean, opened, within
from .stories import DAY, GAPS, HOUR, WRITTEN, Move, Story, gaps, several, stories, when

_GROUPS = ("q", "r", "s")
_TALK = ("customer", "agent", "note", "auto", "moved")


def first_reply(story: Story) -> int | None:
    """From the creation to the first public comment of an agent after it."""
    comments = when(story, "agent")
    return comments[0] - story[0].at if comments else None


def next_replies(story: Story) -> list[int]:
    """From the oldest comment of the customer that has no answer to the agent's next public one, but for the first reply."""
    return [until - since for since, until in gaps(story)[1:]]


def spent(story: Story, *statuses: str) -> int:
    """Seconds in these statuses; a customer's comment opens a ticket."""
    status, found = "new", 0
    for move, later in pairwise(story):
        if move.what in {"pending", "on hold", "solved"}:
            status = move.what
        elif move.what in {"open", "customer", "reopened"}:
            status = "open"
        found += (later.at - move.at) * (status in statuses)
    return found


def requester_wait(story: Story) -> int:
    return spent(story, "new", "open", "on hold")


def agent_work(story: Story) -> int:
    return spent(story, "new", "open")


def _promising(target_s: int) -> Targets:
    return Targets.of({"queues": {group: {"reply_target_s": target_s} for group in _GROUPS}})


def resolution(story: Story, which: int) -> int:
    """From the creation to the first (0) or the latest (-1) time that it was solved."""
    return when(story, "solved")[which] - story[0].at


@given(several(stories(_TALK, groups=_GROUPS)), st.sampled_from(WRITTEN))
def test_z01_first_reply_time(told: list[Story], channel: str) -> None:
    theirs = [t for story in told if (t := first_reply(story)) is not None]
    ours = Ours(*told, channel=channel)
    assert ours.kpi("first_response") == pytest.approx(mean(theirs))
    assert (ours.column("responded"), ours.column("response_s")) == (len(theirs), sum(theirs))


@given(several(stories(_TALK, groups=_GROUPS)), st.sampled_from(WRITTEN))
def test_z02_first_reply_time_in_business_hours(told: list[Story], channel: str) -> None:
    replied = [(story[0].at, when(story, "agent")[0]) for story in told if when(story, "agent")]
    theirs = [within(WEEKLY, *times) for times in replied]
    ours = Ours(*told, channel=channel, targets=opened(dict.fromkeys(_GROUPS, WEEKLY)))
    assert ours.kpi("first_response_business") == pytest.approx(mean(theirs))
    assert ours.column("response_open_s") == sum(theirs)


@given(several(stories(_TALK, groups=_GROUPS)), st.sampled_from(WRITTEN))
def test_z03_next_reply_time(told: list[Story], channel: str) -> None:
    theirs = [gap for story in told for gap in next_replies(story)]
    assert Ours(*told, channel=channel).next_reply() == pytest.approx(mean(theirs))


@given(several(stories(("customer", "agent"))), st.integers(1, 2 * DAY))
def test_z04_next_reply_within_a_target(told: list[Story], target_s: int) -> None:
    theirs = [gap <= target_s for story in told for gap in next_replies(story)]
    ours = Ours(*told, targets=_promising(target_s))
    assert ours.kpi("reply_service_level") == pytest.approx(mean(theirs))


@st.composite
def _handled_by_status(draw: st.DrawFn) -> Story:
    """Each reply sets the ticket to pending or solves it, each comment of the customer opens it."""
    at = draw(st.integers(0, DAY))
    story = [Move(at, "created")]
    for last in [*draw(st.lists(st.booleans(), max_size=4)), True]:
        for gap in draw(st.lists(GAPS, max_size=2)):  # nagging
            at += gap
            story.append(Move(at, "customer"))
        at += draw(GAPS)
        story += [Move(at, "agent"), Move(at, "solved" if last else "pending")]
        at += draw(GAPS)
        story.append(Move(at, "reopened" if last else "customer"))
    return story[:-1]


@given(several(_handled_by_status()), st.sampled_from(WRITTEN))
def test_z05_requester_wait_time(told: list[Story], channel: str) -> None:
    assert Ours(*told, channel=channel).column("reply_s") == sum(map(requester_wait, told))


def test_z05_a_published_example() -> None:
    """Asked at 9, answered at 10, asked again at 12, solved with an answer at 14 (klipfolio.com): three hours."""
    story = [
        *(Move(9 * HOUR, "created"), Move(10 * HOUR, "agent"), Move(10 * HOUR, "pending")),
        *(Move(12 * HOUR, "customer"), Move(14 * HOUR, "agent"), Move(14 * HOUR, "solved")),
    ]
    assert (requester_wait(story), Ours(story).column("reply_s")) == (3 * HOUR, 3 * HOUR)


@st.composite
def _set_aside(draw: st.DrawFn) -> Story:
    """Set aside only once somebody has replied, and solved once."""
    first = draw(stories(("customer", "note", "auto")))
    at = first[-1].at + draw(GAPS)
    story = [*first, Move(at, "agent")]
    what = st.sampled_from(("pending", "on hold", "open", "customer", "agent"))
    for gap, kind in draw(st.lists(st.tuples(GAPS, what), max_size=8)):
        at += gap
        story.append(Move(at, kind))
    return [*story, Move(at + draw(GAPS), "solved")]


@given(several(_set_aside()), st.sampled_from(WRITTEN))
def test_z06_agent_work_time(told: list[Story], channel: str) -> None:
    ours = Ours(*told, channel=channel)
    conversation, pending = ours.kpi("conversation_time"), ours.kpi("pending_time")
    assert conversation is not None
    assert pending is not None
    assert conversation - pending == pytest.approx(mean([agent_work(story) for story in told]))


@given(several(_set_aside()), st.sampled_from(WRITTEN))
def test_z07_agent_wait_time_and_on_hold_time(told: list[Story], channel: str) -> None:
    theirs = [spent(story, "pending") + spent(story, "on hold") for story in told]
    ours = Ours(*told, channel=channel)
    assert ours.kpi("pending_time") == pytest.approx(mean(theirs))
    assert ours.column("pending_s") == sum(theirs)


@given(several(stories((*_TALK, "pending", "open"), groups=_GROUPS, ends=True)), st.sampled_from(WRITTEN))
def test_z08_first_resolution_time(told: list[Story], channel: str) -> None:
    theirs = mean([resolution(story, 0) for story in told])
    assert Ours(*told, channel=channel).kpi("conversation_time") == pytest.approx(theirs)


@given(several(stories(("customer", "agent"), ends=True)))
def test_z09_full_resolution_time(told: list[Story]) -> None:
    theirs = mean([resolution(story, -1) for story in told])
    assert Ours(*told).kpi("conversation_time") == pytest.approx(theirs)


@given(several(stories(("customer", "agent"), ends=True, again=3)), st.sampled_from(WRITTEN))
def test_z10_reopens(told: list[Story], channel: str) -> None:
    theirs = sum(len(when(story, "reopened")) for story in told)
    ours = Ours(*told, channel=channel)
    assert (ours.value("reopened").samples, ours.column("reopened")) == (theirs, theirs)


_AFTER_A_BOT = [Move(0, "created"), Move(600, "handed off"), Move(660, "agent")]
_BY_AN_AGENT = [Move(0, "opened"), Move(HOUR, "customer"), Move(3 * HOUR // 2, "agent")]
_BY_PHONE = [Move(0, "created"), Move(300, "solved"), Move(DAY, "reopened"), Move(DAY + 600, "agent")]
_LEFT_OPEN = [Move(0, "created"), Move(HOUR, "agent"), Move(2 * HOUR, "solved")]
_PENDING_UNANSWERED = [
    *(Move(0, "created"), Move(600, "pending"), Move(HOUR, "open")),
    *(Move(HOUR, "agent"), Move(HOUR, "solved")),
]
_WAITED_TWICE = [
    Move(0, "created"),
    Move(HOUR, "agent"),
    Move(2 * HOUR, "customer"),
    Move(2 * HOUR + 600, "agent"),
]
_MOVED = [
    *(Move(0, "created"), Move(60, "agent"), Move(100, "customer")),
    *(Move(200, "moved", "r"), Move(400, "agent")),
]
_UNTOUCHED = [Move(0, "created"), Move(3 * HOUR, "agent"), Move(3 * HOUR, "solved")]
_ASIDE = [
    *(Move(0, "created"), Move(600, "agent"), Move(600, "pending"), Move(4_200, "customer")),
    *(Move(4_200, "on hold"), Move(11_400, "open"), Move(11_400, "agent"), Move(11_400, "solved")),
]
_CAME_BACK = [
    *(Move(0, "created"), Move(HOUR, "agent"), Move(HOUR, "solved")),
    *(Move(DAY, "reopened"), Move(DAY + HOUR, "agent"), Move(DAY + HOUR, "solved")),
]
_TWICE = [*_CAME_BACK, Move(2 * DAY, "reopened"), Move(2 * DAY, "agent"), Move(2 * DAY, "solved")]


def _one_schedule_for_all() -> tuple[float, float | None]:
    """The group that answers is always open, the one before it is not: they apply one schedule, that of the moment."""
    told = [Move(8 * HOUR, "created"), Move(10 * HOUR, "moved", "r"), Move(11 * HOUR, "agent")]
    return 3.0 * HOUR, Ours(told, targets=opened({"q": OFFICE})).kpi("first_response_business")


DIFFERENCES: dict[str, list[Difference]] = {
    "z01": [
        lambda: (first_reply(_AFTER_A_BOT), Ours(_AFTER_A_BOT, channel="messaging").kpi("first_response")),
        lambda: (first_reply(_BY_AN_AGENT), Ours(_BY_AN_AGENT).kpi("first_response")),
        lambda: (first_reply(_BY_PHONE), Ours(_BY_PHONE).kpi("first_response")),
    ],
    "z02": [_one_schedule_for_all],
    "z03": [lambda: (mean(next_replies(_WAITED_TWICE)), Ours(_WAITED_TWICE).kpi("average_response"))],
    "z04": [
        lambda: (
            mean([gap <= 300 for gap in next_replies(_MOVED)]),
            Ours(_MOVED, targets=_promising(300)).kpi("reply_service_level"),
        )
    ],
    "z05": [
        lambda: (requester_wait(_LEFT_OPEN), Ours(_LEFT_OPEN).column("reply_s")),
        lambda: (requester_wait(_PENDING_UNANSWERED), Ours(_PENDING_UNANSWERED).column("reply_s")),
    ],
    "z06": [
        lambda: (agent_work(_UNTOUCHED), Ours(_UNTOUCHED).kpi("handle_time")),
        lambda: (agent_work(_PENDING_UNANSWERED), Ours(_PENDING_UNANSWERED).kpi("conversation_time")),
    ],
    "z07": [lambda: (spent(_ASIDE, "pending"), Ours(_ASIDE).kpi("pending_time"))],
    "z08": [lambda: (resolution(_BY_PHONE[:2], 0), Ours(_BY_PHONE[:2]).kpi("conversation_time"))],
    "z09": [lambda: (resolution(_CAME_BACK, -1), Ours(_CAME_BACK).kpi("conversation_time"))],
    "z10": [lambda: (1, Ours(_TWICE).column("reopened"))],
}
"""Row of the page → what it says of each of its examples."""
