"""Settings as the product reads them, and as the reference does: the same rules said twice."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from stream_app.model.targets import Targets
from tests.reference.agents import IDLE_MS
from tests.reference.facts import Settings, default_satisfied
from tests.reference.hours import Weekly
from tests.reference.model import LASTING_MAX, RECENT_MAX, Reference
from tests.reference.rules import Rules, usual, usual_targets

_HOUR = 3_600_000
_OFFICE = Weekly([(day * 24 * _HOUR + 9 * _HOUR, day * 24 * _HOUR + 18 * _HOUR) for day in range(5)])
_HOURS = {"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-18:00"]}}}


class World(NamedTuple):
    """One set of settings: the document, and its meaning for the reference."""

    document: Mapping[str, Any]
    rules: Callable[[str, str], Rules] | None = None
    priority_targets: Callable[[str, str, str], tuple[int, int] | None] | None = None
    tells_messages: bool = True
    surveys: Callable[[str, str], Settings] | None = None
    idle_ms: int = IDLE_MS

    def targets(self) -> Targets:
        return Targets.of(self.document)

    def reference(self, *, recent_max: int = RECENT_MAX, lasting_max: int = LASTING_MAX) -> Reference:
        return Reference(
            usual_targets,
            rules=self.rules,
            priority_targets=self.priority_targets,
            tells_messages=self.tells_messages,
            recent_max=recent_max,
            lasting_max=lasting_max,
            surveys=self.surveys,
            idle_ms=self.idle_ms,
        )


def _office(_queue: str, channel: str) -> Rules:
    return usual(channel, _OFFICE)


def _strict(queue: str, channel: str) -> Rules:
    """Queue x says everything otherwise than by default; y has hours."""
    if queue == "y":
        return usual(channel, _OFFICE)
    return Rules(
        answer="assignment",
        bot="talks",
        work="replies",
        reply_target=60_000,
        reply_work_cap=30_000,
        clock="business",
        not_demand=frozenset({"spam", "closed", "timeout"}),
        request_gap=60_000,
        containment_return=2 * _HOUR,
        idle_days=1,
        calendar=_OFFICE,
    )


def _urgent(queue: str, _channel: str, priority: str) -> tuple[int, int] | None:
    return {"urgent": (5_000, 1_000), "1": (90_000, 5_000)}.get(priority) if queue == "x" else None


def _hard_to_please(queue: str, _channel: str) -> Settings:
    if queue != "x":
        return Settings()
    return Settings(
        lambda score, scale: score == 5 if scale == 5 else default_satisfied(score, scale), low_is_easy=False
    )


PLAIN = World({})
SILENT = World({}, lambda _, channel: usual(channel, tells_messages=False), tells_messages=False)
OFFICE = World({"defaults": {"calendar": "office"}, "calendars": _HOURS}, _office)
STRICT = World(
    {
        "defaults": {"calendar": "office"},
        "calendars": _HOURS,
        "agents": {"idle_h": 2},
        "queues": {
            "x": {
                "answer": "assignment",
                "bot": "talks",
                "work": "replies",
                "reply_target_s": 60,
                "reply_work_cap_s": 30,
                "clock": "business",
                "not_demand": ["Spam", "closed", "timeout"],
                "request_gap_s": 60,
                "containment_return_h": 2,
                "idle_days": 1,
                "csat_satisfied": {"5": [5]},
                "ces_easy": "high",
                "priorities": {
                    "urgent": {"answer_target_s": 5, "short_abandon_s": 1},
                    "1": {"answer_target_s": 90, "short_abandon_s": 5},
                },
            }
        },
    },
    _strict,
    _urgent,
    surveys=_hard_to_please,
    idle_ms=2 * _HOUR,
)
WORLDS = (PLAIN, SILENT, OFFICE, STRICT)
