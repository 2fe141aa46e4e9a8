"""Presets: numbers with reasons, and everything in the document overrides them."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.bands import BANDS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.targets.conversations import is_written
from stream_app.model.targets.misleading import misleading
from stream_app.model.targets.presets import BY_PRESET, HANDBOOKS, OURS, PRESETS, SETTINGS, Preset, PresetLine

CHANNELS = ("voice", "chat", "messaging", "email", "social")
UNITS = {kpi.name: kpi.unit for kpi in BY_NAME.values()} | {kpi.name: kpi.unit for kpi in FROM_LEDGER}
names = st.sampled_from(sorted(BY_PRESET))
ratios = st.dictionaries(st.sampled_from(["service_level", "abandonment"]), st.floats(0, 1), max_size=2)


def last(preset: Preset, name: str, channel: str) -> float | None:
    """The preset's value of a name, its channel's line before that of every channel."""
    found = {line.channel: line.value for line in preset.lines if line.name == name}
    return found.get(channel, found.get(""))


def _in_force(rule: QueueTargets, setting: str) -> float:
    if setting == "concurrency":
        return rule.concurrency
    return float(getattr(rule, setting.removesuffix("_s"))) / 1000


def test_the_industries_are_there() -> None:
    assert [*BY_PRESET] == ["retail", "healthcare", "finance", "saas"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_number_of_a_preset_is_in_force(preset: Preset) -> None:
    office = {"zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}
    by_clock = Targets.of({"preset": preset.name})
    by_hours = Targets.of(
        {"preset": preset.name, "defaults": {"calendar": "office"}, "calendars": {"office": office}}
    )
    twins = {kpi.twin: kpi.name for kpi in BY_NAME.values() if kpi.twin}
    for line in preset.lines:
        channel = line.channel or "social"
        wanted = last(preset, line.name, channel)
        if line.name in SETTINGS:
            assert _in_force(by_clock.rule("any", channel), line.name) == wanted
        elif line.name in twins:
            rule = by_hours.rule("any", channel)
            assert not rule.by_business_hours or rule.targets[line.name] == wanted
        else:
            rule = by_clock.rule("any", channel)
            assert {**rule.targets, **rule.ledger_targets}[line.name] == wanted


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_number_has_a_reason_a_source_and_a_sane_size(preset: Preset) -> None:
    for line in preset.lines:
        assert line.why
        assert line.source in {OURS, HANDBOOKS} or line.source.startswith("https://")
        assert line.channel in {*CHANNELS, ""}
        if line.name not in SETTINGS and UNITS[line.name] is Unit.RATIO:
            assert 0 < line.value < 1
        else:
            assert 1 <= line.value <= 86_400
    told = [(line.name, line.channel) for line in preset.lines if line.source != OURS]
    assert len(told) >= 5, "most of the numbers that are no consequence of others were published"
    assert {"service_level", "abandonment", "handle_time"} <= {name for name, _ in told}


@pytest.mark.parametrize("preset", BY_PRESET)
def test_every_written_channel_promises_replies_and_chats_are_had_side_by_side(preset: str) -> None:
    targets = Targets.of({"preset": preset})
    for channel in ("voice", "chat", "messaging", "email"):
        rule = targets.rule("any", channel)
        assert rule.reply_target == (rule.answer_target if is_written(channel) else -1)
        assert (rule.at_once > 1) == (channel == "chat")
        said = misleading(targets, "any", channel, now=0, tells_messages=True)
        assert [*said] == []


@given(names, ratios, ratios, st.sampled_from([None, 7.0]), st.sampled_from(CHANNELS))
def test_everything_in_the_document_overrides_it(
    name: str, everywhere: dict[str, float], of_queue: dict[str, float], seconds: float | None, channel: str
) -> None:
    said: dict[str, Any] = {"preset": name, "defaults": {"targets": everywhere}}
    if seconds is not None:  # even a default takes precedence over the preset's line for a channel
        said["defaults"]["answer_target_s"] = seconds
    said["queues"] = {"q": {"targets": of_queue}}
    rule, alone = Targets.of(said).rule("q", channel), Targets.of({"preset": name}).rule("q", channel)
    assert rule.targets == alone.targets | everywhere | of_queue
    assert rule.answer_target == (alone.answer_target if seconds is None else seconds * 1000)


@given(names)
def test_what_is_stored_keeps_the_numbers_and_not_only_the_name(name: str) -> None:
    stored = Targets.of({"preset": name}).to_json()
    renamed = stored.replace(f'"preset":"{name}"'.encode(), b'"preset":"of another release"')
    assert renamed != stored
    read = Targets.from_json(renamed)
    for channel in CHANNELS:
        assert read.rule("q", channel) == Targets.of({"preset": name}).rule("q", channel)


def test_a_line_is_a_target_or_a_setting_of_a_channel_or_of_all() -> None:
    lines = (
        PresetLine("service_level", 0.7, "", "why"),
        PresetLine("answer_target_s", 30.0, "voice", "why"),
        PresetLine("service_level", 0.9, "voice", "why"),
    )
    assert Preset("x", "about", ("csat",), lines).document() == {
        "defaults": {"targets": {"service_level": 0.7}},
        "channels": {"voice": {"answer_target_s": 30.0, "targets": {"service_level": 0.9}}},
    }


def test_two_or_three_kpis_matter_most_in_an_industry() -> None:
    focus = {preset.name: preset.focus for preset in PRESETS}
    assert {name: some[:2] for name, some in focus.items()} == {
        "retail": ("first_contact_resolution", "ces"),
        "healthcare": ("quality_score", "csat"),
        "finance": ("churn", "nps"),
        "saas": ("churn", "nps"),
    }
    assert all(2 <= len(some) <= 3 and {*some} <= {*UNITS} for some in focus.values())


def test_bands_are_those_of_handbooks() -> None:
    """75 to 84 % of satisfied customers are usual, 80 % is good and 90 % world class, and so on."""
    found = {
        name: (one.average and (one.average.low, one.average.high), one.good, one.world_class)
        for name, one in BANDS.items()
    }
    assert found == {
        "csat": ((0.75, 0.84), 0.80, 0.90),
        "first_contact_resolution": ((0.70, 0.79), 0.80, 0.85),
        "nps": (None, 50, 70),
        "handle_time": ((360, 360), None, None),
    }
    kinds = {kind: (some.low, some.high) for kind, some in BANDS["handle_time"].by_centre.items()}
    assert kinds == {"simple e-commerce": (300, 480), "technical support": (600, 900)}
    assert {*BANDS} <= {*UNITS}


def test_how_long_a_call_is_depends_on_the_kind_of_centre() -> None:
    kinds = BANDS["handle_time"].by_centre
    for preset, kind in (("retail", "simple e-commerce"), ("saas", "technical support")):
        target = Targets.of({"preset": preset}).rule("any", "voice").targets["handle_time"]
        assert kinds[kind].low < target < kinds[kind].high


def test_kpis_of_the_ledger_have_targets_of_their_own() -> None:
    targets = Targets.of(
        {"preset": "retail", "queues": {"q": {"targets": {"first_contact_resolution": 0.85, "reopen": 0.05}}}}
    )
    mine, other = targets.rule("q", "voice"), targets.rule("other", "voice")
    assert (mine.ledger_targets["first_contact_resolution"], mine.ledger_targets["reopen"]) == (0.85, 0.05)
    assert other.ledger_targets["first_contact_resolution"] == 0.8
    assert Targets().rule("q", "voice").ledger_targets == {
        kpi.name: kpi.target for kpi in FROM_LEDGER if kpi.target is not None
    }
    assert not {*mine.targets} & {*mine.ledger_targets}
    assert not [*misleading(targets, "q", "voice", now=0, tells_messages=True)]
