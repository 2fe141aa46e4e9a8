"""What does not change while the process runs: the pages, their scripts and styles, and the description."""

from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from aiohttp import web

_PAGES: Final = {"index.html": "/", "people.html": "/people", "plan.html": "/plan"}
_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def add_pages(app: web.Application) -> None:
    """Serve the pages and what they load."""
    for file in (files("stream_app.views") / "static").iterdir():
        path = _PAGES.get(file.name, f"/static/{file.name}")
        add(app, path, file.read_bytes(), _TYPES[file.name.rpartition(".")[2]])


def add(app: web.Application, path: str, body: bytes, content_type: str) -> None:
    """Serve bytes that don't change while the process runs, so that they need not be sent twice."""
    etag = sha256(body).hexdigest()[:16]
    charset = None if content_type == "application/json" else "utf-8"

    async def fixed(request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-cache", "ETag": f'"{etag}"'}
        if any(seen.value in {etag, "*"} for seen in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)

    app.router.add_get(path, fixed)
