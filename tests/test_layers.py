"""Imports go one way: the table below says who may import whom, and it has no circle.

tables   model ◄── kafka, ingest, store, views, workforce, forecast ◄── planning, ledger ◄── processes ◄── commands
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "stream_app"
# Part → the parts that it may import, the lowest first. A part is a folder or a module below stream_app.
MAY_IMPORT: dict[str, set[str]] = {
    "__version__": set(),
    "errors": set(),
    "clocks": set(),
    "failpoints": {"errors"},
    "subprocess": set(),
    "zones": {"errors"},
    "settings": {"errors", "zones"},
    "model": {"errors"},
    "tables": {"errors"},
    "logs": {"errors", "settings"},
    "telemetry": {"__version__", "errors", "model"},
    "kafka": {"errors", "settings", "model"},
    "forecast": {"errors", "model", "tables"},
    "workforce": {"errors", "model", "tables"},
    "store": {"errors", "clocks", "model"},
    "ingest": {"errors", "clocks", "failpoints", "telemetry", "model", "kafka", "tables"},
    "views": {"__version__", "errors", "model", "tables"},
    "simulation": {"errors", "model", "kafka"},
    "demo": {"errors", "simulation"},
    "ledger": {"__version__", "errors", "failpoints", "settings", "model", "store"},
    "planning": {"errors", "subprocess", "model", "store", "forecast", "workforce", "views"},
}
MAY_IMPORT["processes"] = MAY_IMPORT.keys() - {"demo", "simulation"}
MAY_IMPORT["commands"] = {*MAY_IMPORT}
MAY_IMPORT["__main__"] = {"__version__", "errors", "commands"}

# Pure: no clock, no input or output, no threads.
PURE = {
    "__future__",
    "array",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "msgspec",
    "operator",
    "re",
    "typing",
    "zlib",  # for CRC-32
    "zoneinfo",
}
TABLES_MAY_IMPORT = PURE | {"csv", "io"}  # text in memory; open() is refused below
CLOCKS = {"now", "utcnow", "today"}  # of datetime and date
IMPURE_CALLS = {"open", "print", "input", "__import__", "eval", "exec"}
MAY_EXEC = {"stream_app.model.fold.adders"}  # it compiles the catalogue, of which only we have written


def part_of(module: str) -> str:
    """Return the first name below stream_app: a layer, `model`, or a module beside them; else nothing."""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "stream_app" else ""


def imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a module imports, wherever the import stands.

    `from a import b` yields a.b, for b may be a module.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".") if is_package else module.split(".")[:-1]
            base = above[: len(above) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def impure_calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of the calls that read a clock, or read or write anything else."""
    for node in ast.walk(tree):
        # Not only calls: a clock handed over as a default is a clock.
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = ast.unparse(node.value).rpartition(".")[2]
            if owner in {"datetime", "date"}:
                yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield node.lineno, f"{node.func.id}()"


def forbidden(part: str, imported: str) -> bool:
    """Whether a module of this part of stream_app may not import that."""
    package = imported.partition(".")[0]
    if package == "stream_app":
        theirs = part_of(imported)
        return theirs not in {part, *MAY_IMPORT.get(part, ())}
    if part == "workforce":  # arithmetic: it needs nothing of anybody
        return package not in {*sys.stdlib_module_names, "msgspec"}
    allowed = {"model": PURE, "errors": PURE, "tables": TABLES_MAY_IMPORT}.get(part)
    return allowed is not None and package not in allowed


def violations(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Return what a module does against the rules, one line each."""
    tree = ast.parse(source)
    part = part_of(module)
    found = [
        f"{module}:{line} imports {imported}"
        for line, imported in imports(tree, module, is_package=is_package)
        if forbidden(part, imported)
    ]
    if part in {"model", "tables"}:
        allowed = {"exec()"} if module in MAY_EXEC else set()
        found += [f"{module}:{line} uses {call}" for line, call in impure_calls(tree) if call not in allowed]
    return found


def modules() -> list[tuple[str, Path]]:
    """Return name and path of every module of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def test_every_module_keeps_to_its_layer() -> None:
    found = [
        line
        for module, path in modules()
        for line in violations(path.read_text(), module, is_package=path.name == "__init__.py")
    ]
    assert found == []


def test_every_part_stands_in_the_table() -> None:
    """The test above would pass over an empty folder, and over one that nobody gave a place."""
    assert {*MAY_IMPORT} - {"__version__"} == {part_of(module) for module, _ in modules()} - {""}


def test_no_part_comes_before_what_it_imports() -> None:
    """So the table has no circle."""
    order = [*MAY_IMPORT]
    assert [part for n, part in enumerate(order) if not MAY_IMPORT[part] <= {*order[:n]}] == []


def test_no_two_modules_import_each_other_however_far_around() -> None:
    """Nor for their types only: who reads one would have to read the other first."""
    names = {module for module, _ in modules()}
    graph = {
        module: {
            found
            for _, name in imports(ast.parse(path.read_text()), module, is_package=path.name == "__init__.py")
            for found in {name, name.rpartition(".")[0]} & names
            if found != module and not module.startswith(f"{found}.")
        }
        for module, path in modules()
    }
    assert [*TopologicalSorter(graph).static_order()]
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).prepare()


