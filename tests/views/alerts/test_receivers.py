"""Who is told: what is refused, and what Alertmanager and Grafana are given."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from stream_app.model.targets.calendars import WEEKDAYS, Hours
from stream_app.views import alerts
from stream_app.views.alerts import alertmanager, contact_points
from stream_app.views.alerts.receivers import UNCHOSEN, Receivers, notices, off_hours, secret_files, unfit
from tests.services.alertmanager import amtool

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/receivers.example.toml"
Json = dict[str, Any]


def example() -> Receivers:
    return Receivers.of(tomllib.loads(EXAMPLE.read_text()))


def refused(text: str) -> str:
    with pytest.raises(ValueError, match=r".+") as caught:
        Receivers.of(tomllib.loads(text))
    return str(caught.value)


HOOK = 'webhook = { url = "https://example.org/" }\n'
BOTH = f"[page]\n{HOOK}[ticket]\n{HOOK}"
WAYS = "webhook, email, slack, teams, pagerduty, jira_service_management, incident_io, opsgenie"
BAD = {
    "nobody": ("", f"page: expected at least one of {WAYS}"),
    "nobody by day": (f"[page]\n{HOOK}", "ticket: expected at least one of"),
    "a way that is not one": (
        f'[page]\nwebook = {{ url = "https://example.org/" }}\n[ticket]\n{HOOK}',
        f"page: unknown field 'webook', expected {WAYS}; did you mean",
    ),
    "no address": (
        f'[page]\nwebhook = {{ url = "example.org" }}\n[ticket]\n{HOOK}',
        "page.webhook.url: expected an address that begins with http:// or https://",
    ),
    "a dollar, which Grafana expands": (
        f'[page]\nwebhook = {{ url = "https://example.org/$x" }}\n[ticket]\n{HOOK}',
        "page.webhook.url: ",
    ),
    "a secret in the document": (
        f'[page]\npagerduty = {{ routing_key = "s3cret" }}\n[ticket]\n{HOOK}',
        "page.pagerduty: unknown field 'routing_key', expected routing_key_file; give a file: routing_key_file",
    ),
    "a secret where its file belongs": (
        f'[page]\npagerduty = {{ routing_key_file = "s3cret" }}\n[ticket]\n{HOOK}',
        "page.pagerduty.routing_key_file: expected the absolute path of a file",
    ),
    "no mail address": (
        f'[page]\nemail = {{ to = ["floor"] }}\n[ticket]\n{HOOK}',
        "page.email.to[0]: expected one email address, like floor@example.org",
    ),
    "mail to nobody": (f"[page]\nemail = {{ to = [] }}\n[ticket]\n{HOOK}", "page.email.to: "),
    "another table": (f"{BOTH}[pages]\n", "pages: unknown section; did you mean 'page'?"),
    "hours without a zone": (
        f'{BOTH}[hours.hours]\nmon-fri = ["08:00-18:00"]\n',
        "hours.zone: expected a time zone",
    ),
    "an unknown zone": (
        f'{BOTH}[hours]\nzone = "Mars"\nhours = {{ mon = ["08:00-18:00"] }}\n',
        "hours.zone: unknown time zone 'Mars'",
    ),
    "a receiver with a name of ours": (
        f"{BOTH}[receivers.page]\n{HOOK}",
        "receivers.page: expected a name in lower-case letters, digits, - and _, other than page and ticket",
    ),
    "a receiver with nobody": (
        f"{BOTH}[receivers.floor]\n",
        "receivers.floor: expected at least one of webhook, email",
    ),
    "a receiver's way that is not one": (
        f"{BOTH}[receivers.floor]\nslak = {{}}\n",
        "receivers.floor: unknown field 'slak', expected webhook, email, slack, teams, ",
    ),
    "receivers in a list": (f"receivers = []\n{BOTH}", "receivers: expected a table for each name, got []"),
    "holidays": (
        f'{BOTH}[hours]\nzone = "UTC"\nholidays = [2026-12-25]\nhours = {{ mon = ["08:00-18:00"] }}\n',
        "hours.holidays: not supported for tickets",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_is_refused_with_the_place(name: str) -> None:
    text, expected = BAD[name]
    said = refused(text)
    assert said.startswith(expected)
    assert "\n" not in said
    assert "s3cret" not in said


def test_mail_needs_a_server_where_alertmanager_sends_it() -> None:
    mail = {"email": {"to": ["floor@example.org"]}}
    receivers = Receivers.of({"page": mail, "ticket": mail})
    assert unfit(receivers, alertmanager=False) is None
    assert unfit(receivers, alertmanager=True) == "smtp: required, because Alertmanager sends the email"
    assert unfit(example(), alertmanager=True) is None


def test_opsgenie_says_when_it_ends() -> None:
    opsgenie = {"opsgenie": {"api_key_file": "/run/secrets/opsgenie"}}
    hook = {"webhook": {"url": "https://example.org/"}}
    (notice,) = notices(Receivers.of({"page": hook, "ticket": opsgenie}))
    assert "2027-04-05" in notice
    assert "jira_service_management" in notice
    assert notices(Receivers.of({"page": hook, "ticket": hook})) == []


def test_the_example_has_every_way_of_telling() -> None:
    found = example()
    ways = {
        name for told in (found.page, found.ticket) for name in told.__struct_fields__ if getattr(told, name)
    }
    assert ways == set(found.page.__struct_fields__)
    assert len(secret_files(found)) == 8


@pytest.mark.parametrize("receivers", [UNCHOSEN, example()], ids=["committed", "example"])
def test_alertmanager_accepts_its_configuration(tmp_path: Path, receivers: Receivers) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager.config(receivers))
    assert "SUCCESS" in amtool("check-config", path)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "page"}, "page"),
        ({"severity": "ticket"}, "ticket"),
        ({"severity": "other"}, "page"),
        ({}, "page"),
    ],
)
def test_pages_page_and_tickets_wait(tmp_path: Path, labels: dict[str, str], receiver: str) -> None:
    """What nobody thought of pages: silence would be worse."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager.config(example()))
    routed = amtool(
        "config", "routes", "test", f"--config.file={path}", *(f"{k}={v}" for k, v in labels.items())
    )
    assert routed.splitlines()[0] == receiver


