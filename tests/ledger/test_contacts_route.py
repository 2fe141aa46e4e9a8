"""``/v1/contacts`` on a real server, over a real ledger: one answer in three formats, and nobody sees it who should not."""

from __future__ import annotations

import csv
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pyarrow.parquet
import pytest
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.opening import NoContacts
from stream_app.model.contacts import (
    ContactFinder,
    ContactPage,
    ContactQuery,
    ContactsAwayError,
    TooMuchAskedError,
)
from stream_app.views.contacts.api import Admission, ContactSource
from stream_app.views.contacts.wire import ContactRow
from stream_app.views.screen import Screen
from tests.views.examples import busy_board
from tests.views.serving import Served

from .centre import Centre

RANGE = "from=2025-11-22&to=2025-11-23&tz=UTC"
LINK = "https://platform.example/contacts/{contact_id}"
Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, partitions=1, contacts=120)
    await made.claim()
    (desk,) = made.desks
    await desk.count(600)
    await desk.write()
    await desk.count(100)
    yield made
    await made.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    started: list[Served] = []

    async def start(
        contacts: ContactFinder | None, shown: Admission = "auto", host: str = "127.0.0.1", link: str = LINK
    ) -> Served:
        board = busy_board(
            (("sales", "voice"), ("billing", "chat"), ("support", "email"), ("claims", "voice"))
        )
        source = ContactSource(contacts, shown, host)
        served = Served(board, screen=Screen(contact_url=link), contacts=source)
        await served.start()
        started.append(served)
        return served

    yield start
    for served in started:
        await served.runner.cleanup()


def from_csv(body: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(StringIO(body.decode(), newline=""))]


