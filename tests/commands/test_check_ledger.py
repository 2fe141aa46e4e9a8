"""``stream-app check`` on the KPIs of the ledger: what is set, and what nothing was reported for."""

from __future__ import annotations

from stream_app.commands.check.ledger import judge
from stream_app.model.targets import Targets
from stream_app.model.targets.misleading import Traffic

SURVEYS = Targets.of({"ledger": {"fcr_policy": "by_survey", "repeat_days": 3, "repeat_per_channel": True}})
PLACE = ("q", "voice")


def test_only_what_is_set_has_a_line() -> None:
    assert [*judge(Targets(), {})] == []
    assert [one.detail for one in judge(Targets.of({"ledger": {"bot_return_h": 1.5}}), {})] == [
        "fcr_policy by_repeat, repeat_days 7 across channels, bot_return_h 1.5"
    ]


def test_a_way_for_which_nothing_was_reported_is_noticed() -> None:
    detail = "fcr_policy by_survey, repeat_days 3 in the same channel, bot_return_h 24"
    assert [one.detail for one in judge(SURVEYS, {})] == [detail], "nothing is known yet"
    assert [one.detail for one in judge(SURVEYS, {PLACE: Traffic(answered=9, fcr_answers=1)})] == [detail]
    line, warned = judge(SURVEYS, {PLACE: Traffic(answered=9)})
    assert (line.status, line.detail, warned.status) == ("ok", detail, "warn")
    assert "no survey of the kind fcr was ever answered" in warned.detail