def test_what_is_committed_is_accepted_and_tells_nobody() -> None:
    path = ROOT / "prometheus/alertmanager.yml"
    assert "SUCCESS" in amtool("check-config", path)
    urls = [
        hook["url"]
        for receiver in yaml.safe_load(path.read_text())["receivers"]
        for hook in receiver.get("webhook_configs", ())
    ]
    assert urls == ["http://127.0.0.1:9/no-receiver-chosen-yet"] * 2


# --- Grafana ---


def points(receivers: Receivers) -> list[Json]:
    found: list[Json] = yaml.safe_load(contact_points.contact_points(receivers))["contactPoints"]
    return found


NEEDED = {
    "webhook": {"url"},
    "email": {"addresses"},
    "slack": {"url"},
    "teams": {"url"},
    "pagerduty": {"integrationKey"},
    "opsgenie": {"apiKey"},
}
"""Without these Grafana does not start."""


@pytest.mark.parametrize("receivers", [UNCHOSEN, example()], ids=["committed", "example"])
def test_grafana_s_contact_points_have_what_it_starts_with(receivers: Receivers) -> None:
    ways = [way for point in points(receivers) for way in point["receivers"]]
    assert len({way["uid"] for way in ways}) == len(ways)
    for way in ways:
        assert NEEDED[way["type"]] <= {name for name, value in way["settings"].items() if value}
        assert len(way["uid"]) <= 40


