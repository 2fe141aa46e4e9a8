"""The verifier: what it finds wrong is wrong."""

from typing import Any

import msgspec
import redis

from .verifier import DAY_MS, Verifier

DAY = 20_000


class NumberedAtTheLastMoment(redis.Redis):
    """A client before each of whose scripts a worker numbers a queue and counts three contacts in it."""

    def eval(self, *args: Any) -> Any:
        for kind, name in (("queue", "new"), ("channel", "voice"), ("counter", "offered")):
            self.hset(f"kpi:names:{kind}", name, "1")
        self.zadd("kpi:{t.0}:d", {f"{DAY}:1.1": DAY})
        self.hset(f"kpi:{{t.0}}:d:{DAY}:1.1", "0", msgspec.msgpack.encode([3]))
        return super().eval(*args)


def test_a_name_is_read_in_the_same_step_as_what_it_counts(redis_url: str) -> None:
    client: Any
    with NumberedAtTheLastMoment.from_url(redis_url) as client:
        found = Verifier(redis_url, "t", {}).read(client, 0)
    assert found.rows == {(DAY * DAY_MS, "new", "voice"): {"offered": 3, "waiting": 3}}
