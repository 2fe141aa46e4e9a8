"""Settings that change meaning: levels override each other, and a bad document is refused with its place."""

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.targets import Overrides, QueueTargets, Targets
from stream_app.model.targets.presets import BY_PRESET

LEVELS = ("defaults", "channels", "queues", "queues.channels")


CALENDARS: dict[str, Any] = {
    "office": {"zone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-17:00"]}},
    "night": {"hours": {"mon-sun": ["00:00-06:00", "22:00-24:00"]}},
}


def document(**of: dict[str, Any]) -> dict[str, Any]:
    """Wishes for queue `q` and channel `chat` at some of the levels."""
    queue: dict[str, Any] = dict(of.get("queues", {}))
    if "queues.channels" in of:
        queue["channels"] = {"chat": of["queues.channels"]}
    # Costs need a currency somewhere; every level may still name its own.
    out: dict[str, Any] = {"calendars": CALENDARS, "defaults": {"currency": "GBP"} | of.get("defaults", {})}
    if "channels" in of:
        out["channels"] = {"chat": of["channels"]}
    return {**out, "queues": {"q": queue}} if queue else out


overrides = st.fixed_dictionaries(
    {},
    optional={
        "answer_target_s": st.sampled_from([5.0, 20.0, 3600.0]),
        "short_abandon_s": st.sampled_from([0.0, 1.5, 5.0]),
        "policy": st.sampled_from(sorted(SERVICE_LEVELS)),
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
        "calendar": st.sampled_from(["office", "night"]),
        "ces_easy": st.sampled_from(["low", "high"]),
        "cost_per_hour": st.sampled_from([0.0, 31.5]),
        "currency": st.sampled_from(["EUR", "JPY"]),
        "risk_below": st.sampled_from([1.0, 3.5]),
        "csat_satisfied": st.dictionaries(
            st.sampled_from(["5", "7"]), st.sampled_from([[5], [4, 5], [1]]), max_size=2
        ),
        "targets": st.dictionaries(st.sampled_from(["service_level", "abandonment"]), st.floats(0, 1)),
        "too_good": st.dictionaries(st.sampled_from(["handle_time", "first_response"]), st.floats(0, 20)),
    },
)


@given(st.dictionaries(st.sampled_from(LEVELS), overrides))
def test_the_later_level_wins_setting_by_setting(of: dict[str, dict[str, Any]]) -> None:
    rule = Targets.of(document(**of)).rule("q", "chat")
    said: dict[str, Any] = {"answer_target_s": 60.0, "policy": "without_short_abandons", "zone": "UTC"}
    said |= {"short_abandon_s": 5.0, "calendar": None, "ces_easy": "low", "cost_per_hour": None}
    said |= {"currency": "GBP", "risk_below": 2.5}
    satisfied: dict[int, Any] = {5: (4, 5), 2: (2,)}
    targets = {name: t for name, k in BY_NAME.items() if (t := k.default_target("chat")) is not None}
    for level in LEVELS:
        said |= {key: value for key, value in of.get(level, {}).items() if key not in {"targets", "too_good"}}
        targets |= of.get(level, {}).get("targets", {})
        scales = of.get(level, {}).get("csat_satisfied", {})
        satisfied |= {int(scale): tuple(scores) for scale, scores in scales.items()}
    wanted = {name for level in of.values() for name in level.get("targets", {})}
    by_hours = {kpi.twin for kpi in BY_NAME.values() if kpi.twin} - wanted
    targets = {name: target for name, target in targets.items() if name not in by_hours}
    assert rule.answer_target == said["answer_target_s"] * 1000
    assert rule.short_abandon == said["short_abandon_s"] * 1000
    assert (rule.policy, rule.zone, rule.targets) == (said["policy"], said["zone"], targets)
    assert (rule.ces_easy, rule.cost_per_hour) == (said["ces_easy"], said["cost_per_hour"])
    assert (rule.currency, rule.risk_below) == (said["currency"], said["risk_below"])
    assert rule.csat_satisfied == satisfied
    assert rule.too_good == {
        n: v for level in LEVELS for n, v in of.get(level, {}).get("too_good", {}).items()
    }
    zones = {None: None, "office": "Europe/Berlin", "night": said["zone"]}
    assert (rule.calendar and rule.calendar.zone) == zones[said["calendar"]]


