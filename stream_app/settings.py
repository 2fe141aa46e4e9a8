"""Settings of this process: one frozen object, read once from the environment.

What changes the meaning of numbers (targets, policies, zones) is not here but in ``model.targets``.

The environment comes first, then the TOML file named by ``STREAM_APP_CONFIG``; a secret may also be in a file, named by the
same variable with the suffix ``_FILE``. A wrong setting ends the process with exit code 78 and one line that names it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from redis.asyncio.connection import parse_url

from .errors import BadSettingsError
from .zones import checked_zone

_SECRETS = ("REDIS_URL", "KAFKA_SASL_PASSWORD", "AWS_SECRET_ACCESS_KEY")


def _external(name: str) -> Any:
    """Accept a setting under the name that other programs use too."""
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """Everything that the commands take from their environment."""

    model_config = SettingsConfigDict(
        env_prefix="STREAM_APP_", frozen=True, extra="ignore", populate_by_name=True
    )

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", validation_alias=_external("KAFKA_BOOTSTRAP_SERVERS")
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = Field(
        "PLAINTEXT", validation_alias=_external("KAFKA_SECURITY_PROTOCOL")
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", validation_alias=_external("KAFKA_SASL_MECHANISM")
    )
    kafka_sasl_username: str | None = Field(None, validation_alias=_external("KAFKA_SASL_USERNAME"))
    kafka_sasl_password: SecretStr | None = Field(None, validation_alias=_external("KAFKA_SASL_PASSWORD"))
    kafka_ssl_cafile: Path | None = Field(None, validation_alias=_external("KAFKA_SSL_CAFILE"))
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), validation_alias=_external("REDIS_URL")
    )

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] = "contact-events"
    group: Annotated[str, Field(min_length=1)] = "stream-app"
    dialect: str = "canonical"
    source_zone: str = "UTC"
    allow_plaintext_sasl: bool = False
    max_event_bytes: Annotated[int, Field(ge=1_000, le=10_000_000)] = 65_536
    batch_records: Annotated[int, Field(ge=1, le=50_000)] = 30_000
    session_timeout_ms: Annotated[int, Field(ge=1_000, le=300_000)] = 8_000
    max_dead_in_a_row: Annotated[int, Field(ge=0)] = 1_000
    on_lost: Literal["fail", "accept"] = "fail"
    queue_cap: Annotated[int, Field(ge=1, le=100_000)] = 2_000

    ledger: str = ""
    outbox_bytes: Annotated[int, Field(ge=1_000_000, le=2**40)] = 64 * 1024 * 1024
    ledger_days: str = "400"
    ledger_cache_bytes: Annotated[int, Field(ge=1_000_000, le=2**40)] = 1024**3
    ledger_every_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    ledger_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,249}$")] = ""
    aws_endpoint_url: str = Field("", validation_alias=_external("AWS_ENDPOINT_URL"))
    aws_region: str = Field("", validation_alias=_external("AWS_REGION"))
    aws_access_key_id: str = Field("", validation_alias=_external("AWS_ACCESS_KEY_ID"))
    aws_secret_access_key: SecretStr | None = Field(None, validation_alias=_external("AWS_SECRET_ACCESS_KEY"))

    intervals_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,249}$")] = "kpi-intervals"
    intervals_grace_s: Annotated[int, Field(ge=0, le=86_400)] = 900
    intervals_days: Annotated[int, Field(ge=35, le=3_660)] = 400

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 4_000
    max_connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    max_streams: Annotated[int, Field(ge=0, le=100_000)] = 2_000
    max_streams_per_address: Annotated[int, Field(ge=0, le=100_000)] = 200
    take_callbacks: bool = True
    contact_url: str = ""
    contacts: Literal["auto", "on", "off"] = "auto"
    agents: Literal["auto", "on", "off"] = "auto"
    frame_ancestors: str = ""
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9108
    max_age_s: Annotated[float, Field(gt=0)] = 4.0
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("expected an address that begins with redis://, rediss:// or unix://")
        try:
            parse_url(url)
        except ValueError:  # its text quotes the address, and so maybe a password
            raise ValueError("invalid address; use e.g. redis://user:password@host:6379/0") from None
        # The library falls back to database 0 where it can't read the number.
        if not url.startswith("unix://") and not re.fullmatch(r"/?\d*", urlsplit(url).path):
            raise ValueError("the database must be a number, as in redis://host:6379/0")
        return value

    @field_validator("contact_url")
    @classmethod
    def _contact_url(cls, value: str) -> str:
        if not value:
            return value
        head, _, rest = value.partition("{contact_id}")
        split = urlsplit(head)
        if (
            split.scheme not in {"http", "https"}
            or not split.netloc
            or not head[len(f"{split.scheme}://{split.netloc}") :]
        ):
            raise ValueError("expected an address such as https://platform.example/contacts/{contact_id}")
        if "{contact_id}" not in value or re.search(r"[{}\s]", head + rest):
            raise ValueError("expected {contact_id} once, after the host, and no other braces or spaces")
        return value

    @field_validator("ledger")
    @classmethod
    def _ledger(cls, value: str) -> str:
        scheme, colon, rest = value.partition("://")
        if colon and (
            scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?", rest)
        ):
            raise ValueError("expected a folder or an address such as s3://bucket/prefix")
        return value

    @field_validator("ledger_days")
    @classmethod
    def _ledger_days(cls, value: str) -> str:
        try:
            days_by_table(value)
        except ValueError:
            raise ValueError(
                f"expected days, such as 400, and other days of single tables, such as 400,replies=90; got {value!r}"
            ) from None
        return value

    @field_validator("aws_endpoint_url")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        split = urlsplit(value)
        if value and (split.scheme not in {"http", "https"} or not split.netloc or "@" in split.netloc):
            raise ValueError("expected an address such as https://storage.example:9000, without a user")
        return value

    @field_validator("frame_ancestors")
    @classmethod
    def _frame_ancestors(cls, value: str) -> str:
        for source in value.split():
            if not re.fullmatch(r"'self'|https?://[A-Za-z0-9.*\[\]:-]+", source):
                raise ValueError(
                    f"expected origins such as https://intranet.example, or 'self', got {source!r}"
                )
        return value

    @field_validator("source_zone")
    @classmethod
    def _source_zone(cls, value: str) -> str:
        try:
            return checked_zone(value, "")
        except BadSettingsError as error:
            raise ValueError(str(error).removeprefix(": ")) from None

    @field_validator("kafka_ssl_cafile")
    @classmethod
    def _cafile(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"file not found: {value}")
        return value

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _servers(cls, value: str, _info: ValidationInfo) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
                raise ValueError(f"expected host:port, got {server.strip()!r}")
        return value

    @model_validator(mode="after")
    def _sasl(self) -> Settings:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password
        ):
            raise ValueError("SASL requires KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        if self.kafka_security_protocol == "SASL_PLAINTEXT" and not self.allow_plaintext_sasl:
            raise ValueError(
                "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT sends the password in clear text; "
                "use SASL_SSL, or set STREAM_APP_ALLOW_PLAINTEXT_SASL=true"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment first, then what ``load`` took from files."""
        return env_settings, init_settings


