"""Intercom's numbers by its own definitions, and ours of the same conversations.

Sources, at intercom.com/help: "Reporting metrics & attributes" (7022438), "Reporting metrics for REST API and CSV exports"
(6762778), "Report on team inbox performance" (8425103), "How to use office hours in reporting" (8425113), "Team performance
report" (4323871), "Fin AI Agent resolutions" (8205718); at developers.intercom.com: "Conversation statistics".
"""

from math import ceil
from statistics import median

import pytest
from hypothesis import given, strategies as st

from stream_app.model.targets import Targets

from .differences import Difference
from .ours import OFFICE, WEEKLY, Ours, mean, opened, within
from .stories import DAY, GAPS, HOUR, WRITTEN, Move, Story, gaps, several, stories, when

_BOTS_TALK = ("chat", "messaging", "social")
_TEAMS = ("q", "r", "s")
_TALK = ("customer", "agent", "note", "auto")
_SKETCH = 0.022
"""How far our percentiles may be off."""


def first_response(story: Story, *, with_bot: bool = False) -> int | None:
    """To the first reply of a teammate: from the customer's first message, or without the time in the bot's inbox."""
    replies = when(story, "agent")
    begin = story[0].at if with_bot else max([story[0].at, *when(story, "handed off")])
    return replies[0] - begin if replies else None


def team_first_response(story: Story) -> tuple[str, int, int] | None:
    """The team that the first reply belongs to, when the conversation landed there, and when it replied."""
    team, since = story[0].who, story[0].at
    for move in story:
        if move.what == "moved":
            team, since = move.who, move.at
        if move.what == "agent":
            return team, since, move.at
    return None


def time_to_close(story: Story) -> int:
    """To the first time that it was closed."""
    return when(story, "solved", "solved by bot")[0] - story[0].at


def handling(story: Story) -> int:
    """The time for which it was open and assigned to somebody, without that for which it was snoozed."""
    open_since, total = None, 0
    for move in story:
        if open_since is not None and move.what in {"pending", "solved"}:
            total, open_since = total + move.at - open_since, None
        elif (
            open_since is None
            and move.what in {"assigned", "open", "customer"}
            and when(story, "assigned")[0] <= move.at
        ):
            open_since = move.at
    return total


def resolved_by_fin(story: Story) -> bool:
    """No request for more help after the bot's last answer, however late that comes; the bot was involved."""
    return not when(story, "handed off", "agent", "returned")


@st.composite
def _maybe_with_a_bot(draw: st.DrawFn, *, ends: bool = False) -> Story:
    """A bot talks first, and hands over; or there is none."""
    at = draw(st.integers(0, DAY))
    story = [Move(at, "created")]
    if draw(st.booleans()):
        for gap, what in draw(st.lists(st.tuples(GAPS, st.sampled_from(("bot", "customer"))), max_size=4)):
            at += gap
            story.append(Move(at, what))
        at += draw(GAPS)
        story.append(Move(at, "handed off"))
    rest = draw(stories(_TALK, ends=ends))
    return story + [move._replace(at=at + move.at - rest[0].at) for move in rest[1:]]


@given(several(_maybe_with_a_bot()), st.sampled_from(_BOTS_TALK))
def test_i01_first_response_time(told: list[Story], channel: str) -> None:
    theirs = mean([t for story in told if (t := first_response(story)) is not None])
    assert Ours(*told, channel=channel).kpi("first_response") == pytest.approx(theirs)


@given(st.lists(stories(_TALK), min_size=1, max_size=9))
def test_i02_median_first_response_time(told: list[Story]) -> None:
    """Half of the conversations were responded to within it."""
    theirs = sorted(t for story in told if (t := first_response(story)) is not None)
    p50 = (Ours(*told).value("first_response").percentiles or {})["p50"]
    if theirs:
        assert p50 == pytest.approx(theirs[ceil(len(theirs) / 2) - 1], rel=_SKETCH, abs=0.001)
    else:
        assert p50 is None


