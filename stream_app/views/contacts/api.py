"""The route ``/v1/contacts``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from msgspec import Struct

from stream_app.model.contacts import (
    ContactFinder,
    ContactPage,
    ContactsAwayError,
    ContactsMissingError,
    TooMuchAskedError,
)
from stream_app.model.ledger_numbers import LedgerKpis, TimeRange
from stream_app.model.what_if import WhatIfAnswerer
from stream_app.model.why import Explainer
from stream_app.tables.escaping import marked
from stream_app.views import parquet, problems
from stream_app.views.intervals.api import AWAY, CSV, JSON, PARQUET
from stream_app.views.intervals.formats import line
from stream_app.views.refusing import refused_as_problems
from stream_app.views.sending import Heavy, around, send
from stream_app.views.stamping import stamp
from stream_app.views.wire import Problem, encode

from .query import AskedContacts, ContactCursor, parse_contacts
from .wire import TIMES, ContactRow, ContactsAnswer, UnknownRange, cells, contact_row

PATH: Final = "/v1/contacts"
PRIVATE: Final = {"Cache-Control": "no-store"}
MOST_OF_A_HEADER: Final = 4_000
"""Letters of ``X-Unknown``: clients take 8,000 of a header, and proxies less."""
_BETWEEN: Final = ", "
NO_LEDGER: Final = "there is no ledger here: set STREAM_APP_LEDGER for workers, stream-app ledger and serve"
OFF: Final = "contacts are not shown here: set STREAM_APP_CONTACTS=on to show them to everybody who reaches this server"

Admission = Literal["auto", "on", "off"]


class ContactSource(Struct, frozen=True):
    """Where contacts come from, and who may see them.

    Attributes:
        contacts: what knows them; ``None``: there is no ledger.
        shown: ``auto``: only where the server listens, and is asked, at a loopback address.
        host: where it listens.
        whys: what explains numbers by them; ``None``: there is no ledger.
        what_ifs: what judges them anew; likewise.
        kpis: what computes KPIs of the ledger, likewise.
    """

    contacts: ContactFinder | None = None
    shown: Admission = "auto"
    host: str = "127.0.0.1"
    whys: Explainer | None = None
    what_ifs: WhatIfAnswerer | None = None
    kpis: LedgerKpis | None = None

    def admits(self, asked: str) -> bool:
        """Return whether a request with this ``Host`` may see contacts."""
        return admits(self.shown, self.host, asked)


def admits(shown: Admission, host: str, asked: str) -> bool:
    """Return whether a request with this ``Host`` may see what is shown so by a server that listens at ``host``.

    A proxy on this machine passes on the name by which others reach it, and a page of another site that has its name
    point to this machine is asked for by that name.
    """
    if shown == "auto":
        return is_loopback(host) and is_loopback(urlsplit(f"//{asked}").hostname or "")
    return shown == "on"


def is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class ContactViews:
    """The route."""

    def __init__(
        self, source: ContactSource, now: Callable[[], int], heavy: Heavy, link: Callable[[str], str | None]
    ) -> None:
        """Set where contacts come from.

        Args:
            source: that.
            now: ms since the epoch.
            heavy: the line for large answers.
            link: contact → its address in the platform.
        """
        self._source, self._now, self._heavy, self._link = source, now, heavy, link

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page of contacts."""
        admit(self._source, request)
        given = {name: request.query.getall(name) for name in request.query}
        with refused_as_problems():
            asked = parse_contacts(given, self._now())
        if self._source.contacts is None:
            raise away(NO_LEDGER)
        async with self._heavy.line(request):
            with answered_as_problems():
                page = await self._source.contacts.find(asked.query)
            parts, headers = await asyncio.to_thread(self._written, request.query, asked, page)
        return await send(request, parts, headers)

    def _written(
        self, given: Mapping[str, str], asked: AskedContacts, page: ContactPage
    ) -> tuple[list[bytes], dict[str, str]]:
        """Write a page, in a thread."""
        rows = [contact_row(one, self._link) for one in page.contacts]
        following = _next(given, asked, page)
        headers = {**PRIVATE, "X-Total": str(page.total)}
        if following is not None:
            headers["Link"] = f'<{following}>; rel="next"'
        if page.unknown:
            headers["X-Unknown"] = unknown_header(page.unknown)
        if asked.form == "json":
            return self._json(asked, page, rows, following), {**headers, "Content-Type": JSON}
        headers["Content-Disposition"] = f'attachment; filename="contacts.{asked.form}"'
        if asked.form == "csv":
            text = [
                line(ContactRow.__struct_fields__),
                *(line([*map(text_cell, cells(row))]) for row in rows),
            ]
            return [part.encode() for part in text], {**headers, "Content-Type": f"{CSV}; charset=utf-8"}
        try:
            schema = parquet.columns(ContactRow, TIMES, {})
        except parquet.ParquetMissingError as error:
            raise not_installed(str(error)) from None
        return [parquet.to_bytes(rows, schema, TIMES)], {**headers, "Content-Type": PARQUET}

    def _json(
        self, asked: AskedContacts, page: ContactPage, rows: list[ContactRow], following: str | None
    ) -> list[bytes]:
        answer = ContactsAnswer(
            at=stamp(self._now()),
            begin=stamp(asked.query.start),
            end=stamp(asked.query.end),
            when=asked.query.when,
            total=page.total,
            unknown=[UnknownRange(stamp(since), stamp(until)) for since, until in page.unknown],
            rows=[],
            next=following,
        )
        return around(answer, "rows", map(encode, rows))


