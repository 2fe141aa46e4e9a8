"""``POST /v1/abandoned/taken``: somebody calls an abandoned contact back.

The only request that changes anything. A browser sends it from our own pages alone: its ``Origin`` is the host that was asked,
and its body is JSON, which a form of another site can't send. What is stored is bounded: a name, for a contact in the list.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from stream_app.errors import StoreUnavailableError
from stream_app.model.live.callbacks import Callbacks, Taken
from stream_app.model.live.rows import Chosen, everywhere
from stream_app.model.live.running import GaveUp

from . import problems, wire_lists
from .stamping import Time, stamp
from .wire import Problem, encode

PATH: Final = "/v1/abandoned/taken"
MOST_BYTES: Final = 4_096
LONGEST_NAME: Final = 40
_FRESH_ONLY: Final = {"Cache-Control": "no-store"}


class Taking(Struct, frozen=True):
    """Somebody calls a contact of ``/v1/abandoned`` back, or does not any more."""

    contact_id: str
    abandoned_at: Annotated[Time, Meta(description="As in the list")]
    by: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, description="The name that others see")]
    taken: bool = True


_decode: Final = msgspec.json.Decoder(Taking).decode


class TakingRoute:
    """The route."""

    def __init__(
        self, callbacks: Callbacks, listed: Callable[[int, Chosen], list[GaveUp]], now: Callable[[], int]
    ) -> None:
        """Take the list of who calls whom, the contacts that may be called, and the time."""
        self._callbacks = callbacks
        self._listed = listed
        self._now = now

    async def post(self, request: web.Request) -> web.Response:
        """Answer the request.

        Raises:
            ProblemError: it is refused.
        """
        if not self._callbacks.takes:
            raise _refused(
                HTTPStatus.FORBIDDEN,
                "contacts are not taken here: STREAM_APP_TAKE_CALLBACKS is off, or Redis is read-only",
            )
        check_origin(request)
        asked = await _body(request)
        contact = next(
            (
                one
                for one in self._listed(sys.maxsize, everywhere)
                if (one.contact, stamp(one.at)) == (asked.contact_id, asked.abandoned_at)
            ),
            None,
        )
        if contact is None:
            raise _refused(
                HTTPStatus.NOT_FOUND, "this contact is not in the list of abandoned contacts any more"
            )
        try:
            if not asked.taken:
                await self._callbacks.give_back(contact.contact, contact.at, asked.by)
                return _answer(None)
            taken = await self._callbacks.take(contact.contact, contact.at, Taken(asked.by, self._now()))
        except StoreUnavailableError:
            raise _refused(HTTPStatus.SERVICE_UNAVAILABLE, "Redis did not store it: try again") from None
        if taken.by != asked.by:
            raise _refused(HTTPStatus.CONFLICT, f"{taken.by} has taken this contact")
        return _answer(taken)


def _answer(taken: Taken | None) -> web.Response:
    body = encode(wire_lists.TakenAnswer(wire_lists.taken_by(taken)))
    return web.Response(body=body, content_type="application/json", headers=_FRESH_ONLY)


def check_origin(request: web.Request) -> None:
    """Refuse what a browser sends from the page of another site. Programs that are no browsers send no ``Origin``.

    Raises:
        ProblemError: it is from elsewhere, or not JSON.
    """
    if request.content_type != "application/json":
        raise _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected Content-Type: application/json")
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    if site != "same-origin" or (origin is not None and urlsplit(origin).netloc != request.host):
        detail = "expected a request from a page of this server; a proxy must pass the Host header on"
        raise _refused(HTTPStatus.FORBIDDEN, detail)


async def _body(request: web.Request) -> Taking:
    body = b""
    async for chunk in request.content.iter_chunked(MOST_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MOST_BYTES:,} bytes")
    try:
        asked = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(
            HTTPStatus.BAD_REQUEST, f"expected {{contact_id, abandoned_at, by, taken}}: {error}"
        ) from None
    if not asked.by.isprintable() or asked.by != asked.by.strip():
        raise _refused(
            HTTPStatus.BAD_REQUEST, "by: expected a name of printable characters, without spaces around it"
        )
    return asked


def _refused(status: HTTPStatus, detail: str) -> problems.ProblemError:
    return problems.ProblemError(Problem(title=status.phrase, status=status, detail=detail), _FRESH_ONLY)
