"""Presets: an industry's usual targets as data, one line per number, each with its reason.

``preset = "retail"`` at the top of the targets takes them; everything else in the document overrides them. A line names a KPI
of the catalogue (its target) or a key of ``overrides.Overrides``, and holds for one channel or for all. Published figures carry
their source. They are what others aim at or reach, not what your customers will accept: a starting point.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.bands import BANDS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER

from .conversations import is_written

SETTINGS: Final = (
    "answer_target_s",
    "short_abandon_s",
    "reply_target_s",
    "concurrency",
)
"""Keys that a line may name besides KPIs."""
OURS: Final = "our choice"
HANDBOOKS: Final = "handbooks for heads of service"
"""Of what they agree on; see ``model.kpis.bands``."""
_OF_LEDGER: Final = frozenset(kpi.name for kpi in FROM_LEDGER)

_CHAT = "https://chatsy.app/blog/live-chat-response-time-benchmarks"
_SHOP = "https://bookbag.ai/blog/customer-service-response-time-by-channel"
_FIRST = "https://www.lorikeetcx.ai/articles/first-response-time-benchmark-customer-service"
_SAAS = "https://helptal.com/en/blog/first-response-time-benchmarks-by-channel-2026"
_HANDLE = "https://kayako.com/blog/average-handle-time-industry-standard"
_SURVEY = "https://callcentrehelper.com/80-in-20-seconds-think-again-78567.htm"
_BASELINE = (
    "https://searchcustomerexperience.techtarget.com/answer/Exploring-US-call-center-industry-standards"
)
_ABANDON = "https://convin.ai/frequently-asked-questions/call-center-industry-standards-abandonment-rate"
_PLAN = "https://lawinsider.com/clause/call-center-performance"
_CMS = "https://www.cqfluency.com/blog/cms-call-center-monitoring/"


class PresetLine(Struct, frozen=True):
    """One number of a preset.

    Attributes:
        name: a KPI (the value is its target, in the KPI's unit) or one of ``SETTINGS``.
        channel: the channel; empty for all.
        why: the reason, for people.
        source: where the number was published, ``HANDBOOKS`` or ``OURS``.
    """

    name: str
    value: float
    channel: str
    why: str
    source: str = OURS


class Preset(Struct, frozen=True):
    """The targets of an industry.

    Attributes:
        name: what the targets call it.
        about: what is particular about it.
        focus: the two or three KPIs that matter most there.
        lines: its numbers.
    """

    name: str
    about: str
    focus: tuple[str, ...]
    lines: tuple[PresetLine, ...]

    def document(self) -> dict[str, Any]:
        """Return its lines as a targets document: the tables ``defaults`` and ``channels``."""
        levels: dict[str, Any] = {"defaults": {}, "channels": {}}
        for line in self.lines:
            level = levels["channels"].setdefault(line.channel, {}) if line.channel else levels["defaults"]
            place = level if line.name in SETTINGS else level.setdefault("targets", {})
            place[line.name] = line.value
        return levels


def _answered(channel: str, seconds: float, why: str, source: str = OURS) -> tuple[PresetLine, ...]:
    """Return the targets that follow from one number: answer and replies, means, and the longest wait that is acceptable."""
    again = "the answer target, for every further reply"
    return (
        PresetLine("answer_target_s", seconds, channel, why, source),
        *((PresetLine("reply_target_s", seconds, channel, again),) if is_written(channel) else ()),
        *(
            PresetLine(name, seconds, channel, "the answer target, as a mean")
            for name in ("first_response", "first_response_business", "speed_of_answer", "queue_time")
        ),
        PresetLine(
            "oldest_waiting", 6 * seconds, channel, "six answer targets: by then somebody has been forgotten"
        ),
    )


def _good(name: str) -> PresetLine:
    """Return the target that is good of all industries together."""
    good = BANDS[name].good
    assert good is not None  # noqa: S101 - only of those that have one
    return PresetLine(
        name, good, "", "good, of all industries together; what is world class, the dictionary tells"
    )


_RETAIL_CALL: Final = "the middle of 5 to 8 minutes in simple e-commerce; others publish 3 to 5 for retail"
_SAAS_CALL: Final = "the middle of 10 to 15 minutes in technical support; others publish 7 to 10"
PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "retail",
        "Shops: many short contacts, and customers who are one click from another shop.",
        ("first_contact_resolution", "ces", "csat"),
        (
            _good("first_contact_resolution"),
            _good("csat"),
            PresetLine(
                "service_level", 0.80, "", "80 % within 20 s is what most voice queues aim at", _SURVEY
            ),
            PresetLine(
                "abandonment",
                0.05,
                "",
                "80/20/5: the baseline of service level, seconds, abandonment",
                _BASELINE,
            ),
            *_answered("voice", 20, "80 % within 20 s is what most voice queues aim at", _SURVEY),
            *_answered("chat", 45, "a human within 45 s in online shops", _CHAT),
            *_answered("messaging", 300, "text messages are expected to be answered within 5 minutes", _SHOP),
            *_answered("email", 14_400, "customers of shops expect an answer within 4 hours", _SHOP),
            PresetLine("handle_time", 390, "voice", _RETAIL_CALL, HANDBOOKS),
            PresetLine("handle_time", 780, "chat", "twice a call: written side by side with other chats"),
            PresetLine("concurrency", 3, "chat", "short questions: an agent has three chats at once"),
        ),
    ),
    Preset(
        "healthcare",
        "Patients and the insured: long calls, callers who can't go elsewhere, and regulators who measure.",
        ("quality_score", "csat", "compliance"),
        (
            _good("csat"),
            PresetLine(
                "service_level", 0.80, "", "US Medicare-Medicaid plans: 80 % of calls within 30 s", _PLAN
            ),
            PresetLine("abandonment", 0.05, "", "US Medicare plans: at most 5 % of calls disconnected", _CMS),
            *_answered("voice", 30, "US Medicare-Medicaid plans: 80 % of calls within 30 s", _PLAN),
            PresetLine(
                "oldest_waiting", 120, "voice", "US Medicare plans: 2 minutes on hold on average", _CMS
            ),
            *_answered("chat", 120, "a human within 2 minutes in healthcare", _CHAT),
            *_answered(
                "messaging", 300, "as in retail: the channel sets the expectation, not the industry", _SHOP
            ),
            *_answered("email", 14_400, "the best support teams answer email within 4 hours", _FIRST),
            PresetLine(
                "handle_time", 396, "voice", "6.6 minutes: intake and scheduling take several steps", _HANDLE
            ),
            PresetLine("handle_time", 720, "chat", "just under twice a call: less needs spelling out"),
            PresetLine(
                "concurrency",
                2,
                "chat",
                "what is said to one patient must not be mixed up with another: two chats at once",
            ),
        ),
    ),
    Preset(
        "finance",
        "Banks and insurers: money is at stake, so waiting is alarming, and every call begins with identification.",
        ("churn", "nps"),
        (
            _good("nps"),
            PresetLine("service_level", 0.90, "", "leading centres aim at 90 % within 20 s", _SURVEY),
            PresetLine("abandonment", 0.03, "", "the strict end of the usual 3 to 5 %", _ABANDON),
            *_answered("voice", 20, "leading centres aim at 90 % within 20 s", _SURVEY),
            *_answered("chat", 60, "a human within a minute in financial services", _CHAT),
            *_answered(
                "messaging", 300, "as in retail: the channel sets the expectation, not the industry", _SHOP
            ),
            *_answered("email", 14_400, "the best support teams answer email within 4 hours", _FIRST),
            PresetLine("handle_time", 285, "voice", "4 min 45 s, identification included", _HANDLE),
            PresetLine("handle_time", 570, "chat", "twice a call: written side by side with other chats"),
            PresetLine("concurrency", 2, "chat", "identified customers and their money: two chats at once"),
        ),
    ),
    Preset(
        "saas",
        "Software support: few but long calls, chat and email first, answers that must be looked up.",
        ("churn", "nps", "first_contact_resolution"),
        (
            _good("nps"),
            _good("first_contact_resolution"),
            PresetLine(
                "service_level",
                0.80,
                "",
                "80 % is the usual share; the seconds are a separate key",
                _SURVEY,
            ),
            PresetLine(
                "abandonment",
                0.05,
                "",
                "80/20/5: the baseline of service level, seconds, abandonment",
                _BASELINE,
            ),
            *_answered("voice", 30, "callers with a technical question wait a little longer"),
            *_answered("chat", 60, "chat customers of software expect a human within 60 s", _SAAS),
            *_answered(
                "messaging", 300, "as in retail: the channel sets the expectation, not the industry", _SHOP
            ),
            *_answered(
                "email",
                14_400,
                "4 to 8 business hours are accepted: the strict end, best with a calendar",
                _SAAS,
            ),
            PresetLine("handle_time", 750, "voice", _SAAS_CALL, HANDBOOKS),
            PresetLine("handle_time", 1_500, "chat", "twice a call: written side by side with other chats"),
            PresetLine("concurrency", 2, "chat", "answers are looked up meanwhile: two chats at once"),
        ),
    ),
)
BY_PRESET: Final[Mapping[str, Preset]] = {preset.name: preset for preset in PRESETS}


def _check() -> None:
    """Refuse a preset that names something unknown."""
    for preset in PRESETS:
        if unknown := {*preset.focus} - {*BY_NAME, *_OF_LEDGER}:
            raise ValueError(f"preset {preset.name}: unknown KPI {min(unknown)} in its focus")
        for line in preset.lines:
            if line.name not in {*BY_NAME, *_OF_LEDGER, *SETTINGS}:
                raise ValueError(
                    f"preset {preset.name}: {line.name} is neither a KPI of the catalogue nor one of {SETTINGS}"
                )


_check()
