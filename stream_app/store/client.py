"""The Redis connection, and whose fault its errors are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from redis import exceptions as rx
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stream_app.errors import QuarantinedError, StoreUnavailableError

TIMEOUT_S: Final = 5.0

_PASSING = re.compile(r"\b(MISCONF|BUSY|NOREPLICAS|UNBLOCKED|OOM|READONLY|LOADING)\b")
"""Words that mean "not now"; a script's error has them in its text."""
_PASSING_TYPES: Final = (  # the library takes the word away from those it knows
    rx.OutOfMemoryError,
    rx.ReadOnlyError,
    rx.NoPermissionError,
    rx.TryAgainError,
    rx.ClusterDownError,
    rx.MasterDownError,
)


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> Any:
    """A ``redis.asyncio.Redis`` that never repeats a command by itself.

    It counts as untyped: the library's types leave open whether a reply is text or bytes, which we decide here.

    The library's default is to try ten times more: with a reply lost on the way, one increment is then applied twice.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )


def script(client: Redis, name: str) -> Any:
    """A Lua script of ours; loaded again by itself where Redis has forgotten it."""
    return client.register_script((files("stream_app.store") / "scripts" / f"{name}.lua").read_text())


@asynccontextmanager
async def faults() -> AsyncIterator[None]:
    """Translate Redis's errors: away, or a key that is not ours."""
    try:
        yield
    except rx.ResponseError as error:
        text = str(error)
        if "QUARANTINED" in text:
            raise QuarantinedError(text.partition("QUARANTINED ")[2].split(" script:")[0]) from error
        if "WRONGTYPE" in text:  # a script's error begins otherwise on Redis 6
            raise QuarantinedError(text) from error
        if isinstance(error, _PASSING_TYPES) or _PASSING.search(text):
            raise StoreUnavailableError(f"{type(error).__name__}: {text}") from error
        raise
    except (rx.ConnectionError, rx.TimeoutError, OSError, TimeoutError) as error:
        raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error
