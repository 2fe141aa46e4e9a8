"""The Redis connection, and the translation of its errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from redis import exceptions as rx
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream_app.errors import BadSettingsError, QuarantinedError, StoreUnavailableError

TIMEOUT_S: Final = 5.0

_PASSING = re.compile(r"\b(MISCONF|BUSY|NOREPLICAS|UNBLOCKED|OOM|READONLY|LOADING)\b")
"""Words that mean "not now"; a script's error has them in its text."""
_NO_RIGHT = re.compile(r"can't run this command|\bNOPERM\b")
"""A right that a script lacks; Redis does not say which."""
_PASSING_TYPES: Final = (  # the library strips the word from the errors that it knows
    rx.OutOfMemoryError,
    rx.ReadOnlyError,
    rx.NoPermissionError,
    rx.TryAgainError,
    rx.MasterDownError,
)

_CLUSTER: Final = (rx.AskError, rx.ClusterDownError, rx.ClusterCrossSlotError)
"""Errors of Redis Cluster nodes, MOVED among them."""
_NO_CLUSTER: Final = (
    "REDIS_URL: {} a Redis Cluster (cluster-enabled yes), which is not supported; use a single Redis, with replicas if it "
    "must survive the loss of its machine"
)


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Any:
    """Return a ``redis.asyncio.Redis`` that never repeats a command by itself.

    It is untyped: the library's types leave open whether a reply is text or bytes, which we decide here.

    The library's default is ten retries: where a reply is lost on the way, an increment would then be applied twice.

    Every command to a Redis Cluster raises ``BadSettingsError``: commits use keys of several slots.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
        redis_connect_func=_greet,
    )


async def _greet(connection: Any) -> None:
    """Set a connection up, and check what it leads to: once per connection, by a command that every user may run."""
    await connection.on_connect()
    try:
        await connection.send_command("HELLO", check_health=False)
        said = await connection.read_response()
    except (rx.ResponseError, rx.AuthenticationError):  # the next command reports what is wrong
        return
    said = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
    if said.get(b"mode") == b"cluster":
        await connection.disconnect()
        place = getattr(connection, "path", None) or f"{connection.host}:{connection.port}"
        raise BadSettingsError(_NO_CLUSTER.format(f"{place} is a node of"))


async def refuse_cluster(url: str) -> None:
    """Refuse a Redis Cluster before a slow start; a server that does not answer may come later.

    Raises:
        BadSettingsError: it is a Redis Cluster.
    """
    client = connect(url)
    try:
        async with faults():
            await client.ping()
    except StoreUnavailableError:
        return
    finally:
        await client.aclose()


def script(client: Redis, name: str) -> Any:
    """Return one of our Lua scripts; it is loaded again by itself where Redis has forgotten it."""
    return client.register_script((files("stream_app.store") / "scripts" / f"{name}.lua").read_text())


@asynccontextmanager
async def faults() -> AsyncIterator[None]:
    """Translate Redis's errors: unavailable, or a key with a foreign type."""
    try:
        yield
    except _CLUSTER as error:  # one that does not know HELLO, which is sent first
        raise BadSettingsError(_NO_CLUSTER.format("it points to")) from error
    except rx.ResponseError as error:
        text = str(error)
        if "QUARANTINED" in text:
            raise QuarantinedError(text.partition("QUARANTINED ")[2].split(" script:")[0]) from error
        if "WRONGTYPE" in text:  # a script's error begins differently on Redis 6
            raise QuarantinedError(text) from error
        if _NO_RIGHT.search(text):
            raise StoreUnavailableError(
                "Redis refuses a command to this user; docs/operations.md has the rights that each program needs: "
                f"{text.partition(' script:')[0]}"
            ) from error
        if isinstance(error, _PASSING_TYPES) or _PASSING.search(text):
            raise StoreUnavailableError(f"{type(error).__name__}: {text}") from error
        raise
    except (rx.ConnectionError, rx.TimeoutError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error


def end_if_cancelled() -> None:
    """Raise a pending cancellation: the Redis client may swallow one that hits it in the middle of a command."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def entries_of(found: Any) -> Iterable[tuple[str, list[tuple[bytes, dict[bytes, bytes]]]]]:
    """Yield (topic.partition, entries) of an XREAD reply, whichever the protocol."""
    pairs = found.items() if isinstance(found, dict) else found or ()
    for key, batches in pairs:
        entries = batches[0] if batches and isinstance(batches[0], list) else batches
        yield key.decode().partition("{")[2].partition("}")[0], entries
