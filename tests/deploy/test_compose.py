"""The compose file: what the specification allows, what it names exists, what it promises holds."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import AliasChoices

from benchmarks.intervals import REDIS
from stream_app.__main__ import COMMANDS
from stream_app.commands.lazy import load
from stream_app.settings import Settings
from stream_app.views import alerts
from tests.deploy.composing import ROOT, TEXT, Json, compose

SERVICES: dict[str, Json] = compose()["services"]
OURS = {"worker", "ledger", "serve", "simulator"}


def mounts(document: Json, service: str) -> dict[str, Path]:
    """Path in the container → path in the repository."""
    found = {}
    for volume in document["services"][service].get("volumes", ()):
        if isinstance(volume, dict):
            assert volume["bind"] == {"create_host_path": False}
            assert volume["read_only"]
            found[volume["target"]] = ROOT / volume["source"]
        elif volume.startswith("./"):
            source, target, mode = volume.split(":")
            assert mode == "ro"
            found[target] = ROOT / source
    return found


def schema() -> Json:
    """Return the schema of the compose specification."""
    found: Json = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    return found


@pytest.mark.parametrize("alerting", ["", *alerts.ALERTERS])
def test_it_is_what_the_compose_specification_allows(alerting: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(compose(alerting))


def test_the_schema_catches_a_misspelt_key() -> None:
    broken = compose()
    broken["services"]["worker"]["cap_drp"] = ["ALL"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(broken)


def test_the_pieces_are_all_there() -> None:
    assert {"kafka", "redis", "prometheus", "alertmanager", "grafana"} | OURS == SERVICES.keys()
    assert [name for name, service in SERVICES.items() if service.get("profiles")] == ["simulator"]
    for name in OURS:
        needed = SERVICES[name].get("depends_on", {})
        assert needed
        assert needed.keys() <= SERVICES.keys()
        assert all(how == {"condition": "service_healthy"} for how in needed.values())


# --- who alerts ---


def active(document: Json) -> dict[str, bool]:
    """Which server has been given rules."""
    rules = mounts(document, "prometheus")["/etc/prometheus/rules"]
    provisioning = mounts(document, "grafana")["/etc/grafana/provisioning/alerting"]
    given = [yaml.safe_load(path.read_text()) for path in rules.iterdir()]
    told = yaml.safe_load((provisioning / "rules.yaml").read_text())
    assert len(given) == 1
    assert [path.name for path in provisioning.iterdir() if "groups" in yaml.safe_load(path.read_text())] in (
        [],
        ["rules.yaml"],
    )
    return {"prometheus": bool(given[0]["groups"]), "grafana": "groups" in told}


@pytest.mark.parametrize("who", alerts.ALERTERS)
def test_the_variable_chooses_who_alerts(who: str) -> None:
    assert active(compose(who)) == {name: name == who for name in alerts.ALERTERS}


def test_without_the_variable_grafana_alerts() -> None:
    assert active(compose()) == {"prometheus": False, "grafana": True}


def test_one_variable_decides_who_alerts_and_does_nothing_else() -> None:
    assert TEXT.count("${ALERTING:-grafana}") == 2
    assert len(re.findall(r"source: \./\$\{ALERTING:-grafana\}/", TEXT)) == 2


def test_a_misspelt_choice_names_no_folder() -> None:
    """And `create_host_path: false` turns that into an error instead of an empty folder without any alert."""
    document = compose("promethius")
    chosen = [
        p for s in ("prometheus", "grafana") for p in mounts(document, s).values() if "promethius" in str(p)
    ]
    assert len(chosen) == 2
    assert not any(path.exists() for path in chosen)


def test_grafana_reads_no_rules_but_those() -> None:
    below = "/etc/grafana/provisioning"
    targets = [target for target in mounts(compose(), "grafana") if target.startswith(below)]
    assert sorted(targets) == [f"{below}/{part}" for part in ("alerting", "dashboards", "datasources")]


# --- what it names exists ---


def test_every_variable_of_ours_is_a_setting() -> None:
    known = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        known.add(f"STREAM_APP_{name.upper()}")
        if isinstance(alias, AliasChoices):
            known |= {str(choice) for choice in alias.choices}
    for name in OURS:
        assert SERVICES[name]["environment"].keys() <= known | {"STREAM_APP_PUBLIC_URL", "GRAFANA_URL"}, (
            "both for `render`"
        )


def test_every_mounted_path_exists() -> None:
    named = [path for service in SERVICES for path in mounts(compose(), service).values()]
    assert len(named) == 13
    assert [path for path in named if not path.exists()] == []
    volumes = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if isinstance(volume, str) and not volume.startswith("./")
    }
    assert volumes == compose()["volumes"].keys()


def test_every_command_and_its_options_exist() -> None:
    for name in OURS:
        command, *arguments = SERVICES[name]["command"]
        assert command in COMMANDS
        options = {
            option for parameter in load(command, COMMANDS[command][0]).params for option in parameter.opts
        }
        assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_prometheus_scrapes_services_that_are_there() -> None:
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    serve, workers, writer = config["scrape_configs"]
    assert serve["static_configs"] == [{"targets": ["serve:8080"]}]
    assert SERVICES["serve"]["command"][-2:] == ["--port", "8080"]
    discovered = workers["dns_sd_configs"][0]
    assert discovered["names"] == ["worker"]
    assert str(discovered["port"]) == SERVICES["worker"]["environment"]["STREAM_APP_METRICS_PORT"]
    assert writer["static_configs"] == [
        {"targets": [f"ledger:{SERVICES['ledger']['environment']['STREAM_APP_METRICS_PORT']}"]}
    ]


def test_the_outboxes_of_all_partitions_have_room_in_redis() -> None:
    """A writer that is away for long must not stop the counting."""
    each = int(SERVICES["worker"]["environment"]["STREAM_APP_OUTBOX_BYTES"])
    partitions = int(SERVICES["kafka"]["environment"]["KAFKA_NUM_PARTITIONS"])
    command = SERVICES["redis"]["command"]
    most = int(command[command.index("--maxmemory") + 1].removesuffix("mb")) * 2**20
    assert 4 * each * partitions <= most


def test_who_writes_the_ledger_and_who_reads_it_have_it() -> None:
    mounted = {name: [v for v in SERVICES[name]["volumes"] if "ledger" in v] for name in OURS}
    assert mounted == {
        "ledger": ["ledger:/ledger"],
        "serve": ["ledger:/ledger:ro"],
        "worker": [],
        "simulator": [],
    }
    assert {SERVICES[name]["environment"]["STREAM_APP_LEDGER"] for name in OURS} == {"/ledger"}
    assert "--owner 10001 --group 10001 /ledger" in (ROOT / "Dockerfile").read_text()


def test_the_image_holds_what_it_copies_and_the_context_lets_it_through() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE))
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    stages = re.findall(r"^FROM python:(3\.\d+\.\d+)(-slim)?-bookworm( AS \w+)?$", dockerfile, re.MULTILINE)
    assert len(stages) == dockerfile.count("FROM ")
    assert len({version for version, *_ in stages}) == 1, (
        "what is compiled is for the very Python that runs it"
    )
    assert stages[-1][1:] == ("-slim", ""), "no compiler in what runs"
    user = re.search(r"^USER (\S+)", dockerfile, re.MULTILINE)
    assert user
    assert user[1] == SERVICES["worker"]["user"]


# --- what it promises holds ---


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert int(service["user"].partition(":")[0]) > 0
    assert {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys() == set()


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert (image, tag) == ("stream-app", "local") or re.match(r"v?\d+\.\d+\.\d+", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_only_this_machine_reaches_a_port(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"simulator"}))
def test_a_container_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert "curl" not in check["test"]
    assert {"interval", "timeout", "retries"} <= check.keys()
    if name in OURS:
        assert check["test"][1:3] == ["python", "-c"]
        compile(check["test"][3], name, "exec")


def test_workers_can_be_scaled() -> None:
    """Neither a name nor a port of the host that only one of them could have."""
    assert {"container_name", "ports", "hostname"} & SERVICES["worker"].keys() == set()


def test_redis_never_evicts_and_writes_down_every_second() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "everysec"
    assert options["--maxmemory-policy"] == "noeviction"
    assert ("--hash-max-listpack-value", options["--hash-max-listpack-value"]) == REDIS  # as measured


def test_what_must_survive_lies_in_a_volume() -> None:
    kept = {
        "kafka": "/var/lib/kafka/data",
        "redis": "/data",
        "prometheus": "/prometheus",
        "grafana": "/var/lib/grafana",
    }
    for name, path in kept.items():
        assert f"{name}:{path}" in SERVICES[name]["volumes"]
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] == kept["kafka"]


def test_the_broker_stamps_the_records() -> None:
    """A producer with a fast clock leads nobody."""
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE"] == "LogAppendTime"
