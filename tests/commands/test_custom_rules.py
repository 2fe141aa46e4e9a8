"""Files of custom rules: what is refused, and with which line and field; what `render` makes of a file."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.custom_rules import custom_rules
from stream_app.errors import BadSettingsError
from stream_app.model.alerting import conditions, reading
from stream_app.model.alerting.local_hours import LAST_YEAR
from stream_app.model.alerting.rules import CustomRule
from stream_app.views.alerts import custom_files
from tests.services.alertmanager import amtool
from tests.services.prometheus import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs/rules.example.toml"
RECEIVERS = ROOT / "docs/receivers.example.toml"
RULE = """\
[[rules]]
name = "Callers give up"
severity = "page"
"""
ALL = f'{RULE}all = [{{ kpi = "abandonment", above = 0.1 }}]\n'


def condition(text: str) -> str:
    """A rule of one condition, which is on line 5."""
    return f"{RULE}all = [\n  {{ {text} }},\n]\n"


WRONG = {
    "a table that there is not": (
        "[[rule]]\n",
        "1: rule: unknown table 'rule'; rules are written as [[rules]]",
    ),
    "nothing": ("# no rules\n", "1: expected at least one [[rules]]; write rules = [] for none"),
    "one bracket": ('[rules]\nname = "x"\n', "1: rules: expected a list; write [[rules]] with two brackets"),
    "no TOML": (
        f'{RULE}all = [{{ kpi = "abandonment" above = 0.1 }}]\n',
        "4: invalid TOML, column 30: unclosed inline table",
    ),
    "no name": ('[[rules]]\nseverity = "page"\n', "1: rules.1.name: is missing"),
    "a brace in the name": (
        ALL.replace("Callers give up", "{{ x }}"),
        "2: rules.1.name: expected 1 to 60 letters, digits, spaces and _ ' ( ) -, beginning with a letter, got '{{ x }}'",
    ),
    "a name of ours": (
        ALL.replace("Callers give up", "AbandonmentOffTarget"),
        "2: rules.1.name: 'AbandonmentOffTarget' is the name of a built-in alert; choose another",
    ),
    "two names that are alike": (
        ALL + "\n" + ALL.replace("Callers give up", "callers (give up)"),
        "7: rules.2.name: 'callers (give up)' is too similar to another rule's name, 'Callers give up'",
    ),
    "no severity": ('[[rules]]\nname = "x"\n', "1: rules.1.severity: is missing"),
    "another severity": (
        ALL.replace('"page"', '"pager"'),
        "3: rules.1.severity: expected page or ticket, got 'pager'; did you mean 'page'?",
    ),
    "a field that there is not": (
        f"{ALL}queue = []\n",
        "5: rules.1.queue: unknown field; did you mean 'queues'?",
    ),
    "Prometheus's word": (f'{ALL}for = "5m"\n', "5: rules.1.for: unknown field; did you mean 'hold'?"),
    "no conditions": (RULE, "1: rules.1.all: is missing: list the conditions in all = [...] or any = [...]"),
    "all and any": (
        f'{ALL}any = [{{ kpi = "backlog", above = 3 }}]\n',
        "5: rules.1.any: a rule has one of all and any, not both",
    ),
    "an empty list": (f"{RULE}all = []\n", "4: rules.1.all: expected 1 to 8 conditions, got 0"),
    "a condition in words": (
        f'{RULE}all = ["abandonment > 0.1"]\n',
        "4: rules.1.all.1: expected a condition like { kpi = \"abandonment\", above = 0.1 }, got 'abandonment > 0.1'",
    ),
    "a field of conditions": (
        condition('kpi = "abandonment", over = 0.1'),
        "5: rules.1.all.1.over: unknown field; did you mean 'above'?",
    ),
    "no KPI": (condition("above = 0.1"), "5: rules.1.all.1.kpi: is missing"),
    "an unknown KPI": (
        condition('kpi = "abandonement", above = 0.1'),
        "5: rules.1.all.1.kpi: unknown KPI 'abandonement'; did you mean 'abandonment'?",
    ),
    "money": (
        condition('kpi = "cost_per_contact", above = 3'),
        "5: rules.1.all.1.kpi: cost_per_contact is an amount of money, by currency; rules can't compare it",
    ),
    "no comparison": (
        condition('kpi = "abandonment"'),
        "5: rules.1.all.1.above: is missing: write above or below, and a value",
    ),
    "both sides": (
        condition('kpi = "abandonment", above = 0.1, below = 0.2'),
        "5: rules.1.all.1.below: expected above or below, not both",
    ),
    "percent as a number": (
        condition('kpi = "abandonment", above = 10'),
        "5: rules.1.all.1.above: expected a ratio from 0 to 1 (80 % is 0.8) or a text like '80 %', got 10",
    ),
    "a target misspelt": (
        condition('kpi = "abandonment", above = "tarjet"'),
        "5: rules.1.all.1.above: expected a ratio like 0.8 or '80 %' or 'target', got 'tarjet'; did you mean 'target'?",
    ),
    "a truth value": (
        condition('kpi = "backlog", above = true'),
        "5: rules.1.all.1.above: expected a number or 'target', got True",
    ),
    "percent of a time": (
        condition('kpi = "handle_time", above = "10 %"'),
        "5: rules.1.all.1.above: expected seconds like 90, or '90s' or '2m' or 'target', got '10 %'",
    ),
    "no target": (
        condition('kpi = "offered", below = "target"'),
        "5: rules.1.all.1.below: offered has no target; write a number",
    ),
    "never": (
        condition('kpi = "abandonment", above = 1'),
        "5: rules.1.all.1.above: abandonment is never above 1: the rule would not fire",
    ),
    "a negative time": (
        condition('kpi = "handle_time", below = -5'),
        "5: rules.1.all.1.below: expected a non-negative number, got -5",
    ),
    "by without a target": (
        condition('kpi = "abandonment", above = 0.1, by = 0.1'),
        "5: rules.1.all.1.by: only works with a target: it states how far past it the value must be",
    ),
    "too many points": (
        condition('kpi = "service_level", below = "target", by = 10'),
        "5: rules.1.all.1.by: expected less than 1 (10 points are 0.1), got 10",
    ),
    "clears where it fires": (
        condition('kpi = "service_level", below = 0.7, clear = 0.6'),
        "5: rules.1.all.1.clear: it would clear (0.6) where it still fires; expected more than below (0.7)",
    ),
    "clears past the target": (
        condition('kpi = "service_level", below = "target", by = 0.1, clear = 0.2'),
        "5: rules.1.all.1.clear: it would clear (0.2) where it still fires; expected less than by (0.1)",
    ),
    "a window that is not kept": (
        f'{ALL}window = "10m"\n',
        "5: rules.1.window: abandonment is kept for 5m, 30m, today, not for '10m'",
    ),
    "a condition's window": (
        condition('kpi = "csat", below = 0.5, window = "30m"'),
        "5: rules.1.all.1.window: csat is kept for today, not for '30m'",
    ),
    "a window of a level": (
        condition('kpi = "backlog", above = 5, window = "30m"'),
        "5: rules.1.all.1.window: backlog is a level, as it is now: it has no window",
    ),
    "no contacts": (
        f"{ALL}minimum = 0\n",
        "5: rules.1.minimum: expected a whole number of contacts, at least 1, got 0",
    ),
    "a minimum of a level": (
        f'{RULE}minimum = 5\nall = [{{ kpi = "backlog", above = 5 }}]\n',
        "4: rules.1.minimum: no condition rests on a number of contacts: these KPIs are levels or volumes",
    ),
    "a hold in words": (
        f'{ALL}hold = "5 minutes"\n',
        "5: rules.1.hold: invalid duration '5 minutes'; use e.g. 90s or 5m",
    ),
    "a hold of a week": (f'{ALL}hold = "1w"\n', "5: rules.1.hold: expected at most 24h, got 1w"),
    "a hold longer than the hours": (
        f'{ALL}hold = "10h"\nhours = {{ zone = "UTC", mon-fri = ["08:00-12:00", "12:00-17:00"] }}\n',
        "5: rules.1.hold: 10h is longer than its hours (9 h at a time): the rule would never fire",
    ),
    "hours in a word": (
        f'{ALL}hours = "opened"\n',
        (
            "5: rules.1.hours: expected open, always or hours of its own like "
            """{ zone = "Europe/Berlin", mon-fri = ["08:00-18:00"] }, got 'opened'; did you mean 'open'?"""
        ),
    ),
    "hours without a zone": (
        f'{ALL}hours = {{ mon-fri = ["08:00-18:00"] }}\n',
        '5: rules.1.hours.zone: is missing: hours of its own need a time zone, like zone = "Europe/Berlin"',
    ),
    "an unknown zone": (
        f'{ALL}[rules.hours]\nzone = "Europe/Berln"\nmon = ["08:00-18:00"]\n',
        "6: rules.1.hours.zone: unknown time zone 'Europe/Berln'; use an IANA name like Europe/Berlin",
    ),
    "an unknown weekday": (
        f'{ALL}[rules.hours]\nzone = "UTC"\nmonday = ["08:00-18:00"]\n',
        "7: rules.1.hours.monday: unknown weekday 'monday'; use mon tue wed thu fri sat sun, or a range like mon-fri",
    ),
    "a period backwards": (
        f'{ALL}[rules.hours]\nzone = "UTC"\nmon = ["18:00-08:00"]\n',
        (
            "7: rules.1.hours.mon: 18:00-08:00 must end after it begins; to cross midnight, write 18:00-24:00 and "
            "00:00-08:00 on the next day"
        ),
    ),
    "one queue as a text": (
        f'{ALL}queues = "billing"\n',
        "5: rules.1.queues: expected a list of names like [\"billing\"], got 'billing'",
    ),
    "no queues": (
        f"{ALL}queues = []\n",
        "5: rules.1.queues: the list is empty; leave it out to mean all queues",
    ),
    "an unknown receiver": (
        f'{ALL}receiver = "flor"\n',
        "5: rules.1.receiver: unknown receiver 'flor'; did you mean 'floor'?",
    ),
    "a template in a text": (
        f'{ALL}do = "Look at {{{{ .Labels.queue }}}}"\n',
        (
            "5: rules.1.do: expected a line of at most 200 characters without dollar signs and braces, got "
            "'Look at {{ .Labels.queue }}'"
        ),
    ),
    "no address": (
        f'{ALL}runbook = "wiki"\n',
        "5: rules.1.runbook: expected an address that begins with http:// or https://, got 'wiki'",
    ),
}


def refused(path: Path) -> str:
    with pytest.raises(BadSettingsError) as caught:
        custom_rules(path, ["floor"])
    return str(caught.value)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_refused_with_its_line_and_field(tmp_path: Path, name: str) -> None:
    text, expected = WRONG[name]
    path = tmp_path / "rules.toml"
    path.write_text(text)
    assert refused(path) == f"{path}:{expected}"


def test_each_mistake_is_one_of_its_own(tmp_path: Path) -> None:
    """What is wrong in the examples is what the message says, and nothing else: the same rules without it are right."""
    assert len({expected for _, expected in WRONG.values()}) == len(WRONG) >= 20
    path = tmp_path / "rules.toml"
    for text in (ALL, condition('kpi = "abandonment", above = 0.1'), f'{ALL}receiver = "floor"\n'):
        path.write_text(text)
        (rule,) = custom_rules(path, ["floor"])
        assert rule.conditions[0].level == 0.1


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    assert refused(path) == f"{path}: No such file or directory"
    path.write_bytes(b"\xff")
    assert refused(path) == f"{path}: expected UTF-8 text"


def test_texts_with_units_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"

    def only(text: str) -> Any:
        path.write_text(condition(text))
        return custom_rules(path)[0].conditions[0]

    assert only('kpi = "abandonment", above = "12.5 %"').level == 0.125
    assert only('kpi = "handle_time", above = "2m"').level == 120
    assert only('kpi = "handle_time", above = "1.5h"').level == 5400
    past = only('kpi = "handle_time", above = "target", by = "30 %", clear = "10 %"')
    assert (past.level, past.by, past.clear, past.relative) == (None, 0.3, 0.1, True)
    points = only('kpi = "service_level", below = "target", by = "10 points", clear = "target"')
    assert (points.by, points.clear, points.relative) == (0.1, 0, False)
    assert only('kpi = "csat", below = 0.5').window == "today"


def example() -> tuple[CustomRule, ...]:
    return custom_rules(RULES, ["floor"])


# --- render ---


def render(*options: object) -> Result:
    return CliRunner().invoke(cli, ["render", *map(str, options)])


def rendered(out: Path, who: str, rules: Path = RULES) -> Path:
    done = render("--out", out, "--alerting", who, "--rules", rules, "--receivers", RECEIVERS)
    assert done.exit_code == 0, done.output
    return out


def test_prometheus_accepts_the_example_and_sends_it_to_its_receiver(tmp_path: Path) -> None:
    out = rendered(tmp_path, "prometheus")
    rules = out / "prometheus/rules/custom.rules.yml"
    assert f"{2 * len(example())} rules found" in promtool("check", "rules", rules)
    config = out / "prometheus/alertmanager.yml"
    amtool("check-config", config)
    for alert in (group := yaml.safe_load(rules.read_text())["groups"][0])["rules"][1::2]:
        labels = [f"{name}={value}" for name, value in alert["labels"].items()]
        to = amtool("config", "routes", "test", "--config.file", config, *labels)
        wanted = alert["labels"].get("receiver", alert["labels"]["severity"])
        assert to.split("\n")[0] == wanted
    assert group["name"] == "custom"
    assert yaml.safe_load((out / "grafana/provisioning/alerting/custom-rules.yaml").read_text())[
        "deleteRules"
    ]


def test_whoever_does_not_evaluate_gets_no_rules(tmp_path: Path) -> None:
    out = rendered(tmp_path, "grafana")
    assert yaml.safe_load((out / "prometheus/rules/custom.rules.yml").read_text()) == {"groups": []}
    (group,) = yaml.safe_load((out / "grafana/provisioning/alerting/custom-rules.yaml").read_text())["groups"]
    assert [rule["title"] for rule in group["rules"]] == [rule.name for rule in example()]


def test_grafana_is_told_to_delete_a_rule_that_is_gone(tmp_path: Path) -> None:
    out = rendered(tmp_path, "grafana")
    one = tmp_path / "one.toml"
    one.write_text(ALL)
    path = rendered(out, "grafana", one) / "grafana/provisioning/alerting/custom-rules.yaml"
    document = yaml.safe_load(path.read_text())
    gone = [f"custom-{rule.slug}" for rule in example()[1:]]
    assert [rule["uid"] for rule in document["deleteRules"]] == sorted(gone)
    assert [rule["uid"] for rule in document["groups"][0]["rules"]] == ["custom-callers-give-up"]
    before = path.read_text()
    assert rendered(out, "grafana", one)
    assert path.read_text() == before
    one.write_text("rules = []\n")
    rendered(out, "grafana", one)
    document = yaml.safe_load(path.read_text())
    assert document["groups"] == []
    assert {rule["uid"] for rule in document["deleteRules"]} == {*gone, "custom-callers-give-up"}


def test_a_checkout_gets_both_alternatives_and_one_set_of_tests() -> None:
    found = custom_files.files(None, example(), "docs/runbook.md", {})
    empty = yaml.safe_load(found["grafana/rules/custom.rules.yml"])
    assert empty == {"groups": []}
    assert yaml.safe_load(found["prometheus/rules/custom.rules.yml"])["groups"]
    assert yaml.safe_load(found["grafana/provisioning/alerting/custom-rules.yaml"])["groups"]
    off = yaml.safe_load(found["prometheus/provisioning/alerting/custom-rules.yaml"])
    assert [gone["uid"] for gone in off["deleteRules"]] == [f"custom-{rule.slug}" for rule in example()]
    tests = {name for name in found if name.startswith("prometheus/tests/")}
    assert tests == {
        f"prometheus/tests/{rule.slug}.{kind}.yml" for rule in example() for kind in ("rules", "test")
    }


def test_a_receiver_needs_the_file_of_receivers(tmp_path: Path) -> None:
    done = render("--out", tmp_path, "--alerting", "grafana", "--rules", RULES)
    assert isinstance(done.exception, BadSettingsError)
    assert re.fullmatch(
        rf"{RULES}:\d+: rules\.1\.receiver: unknown receiver 'floor'; add it to the file of --receivers",
        str(done.exception),
    )
    assert not (tmp_path / "grafana").exists()


def test_the_example_shows_every_field() -> None:
    rules = tomllib.loads(RULES.read_text())["rules"]
    text = RULES.read_text()
    used = {name for rule in rules for name in rule} | {word for word in reading.KEYS if word in text}
    assert {*reading.KEYS} - used == {"runbook"}
    assert {*conditions.KEYS} == {
        name for rule in rules for one in (*rule.get("all", ()), *rule.get("any", ())) for name in one
    } | {"minimum", "window"}


# --- the documentation ---

PAGE = (ROOT / "docs/alerting.md").read_text().partition("## Rules of your own")[2]


def test_the_page_s_example_can_be_copied_as_it_is(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "rules.toml"
    path.write_text(block)
    (rule,) = custom_rules(path)
    assert [one.kpi for one in rule.conditions] == ["abandonment", "service_level"]


def test_the_page_has_every_field_and_no_other() -> None:
    of_rules, _, of_conditions = PAGE.partition("### ")[0].partition("| field of a condition")
    ours, theirs = (
        [
            name
            for row in re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", row)
        ]
        for table in (of_rules, of_conditions)
    )
    assert sorted(ours) == sorted(reading.KEYS)
    assert sorted(theirs) == sorted(conditions.KEYS)
    assert f"up to {LAST_YEAR};" in " ".join(PAGE.split())


def test_the_page_s_message_is_what_is_said(tmp_path: Path) -> None:
    (message,) = re.findall(r"rules\.toml:(\d+: .*)", PAGE)
    path = tmp_path / "rules.toml"
    path.write_text(
        ALL
        + "\n"
        + ALL.replace("give up", "wait").replace("abandonment", "abandonement").replace("[{", "[\n\n\n{")
    )
    assert refused(path) == f"{path}:{message}"
