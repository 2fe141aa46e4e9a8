"""How to connect to Kafka, for every client that we start."""

from __future__ import annotations

import ssl
from typing import Any

from .settings import Settings


def security(settings: Settings) -> dict[str, Any]:
    """Address and credentials as aiokafka's clients take them."""
    out: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol:
        out["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
    if settings.kafka_security_protocol.startswith("SASL") and settings.kafka_sasl_password:
        out |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return out
