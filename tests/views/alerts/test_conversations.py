"""Alerts on conversations, from the customer's message to what fires: silent while nobody waits for a person by the promised
clock, however long it has been on the wall, and firing when it is really late. Thirty contacts each, so that no alert is silent
for want of contacts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from stream_app.model.targets import Targets
from tests.views.alerts.told import Event, Span, after, judge

MANY: Final = 30
OFFICE: Final = Targets.of(
    {
        "queues": {"support": {"calendar": "office", "zone": "UTC", "answer_target_s": 3600}},
        "calendars": {"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-18:00"]}}},
    }
)
FRIDAY: Final = "2026-03-06T17:30:00+00:00"
MONDAY: Final = "2026-03-09T09:10:00+00:00"
CHATS: Final = "2026-03-02T10:00:00+00:00"


def mails(answered: str | None, channel: str = "email") -> Iterator[Event]:
    """Written within five minutes of Friday evening; answered within five minutes, if at all."""
    for n in range(MANY):
        contact = {"contact_id": f"mail-{n}"}
        yield {
            "type": "contact.queued",
            "at": after(FRIDAY, 10 * n),
            "queue": "support",
            "channel": channel,
            **contact,
        }
        yield {"type": "message.received", "at": after(FRIDAY, 10 * n + 1), **contact}
        if answered:
            yield {"type": "message.sent", "at": after(answered, 10 * n), "agent": f"a{n % 5}", **contact}


def chats(*, handed_off_s: int, answered_s: int | None, silent: bool = False) -> Iterator[Event]:
    """A bot answers within three seconds, every two minutes, until it hands over to people; ``silent``: only once."""
    for n in range(MANY):
        contact = {"contact_id": f"chat-{n}"}
        begun = after(CHATS, n)
        yield {"type": "contact.queued", "at": begun, "queue": "support", "channel": "chat", **contact}
        for at in range(1, handed_off_s, 120):
            yield {"type": "message.received", "at": after(begun, at), **contact}
            if at == 1 or not silent:
                yield {"type": "message.sent", "at": after(begun, at + 3), "bot": True, **contact}
        if answered_s is not None:
            yield {"type": "bot.handed_off", "at": after(begun, handed_off_s), **contact}
            yield {
                "type": "message.sent",
                "at": after(begun, handed_off_s + answered_s),
                "agent": f"a{n % 5}",
                **contact,
            }


ALL_EVENING: Final = Span(FRIDAY, "2026-03-06T19:00:00+00:00")
MONDAY_MORNING: Final = Span("2026-03-09T08:50:00+00:00", "2026-03-09T10:00:00+00:00")


def at(clock: str, day: str = "2026-03-09") -> str:
    return f"{day}T{clock}:00+00:00"


@pytest.mark.parametrize("channel", ["email", "messaging"])
def test_a_mail_of_friday_evening_is_no_incident_at_opening(tmp_path: Path, channel: str) -> None:
    """Thirty and ten minutes of business hours are within the hour that was promised; the weekend is nobody's wait."""
    story = list(mails(MONDAY, channel))
    evening: dict[str, list[str]] = {
        at(clock, "2026-03-06"): [] for clock in ("17:31", "17:58", "18:10", "18:59")
    }
    if channel == "email":
        judge(tmp_path, story, OFFICE, ALL_EVENING, evening)
    patient = OFFICE if channel == "email" else _patient()
    morning: dict[str, list[str]] = {
        at(clock): [] for clock in ("08:59", "09:01", "09:06", "09:12", "09:20", "09:30", "09:59")
    }
    judge(tmp_path, story, patient, MONDAY_MORNING, morning)


def _patient() -> Targets:
    """Messaging for which an hour was promised, too."""
    return OFFICE.with_queue(
        "support",
        calendar="office",
        zone="UTC",
        answer_target_s=3600.0,
        targets={"oldest_waiting": 14_400.0, "oldest_awaiting_reply": 14_400.0, "first_response": 3600.0},
    )


@pytest.mark.slow
def test_a_mail_that_is_really_late_is_one(tmp_path: Path) -> None:
    """The hour is over at 9:30, and four hours, beyond which nobody should wait, at 12:30."""
    span = Span(at("08:50"), at("13:00"))
    expected: dict[str, list[str]] = {
        at("09:29"): [],
        at("09:37"): ["ServiceLevelBurns"],
        at("09:50"): ["ServiceLevelOffTarget"],
        at("12:25"): [],
        at("12:32"): ["OldestWaitingOffTarget"],
        at("12:50"): ["OldestWaitingOffTarget", "OldestAwaitingReplyOffTarget"],
    }
    judge(tmp_path, mails(None), OFFICE, span, expected)


def test_where_the_clock_on_the_wall_was_promised_the_weekend_counts(tmp_path: Path) -> None:
    """The same mails, for a centre that says so: since Friday evening is late at opening."""
    wall = OFFICE.with_queue("support", calendar="office", answer_target_s=3600.0, clock="wall")
    expected = {at("08:59"): [], at("09:08"): ["OldestAwaitingReplyOffTarget", "OldestWaitingOffTarget"]}
    judge(tmp_path, mails(MONDAY), wall, MONDAY_MORNING, expected)


MORNING: Final = Span(after(CHATS, -60), after(CHATS, 3600))


def in_chats(minute: int) -> str:
    return after(CHATS, 60 * minute)


def test_while_a_bot_talks_nobody_waits(tmp_path: Path) -> None:
    """For twenty-five minutes; then people are asked, and answer after ten seconds."""
    story = chats(handed_off_s=1500, answered_s=10)
    judge(
        tmp_path,
        story,
        Targets(),
        MORNING,
        {in_chats(minute): [] for minute in (1, 6, 12, 20, 26, 30, 45, 59)},
    )


def test_who_was_handed_over_and_is_not_answered_waits(tmp_path: Path) -> None:
    story = chats(handed_off_s=1500, answered_s=900)
    expected: dict[str, list[str]] = {
        in_chats(25): [],
        in_chats(30): ["ServiceLevelBurns"],
        in_chats(38): ["OldestAwaitingReplyOffTarget", "ServiceLevelOffTarget"],
    }
    judge(tmp_path, story, Targets(), MORNING, expected)


def test_a_bot_that_is_silent_hides_nobody(tmp_path: Path) -> None:
    """It said one sentence, and nothing in the twenty minutes since the customer wrote again."""
    story = chats(handed_off_s=1500, answered_s=None, silent=True)
    expected = {
        in_chats(7): [],
        in_chats(12): ["OldestUnansweredByBotOffTarget"],
        in_chats(40): ["OldestUnansweredByBotOffTarget"],
    }
    judge(tmp_path, story, Targets(), MORNING, expected)
