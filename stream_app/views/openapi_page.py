"""The description of the interface as a page for people."""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any, Final

from .openapi import document
from .wire import encode

_SHOWN: Final = 100
"""How many values of a parameter are listed."""


@cache
def described() -> tuple[bytes, bytes]:
    """Return the description as JSON, and as a page: of every application of a process the same."""
    made = document()
    return encode(made), page(made).encode()


def page(made: dict[str, Any]) -> str:
    """Write the description as a self-contained page: nothing is loaded from elsewhere."""
    return "\n".join(_page(made)) + "\n"


def _page(described: dict[str, Any]) -> Iterator[str]:
    info = described["info"]
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])}: API</title>"
    yield '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/docs.css">'
    yield f"<header><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])} "
    yield 'For programs: <a href="/openapi.json">openapi.json</a></p></header>'
    yield "<main><h2>Paths</h2>"
    for path, methods in described["paths"].items():
        ((method, op),) = methods.items()
        yield f"<section><h3><code>{method.upper()} {escape(path)}</code> {_prose(op['summary'])}</h3>"
        if "description" in op:
            yield f"<p>{_prose(op['description'])}</p>"
        if "requestBody" in op:
            yield f"<p>Body: {_type(op['requestBody']['content']['application/json']['schema'])}</p>"
        for sample in op["x-codeSamples"]:
            yield f"<pre><code>{escape(sample['source'])}</code></pre>"
        yield "<table>"
        for parameter in op.get("parameters", ()):
            schema = parameter["schema"]
            allowed = schema.get("items", schema).get("enum", ())
            values = ", ".join([*allowed[:_SHOWN], *(["…"] if len(allowed) > _SHOWN else [])])
            again = ". Repeatable." if "items" in schema else "."
            text = _prose(parameter["description"] + (f": {values}" if values else "") + again)
            yield f"<tr><td><code>?{escape(parameter['name'])}=</code><td>{text}"
        for status, answer in op["responses"].items():
            shapes = [
                f"{escape(media)} {_type(content['schema'])}"
                for media, content in answer.get("content", {}).items()
            ]
            yield (
                f"<tr><td>{status}<td>{_prose(answer['description'])}"
                + (": " if shapes else "")
                + ", ".join(shapes)
            )
        yield "</table></section>"
    yield "<h2>Types</h2>"
    for name, schema in described["components"]["schemas"].items():
        yield f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        yield f"<p>{_prose(schema.get('description', ''))}</p><table>"
        for field, inner in schema["properties"].items():
            mark = "" if field in schema.get("required", ()) else " (optional)"
            text = _prose(inner.get("description", "")) + mark
            yield f"<tr><td><code>{escape(field)}</code><td>{_type(inner)}<td>{text}"
        yield "</table></section>"
    yield "</main></html>"


def _prose(text: str) -> str:
    """Write a text as HTML; what stands in backticks is code."""
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"<code>\1</code>", escape(text))


def _type(schema: dict[str, Any]) -> str:
    """Describe a schema in few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map to {_type(schema['additionalProperties'])}"
    return escape(str(kind))
