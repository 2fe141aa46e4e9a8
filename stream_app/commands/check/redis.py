"""Checks that the store can rely on this Redis. Nothing is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from stream_app.errors import BadSettingsError
from stream_app.model.targets import Targets
from stream_app.store.client import connect
from stream_app.store.redis import RedisStore

from . import clocks as check_clocks
from .findings import LIMIT_S, Finding, fail, ok, warn

OLDEST: Final = (6, 2)
_NOBODYS: Final = "kpi:check"
_RECIPES: Final = "docs/operations.md#rights-in-redis"
_AWAY = (RedisError, OSError, TimeoutError)


async def look(
    url: str,
    *,
    writes: bool = True,
    limit_s: float = LIMIT_S,
    clock: Callable[[], float] = time.time,
) -> list[Finding]:
    """Connect and check; a server that can't be reached ends the list.

    Args:
        url: as in ``REDIS_URL``; its user and password are never shown.
        writes: whether to check for a worker; a reader may have fewer rights, and may use a replica.
        limit_s: time limit for connecting, and for each check after that.
        clock: returns this machine's seconds since the epoch.
    """
    client = connect(url, timeout_s=limit_s)
    place = address_of(client.connection_pool.connection_kwargs)
    async with client:
        try:
            async with asyncio.timeout(limit_s):
                await client.ping()
        except _AWAY as error:
            return [_away(place, error, limit_s)]
        except BadSettingsError as error:
            return [fail("redis", str(error), "")]
        found = [ok("redis", place)]
        try:
            async with asyncio.timeout(limit_s):
                found += judge(await client.info(), writes=writes)
        except _AWAY as error:
            found.append(
                warn("redis info", f"can't be read: {_words(error, limit_s)}", "allow INFO for this user")
            )
        for ask in (
            _reading(client),
            *([_scripts(client)] if writes else []),
            check_clocks.here(client, clock),
            check_clocks.of_workers(client),
        ):
            try:
                async with asyncio.timeout(limit_s):
                    found.append(await ask)
            except TimeoutError as error:
                found.append(fail("redis", _words(error, limit_s), "it answers too slowly to be relied on"))
        return found


async def in_force(url: str, *, limit_s: float = LIMIT_S) -> tuple[int, Targets] | Finding:
    """Return the version in force and its targets, or why they can't be read."""
    store = RedisStore(url)
    try:
        async with asyncio.timeout(limit_s):
            version, document = await store.current_targets()
        targets = Targets.from_json(document)
        targets.check()
    except (*_AWAY, ValueError) as error:
        return fail(
            "targets",
            f"those in force can't be read: {_words(error, limit_s)}",
            "apply them again: stream-app config apply FILE",
        )
    finally:
        await store.close()
    return version, targets


def judge(info: Mapping[str, Any], *, writes: bool = True) -> list[Finding]:
    """Check the reply to INFO: version, role, eviction, persistence."""
    return [_version(info), _role(info, writes=writes), _memory(info), _persistence(info)]


def _version(info: Mapping[str, Any]) -> Finding:
    name, version = "Redis", str(info.get("redis_version", "0"))
    if "valkey_version" in info:
        name, version = "Valkey", str(info["valkey_version"])
    number = tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])
    if number < OLDEST:
        return fail(
            "redis version",
            f"{name} {version}",
            "6.2 is the oldest version that has the commands in use; upgrade it",
        )
    return ok("redis version", f"{name} {version}")


def _role(info: Mapping[str, Any], *, writes: bool) -> Finding:
    role = str(info.get("role", "unknown"))
    if not writes and role == "slave":
        return ok("redis role", "replica")
    if role != "master":
        return fail("redis role", f"{role}: it refuses writes", "set REDIS_URL to the primary")
    return ok("redis role", "primary")


def _memory(info: Mapping[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "unknown"))
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if policy != "noeviction":
        return fail(
            "redis memory",
            f"maxmemory-policy is {policy}: counters would be evicted silently",
            "set maxmemory-policy noeviction",
        )
    limit = f"{used / 1e6:.0f} of {most / 1e6:.0f} MB" if most else f"{used / 1e6:.0f} MB, no limit"
    if most and used > 0.8 * most:
        return warn(
            "redis memory", f"noeviction, {limit}", "raise maxmemory: once it is full, nothing is counted"
        )
    return ok("redis memory", f"noeviction, {limit}")


def _persistence(info: Mapping[str, Any]) -> Finding:
    if not int(info.get("aof_enabled", 0)):
        return warn(
            "redis persistence",
            "no append-only file: a restart falls back to the last snapshot, if there is one",
            "set appendonly yes, or keep the topic long enough to count again",
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return fail(
            "redis persistence",
            "the last write to the append-only file failed: writes are refused",
            "check the server's disk",
        )
    return ok("redis persistence", "append-only file on")


async def _reading(client: Any) -> Finding:
    """Check the right to every reading command, on a key that does not exist."""
    pipe = client.pipeline(transaction=False)
    pipe.get(_NOBODYS)
    pipe.hget(_NOBODYS, "x")
    pipe.hmget(_NOBODYS, "x")
    pipe.hgetall(_NOBODYS)
    pipe.hkeys(_NOBODYS)
    pipe.hscan(_NOBODYS)
    pipe.smembers(_NOBODYS)
    pipe.scard(_NOBODYS)
    pipe.zrange(_NOBODYS, 0, 0)
    pipe.zrangebyscore(_NOBODYS, 0, 0)
    pipe.type(_NOBODYS)
    pipe.xrange(_NOBODYS)
    pipe.xread({_NOBODYS: "0-0"})
    try:
        await pipe.execute()
    except (RedisError, OSError) as error:
        return fail("redis reading", _words(error), f"give this user the rights of serve ({_RECIPES})")
    return ok("redis reading", "allowed")


async def _scripts(client: Any) -> Finding:
    """Load a script and run it by its digest, as the store does; it deletes a key that does not exist."""
    try:
        digest = await client.script_load("return redis.call('UNLINK', KEYS[1])")
        await client.evalsha(digest, 1, _NOBODYS)
    except (RedisError, OSError) as error:
        return fail(
            "redis scripts",
            f"{_words(error)}: serve may work, but a worker would not",
            f"give this user the rights of a worker ({_RECIPES}), or check --for serve",
        )
    return ok("redis scripts", "allowed")


def _away(place: str, error: Exception, limit_s: float) -> Finding:
    words = _words(error, limit_s)
    if "auth" in words.lower() or "password" in words.lower():
        return fail("redis", f"{place}: {words}", "check the user and password in REDIS_URL")
    return fail("redis", f"{place}: {words}", "check REDIS_URL, and that the server is running")


def _words(error: Exception, limit_s: float = LIMIT_S) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limit_s:g} s"
    return str(error) or type(error).__name__


def address_of(options: Mapping[str, Any]) -> str:
    """Return the server's address, without user and password."""
    where = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    return f"{where}, database {options.get('db') or 0}"
