"""The recipes of CONTRIBUTING.md, done on a copy of this project exactly as they are written there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
NO_PART = (".git", ".venv", ".cache", ".*_cache", ".hypothesis", "__pycache__")
_BLOCK = re.compile(
    r"(?P<where>new file|[Aa]t the end of|[Bb]elow|[Aa]bove)\s(?:`(?P<mark>[^`]+)`\sin\s)?`(?P<path>[\w./]+)`[^:`]*:\n\n"
    r"```\w+\n(?P<text>.*?)```\n",
    re.DOTALL,
)


class Step(NamedTuple):
    """Text that somebody puts somewhere."""

    where: str
    mark: str | None
    path: str
    text: str


def steps(heading: str) -> list[Step]:
    """What a recipe has done, in its order."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, found, rest = page.partition(f"\n### {heading}\n")
    assert found, f"CONTRIBUTING.md has no recipe {heading!r}"
    recipe = _ends_at_a_heading(rest)
    done = [Step(m["where"].lower(), m["mark"], m["path"], m["text"]) for m in _BLOCK.finditer(recipe)]
    assert len(done) == recipe.count("\n```") // 2, "every block says where it goes"
    return done


def _ends_at_a_heading(text: str) -> str:
    """Text up to the next heading that is not in a block."""
    in_block, kept = False, list[str]()
    for line in text.splitlines(keepends=True):
        in_block ^= line.startswith("```")
        if not in_block and re.match("##+ ", line):
            break
        kept.append(line)
    return "".join(kept)


def copied(into: Path) -> Path:
    """A copy of the project."""
    return Path(shutil.copytree(ROOT, into, ignore=shutil.ignore_patterns(*NO_PART), dirs_exist_ok=True))


def follow(project: Path, step: Step) -> None:
    """Put the text where the recipe says."""
    path = project / step.path
    if step.where == "new file":
        assert not path.exists()
        path.write_text(step.text, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = len(lines)
    if step.mark is not None:
        begins = step.where == "at the end of"
        (found,) = (n for n, line in enumerate(lines) if _is_at(line, step.mark, begins=begins))
        at = found + (step.where == "below")
        if begins:
            at = next(n for n in range(found, len(lines)) if lines[n][0] in ")]}")
    path.write_text("".join([*lines[:at], step.text, *lines[at:]]), encoding="utf-8")


def _is_at(line: str, mark: str, *, begins: bool) -> bool:
    return re.match(rf"{re.escape(mark)}\b.*[=(\[{{]", line) is not None if begins else mark in line


def run(project: Path, *arguments: str) -> str:
    """Run Python there; what it wrote, both streams, is the message if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "HYPOTHESIS_PROFILE": "quick"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def suite(project: Path, *paths: str) -> str:
    """Run tests there, in this process's share of the machine."""
    return run(project, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *paths)
