"""Settings: right ones are read from where they stand, wrong ones end with one line that names them."""

from pathlib import Path

import pytest

from stream_app.errors import BadSettingsError
from stream_app.settings import Settings, load
from tests.services.command import run_command

SASL = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "app",
    "KAFKA_SASL_PASSWORD": "hunter2",
}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith(("STREAM_APP_", "KAFKA_", "REDIS_")):
            monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **environ: str) -> Settings:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return load()


BAD: dict[str, tuple[dict[str, str], str]] = {
    # what is wrong: (the environment, what the line must name)
    "no scheme": ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL"),
    "an empty url": ({"REDIS_URL": ""}, "REDIS_URL"),
    "another scheme": ({"REDIS_URL": "http://127.0.0.1"}, "REDIS_URL"),
    "a port in words": ({"REDIS_URL": "redis://127.0.0.1:port/0"}, "REDIS_URL"),
    "a port too large": ({"REDIS_URL": "redis://127.0.0.1:99999/0"}, "REDIS_URL"),
    "a database in words": ({"REDIS_URL": "redis://127.0.0.1/zero"}, "REDIS_URL"),
    "an option nobody knows": ({"REDIS_URL": "redis://127.0.0.1/0?socket_timeout=x"}, "REDIS_URL"),
    "a server without port": ({"KAFKA_BOOTSTRAP_SERVERS": "kafka"}, "KAFKA_BOOTSTRAP_SERVERS"),
    "one of two without port": ({"KAFKA_BOOTSTRAP_SERVERS": "a:9092,b"}, "KAFKA_BOOTSTRAP_SERVERS"),
    "a Kafka port too large": ({"KAFKA_BOOTSTRAP_SERVERS": "a:99999"}, "KAFKA_BOOTSTRAP_SERVERS"),
    "no servers": ({"KAFKA_BOOTSTRAP_SERVERS": ""}, "KAFKA_BOOTSTRAP_SERVERS"),
    "a protocol": ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
    "a mechanism": (SASL | {"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
    "no user": ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_USERNAME"),
    "no password": (SASL | {"KAFKA_SASL_PASSWORD": ""}, "KAFKA_SASL_PASSWORD"),
    "in clear": (SASL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "STREAM_APP_ALLOW_PLAINTEXT_SASL"),
    "no such file": ({"KAFKA_SSL_CAFILE": "/nowhere/ca.pem"}, "KAFKA_SSL_CAFILE"),
    "a topic": ({"STREAM_APP_TOPIC": "contact events"}, "STREAM_APP_TOPIC"),
    "no topic": ({"STREAM_APP_TOPIC": ""}, "STREAM_APP_TOPIC"),
    "no group": ({"STREAM_APP_GROUP": ""}, "STREAM_APP_GROUP"),
    "bytes": ({"STREAM_APP_MAX_EVENT_BYTES": "64k"}, "STREAM_APP_MAX_EVENT_BYTES"),
    "no records": ({"STREAM_APP_BATCH_RECORDS": "0"}, "STREAM_APP_BATCH_RECORDS"),
    "a session": ({"STREAM_APP_SESSION_TIMEOUT_MS": "10"}, "STREAM_APP_SESSION_TIMEOUT_MS"),
    "dead": ({"STREAM_APP_MAX_DEAD_IN_A_ROW": "-1"}, "STREAM_APP_MAX_DEAD_IN_A_ROW"),
    "lost": ({"STREAM_APP_ON_LOST": "ignore"}, "STREAM_APP_ON_LOST"),
    "a port": ({"STREAM_APP_PORT": "65536"}, "STREAM_APP_PORT"),
    "a metrics port": ({"STREAM_APP_METRICS_PORT": "http"}, "STREAM_APP_METRICS_PORT"),
    "an age": ({"STREAM_APP_MAX_AGE_S": "0"}, "STREAM_APP_MAX_AGE_S"),
    "an age that is none": ({"STREAM_APP_MAX_AGE_S": "nan"}, "STREAM_APP_MAX_AGE_S"),
    "a level": ({"STREAM_APP_LOG_LEVEL": "verbose"}, "STREAM_APP_LOG_LEVEL"),
    "a truth": ({"STREAM_APP_ALLOW_PLAINTEXT_SASL": "perhaps"}, "STREAM_APP_ALLOW_PLAINTEXT_SASL"),
    "a ledger by another protocol": ({"STREAM_APP_LEDGER": "gs://bucket"}, "STREAM_APP_LEDGER"),
    "a ledger without a bucket": ({"STREAM_APP_LEDGER": "s3://"}, "STREAM_APP_LEDGER"),
    "days in words": ({"STREAM_APP_LEDGER_DAYS": "400,replies=many"}, "STREAM_APP_LEDGER_DAYS"),
    "days of no table": ({"STREAM_APP_LEDGER_DAYS": "400,90"}, "STREAM_APP_LEDGER_DAYS"),
    "no days": ({"STREAM_APP_LEDGER_DAYS": "0"}, "STREAM_APP_LEDGER_DAYS"),
    "a bucket's address with a user": ({"AWS_ENDPOINT_URL": "http://me:secret@host"}, "AWS_ENDPOINT_URL"),
    "no file of a secret": ({"REDIS_URL_FILE": "/nowhere/url"}, "REDIS_URL_FILE"),
    "a folder of a secret": ({"KAFKA_SASL_PASSWORD_FILE": "/"}, "KAFKA_SASL_PASSWORD_FILE"),
    "a secret twice": ({"REDIS_URL_FILE": "/x", "REDIS_URL": "redis://h"}, "REDIS_URL"),
    "no configuration": ({"STREAM_APP_CONFIG": "/nowhere/app.toml"}, "STREAM_APP_CONFIG"),
    "two at once": ({"STREAM_APP_PORT": "x", "STREAM_APP_TOPIC": "*"}, "STREAM_APP_TOPIC"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_wrong_setting_is_named_in_one_line(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ, named = BAD[what]
    with pytest.raises(BadSettingsError) as error:
        read(monkeypatch, **environ)
    line = str(error.value)
    assert named in line
    assert "\n" not in line
    assert "hunter2" not in line


@pytest.mark.parametrize("what", ["a port in words", "in clear"])
def test_the_process_exits_78_with_one_line(what: str) -> None:
    environ, named = BAD[what]
    done = run_command("worker", env=environ)
    assert done.returncode == 78
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("stream-app: ")
    assert named in line
    assert "hunter2" not in line


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "app.toml"
    path.write_text(
        'topic = "from-file"\ngroup = "from-file"\nkafka_bootstrap_servers = "k:9093"\nredis_url = "redis://r/3"\n'
        "[queues.sales]\nanswer_target_s = 15\n"
    )
    settings = read(monkeypatch, STREAM_APP_CONFIG=str(path), STREAM_APP_TOPIC="from-environment")
    assert (settings.topic, settings.group) == ("from-environment", "from-file")
    assert settings.kafka_bootstrap_servers == "k:9093"
    assert settings.redis_url.get_secret_value() == "redis://r/3"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b'topik = "x"', "topik"),
        (b"\ntopic = x", "line 2"),
        (b'topic = "a b"', "STREAM_APP_TOPIC"),
        (b"port = 'x'", "STREAM_APP_PORT"),
        (b"\xff\xfe", "STREAM_APP_CONFIG"),
    ],
)
def test_a_wrong_file_is_named(
    text: bytes, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "app.toml"
    path.write_bytes(text)
    with pytest.raises(BadSettingsError) as error:
        read(monkeypatch, STREAM_APP_CONFIG=str(path))
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_secrets_may_stand_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("rediss://:hunter2@r:6380/1\n")
    (tmp_path / "password").write_text("  hunter2\n")
    environ = {key: value for key, value in SASL.items() if key != "KAFKA_SASL_PASSWORD"}
    settings = read(
        monkeypatch,
        **environ,
        REDIS_URL_FILE=str(tmp_path / "url"),
        KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert settings.redis_url.get_secret_value() == "rediss://:hunter2@r:6380/1"
    assert settings.kafka_sasl_password is not None
    assert settings.kafka_sasl_password.get_secret_value() == "hunter2"


def test_a_secret_file_that_is_no_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadSettingsError, match="REDIS_URL_FILE"):
        read(monkeypatch, REDIS_URL_FILE=str(tmp_path / "url"))


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **SASL, REDIS_URL="redis://user:hunter2@r:6379/0")
    for text in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in text


def test_passwords_in_clear_only_if_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        **{**SASL, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        STREAM_APP_ALLOW_PLAINTEXT_SASL="true",
    )
    assert settings.kafka_security_protocol == "SASL_PLAINTEXT"


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://r",
        "rediss://u:p%40ss@r.example:6380/15?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=2",
        "redis://[::1]:6379/0",
    ],
)
def test_redis_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, REDIS_URL=url).redis_url.get_secret_value() == url


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        settings.topic = "another"


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert('{contact_id}')",
        "//platform.example/{contact_id}",
        "https://{contact_id}.example/",
        "https://platform.example{contact_id}",
        "https://platform.example/contacts",
        "https://platform.example/{contact_id}/{contact_id}",
        "https://platform.example/{id}/{contact_id}",
        "https://platform.example/a b/{contact_id}",
    ],
)
def test_a_contact_s_address_is_one_of_the_web_with_its_id_in_it(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSettingsError, match=r"^STREAM_APP_CONTACT_URL: expected "):
        read(monkeypatch, STREAM_APP_CONTACT_URL=value)
    good = "https://platform.example/c?id={contact_id}#top"
    assert read(monkeypatch, STREAM_APP_CONTACT_URL=good).contact_url == good


@pytest.mark.parametrize("value", ["*", "https:", "example.com", "https://a.example; script-src *", "'none'"])
def test_sites_that_may_embed_are_origins(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettingsError, match=r"^STREAM_APP_FRAME_ANCESTORS: expected origins"):
        read(monkeypatch, STREAM_APP_FRAME_ANCESTORS=value)
    good = "'self' https://intranet.example https://*.signage.example:8443"
    assert read(monkeypatch, STREAM_APP_FRAME_ANCESTORS=good).frame_ancestors == good
