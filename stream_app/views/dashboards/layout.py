"""Where panels are placed."""

from collections.abc import Sequence
from typing import Final

from .look import Panel

COLUMNS: Final = 24


def laid_out(panels: Sequence[Panel]) -> list[Panel]:
    """Lay out panels from left to right, with a new line where the width is used up or a row begins."""
    placed: list[Panel] = []
    x = y = tallest = 0
    for panel in panels:
        if panel["type"] == "row":
            y, x, tallest = y + tallest, 0, 0
            inside = [_moved(inner, y + 1) for inner in laid_out(panel["panels"])]
            placed.append({**panel, "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}, "panels": inside})
            y += 1
            continue
        width, height = panel["gridPos"]["w"], panel["gridPos"]["h"]
        if x + width > COLUMNS:
            y, x, tallest = y + tallest, 0, 0
        placed.append({**panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return placed


def filled(panels: Sequence[Panel], each_line: int = 2) -> list[Panel]:
    """Spread panels over lines of at most ``each_line``, with widths that fill these, so that no hole is left."""
    lines = -(-len(panels) // each_line)
    out: list[Panel] = []
    for n in range(lines):
        line = panels[len(panels) * n // lines : len(panels) * (n + 1) // lines]
        width, rest = divmod(COLUMNS, len(line))
        for panel in line:
            out.append({**panel, "gridPos": {**panel["gridPos"], "w": width + rest}})
            rest = 0
    return out


def _moved(panel: Panel, down: int) -> Panel:
    place = panel["gridPos"]
    return {**panel, "gridPos": {**place, "y": place["y"] + down}}