def admit(source: ContactSource, request: web.Request) -> None:
    """Refuse who may not see contacts."""
    if not source.admits(request.host):
        raise problems.ProblemError(problems.of_status(HTTPStatus.FORBIDDEN, OFF), PRIVATE)


@contextmanager
def answered_as_problems(
    parameter: str = "from", less: Sequence[str] = ("a shorter range",)
) -> Iterator[None]:
    """Answer errors of those who know the contacts.

    Args:
        parameter: what makes a question of this route too large.
        less: what to ask for instead.
    """
    try:
        yield
    except ContactsMissingError as error:
        raise not_installed(str(error)) from None
    except TooMuchAskedError as error:
        raise problems.misfit(parameter, str(error), [*less]) from None
    except ContactsAwayError:
        raise away("the ledger or its store is unavailable; try again") from None


def _next(given: Mapping[str, str], asked: AskedContacts, page: ContactPage) -> str | None:
    """Return the path of the next page: the same query with its range written out."""
    if not page.more:
        return None
    kept = [(name, value) for name, value in given.items() if name not in {"from", "to", "cursor"}]
    cursor = ContactCursor(page.contacts[-1].key, asked.asked)
    kept += [("from", stamp(asked.query.start)), ("to", stamp(asked.query.end)), ("cursor", str(cursor))]
    return f"{PATH}?{urlencode(kept)}"


def unknown_header(ranges: Iterable[TimeRange]) -> str:
    """Return ``X-Unknown``: the first stretches of which contacts are missing, as many as a client takes in a header."""
    found, room = list[str](), MOST_OF_A_HEADER
    for since, until in ranges:
        text = f"{stamp(since)}/{stamp(until)}"
        room -= len(text) + len(_BETWEEN)
        if room < 0:
            break
        found.append(text)
    return _BETWEEN.join(found)


def text_cell(value: object) -> object:
    """Return a value as a cell of CSV."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return marked(value) if isinstance(value, str) else value


def away(why: str) -> problems.ProblemError:
    """Return the error where contacts are not known now."""
    problem = problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, why)
    return problems.ProblemError(problem, {**AWAY, **PRIVATE})


def not_installed(why: str) -> problems.ProblemError:
    """Return the error where a library is missing."""
    problem = Problem(
        type="urn:stream-app:problem:not-installed",
        title="Not installed",
        status=HTTPStatus.NOT_IMPLEMENTED,
        detail=why,
    )
    return problems.ProblemError(problem, PRIVATE)