def as_csv(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


async def test_the_three_formats_are_one_answer(centre: Centre, serve: Serve) -> None:
    served = await serve(centre.contacts)
    status, _, answer = await served.get(f"/v1/contacts?{RANGE}&limit=10000")
    rows = answer["rows"]
    assert (status, answer["total"], answer["unknown"], answer["next"]) == (200, len(rows), [], None)
    assert {row["open"] for row in rows} == {True, False}
    assert {row["outcome"] for row in rows} >= {"answered", "abandoned", "waiting"}
    first = next(row for row in rows if row["contact_id"])
    assert first["url"] == LINK.format(contact_id=quote(first["contact_id"], safe=""))

    _, headers, body = await served.get(f"/v1/contacts?{RANGE}&limit=10000&format=csv")
    assert (headers["X-Total"], headers.get("X-Unknown")) == (str(len(rows)), None)
    assert from_csv(body) == [{name: as_csv(value) for name, value in row.items()} for row in rows]

    _, headers, body = await served.get(f"/v1/contacts?{RANGE}&limit=10000&format=parquet")
    table = pyarrow.parquet.read_table(BytesIO(body)).to_pylist()
    assert headers["Content-Type"] == "application/vnd.apache.parquet"
    assert table == [{**row, "started": datetime.fromisoformat(row["started"])} for row in rows]
    assert [*rows[0]] == [*ContactRow.__struct_fields__]


async def test_the_answer_is_as_described(centre: Centre, serve: Serve) -> None:
    served = await serve(centre.contacts)
    _, _, document = await served.get("/openapi.json")
    for path in (f"/v1/contacts?{RANGE}", f"/v1/contacts?{RANGE}&queue=sales&outcome=abandoned&limit=1"):
        status, headers, answer = await served.get(path)
        assert (status, headers["Cache-Control"]) == (200, "no-store")
        content = document["paths"]["/v1/contacts"]["get"]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(answer)


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
async def test_pages_lead_to_each_other(centre: Centre, serve: Serve, form: str) -> None:
    served = await serve(centre.contacts)
    _, _, whole = await served.get(f"/v1/contacts?{RANGE}&limit=10000&channel=voice&channel=chat")
    path: str | None = f"/v1/contacts?{RANGE}&limit=13&channel=voice&channel=chat&format={form}"
    found: list[str] = []
    while path:
        _, headers, body = await served.get(path)
        if form == "json":
            rows = body["rows"]
        else:
            rows = from_csv(body) if form == "csv" else pyarrow.parquet.read_table(BytesIO(body)).to_pylist()
        assert len(rows) <= 13
        found += [row["contact_id"] for row in rows]
        link = headers.get("Link")
        path = link.partition("<")[2].partition(">")[0] if link else None
        assert form != "json" or body["next"] == path
    assert found == [row["contact_id"] for row in whole["rows"]]
    assert len(found) > 26


async def test_what_is_not_known_is_told_and_never_as_none(
    redis_url: str, storage: LocalFiles, serve: Serve
) -> None:
    centre = Centre(redis_url, storage, partitions=1, contacts=120)
    (desk,) = centre.desks
    await desk.claim(keeps_ledger=False)
    await desk.count(300)
    served = await serve(centre.contacts)
    _, headers, answer = await served.get(f"/v1/contacts?{RANGE}")
    everything = {"begin": "2025-11-22T00:00:00.000+00:00", "end": "2025-11-23T00:00:00.000+00:00"}
    assert answer["unknown"] == [everything]
    assert all(row["open"] for row in answer["rows"])
    assert headers["X-Unknown"] == f"{everything['begin']}/{everything['end']}"

    await desk.claim()
    await desk.count(300)
    await desk.write()
    _, _, answer = await served.get(f"/v1/contacts?{RANGE}")
    (missing,) = answer["unknown"]
    assert missing["begin"] == everything["begin"] < missing["end"] < everything["end"]
    _, _, answer = await served.get(f"/v1/contacts?from={quote(missing['end'])}&to=2025-11-23&tz=UTC")
    assert answer["unknown"] == []
    await centre.close()


async def test_a_cursor_is_of_one_query(centre: Centre, serve: Serve) -> None:
    served = await serve(centre.contacts)
    _, _, answer = await served.get(f"/v1/contacts?{RANGE}&limit=1")
    (cursor,) = parse_qs(urlsplit(answer["next"]).query)["cursor"]
    for wrong in (
        f"{RANGE}&cursor={cursor}&queue=sales",
        f"{RANGE}&cursor=x",
        f"{RANGE}&cursor={cursor[:-8]}",
    ):
        status, _, problem = await served.get(f"/v1/contacts?{wrong}")
        assert (status, problem["parameter"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("shown", "host", "asked", "status"),
    [
        ("auto", "127.0.0.1", "127.0.0.1:8080", 200),
        ("auto", "::1", "[::1]:8080", 200),
        ("auto", "localhost", "localhost", 200),
        ("auto", "0.0.0.0", "127.0.0.1:8080", 403),  # noqa: S104 - what is refused
        ("auto", "::", "localhost", 403),
        ("auto", "10.0.0.7", "10.0.0.7:8080", 403),
        ("auto", "127.0.0.1", "wallboard.example.org", 403),
        ("auto", "127.0.0.1", "127.0.0.1.evil.example:8080", 403),
        ("on", "0.0.0.0", "wallboard.example.org", 200),  # noqa: S104 - by name
        ("off", "127.0.0.1", "127.0.0.1", 403),
    ],
)
async def test_beyond_this_machine_contacts_are_shown_only_by_name(
    centre: Centre, serve: Serve, *, shown: Admission, host: str, asked: str, status: int
) -> None:
    served = await serve(centre.contacts, shown, host)
    found, headers, answer = await served.get(f"/v1/contacts?{RANGE}", Host=asked)
    assert (found, headers["Cache-Control"]) == (status, "no-store")
    if status == 403:
        assert "STREAM_APP_CONTACTS=on" in answer["detail"]
        assert "rows" not in answer


class Failing:
    """What finds contacts, and can't now."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def find(self, query: ContactQuery) -> ContactPage:
        del query
        raise self._error


@pytest.mark.parametrize(
    ("finder", "status", "said"),
    [
        (None, 503, "set STREAM_APP_LEDGER"),
        (NoContacts("the ledger needs duckdb: pip install"), 501, "the ledger needs duckdb"),
        (Failing(ContactsAwayError("disk")), 503, "unavailable; try again"),
        (Failing(TooMuchAskedError("no answer within 20 s")), 422, "no answer within 20 s"),
    ],
)
async def test_what_can_not_be_answered_is_said(
    serve: Serve, *, finder: ContactFinder | None, status: int, said: str
) -> None:
    served = await serve(finder)
    found, _, problem = await served.get(f"/v1/contacts?{RANGE}")
    assert (found, said in problem["detail"]) == (status, True)


async def test_what_is_asked_for_is_in_no_log(centre: Centre, serve: Serve) -> None:
    served = await serve(centre.contacts)
    with capture_logs() as logs:
        for query in (
            "customer=u-canary",
            "agent=a-canary",
            f"{RANGE}&limit=10000",
            "queue=q-canary",
            "cursor=canary",
        ):
            await served.get(f"/v1/contacts?{query}")
    assert "canary" not in json.dumps(logs)


async def test_names_that_spreadsheets_would_run_are_marked(centre: Centre, serve: Serve) -> None:
    served = await serve(centre.contacts, link="")
    (desk,) = centre.desks
    end = desk.lines[desk.position - 1].timestamp
    event = {
        "type": "contact.queued", "id": "formula", "at": end, "contact_id": "=1+1", "queue": "sales", "customer": "@SUM(A1)"
    }  # fmt: skip
    desk.lines[desk.position].value = json.dumps(event).encode()
    await desk.count(1)
    _, _, body = await served.get(f"/v1/contacts?{RANGE}&limit=10000&format=csv&queue=sales")
    (row,) = [row for row in from_csv(body) if row["contact_id"].endswith("=1+1")]
    assert (row["contact_id"], row["customer"], row["url"]) == ("'=1+1", "'@SUM(A1)", "")
    _, _, answer = await served.get(f"/v1/contacts?{RANGE}&customer={quote('@SUM(A1)')}")
    assert [row["contact_id"] for row in answer["rows"]] == ["=1+1"]


async def test_a_request_that_is_given_up_ends_its_query(centre: Centre, serve: Serve) -> None:
    """And others are answered meanwhile."""
    served = await serve(centre.contacts)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(f"GET /v1/contacts?{RANGE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    status, _, answer = await served.get(f"/v1/contacts?{RANGE}")
    assert (status, answer["total"] > 0) == (200, True)