def days_by_table(text: str) -> dict[str, int]:
    """Return table → days of ``STREAM_APP_LEDGER_DAYS``; those of the others by the name ``""``.

    Raises:
        ValueError: it is not a list of days from 1 to 36,500, of which at most one belongs to no table.
    """
    days: dict[str, int] = {}
    for part in text.split(","):
        table, equals, number = part.strip().rpartition("=")
        if table in days or bool(table) != bool(equals) or not 1 <= int(number) <= 36_500:
            raise ValueError(part)
        days[table] = int(number)
    return {"": 400, **days}


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        BadSettingsError: one line that names the setting and what is wrong with it.
    """
    values = _from_file(environ.get("STREAM_APP_CONFIG"))
    for name in _SECRETS:
        if path := environ.get(f"{name}_FILE"):
            if name in environ:
                raise BadSettingsError(f"{name}: set {name} or {name}_FILE, not both")
            try:
                values[name.lower()] = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BadSettingsError(f"{name}_FILE: {error}") from None
    try:
        return Settings(**values)
    except ValidationError as error:
        raise BadSettingsError("; ".join(_line(e) for e in error.errors())) from None


def _from_file(path: str | None) -> dict[str, Any]:
    """Read the top-level keys of the TOML file; its tables (queues, channels, …) and preset are for ``config apply``."""
    if not path:
        return {}
    try:
        document = tomllib.loads(Path(path).read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettingsError(f"STREAM_APP_CONFIG: {path}: {error}") from None
    values = {k: value for k, value in document.items() if not isinstance(value, dict) and k != "preset"}
    unknown = values.keys() - Settings.model_fields.keys()
    if unknown:
        raise BadSettingsError(
            f"STREAM_APP_CONFIG: {path}: unknown setting {', '.join(map(repr, sorted(unknown)))}"
        )
    return values


def _line(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    shown = (
        name.upper()
        if name.upper().startswith(("KAFKA_", "REDIS_", "AWS_"))
        else f"STREAM_APP_{name.upper()}"
    )
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{shown}: {message}" if name else message
