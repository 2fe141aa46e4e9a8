"""The documentation names only what exists: files, commands, options, settings, routes, metrics; and its counts are right."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_app.__main__ import COMMANDS
from stream_app.commands.lazy import load
from stream_app.ledger.telemetry import LedgerTelemetry
from stream_app.model.edition import EDITION
from stream_app.model.kpis import KPIS, SERVICE_LEVELS, TOTALS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.settings import Settings
from stream_app.telemetry import Telemetry
from stream_app.views import alerts, naming, openapi
from stream_app.views.dashboards import DASHBOARDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "stream_app"
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}

# Begins a path from the root of the repository, or from the package; files that only exist at somebody else's are not ours.
FOLDERS = sorted(
    {
        path.name
        for base in (ROOT, PACKAGE)
        for path in base.iterdir()
        if path.is_dir() and path.name.isidentifier()
    }
    - {"config", "secrets"}  # files in these are people's own
)
PATH = re.compile(rf"(?<![\w./{{}}-])(?:{'|'.join(FOLDERS)})/[\w./*<>-]*[\w/*>]")
PLACEHOLDER = re.compile(r"[*<]")
NUMBERS = dict(
    zip(
        (
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "twenty-one",
            "twenty-two",
            "twenty-three",
            "twenty-four",
        ),
        (4, 5, 6, 7, 8, 9, 10, 21, 22, 23, 24),
        strict=True,
    )
)
COUNTED = {
    r"(?:Grafana )?dashboards": len(DASHBOARDS),
    r"alerts": len(alerts.rules()),
    r"(?:named |service-level )?(?:policies|formulas)": len(SERVICE_LEVELS),
    r"service-level (?:policies|formulas)": len(SERVICE_LEVELS),
}


def without_blocks(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str) -> Iterator[str]:
    """Yield pieces of code, each on one line: indented and fenced blocks by lines, and what is in backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = without_blocks(text)
    for block in blocks:
        yield from block.splitlines()
    yield from (line.strip() for line in rest.splitlines() if line.startswith("    "))
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", rest))


def leaves(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the commands of a name: itself, or its subcommands."""
    command = load(name, COMMANDS[name][0])
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield name, command
    else:
        yield from ((f"{name} {sub}", each) for sub, each in subcommands.items())


CLI = {words: command for name in COMMANDS for words, command in leaves(name)}
OPTIONS = {
    words: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    | {"-h", "--help"}
    for words, command in CLI.items()
}


def calls(text: str) -> Iterator[tuple[str, str]]:
    """Yield what calls of our command line are there: the word after the program's name, and all that follows."""
    for line in code(text):
        for found in re.finditer(r"(?:^|[\s/|`])stream-app ([a-z][a-z-]*)((?: [^|#&;]*)?)", line):
            yield found[1], found[2]


def wrong_calls(text: str) -> list[str]:
    """Return the calls of commands and options that do not exist."""
    found = []
    for word, rest in calls(text):
        sub = re.match(r"\s*([\w-]+)", rest)
        words = f"{word} {sub[1]}" if sub and f"{word} {sub[1]}" in CLI else word
        known = OPTIONS.get(words) if word in COMMANDS else None
        if known is None and word in COMMANDS:  # a group by itself
            known = {
                option
                for name, options in OPTIONS.items()
                if name.startswith(f"{word} ")
                for option in options
            }
        if known is None:
            found.append(f"stream-app {word}")
            continue
        found += [
            f"stream-app {words} {option}"
            for option in re.findall(r"(?<![\w-])--[a-z-]+", rest)
            if option not in known
        ]
    return found


def wrong_paths(text: str) -> list[str]:
    """Return paths of the repository that are named and do not exist; those of "the new file `…`" are still to be made."""
    new = set(re.findall(r"new\s+file\s+`([^`]+)`", text))
    return [
        name
        for name in PATH.findall(text)
        if not PLACEHOLDER.search(name)
        and name not in new
        and not any((base / name.rstrip("/")).exists() for base in (ROOT, PACKAGE, ROOT / "docs"))
        and not list((ROOT / "docs").glob(f"{name.removeprefix('docs/')}*"))  # decisions by number
    ]


def wrong_counts(text: str) -> list[str]:
    """Return statements of how many there are that are wrong."""
    return [
        f"{number} {what}: {count}"
        for what, count in COUNTED.items()
        for number in re.findall(rf"\b({'|'.join(NUMBERS)})\s+{what}\b", text, re.IGNORECASE)
        if NUMBERS[number.lower()] != count
    ]


def metrics() -> set[str]:
    """Return the names of all series that are exported."""
    families = [*Telemetry().registry.collect(), *LedgerTelemetry().registry.collect()]
    ours = {
        name for family in families for name in (family.name, *(sample.name for sample in family.samples))
    }
    constants = {value for value in vars(naming).values() if isinstance(value, str)}
    kpis = {name for kpi in KPIS for name in naming.names_of(kpi)} | {naming.total(name) for name in TOTALS}
    kpis |= {name for kpi in FROM_LEDGER for name in naming.ledger_names_of(kpi)}
    return ours | constants | kpis | {f"{naming.WAITED}_bucket"}


METRICS = metrics()
ROUTES = {operation.path for operation in openapi.OPERATIONS}
SETTINGS = {f"STREAM_APP_{name.upper()}" for name in Settings.model_fields} | {
    *(name.upper() for name in Settings.model_fields if name.startswith(("kafka_", "redis_"))),
    *("STREAM_APP_CONFIG", "REDIS_URL_FILE", "KAFKA_SASL_PASSWORD_FILE"),
}


def wrong_metrics(text: str) -> list[str]:
    """Return metrics that are named and not exported."""
    return [name for name in re.findall(r"`((?:cc|stream_app)_\w+)", text) if name not in METRICS]


def wrong_settings(text: str) -> list[str]:
    """Return environment variables that are named and not read."""
    return [
        name
        for name in re.findall(r"\b(?:STREAM_APP|KAFKA|REDIS)_[A-Z_]+[A-Z]\b", text)
        if name not in SETTINGS
    ]


def wrong_routes(text: str) -> list[str]:
    """Return routes that are named and not served."""
    return [
        route
        for route in re.findall(r"(?<![\w.])/v1/[\w-]+|(?<![\w./])/[a-z]+z\b", text)
        if route not in ROUTES
    ]


def wrong_links(text: str, page: str = "README.md") -> list[str]:
    """Return links that lead to no file, or to no heading of it."""
    found = []
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([\w-]+))?\)", text):
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists():
            found.append(target)
        elif anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            found += [f"{target}#{anchor}"] if anchor not in anchors else []
    return found