@given(several(stories(_TALK)), st.sampled_from(WRITTEN))
def test_i03_first_response_time_within_office_hours(told: list[Story], channel: str) -> None:
    replied = [(story[0].at, when(story, "agent")[0]) for story in told if when(story, "agent")]
    theirs = mean([within(WEEKLY, *times) for times in replied])
    ours = Ours(*told, channel=channel, targets=opened({"q": WEEKLY}))
    assert ours.kpi("first_response_business") == pytest.approx(theirs)


@st.composite
def _passed_on(draw: st.DrawFn) -> Story:
    """Passed from team to team until somebody replies."""
    first = draw(stories(("customer", "note", "moved"), groups=_TEAMS))
    rest = draw(stories(("customer", "agent")))
    at = first[-1].at - rest[0].at
    return [*first, *(move._replace(at=at + move.at) for move in rest[1:])]


@given(several(_passed_on()), st.sampled_from(WRITTEN))
def test_i04_team_first_response_time(told: list[Story], channel: str) -> None:
    hours = {"q": OFFICE, "r": WEEKLY, "s": {"sun": [["10:00", "12:00"]]}}
    ours = Ours(*told, channel=channel, targets=opened(hours))
    for team in _TEAMS:
        replied = [r for story in told if (r := team_first_response(story)) is not None and r[0] == team]
        wall, office = (
            mean([until - since for _, since, until in replied]),
            mean([within(hours[team], since, until) for _, since, until in replied]),
        )
        assert ours.kpi("queue_response", team) == pytest.approx(wall)
        assert ours.kpi("queue_response_business", team) == pytest.approx(office)


@given(several(stories(_TALK)), st.sampled_from(WRITTEN))
def test_i05_mean_response_time(told: list[Story], channel: str) -> None:
    waits = [gap for story in told for gap in gaps(story)]
    ours = Ours(*told, channel=channel, targets=opened({"q": WEEKLY}))
    assert ours.kpi("average_response") == pytest.approx(mean([until - since for since, until in waits]))
    assert ours.kpi("average_response_business") == pytest.approx(mean([within(WEEKLY, *w) for w in waits]))


@given(several(_maybe_with_a_bot(ends=True)), st.sampled_from(_BOTS_TALK))
def test_i06_time_to_close(told: list[Story], channel: str) -> None:
    theirs = mean([time_to_close(story) for story in told])
    assert Ours(*told, channel=channel).kpi("conversation_time") == pytest.approx(theirs)


@st.composite
def _assigned(draw: st.DrawFn) -> Story:
    """Assigned once, before anybody replies, and closed at the end; snoozed after that, if at all."""
    first = draw(stories(("customer", "note")))
    at = first[-1].at + draw(GAPS)
    story = [*first, Move(at, "assigned")]
    what = st.sampled_from(("customer", "agent", "pending", "open"))
    for gap, kind in draw(st.lists(st.tuples(GAPS, what), max_size=8)):
        at += gap
        story.append(Move(at, kind))
    return [*story, Move(at + draw(GAPS), "solved")]


_BY_ASSIGNMENT = Targets.of({"queues": {"q": {"answer": "assignment", "work": "stamps"}}})


@given(several(_assigned()), st.sampled_from(WRITTEN))
def test_i07_conversation_handling_time(told: list[Story], channel: str) -> None:
    ours = Ours(*told, channel=channel, targets=_BY_ASSIGNMENT)
    assert ours.kpi("handle_time") == pytest.approx(mean([handling(story) for story in told]))


@given(several(stories(("customer", "agent"), ends=True, again=3)), st.sampled_from(WRITTEN))
def test_i08_count_of_reopens(told: list[Story], channel: str) -> None:
    theirs = sum(len(when(story, "reopened")) for story in told)
    assert Ours(*told, channel=channel).column("reopened") == theirs


@st.composite
def with_fin(draw: st.DrawFn) -> Story:
    """Settled by the bot, handed over, or back within a day."""
    at = draw(st.integers(0, DAY))
    story = [Move(at, "created"), Move(at, "bot")]
    for gap in draw(st.lists(GAPS, max_size=2)):
        at += gap
        story += [Move(at, "customer"), Move(at, "bot")]
    at += draw(GAPS)
    match draw(st.sampled_from(("settled", "handed over", "back"))):
        case "settled":
            return [*story, Move(at, "solved by bot")]
        case "handed over":
            return [*story, Move(at, "handed off"), Move(at + draw(GAPS), "agent")]
        case _:
            back = at + draw(st.integers(0, DAY))
            return [
                *story,
                Move(at, "solved by bot"),
                Move(back, "returned"),
                Move(back + draw(GAPS), "agent"),
            ]


