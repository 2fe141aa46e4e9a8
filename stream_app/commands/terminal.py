"""What commands share towards a shell: standard input, ``--map``, and the bar that a terminal shows."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from stream_app.errors import BadSettingsError
from stream_app.tables.mapping import ALIASES, ColumnMap, parse_map

STDIN: Final = Path("-")
"""The FILE that is standard input."""


@contextmanager
def bar(name: str, total: float | None = None, completed: int = 0) -> Iterator[Callable[..., None]]:
    """Show a bar on stderr if it is a terminal; without a total, one that only shows activity.

    Yields a function that moves it, with the keywords of rich's ``Progress.update``.
    """
    if not sys.stderr.isatty():
        yield lambda **_: None
        return

    with Progress(console=Console(stderr=True), transient=True) as shown:
        yield partial(shown.update, shown.add_task(name, total=total, completed=completed))


def column_map(
    texts: Sequence[str],
    known: Collection[str],
    option: str = "--map",
    aliases: Mapping[str, str] = ALIASES,
) -> ColumnMap | None:
    """Read ``--map``, or another option of its kind, inline or from the files that it names; ``None`` without it.

    Raises:
        BadSettingsError: one line that names the option.
    """
    try:
        return parse_map([text if "=" in text else _of_file(Path(text)) for text in texts], known, aliases)
    except (OSError, ValueError) as error:
        raise BadSettingsError(f"{option}: {error}") from None


def _of_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(
            f"{path}: {why}; use FIELD=COLUMN, or the path of a file that stream-app columns wrote"
        ) from None
