"""The lines of a TOML document's fields: all of them are found, where they are."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.commands.toml_lines import FieldPath, line_of, lines

ROOT = Path(__file__).parents[2]

HARD = '''
# [[rules]] in a comment
"top level" = 1
'quo.ted'.in.parts = """
[not.a.table]
x = 1 \\"""
""""
[[rules]]
name = "a ] } # text"
list = [ # a comment ]
  [1, 2,
   3], { a = 1, "b" = { c = [ "x, y", 'z\\' ] } },
  2026-01-05T08:00:00+01:00, # last
]
[rules.sub]
deep.er = '' # nothing
[[rules.many]]
n = 1
[[rules.many]]
n = 2

[[rules]]
[[rules.many]]
n = 3
text = \'\'\'
n = 4
\'\'\'
'''


def paths(value: Any, path: FieldPath = ()) -> Iterator[FieldPath]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from paths(inner, (*path, n))


DOCUMENTS = {
    "hard": HARD,
    "with Windows line ends": HARD.replace("\n", "\r\n"),
    "empty": "",
    "without a line end": "a = 1",
    **{path.name: path.read_text() for path in sorted(ROOT.rglob("docs/*.toml"))},
    "pyproject.toml": (ROOT / "pyproject.toml").read_text(),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_and_nothing_else_is_found(name: str) -> None:
    text = DOCUMENTS[name]
    assert {*lines(text)} == {*paths(tomllib.loads(text))}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_line_of_a_key_has_its_name(name: str) -> None:
    text = DOCUMENTS[name].split("\n")
    keys = [
        (path[-1], line)
        for path, line in lines("\n".join(text)).items()
        if path and isinstance(path[-1], str)
    ]
    assert all(str(key) in text[line - 1] for key, line in keys)


def test_elements_are_where_they_begin() -> None:
    found = lines(HARD)
    begin = HARD.split("\n").index("list = [ # a comment ]") + 1
    assert [found["rules", 0, "list", n] for n in range(3)] == [begin + 1, begin + 2, begin + 3]
    assert found["rules", 0, "list", 0, 2] == begin + 2
    assert found["rules", 0, "many", 1] == HARD.split("\n").index("n = 2")
    assert found["rules", 1, "many", 0, "n"] == HARD.split("\n").index("n = 3") + 1


def test_what_is_missing_is_where_its_table_is() -> None:
    found = lines(HARD)
    assert line_of(found, ("rules", 0, "severity")) == found["rules", 0]
    assert line_of(found, ("no", "such", "table")) == 1


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x7f", exclude_categories=["Cc", "Cs"]), max_size=9
)
VALUES = st.recursive(
    st.integers() | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def written(value: Any, broken: Iterator[bool]) -> str:
    """Write a value inline; arrays have a comment and a line break where ``broken`` says so."""
    if isinstance(value, dict):
        pairs = (f"{quoted(key)} = {written(inner, broken)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        gap = " # ] } ,\n" if next(broken) else " "
        return f"[{gap}{f',{gap}'.join(written(inner, broken) for inner in value)}{gap}]"
    if isinstance(value, str):
        return quoted(value)
    return str(value).lower()


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.slow
@given(
    tables=st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=4),
    breaks=st.lists(st.booleans(), min_size=1),
)
def test_whatever_is_written_is_found(tables: list[dict[str, Any]], breaks: list[bool]) -> None:
    def broken() -> Iterator[bool]:
        while True:
            yield from breaks

    gaps = broken()
    text = "".join(
        "[[rules]]\n" + "".join(f"{quoted(key)} = {written(value, gaps)}\n" for key, value in table.items())
        for table in tables
    )
    document = tomllib.loads(text)
    assert document.get("rules", []) == tables
    assert {*lines(text)} == {*paths(document)}
