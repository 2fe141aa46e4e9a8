"""Whether compose's containers can read the secrets that receivers name, said before an alert is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

GROUP: Final = 10001
"""``group_add`` of docker-compose.yml: Grafana's and Alertmanager's containers are in it, whatever user they run as."""
MOUNTED: Final = PurePosixPath("/run/secrets")
"""Where these containers see the folder ``secrets`` of a checkout."""
_ADVICE: Final = "see docs/alerting.md, Who is notified"


def doubts(root: Path, files: Iterable[PurePosixPath]) -> Iterator[str]:
    """Yield a line for each secret that is not in the checkout ``root`` as the containers need it."""
    folder = root / "secrets"
    for file in files:
        if file.parent != MOUNTED:
            continue
        path = folder / file.name
        try:
            may_enter, may_read = _allows(folder, 0o1), _allows(path, 0o4)
            empty = path.stat().st_size == 0
        except OSError as error:
            yield f"{path}: {(error.strerror or 'unreadable').lower()}; {_ADVICE}"
            continue
        if not may_enter or not may_read:
            yield f"{path if may_enter else folder}: containers can't read it, because group {GROUP} may not; {_ADVICE}"
        elif empty:
            yield f"{path}: the file is empty"


def _allows(path: Path, bit: int) -> bool:
    """Return whether the containers' group has a right."""
    found = path.stat()
    mode = found.st_mode >> 3 if found.st_gid == GROUP else found.st_mode
    return bool(mode & bit)