@given(st.lists(st.text("abcdefg-_0123456789", min_size=1, max_size=80), unique=True))
def test_an_id_is_short_enough_for_grafana_and_each_has_its_own(names: list[str]) -> None:
    ids = [contact_points._uid(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(r"[\w-]{1,40}", each) for each in ids)


def test_secrets_are_read_from_files_and_stand_nowhere_else() -> None:
    receivers = example()
    for text in (alertmanager.config(receivers), contact_points.contact_points(receivers)):
        for file in secret_files(receivers):
            if "smtp" not in str(file) or "smtp" in text:  # Grafana's own settings have the mail server
                assert str(file) in text
    settings = [way["settings"] for point in points(receivers) for way in point["receivers"]]
    dollars = [value for one in settings for value in one.values() if "$" in str(value)]
    assert dollars
    assert all(str(value).startswith("$__file{/") for value in dollars)


@pytest.mark.parametrize("receivers", [UNCHOSEN, example()], ids=["committed", "example"])
def test_grafana_s_policy_names_what_is_there(receivers: Receivers) -> None:
    (root,) = yaml.safe_load(contact_points.policies(receivers))["policies"]
    names = {point["name"] for point in points(receivers)}
    timings = yaml.safe_load(contact_points.mute_timings(receivers)).get("muteTimes", [])
    assert root["receiver"] in names
    assert "matchers" not in root
    assert "object_matchers" not in root
    for route in root["routes"]:
        assert route["receiver"] in names
        (tickets,) = route.get("routes", [route])
        assert tickets["receiver"] == route["receiver"]
        assert set(tickets.get("mute_time_intervals", ())) == {timing["name"] for timing in timings}


def _tickets(root: Json) -> list[tuple[str, Json]]:
    """Each receiver, and its route of tickets: below its own, or else at the top."""
    return [(route["receiver"], *route.get("routes", [route])) for route in root["routes"]]


def test_both_route_alike() -> None:
    theirs = yaml.safe_load(alertmanager.config(example()))
    (ours,) = yaml.safe_load(contact_points.policies(example()))["policies"]
    for name in ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval"):
        assert ours[name] == theirs["route"][name]
    # Prometheus's own watchdog has a route more.
    theirs["route"]["routes"].pop()
    for (named, route), (other_named, other) in zip(_tickets(ours), _tickets(theirs["route"]), strict=True):
        assert named == other_named
        assert route["mute_time_intervals"] == other["mute_time_intervals"]
        assert (route["receiver"], route["repeat_interval"]) == (other["receiver"], other["repeat_interval"])
    timings = yaml.safe_load(contact_points.mute_timings(example()))["muteTimes"]
    assert [t["time_intervals"] for t in timings] == [t["time_intervals"] for t in theirs["time_intervals"]]


# --- off hours ---

PERIODS = st.lists(st.integers(0, 24), min_size=0, max_size=6, unique=True).map(
    lambda hours: [
        f"{a:02}:00-{b:02}:00" for a, b in zip(sorted(hours)[::2], sorted(hours)[1::2], strict=False)
    ]
)


@given(st.lists(PERIODS, min_size=7, max_size=7).filter(any))
def test_a_moment_is_off_hours_or_within_them_and_never_both(week: list[list[str]]) -> None:
    hours = Hours.of("x", {"zone": "Europe/Berlin", "hours": dict(zip(WEEKDAYS, week, strict=True))})
    calendar = hours.calendar("UTC")
    monday = 1_773_615_600_000  # 2026-03-16 00:00 in Berlin
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for day, name in enumerate(full):
        for hour in range(24):
            at = f"{hour:02}:30"
            off = [
                interval
                for interval in off_hours(hours)
                if name in interval["weekdays"]
                and any(
                    span["start_time"] <= at < span["end_time"]
                    for span in interval.get("times", [{"start_time": "00:00", "end_time": "24:00"}])
                )
            ]
            assert len(off) == (not calendar.is_open(monday + (day * 24 + hour) * 3_600_000 + 1_800_000))


def test_every_inhibition_is_about_alerts_that_there_are() -> None:
    names = [rule.name for rule in alerts.rules()]
    for rule in yaml.safe_load(alertmanager.config(UNCHOSEN))["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, pattern = re.split(r"(=~|=)", matcher.replace('"', "").replace(" ", ""))
            if label == "alertname":
                assert any(re.fullmatch(pattern, name) for name in names)
