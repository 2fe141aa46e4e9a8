"""Choices about conversations: what is in force and who chose it, and which of them mislead."""

import tomllib

import pytest
from hypothesis import given, strategies as st

from stream_app.model.targets import Targets
from stream_app.model.targets.conversations import SPOKEN
from stream_app.model.targets.in_force import in_force
from stream_app.model.targets.misleading import Traffic, misleading

MONDAY = 1_767_571_200_000  # 2026-01-05, midnight UTC
OFFICE = '[calendars.office]\nhours = { mon-fri = ["09:00-17:00"] }\n'
ONE_HOUR_A_WEEK = '[calendars.office]\nhours = { mon = ["09:00-10:00"] }\n'
CHANNELS = ("voice", "video", "callback", "task", "chat", "messaging", "email", "social", "fax")


def said(
    text: str,
    channel: str,
    *,
    tells_messages: bool = True,
    traffic: Traffic | None = None,
) -> list[str]:
    targets = Targets.of(tomllib.loads(text))
    found = misleading(targets, "q", channel, now=MONDAY, tells_messages=tells_messages, traffic=traffic)
    return [one.detail for one in found]


# (settings that mislead, their channel, how the line begins, settings that differ from them by one thing and do not)
CASES = [
    (
        'defaults.clock = "business"',
        "chat",
        "clock is business without a calendar",
        'defaults = { clock = "business", calendar = "office" }\n' + OFFICE,
    ),
    (
        "defaults = { calendar = 'office', clock = 'business', answer_target_s = 194400 }\n" + ONE_HOUR_A_WEEK,
        "voice",
        "clock is business, but the calendar has less than answer_target_s (194400) within 366 days",
        "defaults = { calendar = 'office', clock = 'business', answer_target_s = 190800 }\n" + ONE_HOUR_A_WEEK,
    ),
    (
        "defaults = { calendar = 'office', targets.first_response = 60 }\n" + OFFICE,
        "email",
        "targets.first_response (60) is held against first_response_business",
        "defaults = { calendar = 'office', targets = { first_response = 60, first_response_business = 60 } }\n" + OFFICE,
    ),
    (
        "defaults = { calendar = 'office', targets.first_response = 60 }\n" + OFFICE,
        "email",
        "targets.first_response (60) is held against first_response_business",
        "defaults = { calendar = 'office', clock = 'wall', targets.first_response = 60 }\n" + OFFICE,
    ),
    ('channels.email.work = "stamps"', "email", "work is stamps: ", 'channels.email.work = "replies"'),
    ('defaults.work = "replies"', "voice", "work is replies in a channel", 'channels.chat.work = "replies"'),
    ('defaults.answer = "message"', "task", "answer is message in a channel", 'channels.chat.answer = "message"'),
    ("defaults.concurrency = 3", "voice", "concurrency is 3, and one agent", "channels.chat.concurrency = 3"),
    ("defaults.reply_target_s = 0.5", "chat", "reply_target_s is 0.5, less than a second", "defaults.reply_target_s = 1"),
    (
        "channels.email = { idle_days = 2, answer_target_s = 172801 }",
        "email",
        "idle_days is 2, and a target (172801 s) may end 2.0 days after",
        "channels.email = { idle_days = 2, answer_target_s = 172800 }",
    ),
    (  # who writes on Friday at noon has until Monday at noon
        "channels.email = { calendar = 'office', idle_days = 2, answer_target_s = 28800 }\n" + OFFICE,
        "email",
        "idle_days is 2, and a target (28800 s) may end 2.7 days after",
        "channels.email = { calendar = 'office', idle_days = 3, answer_target_s = 28800 }\n" + OFFICE,
    ),
    (
        "channels.email = { idle_days = 2, priorities.low.answer_target_s = 200000 }",
        "email",
        "idle_days is 2, and a target (200000 s) may end 2.3 days after",
        "channels.email = { idle_days = 3, priorities.low.answer_target_s = 200000 }",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "channel", "line", "sound"), CASES)
def test_what_misleads_is_named_and_what_does_not_is_silent(
    broken: str, channel: str, line: str, sound: str
) -> None:
    (found,) = said(broken, channel)
    assert found.startswith(line)
    assert said(sound, channel) == []


