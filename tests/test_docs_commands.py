"""Commands for compose on the pages: their options exist, their services are there, and what they run is a command of ours.

No Docker engine is needed: what compose's own commands take is written down here.
"""

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.deploy.composing import TEXT, compose
from tests.test_docs_true import TEXTS, code, wrong_calls

TAKES_VALUE = {"--scale", "--user", "--volume", "--workdir", "--since", "--profile", "--file"}
OPTIONS = {
    "up": {"-d", "--detach", "--build", "--scale", "--force-recreate", "--remove-orphans"},
    "run": {"--rm", "--no-deps", "--user", "--volume", "--workdir"},
    "exec": set(),
    "logs": {"--since", "--follow"},
    "stop": set(),
    "start": set(),
    "restart": set(),
    "build": set(),
    "down": {"--volumes"},
    "ps": set(),
}
"""Of `docker compose` 2: command → options that the pages may use."""
SERVICES = compose()["services"]
INSIDE = {"redis": "redis-cli", "alertmanager": "amtool", "worker": "stream-app", "serve": "stream-app"}
"""What `exec` may run where."""


def compose_calls(text: str) -> Iterator[list[str]]:
    """Yield the words of each call, without what is said about it; an ellipsis ends it, because anything may follow."""
    for line in code(text):
        for found in re.finditer(r"docker compose ((?:(?!  )[^`#|;…])+)", line):
            yield shlex.split(found[1].replace("$(id -u)", "1000"))


def wrong_words(words: list[str]) -> list[str]:
    """Return what is wrong with a call."""
    rest = list(words)
    while rest[0] in {"--profile", "--file"}:
        rest = rest[2:]
    command, *rest = rest
    if command not in OPTIONS:
        return [f"docker compose {command}"]
    wrong = []
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option not in OPTIONS[command]:
            wrong.append(f"docker compose {command} {option}")
        if option in TAKES_VALUE:
            rest.pop(0)
    named = rest if command not in {"run", "exec"} else rest[:1]
    wrong += [f"service {name}" for name in named if name not in SERVICES]
    if command in {"run", "exec"} and not wrong:
        wrong += wrong_inside(command, *rest)
    return wrong


def wrong_inside(command: str, service: str = "", *words: str) -> list[str]:
    """Return what is wrong with what runs in a container."""
    if not service:
        return [f"docker compose {command} names no service"]
    program, rest = INSIDE[service], list(words)
    if command == "exec" and rest.pop(0) != program:
        return [f"{words[0]} in {service}"]
    return wrong_calls(f"    stream-app {shlex.join(rest)}\n") if program == "stream-app" and rest else []


@pytest.mark.parametrize("page", TEXTS)
def test_every_call_of_compose_can_be_made(page: str) -> None:
    assert [wrong for words in compose_calls(TEXTS[page]) for wrong in wrong_words(words)] == []


def test_the_compose_files_own_comments_can_be_followed() -> None:
    comments = "\n".join(f"    {line[1:].strip()}" for line in TEXT.splitlines() if line.startswith("#"))
    calls = list(compose_calls(comments))
    assert len(calls) >= 4
    assert [wrong for words in calls for wrong in wrong_words(words)] == []


def test_people_who_use_compose_find_their_commands() -> None:
    for page in ("README.md", "docs/runbook.md", "docs/operations.md", "docs/alerting.md"):
        assert list(compose_calls(TEXTS[page])), page


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("docker compose upp -d", ["docker compose upp"]),
        ("docker compose up --dettach", ["docker compose up --dettach"]),
        ("docker compose up -d grafanna", ["service grafanna"]),
        ("docker compose up --scale worker=3", []),
        ("docker compose run --rm worker chek", ["stream-app chek"]),
        ("docker compose run --rm worker check --offfline", ["stream-app check --offfline"]),
        ("docker compose run --rm worker config apply targets.toml # a comment", []),
        ("docker compose run --rm", ["docker compose run names no service"]),
        ("docker compose exec worker stream-app dance", ["stream-app dance"]),
        ("docker compose exec worker check", ["check in worker"]),
        ("docker compose exec redis redis-cli HGETALL x", []),
        ("docker compose --profile demo up -d --build", []),
    ],
)
def test_what_is_wrong_with_a_call_is_found(call: str, wrong: list[str]) -> None:
    (words,) = compose_calls(f"    {call}\n")
    assert wrong_words(words) == wrong


def test_after_an_update_the_image_is_built_anew() -> None:
    """`up` alone starts the image that is there, however old."""
    for page in ("README.md", "docs/operations.md"):
        starts = [words for words in compose_calls(TEXTS[page]) if "up" in words and "--scale" not in words]
        assert starts
        assert all("--build" in words for words in starts), page


def test_receivers_are_taken_by_compose_only_if_containers_are_made_anew() -> None:
    (words,) = (words for words in compose_calls(TEXTS["docs/alerting.md"]) if "--force-recreate" in words)
    mounting = {
        name
        for name, service in SERVICES.items()
        if re.search(r"alertmanager\.yml|/provisioning|/rules", str(service.get("volumes")))
    }
    assert (
        mounting
        == {"grafana", "prometheus", "alertmanager"}
        == set(words[words.index("--force-recreate") + 1 :])
    )
