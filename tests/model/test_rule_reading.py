"""Whatever a document of custom rules contains, it is read, or refused with the path of a field that is there or missing."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.alerting import conditions, reading
from stream_app.model.alerting.conditions import FieldError
from stream_app.model.alerting.rules import CustomRule, seconds
from stream_app.model.kpis import BY_NAME
from stream_app.views.alerts import custom, custom_tests, grafana, prometheus

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
LEVELS = (
    st.sampled_from(["target", "10 %", "90s", "2m", "1.5h", "5 points", "-10 %", 0, 0.5, 0.9, 1, 30, -3])
    | ANY
)
CONDITIONS = st.fixed_dictionaries(
    {"kpi": st.sampled_from([*BY_NAME]) | ANY},
    optional={
        "above": LEVELS,
        "below": LEVELS,
        "by": LEVELS,
        "clear": LEVELS,
        "window": st.sampled_from(["5m", "30m", "today"]) | ANY,
        "minimum": st.integers(-1, 50) | ANY,
    },
)
LISTS = st.lists(CONDITIONS, min_size=1, max_size=3) | ANY
HOURS = st.fixed_dictionaries(
    {"zone": st.sampled_from(["UTC", "Europe/Berlin"]) | ANY},
    optional={"mon-fri": st.just(["08:00-18:00"]) | ANY, "sat": st.just(["22:00-24:00"]) | ANY},
)
RULES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Callers give up", "A", "callers, give up"]) | ANY,
        "severity": st.sampled_from(["page", "ticket"]) | ANY,
        "all": LISTS,
    },
    optional={
        "any": LISTS,
        "window": st.sampled_from(["5m", "30m", "today"]) | ANY,
        "minimum": st.integers(0, 50) | ANY,
        "hold": st.sampled_from(["0s", "90s", "1h", "24h"]) | ANY,
        "hours": st.sampled_from(["open", "always"]) | HOURS | ANY,
        "queues": st.lists(st.text(max_size=4), max_size=2) | ANY,
        "receiver": st.sampled_from(["floor", "Floor"]) | ANY,
        "do": ANY,
        "runbook": st.just("https://example.org/") | ANY,
        "other": ANY,
    },
)


def holds(value: Any, path: conditions.Path) -> bool:
    """Whether a path leads to a value of the document, or to a field that one of its tables lacks."""
    for n, part in enumerate(path):
        inner = (
            {**value}
            if isinstance(value, dict)
            else dict(enumerate(value))
            if isinstance(value, list)
            else {}
        )
        if part not in inner:
            return isinstance(value, dict) and n == len(path) - 1
        value = inner[part]
    return True


def outcome(document: dict[str, Any]) -> tuple[CustomRule, ...] | FieldError:
    """What becomes of a document."""
    try:
        return reading.read(document)
    except FieldError as error:
        return error


@pytest.mark.slow
@given(st.fixed_dictionaries({"rules": st.lists(RULES, max_size=2) | ANY}))
def test_a_document_is_read_or_refused_with_a_field(document: dict[str, Any]) -> None:
    found = outcome(document)
    if isinstance(found, FieldError):
        assert holds(document, found.path)
        assert found.why
        assert "\n" not in str(found)
    else:
        alerts = [custom.alert(rule) for rule in found]
        assert prometheus.rule_file(of=alerts)
        assert grafana.rule_file(of=alerts)


VALID = st.builds(
    lambda kpi, side, level, hold: {
        "rules": [
            {
                "name": "x",
                "severity": "page",
                "hold": hold,
                "hours": "always",
                "all": [{"kpi": kpi, side: level}],
            }
        ]
    },
    st.sampled_from(["abandonment", "handle_time", "backlog", "nps", "offered", "oldest_waiting"]),
    st.sampled_from(["above", "below"]),
    st.sampled_from(["target", 0.25, 0.5]),
    st.sampled_from(["0s", "45s", "10m"]),
)


@given(VALID)
def test_each_rule_that_is_read_has_cases_in_which_it_fires_and_in_which_it_is_silent(
    document: dict[str, Any],
) -> None:
    rules = outcome(document)
    if isinstance(rules, FieldError):
        assert "no target" in rules.why
        return
    (rule,) = rules
    found = [*custom_tests.cases(rule)]
    assert {case.fires for case in found} == {True, False}
    assert len({case.name for case in found}) == len(found)
    assert all(case.until * 60 > seconds(rule.hold) for case in found if case.fires)