@pytest.mark.parametrize(
    "wrong", [wrong_paths, wrong_calls, wrong_counts, wrong_metrics, wrong_settings, wrong_routes]
)
def test_what_the_pages_name_exists(wrong: Callable[[str], list[str]]) -> None:
    assert {page: found for page, text in TEXTS.items() if (found := wrong(text))} == {}


def test_every_link_leads_somewhere() -> None:
    assert {page: found for page, text in TEXTS.items() if (found := wrong_links(text, page))} == {}


def test_every_page_is_in_the_index() -> None:
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS["README.md"])}
    pages = {page for page in TEXTS if page.count("/") < 2} - {"README.md"}
    assert pages - linked == set()


def test_the_specification_has_the_edition_by_which_is_counted() -> None:
    assert f"This page is the specification, edition {EDITION}:" in TEXTS["docs/semantics.md"]


def test_every_option_that_stands_alone_is_one_of_ours() -> None:
    known = {option for options in OPTIONS.values() for option in options}
    spans = re.compile(r"`(--[a-z-]+)[^`]*`")
    alone = {(page, option) for page, text in TEXTS.items() for option in spans.findall(without_blocks(text))}
    assert len(alone) > 30
    assert {(page, option) for page, option in alone if option not in known} == set()


def test_every_command_is_named() -> None:
    named = {word for text in TEXTS.values() for word, _ in calls(text)}
    assert COMMANDS.keys() - named == set()


def test_every_setting_is_documented() -> None:
    page = TEXTS["docs/operations.md"]
    suffixes = {"kafka_sasl_username", "kafka_sasl_password"}  # written as …_USERNAME
    assert [name for name in Settings.model_fields if name.upper() not in page and name not in suffixes] == []


def test_the_map_shows_every_part_of_the_package() -> None:
    table = TEXTS["docs/architecture.md"].partition("## What `ls stream_app` shows")[2]
    shown = {
        name
        for row in re.findall(r"^\| (`[^|]+)\|", table, re.MULTILINE)
        for name in re.findall(r"`([\w.]+)`", row)
    }
    parts = {
        path.name for path in PACKAGE.iterdir() if path.name not in {"__init__.py", "__pycache__", "py.typed"}
    }
    assert shown == parts


def test_the_host_is_known_where_the_first_decision_says() -> None:
    known: dict[str, set[str]] = {"faust": set(), "mode": set()}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for library in {name.partition(".")[0] for name in names} & known.keys():
                known[library].add(str(path.relative_to(PACKAGE)))
    decision = TEXTS["docs/decisions/0001-faust-is-the-host.md"]
    last = decision.partition("**What follows.**")[2].partition("**Measured**")[0]
    assert known["faust"] == {"ingest/host.py"}
    assert set(re.findall(r"`([\w/]+\.py)`", last)) == known["faust"] | known["mode"]


def test_what_is_wrong_is_found() -> None:
    assert wrong_paths("see `stream_app/nowhere.py`, `model/facts.py` and `tests/none/`") == [
        "stream_app/nowhere.py",
        "tests/none/",
    ]
    assert wrong_calls(
        "    stream-app dance\n    stream-app replay --store x | stream-app staffing - --asa 3\n"
    ) == [
        "stream-app dance",
        "stream-app replay --store",
    ]
    assert len(wrong_counts("five dashboards, eight Grafana dashboards, eight named policies")) == 2
    assert wrong_metrics("`cc_open` and `cc_nothing_at_all`") == ["cc_nothing_at_all"]
    assert wrong_settings("STREAM_APP_PORT, STREAM_APP_DOOR") == ["STREAM_APP_DOOR"]
    assert wrong_routes("`/v1/now` and GET /v1/then, `/readyz`, `/livez`") == ["/v1/then", "/livez"]
    assert wrong_links("[a](docs/none.md) [b](docs/events.md#none) [c](docs/intervals.md#outages)") == [
        "docs/none.md",
        "docs/events.md#none",
    ]


def test_json_that_a_page_shows_is_json() -> None:
    for page, text in TEXTS.items():
        for block in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            pieces = (
                block.splitlines() if block.startswith('{"name"') else [block]
            )  # a gallery has one case a line
            assert all(json.loads(piece) for piece in pieces), page
