"""Who calls whom back, on a real Redis, seen by two instances of ``serve``."""

from __future__ import annotations

import pytest

from stream_app.errors import StoreUnavailableError
from stream_app.model.live.callbacks import Taken
from stream_app.store import keys
from stream_app.store.callbacks import KEPT_MS, RedisCallbacks
from tests.services.redis import RedisServer

from .backends import Real

AT = 1_767_182_400_000


async def test_whoever_is_first_has_it_and_everybody_sees_that(real: Real) -> None:
    one, other = RedisCallbacks(real.url), RedisCallbacks(real.url)
    anna, ben = Taken("Anna", AT), Taken("Ben", AT + 1)
    assert await one.take("c:1", AT, anna) == anna
    assert await other.take("c:1", AT, ben) == anna
    assert one.taken("c:1", AT) == other.taken("c:1", AT) == anna
    assert one.taken("c:1", AT + 5) is None  # it gave up again: somebody has to call again
    await other.give_back("c:1", AT, "Ben")
    assert other.taken("c:1", AT) == anna  # nobody gives back what another one has
    await one.give_back("c:1", AT, "Anna")
    await other.read()
    assert other.taken("c:1", AT) is None
    assert await other.take("c:1", AT, ben) == ben
    for each in (one, other):
        await each.close()


async def test_it_goes_by_itself(real: Real) -> None:
    callbacks = RedisCallbacks(real.url)
    await callbacks.take("old", AT, Taken("Anna", AT))
    assert 0 < real.client.ttl(keys.CALLBACKS) <= KEPT_MS // 1000
    await callbacks.take("new", AT + KEPT_MS, Taken("Anna", AT + KEPT_MS + 1))
    assert set(real.client.hkeys(keys.CALLBACKS)) == {f"{AT + KEPT_MS}:new".encode()}
    real.client.hset(keys.CALLBACKS, "7:odd", b"\xff")  # not ours
    await callbacks.read()
    assert callbacks.taken("odd", 7) is None
    await callbacks.close()


@pytest.mark.parametrize("rules", [["-hsetnx"], ["+@all", "-@write"]])
async def test_where_it_may_only_read_nobody_is_offered_it_again(rules: list[str]) -> None:
    with RedisServer() as server:
        with server.client() as client:
            client.execute_command(
                "ACL", "SETUSER", "reader", "reset", "on", ">secret", "~*", "+@all", *rules
            )
        callbacks = RedisCallbacks(server.url.replace("redis://", "redis://reader:secret@"))
        await callbacks.read()
        before = callbacks.takes
        with pytest.raises(StoreUnavailableError):
            await callbacks.take("c", AT, Taken("Anna", AT))
        assert (before, callbacks.takes) == (True, False)
        await callbacks.close()
