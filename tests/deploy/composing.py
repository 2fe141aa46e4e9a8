"""The compose files as compose reads them: variables replaced, one file laid over another."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
ACCOUNTS = (ROOT / "docker-compose.accounts.yml").read_text()
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+):-(?P<default>[^}]*)\})")
Json = dict[str, Any]


def compose(alerting: str = "", *overlays: str, **variables: str) -> Json:
    """Return the files as compose reads them, with some variables set."""
    variables["ALERTING"] = alerting
    out: Json = {}
    for text in (TEXT, *overlays):
        out = _over(out, yaml.safe_load(VARIABLE.sub(lambda found: _value(found, variables), text)))
    return out


def _value(found: re.Match[str], variables: dict[str, str]) -> str:
    return "$" if found["dollar"] else variables.get(found["name"]) or found["default"]


def _over(below: Json, above: Json) -> Json:
    """Lay mappings over each other; nothing of ours adds to a list."""
    return below | {
        name: _over(below[name], value) if isinstance(value, dict) and name in below else value
        for name, value in above.items()
    }
