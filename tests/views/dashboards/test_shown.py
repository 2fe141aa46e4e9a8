"""The tests' own Grafana: it writes values as ``@grafana/data`` 12.1.1 did when it was asked."""

from typing import Any

import pytest

from stream_app.views.dashboards import look
from tests.services.prometheus import Sample

from .shown import shown

TRUST = {
    "mappings": [*look.no_value(), look.named({"0": ("not trusted", "red"), "1": ("trusted", "green")})],
    "thresholds": look.steps("red", (1, "green")),
}


def tile(**config: Any) -> dict[str, Any]:
    defaults = {"noValue": "—", "unit": "none", "thresholds": look.steps("blue"), **config}
    return {
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [{"refId": ref_id, "expr": ref_id, "legendFormat": "{{channel}}"} for ref_id in "MT"],
    }


@pytest.mark.parametrize(
    ("config", "value", "text", "colour"),
    [
        ({"unit": "locale", "decimals": 0}, 1234, "1,234", "blue"),
        ({"unit": "dthms"}, 372.4, "00:06:12", "blue"),
        ({"unit": "percentunit", "decimals": 1}, 0.8234, "82.3%", "blue"),
        ({"unit": "percentunit", "decimals": 0}, 1.5, "150%", "blue"),
        ({"unit": "suffix:s", "decimals": 1}, 0.93, "0.9 s", "blue"),
        ({"decimals": 2}, -0.356, "-0.36", "blue"),
        ({"thresholds": look.thresholds(0.8, "higher")}, 0.5, "0", "red"),
        ({"thresholds": look.thresholds(0.8, "higher")}, 0.8, "1", "green"),
        ({"thresholds": look.thresholds(20, "lower", look.AMBER)}, 30, "30", "amber"),
        ({"thresholds": look.steps("red", (1, "green"))}, None, "—", "red"),  # without a mapping
        (TRUST, None, "—", "grey"),
        (TRUST, float("nan"), "—", "grey"),
        (TRUST, 0, "not trusted", "red"),
        (TRUST, 1, "trusted", "green"),
    ],
)
def test_a_value_is_written_and_coloured(
    config: dict[str, Any], value: float | None, text: str, colour: str
) -> None:
    answers = {} if value is None else {"M": [Sample({"channel": "voice"}, value)]}
    found = shown(tile(**config), lambda asked: answers.get(asked, []))
    assert [one[1:] for one in found] == [(text, colour)]


def test_what_a_query_returns_has_its_colour() -> None:
    panel = tile()
    panel["fieldConfig"]["overrides"] = [look.coloured("M", "red"), look.coloured("T", "green")]
    answers = {"M": [Sample({"channel": "voice"}, 600)], "T": [Sample({"channel": "email"}, 600)]}
    assert shown(panel, answers.__getitem__) == [("email", "600", "green"), ("voice", "600", "red")]
