"""The picture is a function of its data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from stream_app.forecast.picture import HEIGHT, MOST, WIDTH, Bars, QueuePanel, svg
from stream_app.forecast.points import Point

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def panel(title: str = "billing voice", *, bars: bool = True) -> QueuePanel:
    past = [(BEGIN + timedelta(hours=n), None if n == 5 else float(n)) for n in range(24)]
    points = [
        Point(
            BEGIN + timedelta(hours=24 + n),
            60,
            "billing",
            "voice",
            10.0 + n,
            5 + n,
            15 + n,
            2 + n,
            20 + n,
            None,
        )
        for n in range(24)
    ]
    points[7] = Point(points[7].start, 60, "billing", "voice", None, None, None, None, None, None)
    return QueuePanel(title, past, points, (Bars(1, 0.1, 0.2), Bars(2, 0.15, 0.2)) if bars else ())


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314 - our own


def test_the_same_data_makes_the_same_text() -> None:
    assert svg([panel()]) == svg([panel()])


def test_it_is_well_formed_says_what_it_shows_and_stays_within() -> None:
    picture = svg([panel("a < b & c"), panel()])
    root = ET.fromstring(picture)  # noqa: S314 - our own
    assert root.get("viewBox") == f"0 0 {WIDTH} {2 * HEIGHT}"
    assert {"a < b & c", "billing voice", "Mon 05 Jan", "Tue 06 Jan", "10.0 %", "20.0 %"} <= set(
        texts(picture)
    )
    assert "nan" not in picture
    assert "None" not in picture


def test_what_is_missing_is_a_gap() -> None:
    root = ET.fromstring(svg([panel(bars=False)]))  # noqa: S314 - our own
    lines = [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "1.2"]
    assert [line.count("M") for line in lines] == [2, 2]


def test_a_picture_of_very_much_or_of_nothing() -> None:
    assert svg([panel(str(n)) for n in range(MOST + 5)]).count("<g ") == MOST
    ET.fromstring(svg([QueuePanel("empty", [], [])]))  # noqa: S314 - our own
    ET.fromstring(svg([]))  # noqa: S314 - our own
    quiet = [(BEGIN, 0.0), (BEGIN + timedelta(hours=1), 0.0)]
    assert "nan" not in svg([QueuePanel("quiet", quiet, [])])
