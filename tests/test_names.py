"""One name, one thing: whoever searches for a class finds one."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "stream_app"
# An event says that something happened, and the fact of the same name what it means: whoever reads one looks for the other.
TOGETHER = {"model/events.py", "model/facts.py"}


def public_names(tree: ast.Module) -> Iterator[str]:
    """Yield classes, wherever they stand, and aliases of types, which begin with a capital as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        yield from (
            target.id
            for target in targets
            if isinstance(target, ast.Name) and any(map(str.islower, target.id))
        )


def test_no_public_type_has_the_name_of_another() -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for name in public_names(ast.parse(path.read_text())):
            if name[0].isupper():
                where[name].add(str(path.relative_to(PACKAGE)))
    assert {name: files for name, files in where.items() if len(files) > 1 and files != TOGETHER} == {}
    assert len(where) > 400