@given(several(with_fin()), st.sampled_from(_BOTS_TALK))
def test_i09_resolution_rate_of_fin(told: list[Story], channel: str) -> None:
    theirs = mean([resolved_by_fin(story) for story in told])
    assert Ours(*told, channel=channel).kpi("bot_containment") == pytest.approx(theirs)


def test_it_counts_when_it_is_sent() -> None:
    """A reply two days later: theirs belongs to the day of the first message, ours to that of the reply."""
    ours = Ours([Move(0, "created"), Move(2 * DAY, "agent")])
    assert {row.start: row.responded for row in ours.rows if row.responded or row.offered} == {
        ours.rows[0].start: 0,
        ours.rows[0].start + 2 * DAY * 1000: 1,
    }


_AFTER_A_BOT = [Move(0, "created"), Move(0, "bot"), Move(600, "handed off"), Move(660, "agent")]
_PASSED_ON_LATER = [
    *(Move(0, "created", "q"), Move(60, "agent"), Move(HOUR, "moved", "r")),
    *(Move(HOUR, "customer"), Move(HOUR + 300, "agent")),
]
_THREE_REPLIES = [
    *(Move(0, "created"), Move(60, "agent"), Move(100, "customer"), Move(160, "agent")),
    *(Move(200, "customer"), Move(800, "agent")),
]
_OVERNIGHT = [Move(16 * HOUR, "created"), Move(34 * HOUR, "agent"), Move(34 * HOUR, "solved")]
_BY_THE_BOT = [Move(0, "created"), Move(0, "bot"), Move(300, "solved by bot")]
_TWO_HOURS = [Move(0, "created"), Move(0, "assigned"), Move(2 * HOUR, "agent"), Move(2 * HOUR, "solved")]
_BACK_TWICE = [
    *(Move(0, "created"), Move(60, "agent"), Move(60, "solved")),
    *(Move(DAY, "reopened"), Move(DAY, "agent"), Move(DAY, "solved")),
    *(Move(2 * DAY, "reopened"), Move(2 * DAY, "agent"), Move(2 * DAY, "solved")),
]
_BACK_AFTER_DAYS = [*_BY_THE_BOT, Move(3 * DAY, "returned"), Move(3 * DAY + 60, "agent")]
_SILENT = _BY_THE_BOT[:2]

DIFFERENCES: dict[str, list[Difference]] = {
    "i01": [
        lambda: (
            first_response(_AFTER_A_BOT, with_bot=True),
            Ours(_AFTER_A_BOT, channel="messaging").kpi("first_response"),
        )
    ],
    "i04": [lambda: (None, Ours(_PASSED_ON_LATER).kpi("queue_response", "r"))],
    "i05": [
        lambda: (
            median(until - since for since, until in gaps(_THREE_REPLIES)),
            Ours(_THREE_REPLIES).kpi("average_response"),
        )
    ],
    "i06": [
        lambda: (
            within(OFFICE, _OVERNIGHT[0].at, _OVERNIGHT[-1].at),
            Ours(_OVERNIGHT, targets=opened({"q": OFFICE})).kpi("conversation_time"),
        ),
        lambda: (time_to_close(_BY_THE_BOT), Ours(_BY_THE_BOT, channel="chat").kpi("conversation_time")),
    ],
    "i07": [lambda: (handling(_TWO_HOURS), Ours(_TWO_HOURS).kpi("handle_time"))],
    "i08": [lambda: (1, Ours(_BACK_TWICE).column("reopened"))],
    "i09": [
        lambda: (
            float(resolved_by_fin(_BACK_AFTER_DAYS)),
            Ours(_BACK_AFTER_DAYS, channel="chat").kpi("bot_containment"),
        ),
        lambda: (float(resolved_by_fin(_SILENT)), Ours(_SILENT, channel="chat").kpi("bot_containment")),
    ],
}
"""Row of the page → what it says of each of its examples."""