def test_the_reference_knows_nothing_of_the_product() -> None:
    """What it is compared with would otherwise agree with itself."""
    folder = Path(__file__).parent / "reference"
    found = {
        path.stem: imports(ast.parse(path.read_text()), f"tests.reference.{path.stem}", is_package=False)
        for path in folder.glob("*.py")
    }
    assert "model" in found
    names = {name for each in found.values() for _, name in each}
    assert not [
        name
        for name in names
        if name.startswith(("stream_app", "tests.")) and not name.startswith("tests.reference.")
    ]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stream_app.model.fold.fold", "import time"),
        ("stream_app.model.fold.fold", "import logging"),
        ("stream_app.model.fold.fold", "import redis.asyncio"),
        ("stream_app.model.fold.fold", "from stream_app import settings"),
        ("stream_app.model.fold.fold", "from ...store import keys"),
        ("stream_app.model.fold.fold", "def f():\n    from stream_app.store.keys import key"),
        ("stream_app.model.fold.fold", "from datetime import datetime\nt = datetime.now()"),
        ("stream_app.model.fold.fold", "import datetime\nt = datetime.datetime.utcnow()"),
        ("stream_app.model.fold.fold", "from datetime import date\ndef f(today=date.today): ..."),
        ("stream_app.model.fold.fold", "print('here')"),
        ("stream_app.errors", "from stream_app.model import facts"),
        ("stream_app.ingest.consumer", "from stream_app.store import writer"),
        ("stream_app.ingest.dialects.generic", "import stream_app.views.api"),
        ("stream_app.store.redis", "from ..ingest import kafka"),
        ("stream_app.store.redis", "from stream_app.processes.worker import build"),
        ("stream_app.views.api", "from stream_app.store import reader"),
        ("stream_app.workforce.plan", "from stream_app.store import reader"),
        ("stream_app.workforce.plan", "from stream_app.views import text"),
        ("stream_app.workforce.erlang", "import numpy"),
        ("stream_app.views.api", "from stream_app.workforce import plan"),
        ("stream_app.settings", "from stream_app.store import keys"),
        ("stream_app.forecast.history", "from stream_app.ingest import files"),
        ("stream_app.views.api", "from stream_app.forecast import ahead"),
        ("stream_app.telemetry", "from stream_app import views"),
        ("stream_app.tables.reading", "from stream_app.model import events"),
        ("stream_app.tables.reading", "rows = open('a')"),
        ("stream_app.model.fold.fold", "import csv"),
        ("stream_app.processes.worker", "from stream_app.commands import serve"),
        ("stream_app.store.outbox", "from stream_app.ledger import manifest"),
        ("stream_app.ledger.writer", "from stream_app.processes import metrics"),
        ("stream_app.a_new_folder", "from stream_app.model import events"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "stream_app.model.fold.fold",
            "import msgspec\nfrom collections.abc import Mapping\nfrom . import facts",
        ),
        ("stream_app.model.fold.fold", "from stream_app.errors import Unreadable"),
        ("stream_app.model.windows", "today = window.today()\nfrom datetime import datetime, timedelta"),
        ("stream_app.ingest.consumer", "import time, aiokafka\nfrom stream_app.model import events"),
        ("stream_app.store.redis", "from stream_app import clocks, errors\nfrom .keys import key"),
        ("stream_app.store.redis", "from stream_app.store import keys\nimport logging"),
        ("stream_app.workforce.plan", "from stream_app.model.targets import Targets\nfrom . import erlang"),
        ("stream_app.processes.worker", "from stream_app import ingest, store, views"),
        (
            "stream_app.commands.check.command",
            "from stream_app.store import writer\nfrom stream_app.processes.worker import build",
        ),
    ],
)
def test_a_right_import_is_not(module: str, source: str) -> None:
    assert violations(source, module) == []


def test_a_package_counts_its_dots_from_itself() -> None:
    assert violations("from . import keys", "stream_app.store", is_package=True) == []
    assert len(violations("from ..views import api", "stream_app.store", is_package=True)) == 1
