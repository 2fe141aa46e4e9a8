"""``POST /v1/abandoned/taken``: who may, from where, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from stream_app.errors import StoreUnavailableError
from stream_app.model.live.callbacks import NoCallbacks, Taken
from stream_app.views.screen import Screen
from stream_app.views.stamping import stamp
from stream_app.views.taking import MOST_BYTES, PATH
from tests.views.examples import NOON, busy_board
from tests.views.serving import Served

from .wallboard.screen import give_up

URL = "https://platform.example/c/{contact_id}?tab=1"


class MemoryCallbacks(NoCallbacks):
    """The list in memory."""

    takes = True

    def __init__(self) -> None:
        self.known: dict[tuple[str, int], Taken] = {}
        self.down = False

    def taken(self, contact: str, abandoned_at: int) -> Taken | None:
        return self.known.get((contact, abandoned_at))

    async def take(self, contact: str, abandoned_at: int, taken: Taken) -> Taken:
        if self.down:
            raise StoreUnavailableError("ConnectionError: secret-canary")
        return self.known.setdefault((contact, abandoned_at), taken)

    async def give_back(self, contact: str, abandoned_at: int, by: str) -> None:
        if (one := self.taken(contact, abandoned_at)) and one.by == by:
            del self.known[contact, abandoned_at]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(busy_board(), screen=Screen(contact_url=URL), callbacks=MemoryCallbacks())
    give_up(served.board, "c/1?x", 60, 119, "sales")
    await served.start()
    yield served
    await served.runner.cleanup()


async def post(served: Served, body: Any, **headers: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(served.url + PATH, headers=headers, **body) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


def asked(by: object = "Anna", **more: Any) -> dict[str, Any]:
    fields = {"contact_id": "c/1?x", "abandoned_at": stamp(NOON - 60_000), "by": by}
    return {"json": fields | more}


async def test_one_takes_it_and_others_see_who(served: Served) -> None:
    status, answer = await post(served, asked())
    assert (status, answer["taken"]["by"]) == (200, "Anna")
    status, listed = (await served.get("/v1/abandoned"))[::2]
    (contact,) = listed["contacts"]
    assert (listed["takes"], contact["taken"]["by"]) == (True, "Anna")
    assert contact["url"] == "https://platform.example/c/c%2F1%3Fx?tab=1"
    status, problem = await post(served, asked("Ben"))
    assert (status, problem["detail"]) == (409, "Anna has taken this contact")
    assert (await post(served, asked("Ben", taken=False)))[0] == 200
    assert (await served.get("/v1/abandoned"))[2]["contacts"][0]["taken"]["by"] == "Anna"
    assert await post(served, asked(taken=False)) == (200, {"taken": None})
    assert (await post(served, asked("Ben")))[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),  # what a form can send
    ],
)
async def test_no_other_site_can_do_it(served: Served, headers: dict[str, str], status: int) -> None:
    body = asked()
    if "Content_Type" in headers:
        body = {"data": str(body["json"])}
    assert (await post(served, body, **headers))[0] == status
    assert (await served.get("/v1/abandoned"))[2]["contacts"][0]["taken"] is None
    assert (await post(served, asked(), Origin=served.url))[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": b"{"}, 400),
        ({"data": b"\xff"}, 400),
        ({"json": []}, 400),
        (asked(""), 400),
        (asked("x" * 41), 400),
        (asked(" Anna"), 400),
        (asked("An\u202ena"), 400),
        (asked(by=7), 400),
        (asked(contact_id="nobody"), 404),
        (asked(abandoned_at=stamp(NOON)), 404),
        ({"data": b" " * (MOST_BYTES + 1)}, 413),
    ],
)
async def test_what_is_refused(served: Served, body: dict[str, Any], status: int) -> None:
    found, problem = await post(served, body)
    assert (found, problem["status"]) == (status, status)
    assert problem["detail"]


async def test_a_store_that_is_away_is_said_without_its_error(served: Served) -> None:
    callbacks = served.views._callbacks
    assert isinstance(callbacks, MemoryCallbacks)
    callbacks.down = True
    status, problem = await post(served, asked())
    assert status == 503
    assert "canary" not in str(problem)


async def test_where_it_is_off_nobody_can(served: Served) -> None:
    off = Served(served.board)
    await off.start()
    assert (await post(off, asked()))[0] == 403
    listed = (await off.get("/v1/abandoned"))[2]
    assert (listed["takes"], listed["contacts"][0]["url"]) == (False, None)
    assert (await off.get(PATH))[0] == 405
    await off.runner.cleanup()


async def test_frames_are_for_those_who_are_named() -> None:
    served = Served(busy_board(), screen=Screen(frame_ancestors=("'self'", "https://intranet.example")))
    await served.start()
    _, headers, _ = await served.get("/")
    policy = headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://intranet.example")
    assert policy.count("frame-ancestors") == 1
    await served.runner.cleanup()
