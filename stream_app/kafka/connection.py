"""Connection options for every Kafka client that we start."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.errors import KafkaConnectionError

from stream_app.errors import StreamAppError
from stream_app.settings import Settings


def security(settings: Settings) -> dict[str, Any]:
    """Return address and credentials, as arguments of aiokafka's clients."""
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


@contextmanager
def reachable(settings: Settings) -> Iterator[None]:
    """Turn a failed connection inside the block into one line for people.

    Raises:
        StreamAppError: no broker answers.
    """
    try:
        yield
    except KafkaConnectionError as error:
        raise StreamAppError(
            f"no Kafka broker answers at {settings.kafka_bootstrap_servers}: check that one is running there, or set "
            "KAFKA_BOOTSTRAP_SERVERS; `stream-app check` shows more"
        ) from error


@asynccontextmanager
async def connected(client: Any, settings: Settings) -> AsyncIterator[Any]:
    """Start one of aiokafka's clients and stop it after the block, without output of the library.

    Raises:
        StreamAppError: no broker answers.
    """
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it would log is raised as well
    try:
        with reachable(settings):
            await client.start()
        yield client
    finally:
        await client.stop()
