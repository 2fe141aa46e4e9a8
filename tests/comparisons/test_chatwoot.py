"""Chatwoot's reporting events by its own definitions, and ours of the same conversations.

Sources, in chatwoot/chatwoot: `app/listeners/reporting_event_listener.rb`, `app/helpers/reporting_event_helper.rb`,
`app/models/message.rb`, their specifications at 0f4587c7 and 1e6734fc, and the pull requests 11787 (a reopening sets since when
somebody waits), 12058 (the first response from it), 12261 (resolutions are events), 13181 (a bot's message ends a wait) and
13417 (a hand-off begins one).
"""

import pytest
from hypothesis import given, strategies as st

from .differences import Difference
from .ours import OFFICE, Ours, mean, opened, within
from .stories import DAY, GAPS, HOUR, Move, Story, several, stories, when

_BOTS_TALK = ("chat", "messaging", "social")


def first_response(story: Story) -> tuple[int, int] | None:
    """To a person's first reply, from the later of the first hand-off and the last reopening before, else from the creation."""
    since, handed_off = story[0].at, False
    for move in story:
        if move.what == "agent":
            return since, move.at
        if move.what == "reopened" or (move.what == "handed off" and not handed_off):
            since = move.at
        handed_off |= move.what == "handed off"
    return None


def reply_times(story: Story) -> list[int]:
    """Of every reply but the first: since the first message that nobody, no bot either, had answered."""
    found: list[int] = []
    since: int | None = story[0].at
    replied = False
    for move in story:
        if move.what in {"customer", "handed off"} and since is None:
            since = move.at
        if move.what == "reopened":
            since = move.at
        if move.what == "agent":
            if replied and since is not None:
                found.append(move.at - since)
            replied, since = True, None
        if move.what == "bot":
            since = None
    return found


def resolution_times(story: Story) -> list[int]:
    """Of each time that it was resolved, from the creation."""
    return [at - story[0].at for at in when(story, "solved", "solved by bot")]


def resolved_by_bots(story: Story) -> int:
    """How often it was resolved, of an inbox with a bot, when no person had written."""
    return sum(
        not any(reply <= at for reply in when(story, "agent"))
        for at in when(story, "solved", "solved by bot")
    )


def hand_offs(story: Story) -> int:
    """One a conversation."""
    return len(when(story, "handed off")[:1])


@st.composite
def _conversations(draw: st.DrawFn, *, ends: bool = False, again: int = 0) -> Story:
    """Perhaps a bot first, which hands over once or twice; once a person has replied it may talk again."""
    at = draw(st.integers(0, DAY))
    story = [Move(at, "created")]
    if draw(st.booleans()):
        for gap, what in draw(st.lists(st.tuples(GAPS, st.sampled_from(("bot", "customer"))), max_size=3)):
            at += gap
            story.append(Move(at, what))
        for gap in draw(st.lists(GAPS, min_size=1, max_size=2)):
            at += gap
            story.append(Move(at, "handed off"))
    for gap in draw(st.lists(GAPS, max_size=2)):
        at += gap
        story.append(Move(at, "customer"))
    at += draw(GAPS)
    rest = draw(stories(("customer", "agent", "note", "auto", "bot"), ends=ends, again=again))
    return [*story, Move(at, "agent"), *(move._replace(at=at + move.at - rest[0].at) for move in rest[1:])]


@given(several(_conversations(ends=True, again=2)), st.sampled_from(_BOTS_TALK))
def test_w01_first_response(told: list[Story], channel: str) -> None:
    theirs = [t for story in told if (t := first_response(story))]
    ours = Ours(*told, channel=channel)
    assert ours.kpi("first_response") == pytest.approx(mean([b - a for a, b in theirs]))
    assert ours.column("responded") == len(theirs)


def test_w01_reopened_before_a_reply_and_reported_as_queued() -> None:
    """As a new request it is theirs, too: a bot's on Monday from 9:00 to 9:05, back on Friday 14:00, a reply at 14:10."""
    friday = 4 * DAY + 14 * HOUR
    begin = [Move(9 * HOUR, "created"), Move(9 * HOUR + 300, "solved by bot")]
    theirs = first_response([*begin, Move(friday, "reopened"), Move(friday + 600, "agent")])
    assert theirs == (friday, friday + 600)
    ours = Ours([*begin, Move(friday, "returned"), Move(friday + 600, "agent")], channel="chat")
    assert (ours.column("response_s"), ours.column("responded")) == (600, 1)


@given(several(_conversations()), st.sampled_from(_BOTS_TALK))
def test_w02_first_response_in_business_hours(told: list[Story], channel: str) -> None:
    theirs = mean([within(OFFICE, *t) for story in told if (t := first_response(story))])
    ours = Ours(*told, channel=channel, targets=opened({"q": OFFICE}))
    assert ours.kpi("first_response_business") == pytest.approx(theirs)


@given(several(_conversations(ends=True, again=2)), st.sampled_from(_BOTS_TALK))
def test_w03_reply_time(told: list[Story], channel: str) -> None:
    theirs = mean([gap for story in told for gap in reply_times(story)])
    assert Ours(*told, channel=channel).next_reply() == pytest.approx(theirs)


