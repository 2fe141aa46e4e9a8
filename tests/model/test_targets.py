"""Settings that change meaning: levels override each other, and a bad document is refused with its place."""

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.targets import Rule, Targets, Wishes

LEVELS = ("defaults", "channels", "queues", "queues.channels")


def document(**of: dict[str, Any]) -> dict[str, Any]:
    """Wishes for queue `q` and channel `chat` at some of the levels."""
    queue: dict[str, Any] = dict(of.get("queues", {}))
    if "queues.channels" in of:
        queue["channels"] = {"chat": of["queues.channels"]}
    out: dict[str, Any] = {}
    if "defaults" in of:
        out["defaults"] = of["defaults"]
    if "channels" in of:
        out["channels"] = {"chat": of["channels"]}
    return {**out, "queues": {"q": queue}} if queue else out


wishes = st.fixed_dictionaries(
    {},
    optional={
        "answer_target_s": st.sampled_from([5.0, 20.0, 3600.0]),
        "short_abandon_s": st.sampled_from([0.0, 1.5, 5.0]),
        "policy": st.sampled_from(sorted(SERVICE_LEVELS)),
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
        "targets": st.dictionaries(st.sampled_from(["service_level", "abandonment"]), st.floats(0, 1)),
    },
)


@given(st.dictionaries(st.sampled_from(LEVELS), wishes))
def test_the_later_level_wins_setting_by_setting(of: dict[str, dict[str, Any]]) -> None:
    rule = Targets.of(document(**of)).rule("q", "chat")
    said: dict[str, Any] = {"answer_target_s": 60.0, "policy": "without_short_abandons", "zone": "UTC"}
    said["short_abandon_s"] = 5.0
    targets = {name: t for name, k in BY_NAME.items() if (t := k.default_target("chat")) is not None}
    for level in LEVELS:
        said |= {key: value for key, value in of.get(level, {}).items() if key != "targets"}
        targets |= of.get(level, {}).get("targets", {})
    assert rule.answer_target == said["answer_target_s"] * 1000
    assert rule.short_abandon == said["short_abandon_s"] * 1000
    assert (rule.policy, rule.zone, rule.targets) == (said["policy"], said["zone"], targets)


@given(st.dictionaries(st.sampled_from(LEVELS), wishes))
def test_what_is_stored_reads_back_the_same_and_writes_the_same_bytes(of: dict[str, dict[str, Any]]) -> None:
    targets = Targets.of(document(**of))
    stored = targets.to_json()
    assert Targets.from_json(stored) == targets
    assert Targets.from_json(stored).to_json() == stored


@given(
    st.dictionaries(st.sampled_from(LEVELS), wishes),
    st.sampled_from(["q", "other"]),
    st.sampled_from(["voice", "chat", "email", "messaging", "social"]),
)
def test_a_short_abandon_is_never_longer_than_the_target(
    of: dict[str, dict[str, Any]], queue: str, channel: str
) -> None:
    rule = Targets.of(document(**of)).rule(queue, channel)
    assert 0 <= rule.short_abandon <= rule.answer_target


def test_levels_are_of_their_queue_and_channel_only() -> None:
    targets = Targets.of(document(queues={"zone": "Asia/Kathmandu"}, channels={"answer_target_s": 90}))
    assert (targets.rule("q", "voice").zone, targets.rule("other", "voice").zone) == ("Asia/Kathmandu", "UTC")
    assert (targets.rule("q", "chat").answer_target, targets.rule("q", "voice").answer_target) == (
        90_000,
        20_000,
    )


def test_defaults_without_a_document() -> None:
    assert {c: Targets().rule("q", c).answer_target for c in ("voice", "chat", "email", "social")} == {
        "voice": 20_000,
        "chat": 60_000,
        "email": 3_600_000,
        "social": 60_000,
    }
    assert isinstance(Targets().rule("q", "voice"), Rule)


def test_a_target_shorter_than_the_default_short_abandon_takes_it_along() -> None:
    assert Targets.of({"defaults": {"answer_target_s": 3}}).rule("q", "voice").short_abandon == 3_000


def test_one_queue_replaced() -> None:
    targets = Targets().with_queue("q", answer_target_s=7.0)
    assert targets.rule("q", "voice").answer_target == 7_000
    assert Targets(defaults=Wishes(zone="UTC")) != targets


BAD = {
    # document: what its one line must name
    "defaults.answer_target_s = 0": "defaults.answer_target_s",
    "defaults.answer_target_s = nan": "defaults.answer_target_s",
    'defaults.answer_target_s = "20"': "defaults.answer_target_s",
    "defaults.answer_target_s = 1e9": "defaults.answer_target_s",
    "defaults.answer_target_s = true": "defaults.answer_target_s",
    "channels.chat.short_abandon_s = -1": "short_abandon_s",
    "channels.chat.short_abandon_s = nan": "short_abandon_s",
    "defaults.answer_taget_s = 20": "answer_taget_s",
    "default.answer_target_s = 20": "default",
    "queues = 5": "queues",
    "queues.sales = 5": "queues",
    "queues.sales.channels.voice.zone = 5": "zone",
    "queues.sales.channel.voice.zone = 'UTC'": "channel",
    'defaults.policy = "without_short_abandon"': "defaults.policy",
    'queues.sales.policy = ""': "queues.sales.policy",
    'defaults.zone = "Europe/Atlantis"': "defaults.zone",
    'defaults.zone = ""': "defaults.zone",
    'defaults.zone = "../../etc/passwd"': "defaults.zone",
    'defaults.zone = "Europe"': "defaults.zone",
    'channels.chat.zone = "/etc/localtime"': "channels.chat.zone",
    "defaults.targets.service_levels = 0.8": "defaults.targets.service_levels",
    "defaults.targets.service_level = 80": "defaults.targets.service_level",
    "defaults.targets.service_level = nan": "defaults.targets.service_level",
    "queues.sales.targets.handle_time = -1": "queues.sales.targets.handle_time",
    "queues.sales.targets.handle_time = nan": "queues.sales.targets.handle_time",
    "queues.sales.targets.handle_time = inf": "queues.sales.targets.handle_time",
    'queues.sales.targets.handle_time = "long"': "targets",
    "queues.sales.short_abandon_s = 30": "queues.sales (voice)",
    "defaults.short_abandon_s = 30": "(voice)",
    # voice is within its own target, but chat's stays at 60 s
    "channels.voice.answer_target_s = 120\ndefaults.short_abandon_s = 100": "(chat)",
    "channels.voice.answer_target_s = 120\nqueues.sales.short_abandon_s = 100": "queues.sales (chat)",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_document_is_refused_with_one_line_that_names_the_place(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Targets.of(tomllib.loads(text))
    message = str(refused.value)
    assert BAD[text] in message
    assert "\n" not in message


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(ValueError, match="did you mean 'answered_only'"):
        Targets.of({"defaults": {"policy": "answered_onyl"}})
    with pytest.raises(ValueError, match="did you mean 'handle_time'"):
        Targets.of({"defaults": {"targets": {"handel_time": 1}}})


@given(st.floats())
def test_no_number_gets_in_that_could_not_be_stored(value: float) -> None:
    try:
        targets = Targets.of({"defaults": {"targets": {"handle_time": value}}})
    except ValueError:
        assert not (math.isfinite(value) and value >= 0)
    else:
        assert Targets.from_json(targets.to_json()) == targets