@given(st.dictionaries(st.sampled_from(LEVELS), overrides))
def test_what_is_stored_reads_back_the_same_and_writes_the_same_bytes(of: dict[str, dict[str, Any]]) -> None:
    targets = Targets.of(document(**of))
    stored = targets.to_json()
    assert Targets.from_json(stored) == targets
    assert Targets.from_json(stored).to_json() == stored


@given(
    st.dictionaries(st.sampled_from(LEVELS), overrides),
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
    assert isinstance(Targets().rule("q", "voice"), QueueTargets)


def test_a_target_shorter_than_the_default_short_abandon_takes_it_along() -> None:
    assert Targets.of({"defaults": {"answer_target_s": 3}}).rule("q", "voice").short_abandon == 3_000


def test_a_document_of_an_earlier_release_reads_as_it_did_and_keeps_its_bytes() -> None:
    stored = (
        b'{"channels":{"chat":{"answer_target_s":45.0}},"defaults":{"zone":"Europe/Berlin"},'
        b'"queues":{"billing":{"channels":{"voice":{"short_abandon_s":2.0}},"policy":"answered_only",'
        b'"targets":{"abandonment":0.03,"service_level":0.9}}}}'
    )
    targets = Targets.from_json(stored)
    assert targets.to_json() == stored
    assert Targets().to_json() == b"{}"
    rule = targets.rule("billing", "voice")
    assert (rule.answer_target, rule.short_abandon, rule.policy) == (20_000, 2_000, "answered_only")
    assert (rule.zone, rule.calendar, rule.site, rule.unit) == ("Europe/Berlin", None, None, None)


def test_the_order_in_which_a_document_is_written_does_not_change_its_bytes() -> None:
    one = {"zone": "UTC", "hours": {"mon": ["09:00-12:00", "13:00-17:00"], "tue": ["9:00-17:00"]}}
    other = {"hours": {"tue": [["09:00", "17:00"]], "mon": ["13:00-17:00", "09:00-12:00"]}, "zone": "UTC"}
    assert (
        Targets.of({"calendars": {"a": one}}).to_json() == Targets.of({"calendars": {"a": other}}).to_json()
    )


def test_where_a_queue_is_worked_and_for_whom() -> None:
    targets = Targets.of(
        {
            "queues": {
                "q": {"site": "Northwind", "partner": True, "unit": "insurance"},
                "own": {"site": "Leeds"},
            }
        }
    )
    rules = [targets.rule(queue, "chat") for queue in ("q", "own", "other")]
    assert [(rule.site, rule.partner, rule.unit) for rule in rules] == [
        ("Northwind", True, "insurance"),
        ("Leeds", False, None),
        (None, False, None),
    ]


def test_business_hours_of_a_queue() -> None:
    targets = Targets.of({"calendars": CALENDARS, "queues": {"q": {"calendar": "office"}}})
    monday, rule = 1_767_571_200_000, targets.rule("q", "voice")  # 2026-01-05T00:00Z
    assert rule.calendar is not None
    assert rule.calendar.within(monday, monday + 86_400_000) == 8 * 3_600_000
    assert rule.calendar is targets.rule("q", "chat").calendar is targets.rule("q", "voice").calendar
    assert targets.rule("other", "voice").calendar is None


@pytest.mark.parametrize(
    ("scale", "scores"), [(5, [4, 5]), (2, [2]), (3, [3]), (4, [4]), (7, [6, 7]), (10, [8, 9, 10])]
)
def test_who_counts_as_satisfied_unless_settings_say_otherwise(scale: int, scores: list[int]) -> None:
    rule = Targets().rule("q", "voice")
    assert [score for score in range(1, scale + 1) if rule.satisfied(score, scale)] == scores


def test_settings_say_who_counts_as_satisfied() -> None:
    targets = Targets.of({"channels": {"chat": {"csat_satisfied": {"5": [5], "10": [9, 10]}}}})
    chat, voice = targets.rule("q", "chat"), targets.rule("q", "voice")
    assert [(rule.satisfied(4, 5), rule.satisfied(8, 10)) for rule in (chat, voice)] == [
        (False, False),
        (True, True),
    ]


def test_targets_that_nearly_any_day_meets() -> None:
    lax = tomllib.loads("""
        defaults.targets.service_level = 0.4
        channels.voice.answer_target_s = 601
        queues.billing.targets.abandonment = 0.21
        queues.sales.channels.email.answer_target_s = 86400
    """)
    assert Targets.of(lax).lax() == [
        "queues.* (voice): the service_level target is 40%, below 50 %",
        "queues.* (voice): answer_target_s is 601, more than ten minutes for a caller",
        *(
            f"queues.* ({channel}): the service_level target is 40%, below 50 %"
            for channel in ("chat", "messaging", "email", "callback", "other channels")
        ),
        *(
            f"queues.billing ({channel}): the abandonment target is 21%, above 20 %"
            for channel in ("voice", "chat", "messaging", "email", "callback", "other channels")
        ),
    ]


@pytest.mark.parametrize("preset", [None, *BY_PRESET])
def test_what_we_propose_is_not_lax(preset: str | None) -> None:
    assert Targets.of({} if preset is None else {"preset": preset}).lax() == []
    edge = {"defaults": {"targets": {"service_level": 0.5, "abandonment": 0.2}, "answer_target_s": 600}}
    assert Targets.of(edge).lax() == []


def test_one_queue_replaced() -> None:
    targets = Targets().with_queue("q", answer_target_s=7.0)
    assert targets.rule("q", "voice").answer_target == 7_000
    assert Targets(defaults=Overrides(zone="UTC")) != targets


STRETCH = "from = 2026-01-05T08:00:00Z\nto = 2026-01-05T09:30:00Z\n"
BAD = {
    # document: what its one line must name
    "defaults.answer_target_s = 0": "defaults.answer_target_s",
    "defaults.answer_target_s = nan": "defaults.answer_target_s",
    'defaults.answer_target_s = "20"': "defaults.answer_target_s",
    "defaults.answer_target_s = 1e9": "defaults.answer_target_s",
    "defaults.answer_target_s = true": "defaults.answer_target_s",
    "channels.chat.short_abandon_s = -1": "channels.chat.short_abandon_s",
    "channels.chat.short_abandon_s = nan": "channels.chat.short_abandon_s",
    "defaults.answer_taget_s = 20": "defaults.answer_taget_s: unknown key; did you mean 'answer_target_s'?",
    "[[rules]]\nname = 'x'": "rules: alert rules are a file of their own, for stream-app render --rules",
    "default.answer_target_s = 20": "default: unknown key; did you mean 'defaults'?",
    "queues = 5": "queues",
    "queues.sales = 5": "queues.sales",
    "queues.sales.channels.voice.zone = 5": "queues.sales.channels.voice.zone",
    "queues.sales.channel.voice.zone = 'UTC'": "queues.sales.channel: unknown key",
    'defaults.policy = "without_short_abandon"': "defaults.policy",
    'queues.sales.policy = ""': "queues.sales.policy",
    'defaults.zone = "Europe/Atlantis"': "defaults.zone",
    'defaults.zone = ""': "defaults.zone",
    'defaults.zone = "../../etc/passwd"': "defaults.zone",
    'defaults.zone = "Europe"': "defaults.zone",
    'channels.chat.zone = "/etc/localtime"': "channels.chat.zone",
    "defaults.targets.service_levels = 0.8": "defaults.targets.service_levels",
    "defaults.targets.first_contact_resolution = 80": "defaults.targets.first_contact_resolution: expected a ratio",
    "defaults.too_good.first_contact_resolution = 0.99": "defaults.too_good.first_contact_resolution: unknown KPI",
    "defaults.targets.service_level = 80": "defaults.targets.service_level",
    "defaults.targets.service_level = nan": "defaults.targets.service_level",
    "queues.sales.targets.handle_time = -1": "queues.sales.targets.handle_time",
    "queues.sales.targets.handle_time = nan": "queues.sales.targets.handle_time",
    "queues.sales.targets.handle_time = inf": "queues.sales.targets.handle_time",
    'queues.sales.targets.handle_time = "long"': "queues.sales.targets.handle_time: expected `float`",
    "defaults.too_good.handel_time = 60": "defaults.too_good.handel_time: unknown KPI; did you mean 'handle_time'?",
    "defaults.too_good.service_level = 98": (
        "defaults.too_good.service_level: expected a ratio from 0 to 1 (80 % is 0.8), got 98"
    ),
    "queues.sales.too_good.handle_time = -1": "queues.sales.too_good.handle_time: expected a non-negative number, got -1",
    "queues.sales.too_good.handle_time = inf": "queues.sales.too_good.handle_time",
    "queues.sales.too_good = 60": "queues.sales.too_good: expected a table",
    "queues.sales.too_good.handle_time = 361": (
        "queues.sales (voice): too_good.handle_time (361) must not be above the target (360)"
    ),
    "queues.sales.too_good.service_level = 0.79": "queues.sales (voice): too_good.service_level (0.79) must not be below the",
    "queues.sales.channels.chat.too_good.handle_time = 601": "queues.sales (chat): too_good.handle_time (601)",
    "queues.sales.short_abandon_s = 30": "queues.sales (voice)",
    "defaults.short_abandon_s = 30": "(voice)",
    # voice is within its own target, but chat's stays at 60 s
    "channels.voice.answer_target_s = 120\ndefaults.short_abandon_s = 100": "(chat)",
    "channels.voice.answer_target_s = 120\nqueues.sales.short_abandon_s = 100": "queues.sales (chat)",
    "calendars = 5": "calendars",
    "calendars.office = 5": "calendars.office",
    "calendars.office.hours.mon = ['09:00-08:00']": "calendars.office.hours.mon",
    "defaults.calendar = 'office'": "defaults.calendar",
    "queues.sales.channels.chat.calendar = ''": "queues.sales.channels.chat.calendar",
    "queues.sales.site = ''": "queues.sales.site",
    "queues.sales.site = 5": "queues.sales.site",
    "queues.sales.partner = 'Northwind'": "queues.sales.partner",
    "queues.sales.partner = true": "queues.sales.partner",
    "defaults.site = 'Leeds'": "defaults.site",
    "queues.sales.channels.chat.unit = 'x'": "queues.sales.channels.chat.unit",
    "defaults.ces_easy = 'middle'": "defaults.ces_easy",
    "defaults.cost_per_hour = 30": "queues.* (voice)",
    "queues.sales.channels.chat.cost_per_contact = 1": "queues.sales (chat)",
    "defaults.cost_per_hour = -1": "defaults.cost_per_hour",
    "defaults.overhead_per_hour = 6": "queues.* (voice): costs need a currency",
    "defaults.overhead_per_hour = -1": "defaults.overhead_per_hour",
    "ledger = 5": "ledger: expected a table",
    "ledger.repeat_days = 0": "ledger.repeat_days",
    "ledger.repeat_days = 91": "ledger.repeat_days",
    "ledger.repeat_days = 1.5": "ledger.repeat_days",
    "ledger.bot_return_h = 0": "ledger.bot_return_h",
    "ledger.repeat_per_channel = 1": "ledger.repeat_per_channel",
    "ledger.fcr_policy = 'by_hand'": "ledger.fcr_policy",
    "ledger.fcr_polcy = 'by_case'": "ledger.fcr_polcy: unknown key; did you mean 'fcr_policy'?",
    "queues.sales.repeat_days = 3": (
        "queues.sales.repeat_days: expected in the table ledger: it is the same for all queues"
    ),
    "defaults.cost_per_contact = nan": "defaults.cost_per_contact",
    "defaults.cost_per_contact = inf": "defaults.cost_per_contact",
    "defaults.currency = 'eur'": "defaults.currency",
    "defaults.risk_below = 0.5": "defaults.risk_below",
    "defaults.risk_below = nan": "defaults.risk_below",
    "defaults.csat_satisfied.five = [4]": "defaults.csat_satisfied.five",
    "defaults.csat_satisfied.05 = [4]": "defaults.csat_satisfied.05",
    "defaults.csat_satisfied.1 = [1]": "defaults.csat_satisfied.1",
    "defaults.csat_satisfied.5 = [6]": "defaults.csat_satisfied.5",
    "defaults.csat_satisfied.5 = [0, 5]": "defaults.csat_satisfied.5",
    "defaults.csat_satisfied.5 = []": "defaults.csat_satisfied.5",
    "defaults.csat_satisfied.5 = [4, 4]": "defaults.csat_satisfied.5",
    "defaults.csat_satisfied.5 = ['4']": "defaults.csat_satisfied.5",
    "preset = 5": "preset",
    "preset = 'retial'": "preset: unknown preset 'retial'; did you mean 'retail'?",
    "base.defaults.zone = 'UTC'": "base",
    "queues.sales.external_id = ''": "queues.sales.external_id",
    "defaults.external_id = 'x'": "defaults.external_id",
    "outages = 5": "outages: expected a list; write [[outages]] with two brackets",
    f"[outages]\n{STRETCH}reason = 'x'": "outages: expected a list; write [[outages]] with two brackets",
    "outages = [5]": "outages.1: expected a table",
    "[[outages]]": "outages.1.from: missing; an outage needs from, to and reason",
    f"[[outages]]\n{STRETCH}": "outages.1.reason: missing",
    f"[[outages]]\n{STRETCH}reason = ''": "outages.1.reason",
    f"[[outages]]\n{STRETCH}reason = 5": "outages.1.reason",
    f"[[outages]]\n{STRETCH}reason = '{'x' * 201}'": "outages.1.reason",
    f"[[outages]]\n{STRETCH}reason = 'x'\nqueue = ['q']": "outages.1.queue: unknown key; did you mean 'queues'?",
    f"[[outages]]\n{STRETCH}reason = 'x'\nqueues = 'q'": "outages.1.queues: expected a list of names",
    f"[[outages]]\n{STRETCH}reason = 'x'\nchannels = []": (
        "outages.1.channels: the list is empty; leave it out to mean all channels"
    ),
    "[[outages]]\nfrom = 2026-01-05\nto = 2026-01-06\nreason = 'x'": "outages.1.from: expected a time with an offset",
    "[[outages]]\nfrom = 2026-01-05T08:00:00\nto = 2026-01-06\nreason = 'x'": "outages.1.from",
    "[[outages]]\nfrom = '0001-01-01T00:00:00+02:00'\nto = 2026-01-06T00:00:00Z\nreason = 'x'": "outages.1.from",
    "[[outages]]\nfrom = 2026-01-05T08:00:00Z\nto = 2026-01-05T09:00:00+01:00\nreason = 'x'": (
        "outages.1.to: must be later than from"
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_document_is_refused_with_one_line_that_names_the_place(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Targets.of(tomllib.loads(text))
    message = str(refused.value)
    assert message.startswith(BAD[text]) or (BAD[text].startswith("(") and BAD[text] in message)
    assert "\n" not in message


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(ValueError, match="did you mean 'answered_only'"):
        Targets.of({"defaults": {"policy": "answered_onyl"}})
    with pytest.raises(
        ValueError,
        match=r"^queues.billing.calendar: unknown calendar 'offce'; did you mean 'office'\?$",
    ):
        Targets.of({"calendars": CALENDARS, "queues": {"billing": {"calendar": "offce"}}})
    with pytest.raises(ValueError, match="did you mean 'handle_time'"):
        Targets.of({"defaults": {"targets": {"handel_time": 1}}})


def test_a_document_of_a_release_without_a_second_side_reads_and_writes_the_same_bytes() -> None:
    stored = b'{"queues":{"sales":{"targets":{"handle_time":300.0}}}}'
    targets = Targets.from_json(stored)
    assert targets.to_json() == stored
    assert targets.rule("sales", "voice").too_good == {}


@given(st.floats())
def test_no_number_gets_in_that_could_not_be_stored(value: float) -> None:
    try:
        targets = Targets.of({"defaults": {"targets": {"handle_time": value}}})
    except ValueError:
        assert not (math.isfinite(value) and value >= 0)
    else:
        assert Targets.from_json(targets.to_json()) == targets


def test_an_outage_is_of_its_queues_channels_and_time() -> None:
    targets = Targets.of(
        tomllib.loads("""
        queues.billing.external_id = "0f-1"
        [[outages]]
        from = 2026-01-05T09:00:00+01:00
        to = "2026-01-05T08:30:00Z"
        queues = ["billing", "sales"]
        channels = ["voice"]
        reason = "carrier"
        [[outages]]
        from = 2026-01-05T08:10:00Z
        to = 2026-01-05T08:11:00Z
        reason = "power"
    """)
    )
    at, minute = 1_767_600_000_000, 60_000  # 2026-01-05T08:00Z

    def found(queue: str, channel: str, start: int, end: int) -> str | None:
        return targets.outage(queue, channel, at + start * minute, at + end * minute)

    assert found("billing", "voice", 0, 15) == "carrier; power"
    assert found("billing", "voice", 15, 30) == "carrier"
    assert found("billing", "voice", 30, 45) is None
    assert found("billing", "voice", -15, 0) is None
    assert found("billing", "chat", 15, 30) is None
    assert found("other", "voice", 0, 15) == found("billing", "chat", 0, 15) == "power"
    assert (targets.external_id("billing"), targets.external_id("sales")) == ("0f-1", None)
    stored = targets.to_json()
    assert Targets.from_json(stored) == targets
    assert b'"from":"2026-01-05T08:00:00.000Z"' in stored
