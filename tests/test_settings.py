"""A wrong setting costs one line and exit code 78; a secret is never shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.errors import BadSettingsError
from stream_app.settings import load

EX_CONFIG = 78
WRONG = {
    "KAFKA_BOOTSTRAP_SERVERS": "nonsense",
    "KAFKA_SECURITY_PROTOCOL": "TLS",
    "REDIS_URL": "http://127.0.0.1",
    "STREAM_APP_PORT": "99999",
    "STREAM_APP_TOPIC": "no spaces allowed",
    "STREAM_APP_SESSION_TIMEOUT_MS": "soon",
    "STREAM_APP_BATCH_RECORDS": "0",
    "STREAM_APP_ON_LOST": "shrug",
    "STREAM_APP_MAX_AGE_S": "-1",
    "STREAM_APP_LOG_LEVEL": "loud",
}


def told(command: str, **environment: str) -> tuple[int, list[str]]:
    """How a command ends, and what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "stream_app", command],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(("name", "value"), WRONG.items())
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettingsError) as error:
        load()
    assert str(error.value).startswith(f"{name}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_command_exits_78_with_one_line(command: str) -> None:
    code, lines = told(command, KAFKA_BOOTSTRAP_SERVERS="nonsense")
    assert (code, len(lines)) == (EX_CONFIG, 1), lines
    assert lines[0].startswith("stream-app: KAFKA_BOOTSTRAP_SERVERS: ")


def test_an_unknown_dialect_exits_78_and_says_which_there_are() -> None:
    code, lines = told("worker", STREAM_APP_DIALECT="klingon", STREAM_APP_METRICS_PORT="0")
    assert (code, len(lines)) == (EX_CONFIG, 1), lines
    assert "klingon" in lines[0]
    assert "canonical" in lines[0]


def test_sasl_without_tls_must_be_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "SASL_USERNAME": "u",
        "SASL_PASSWORD": "p",
    }.items():
        monkeypatch.setenv(f"KAFKA_{name}", value)
    with pytest.raises(BadSettingsError, match="STREAM_APP_ALLOW_PLAINTEXT_SASL"):
        load()
    monkeypatch.setenv("STREAM_APP_ALLOW_PLAINTEXT_SASL", "true")
    assert load().kafka_sasl_username == "u"


def test_a_secret_may_stand_in_a_file_and_is_masked(tmp_path: Path) -> None:
    secret = tmp_path / "redis"
    secret.write_text("redis://:hush@127.0.0.1:6379/0\n")
    settings = load({"REDIS_URL_FILE": str(secret)})
    assert settings.redis_url.get_secret_value() == "redis://:hush@127.0.0.1:6379/0"
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings.model_dump())
    with pytest.raises(BadSettingsError, match="not both"):
        load({"REDIS_URL_FILE": str(secret), "REDIS_URL": "redis://127.0.0.1"})
    with pytest.raises(BadSettingsError, match="REDIS_URL_FILE"):
        load({"REDIS_URL_FILE": str(tmp_path / "missing")})


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "stream-app.toml"
    config.write_text('topic = "from-file"\nport = 9000\n[queues.billing]\nanswer_target_s = 30\n')
    monkeypatch.setenv("STREAM_APP_PORT", "9001")
    settings = load({"STREAM_APP_CONFIG": str(config)})
    assert (settings.topic, settings.port) == ("from-file", 9001)


@pytest.mark.parametrize("text", ["topic = ", "tpoic = 'x'\n", "port = 'many'\n"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    config = tmp_path / "stream-app.toml"
    config.write_text(text)
    with pytest.raises(BadSettingsError, match=r"STREAM_APP_(CONFIG|PORT)"):
        load({"STREAM_APP_CONFIG": str(config)})