@given(several(_conversations(ends=True)), st.sampled_from(_BOTS_TALK))
def test_w04_resolution_time(told: list[Story], channel: str) -> None:
    theirs = mean([value for story in told for value in resolution_times(story)])
    assert Ours(*told, channel=channel).kpi("conversation_time") == pytest.approx(theirs)


@given(several(_conversations(ends=True, again=3)), st.sampled_from(_BOTS_TALK))
def test_w05_resolutions(told: list[Story], channel: str) -> None:
    theirs = sum(len(resolution_times(story)) for story in told)
    assert Ours(*told, channel=channel).column("handled") == theirs


@st.composite
def _with_a_bot(draw: st.DrawFn) -> Story:
    at = draw(st.integers(0, DAY))
    story = [Move(at, "created"), Move(at, "bot")]
    at += draw(GAPS)
    if draw(st.booleans()):
        return [*story, Move(at, "solved by bot")]
    replied = at + draw(GAPS)
    return [*story, Move(at, "handed off"), Move(replied, "agent"), Move(replied + draw(GAPS), "solved")]


@given(several(_with_a_bot()), st.sampled_from(_BOTS_TALK))
def test_w06_resolutions_by_bots(told: list[Story], channel: str) -> None:
    theirs = sum(map(resolved_by_bots, told))
    assert Ours(*told, channel=channel).column("bot_contained") == theirs


@given(several(_conversations(ends=True, again=2)), st.sampled_from(_BOTS_TALK))
def test_w07_hand_offs(told: list[Story], channel: str) -> None:
    assert Ours(*told, channel=channel).column("from_bot") == sum(map(hand_offs, told))


_UNREPLIED = [Move(0, "created"), Move(300, "solved"), Move(DAY, "reopened"), Move(DAY + 600, "agent")]
_AN_HOUR = [Move(0, "created"), Move(HOUR, "agent")]
_TWO_REPLIES = [*_AN_HOUR, Move(2 * HOUR, "customer"), Move(2 * HOUR + 600, "agent")]
_CAME_BACK = [
    *(*_AN_HOUR, Move(HOUR, "solved")),
    *(Move(DAY, "reopened"), Move(DAY + HOUR, "agent"), Move(DAY + HOUR, "solved")),
]
_A_WEEK = [Move(-DAY, "created"), Move(6 * DAY - 60, "agent"), Move(6 * DAY - 60, "solved")]
"""From a Sunday 0:00 to the Saturday after it, 23:59."""
_FIVE = [
    *([[*_AN_HOUR, Move(HOUR, "solved")]] * 4),
    [*_AN_HOUR, Move(HOUR, "solved"), Move(2 * HOUR, "reopened")],
]
_CLOSED_SILENTLY = [Move(0, "created"), Move(0, "bot"), Move(300, "solved")]
_BY_THE_BOT = [Move(0, "created"), Move(0, "bot"), Move(300, "solved by bot")]
_BACK = [*_BY_THE_BOT, Move(HOUR, "returned"), Move(HOUR + 60, "agent")]
_HANDED_OFF_AGAIN = [
    *(Move(0, "created"), Move(60, "handed off"), Move(120, "agent"), Move(120, "solved")),
    *(Move(DAY, "returned"), Move(DAY + 60, "handed off"), Move(DAY + 120, "agent")),
]

DIFFERENCES: dict[str, list[Difference]] = {
    "w01": [lambda: (600, Ours(_UNREPLIED).kpi("first_response"))],
    "w02": [lambda: (0, Ours(_AN_HOUR).kpi("first_response_business"))],
    "w03": [lambda: (mean(reply_times(_TWO_REPLIES)), Ours(_TWO_REPLIES).kpi("average_response"))],
    "w04": [
        lambda: (mean(resolution_times(_CAME_BACK)), Ours(_CAME_BACK).kpi("conversation_time")),
        lambda: (
            within(OFFICE, _A_WEEK[0].at, _A_WEEK[-1].at),
            Ours(_A_WEEK, targets=opened({"q": OFFICE})).kpi("conversation_time"),
        ),
    ],
    "w05": [
        lambda: (len(resolution_times(_UNREPLIED)), Ours(_UNREPLIED[:2]).column("handled")),
        lambda: (sum(story[-1].what == "solved" for story in _FIVE), Ours(*_FIVE).column("handled")),
    ],
    "w06": [
        lambda: (
            resolved_by_bots(_CLOSED_SILENTLY),
            Ours(_CLOSED_SILENTLY, channel="chat").column("bot_contained"),
        ),
        lambda: (resolved_by_bots(_BACK), Ours(_BACK, channel="chat").column("bot_contained")),
    ],
    "w07": [
        lambda: (hand_offs(_HANDED_OFF_AGAIN), Ours(_HANDED_OFF_AGAIN, channel="chat").column("from_bot"))
    ],
}
"""Row of the page → what it says of each of its examples."""
