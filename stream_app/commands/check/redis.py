"""Whether Redis is one that the store can rely on. Nothing is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from stream_app.model.targets import Targets
from stream_app.store.client import connect
from stream_app.store.redis import RedisStore

from .findings import LIMIT_S, Finding, fail, ok, warn

OLDEST: Final = (6, 2)
SKEW_S: Final = 1.0
_AWAY = (RedisError, OSError, TimeoutError)


async def look(
    url: str, *, limit_s: float = LIMIT_S, clock: Callable[[], float] = time.time
) -> list[Finding]:
    """Connect and look; what can't be reached ends the list.

    Args:
        url: as in ``REDIS_URL``; its user and password are never shown.
        limit_s: for connecting, and for each look after that.
        clock: seconds since the epoch on this machine.
    """
    client = connect(url, timeout_s=limit_s)
    place = place_of(client.connection_pool.connection_kwargs)
    async with client:
        try:
            async with asyncio.timeout(limit_s):
                await client.ping()
        except _AWAY as error:
            return [_away(place, error, limit_s)]
        found = [ok("redis", place)]
        try:
            async with asyncio.timeout(limit_s):
                found += judge(await client.info())
        except _AWAY as error:
            found.append(
                warn("redis info", f"can't be read: {_words(error, limit_s)}", "allow INFO to this user")
            )
        for ask in (_scripts(client), _skew(client, clock)):
            try:
                async with asyncio.timeout(limit_s):
                    found.append(await ask)
            except TimeoutError as error:
                found.append(fail("redis", _words(error, limit_s), "it answers too slowly to be relied on"))
        return found


async def in_force(url: str, *, limit_s: float = LIMIT_S) -> tuple[int, Targets] | Finding:
    """The settings document in force and its version, or why it can't be had."""
    store = RedisStore(url)
    try:
        async with asyncio.timeout(limit_s):
            version, document = await store.current_settings()
        targets = Targets.from_json(document)
        targets.check()
    except (*_AWAY, ValueError) as error:
        return fail(
            "targets",
            f"those in force can't be read: {_words(error, limit_s)}",
            "stream-app config apply FILE",
        )
    finally:
        await store.close()
    return version, targets


def judge(info: Mapping[str, Any]) -> list[Finding]:
    """What a Redis says of itself (INFO): version, role, eviction, persistence."""
    return [_version(info), _role(info), _memory(info), _persistence(info)]


def _version(info: Mapping[str, Any]) -> Finding:
    name, version = "Redis", str(info.get("redis_version", "0"))
    if "valkey_version" in info:
        name, version = "Valkey", str(info["valkey_version"])
    number = tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])
    if number < OLDEST:
        return fail("redis version", f"{name} {version}", "6.2 is the oldest that knows the commands we use")
    return ok("redis version", f"{name} {version}")


def _role(info: Mapping[str, Any]) -> Finding:
    role = str(info.get("role", "unknown"))
    if role != "master":
        return fail("redis role", f"{role}: it refuses writes", "name the primary in REDIS_URL")
    return ok("redis role", "primary")


def _memory(info: Mapping[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "unknown"))
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if policy != "noeviction":
        return fail(
            "redis memory",
            f"maxmemory-policy is {policy}: counters would vanish unseen",
            "set maxmemory-policy noeviction",
        )
    limit = f"{used / 1e6:.0f} of {most / 1e6:.0f} MB" if most else f"{used / 1e6:.0f} MB, no limit"
    if most and used > 0.8 * most:
        return warn(
            "redis memory", f"noeviction, {limit}", "nothing is counted once it is full: give it more"
        )
    return ok("redis memory", f"noeviction, {limit}")


def _persistence(info: Mapping[str, Any]) -> Finding:
    if not int(info.get("aof_enabled", 0)):
        return warn(
            "redis persistence",
            "no append-only file: a restart goes back to the last snapshot, if there is one",
            "set appendonly yes, or keep the topic long enough to count again",
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return fail(
            "redis persistence",
            "the last write to the append-only file failed: writes are refused",
            "look at the server's disk",
        )
    return ok("redis persistence", "append-only file on")


async def _scripts(client: Any) -> Finding:
    """Load one and run it by its name, as the store does."""
    try:
        digest = await client.script_load("return redis.call('PING')")
        await client.evalsha(digest, 0)
    except (RedisError, OSError) as error:
        return fail("redis scripts", _words(error), "allow +@scripting to this user: commits are scripts")
    return ok("redis scripts", "allowed")


async def _skew(client: Any, clock: Callable[[], float]) -> Finding:
    before = clock()
    try:
        seconds, micros = await client.time()
    except (RedisError, OSError) as error:
        return warn("redis clock", f"can't be read: {_words(error)}", "allow TIME to this user")
    after = clock()
    ahead = seconds + micros / 1e6 - (before + after) / 2
    detail = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    # The answer was on its way for a part of that time, and nobody knows for which.
    if abs(ahead) - (after - before) / 2 > SKEW_S:
        return warn("redis clock", detail, "set both by NTP: live windows end at this machine's now")
    return ok("redis clock", detail)


def _away(place: str, error: Exception, limit_s: float) -> Finding:
    words = _words(error, limit_s)
    if "auth" in words.lower() or "password" in words.lower():
        return fail("redis", f"{place}: {words}", "look at the user and password in REDIS_URL")
    return fail("redis", f"{place}: {words}", "is REDIS_URL right, and the server up?")


def _words(error: Exception, limit_s: float = LIMIT_S) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limit_s:g} s"
    return str(error) or type(error).__name__


def place_of(options: Mapping[str, Any]) -> str:
    """Where it is, without user and password."""
    where = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    return f"{where}, database {options.get('db') or 0}"
