"""What every tile shows at four moments, on a real Prometheus: fresh start, normal, a dead worker, everything dead."""

import json
import re
import signal
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream_app.views import links
from stream_app.views.dashboards import DASHBOARDS
from stream_app.views.dashboards.queries import usual_rate
from stream_app.views.docs import table
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster
from tests.services.process import HOST, until
from tests.services.prometheus import Prometheus
from tests.views.dashboards import linting
from tests.views.dashboards.shown import GREY, Shown, shown

from .pipeline import Pipeline, noon_somewhere
from .serve import Serve
from .simulator import Simulator

PAGE = Path(__file__).parents[2] / "docs/dashboards.md"
BEGIN = "<!-- tiles: begin, checked by tests/e2e/test_what_tiles_show.py -->"
END = "<!-- tiles: end -->"
MOMENTS = ("fresh start", "normal", "no worker", "everything dead")
STEADY = ("Age of the data", "Numbers", "Unread records", "Partitions followed", "Replicas of serve")
"""Tiles whose colour follows from the moment. Others follow their targets, and so what a simulated centre does."""
PLANNED = ("Agents short", "Required", "Scheduled", "Forecast contacts")
"""They need weeks of history, and a schedule."""

LIVE = {uid: render for uid, render in DASHBOARDS.items() if uid != links.RESOLUTION}
"""The other one needs days of a ledger, which this centre does not keep: see test_every_expression."""

Json = Mapping[str, Any]
Tile = tuple[str, str]
"""Dashboard and title."""


def tiles() -> Iterator[tuple[Tile, Json]]:
    for uid, render in LIVE.items():
        for panel in linting.panels(json.loads(render())):
            if panel["type"] == "stat":
                yield (links.TITLES[uid], panel["title"].removesuffix(", $window")), panel


Board = dict[Tile, list[Shown]]
"""What all tiles show at one moment."""


def asked(prometheus: Prometheus, only: Container[str] | None = None, at: float | None = None) -> Board:
    """Ask what each tile, or those of some titles, shows now or at some moment, over all queues; all at the same one."""
    at = time.time() if at is None else at
    return {
        tile: shown(panel, lambda expression: prometheus.query(of_all(expression), at=at))
        for tile, panel in tiles()
        if only is None or tile[1] in only
    }


def of_all(expression: str) -> str:
    for name, value in {"queue": ".*", "channel": ".*", "site": ".*", "window": "30m"}.items():
        expression = expression.replace(f"${name}", value)
    return expression


def told(title: str, values: list[Shown], *, idle: bool) -> str:
    """Write what a tile shows, without what differs from run to run; while nothing happens, nothing does."""
    texts, colours = ({value[n] for value in values} for n in (1, 2))
    differs = len(texts) > 1 or any(re.search("[1-9]" if idle else "[0-9]", text) for text in texts)
    text = "a number" if differs else texts.pop()
    steady = idle or title in STEADY or colours <= {GREY, "blue"}
    return f"{text}, {'/'.join(sorted(colours)) if steady else 'by target'}"


def written(moments: list[Board]) -> str:
    """Write the page's table: a row for each tile, with the dashboards that have it."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for board, title in moments[0]:
        says = (told(title, moment[board, title], idle=moment is moments[0]) for moment in moments)
        rows.setdefault((title, *says), []).append(board)
    listed = (
        (title, "all" if len(boards) == len(LIVE) else ", ".join(boards), *says)
        for (title, *says), boards in rows.items()
    )
    return "\n".join(table(("tile", "dashboard", *MOMENTS), listed))


def tile_of(seen: Board, title: str) -> Shown:
    return seen[links.TITLES[links.PIPELINE], title][0]


def unread(seen: Board) -> int:
    """How many records wait, as far as that is known."""
    value = tile_of(seen, "Unread records")
    return 0 if value.colour == GREY else int(value.text.replace(",", ""))


def grey(seen: Board) -> set[str]:
    """Titles of the tiles that show that nothing is known."""
    return {title for (_, title), values in seen.items() if {value.colour for value in values} == {GREY}}


@pytest.mark.timeout(300)
async def test_what_every_tile_shows_at_four_moments_is_written_down_and_true(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=2)
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path)
    pipeline.serve = Serve.as_installed(redis_url)  # with the limit that users have
    pipeline.apply(f'[defaults]\nzone = "{noon_somewhere()}"\n')
    moments: list[Board] = []
    with ExitStack() as running:
        running.enter_context(pipeline.running())
        await pipeline.trusted()
        prometheus = running.enter_context(
            Prometheus([f"{HOST}:{pipeline.serve.port}"], scrape_interval="500ms")
        )

        async def moment(
            what: str, holds: Callable[[Board], object], early: Callable[[Board], object] | None = None
        ) -> None:
            """Wait until this holds for what all tiles show, and keep that."""

            def seen() -> Board:
                # A busy machine takes long to ask for all, and the moment may be short.
                at = time.time()
                if early is not None and not early(asked(prometheus, STEADY, at)):
                    return {}
                board = asked(prometheus, at=at)
                return board if holds(board) else {}

            moments.append(await until(seen, 60, what))

        def is_trusted(board: Board) -> bool:
            looks = {tile_of(board, title).colour for title in ("Numbers", "Age of the data")}
            return looks == {"green"}

        def is_owned_up_to(board: Board) -> bool:
            return tile_of(board, "Age of the data").colour == "amber" and bool(unread(board))

        await moment("the numbers are trusted", is_trusted)
        simulator = running.enter_context(
            Simulator(kafka, topic, "--rate", "120", "--history", "40m", "--time-of-day", "14:00")
        )
        await moment("there are numbers", lambda board: is_trusted(board) and grey(board) == {*PLANNED})
        # What waits while nobody reads is told by the usual rate, which is none as long as the fresh start is most of the past.
        await until(lambda: prometheus.query(f"{usual_rate()} > 0.05"), 120, "a usual rate")
        pipeline.worker.signal(signal.SIGKILL)  # and contacts still come
        await moment("what the worker leaves is known", is_owned_up_to, early=is_owned_up_to)
        simulator.close()
        pipeline.serve.stop()
        await moment("Prometheus finds nobody", lambda board: tile_of(board, "Numbers").colour == GREY)

    _, _, outage, dead = moments
    assert {title for _, title in outage} - grey(outage) == {*STEADY}, (
        "nothing else is shown as if it were true"
    )
    assert {value[1:] for values in dead.values() for value in values} == {("—", GREY)}
    page, now = PAGE.read_text(), written(moments)
    assert page.count(BEGIN) == page.count(END) == 1
    shown_there = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown_there == now, f"docs/dashboards.md must say:\n{now}"