def test_where_nobody_tells_messages_stamps_are_all_there_is() -> None:
    assert said('channels.email.work = "stamps"', "email", tells_messages=False) == []


ANSWERED = Traffic(answered=1200)
WRITTEN = Traffic(answered=1200, replies=1500)
COUNTED = [
    ('defaults.answer = "assignment"', WRITTEN, True, "answer is assignment, but agents write, too (replies so far: 1,500)"),
    ('defaults.answer = "assignment"', ANSWERED, True, "an assignment counts as the answer (so far: 1,200)"),
    ('defaults.answer = "assignment"', Traffic(), True, None),
    ('defaults.answer = "assignment"', ANSWERED, False, None),
    ("", ANSWERED, False, None),
    ("", WRITTEN, True, None),
    ("", Traffic(closed_unanswered=7), True, "answer is message, and no message of an agent ever came: "),
    ("", Traffic(answered=1, replies=1, closed_unanswered=7), True, None),
    ("defaults.reply_target_s = 30", Traffic(handed_off=9), True, "reply_target_s (30) is shorter than answer_target_s (60)"),
    ("defaults.reply_target_s = 60", Traffic(handed_off=9), True, None),
    ("defaults.reply_target_s = 30", Traffic(), True, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "traffic", "tells", "line"), COUNTED)
def test_what_was_counted_shows_what_answers(
    text: str, traffic: Traffic, tells: bool, line: str | None
) -> None:
    found = said(text, "chat", tells_messages=tells, traffic=traffic)
    assert len(found) == (line is not None)
    assert line is None or found[0].startswith(line)
    assert said("", "voice", tells_messages=tells, traffic=traffic) == [], "calls are answered by being taken"


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("tells_messages", [True, False])
def test_nothing_of_what_holds_by_default_misleads(channel: str, tells_messages: bool) -> None:
    for text in ("", 'defaults.calendar = "office"\n' + OFFICE):
        assert said(text, channel, tells_messages=tells_messages) == []


@given(
    st.sampled_from(CHANNELS),
    st.sampled_from(["", 'preset = "saas"\n']),
    st.dictionaries(
        st.sampled_from(["defaults", "channel", "queue", "both"]),
        st.fixed_dictionaries(
            {},
            optional={
                "clock": st.sampled_from(["wall", "business"]),
                "bot": st.sampled_from(["talks", "acknowledges"]),
                "answer": st.sampled_from(["message", "assignment"]),
                "work": st.sampled_from(["stamps", "replies"]),
                "reply_target_s": st.integers(1, 9999),
                "idle_days": st.integers(1, 180),
            },
        ),
    ),
    st.booleans(),
)
def test_what_is_said_to_be_in_force_is_what_the_fold_takes(
    channel: str, preset: str, levels: dict[str, dict[str, object]], tells_messages: bool
) -> None:
    document: dict[str, object] = {
        "defaults": levels.get("defaults", {}),
        "channels": {channel: levels.get("channel", {})},
        "queues": {"q": levels.get("queue", {}) | {"channels": {channel: levels.get("both", {})}}},
    } | tomllib.loads(preset)
    targets = Targets.of(document)
    rule = targets.rule("q", channel)
    found = {one.key: one for one in in_force(targets, "q", channel, tells_messages=tells_messages)}
    assert found["answer"].value == rule.answers_by(channel, tells_messages=tells_messages)
    assert found["work"].value == rule.works_by(channel, tells_messages=tells_messages)
    assert found["bot"].value == rule.bot
    assert ("reply_work_cap_s" in found) == (found["work"].value == "replies")
    assert ("idle_days" in found) == (rule.idle_days > 0)
    if channel not in SPOKEN:
        assert found["reply_target_s"].value == (
            f"{rule.reply_target / 1000:g}" if rule.reply_target >= 0 else ""
        )
    set_keys = {key for level in levels.values() for key in level}
    for key, choice in found.items():
        assert (choice.made_by == "setting") == (key in set_keys)
        assert choice.made_by != "preset" or preset
