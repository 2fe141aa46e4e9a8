"""docs/intervals.md says what is so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from msgspec import structs

from stream_app.commands.intervals.command import run
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets
from stream_app.views.intervals.formats import COLUMNS, table
from stream_app.views.intervals.query import DEFAULT_LIMIT, FORMATS, MOST_DAYS, MOST_ROWS, PARAMETERS
from stream_app.views.intervals.wire import IntervalsAnswer

from .test_formats import PLAIN, written

PAGE = (Path(__file__).parents[3] / "docs" / "intervals.md").read_text()


def cells(heading: str) -> list[str]:
    """Names in the first cells of the first table below a heading."""
    below = PAGE.partition(f"\n{heading}\n")[2]
    rows = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert rows
    return [name for row in rows[0].splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_every_field_is_in_the_table_in_its_order() -> None:
    assert cells("## A row") == list(COLUMNS)


def test_every_policy_parameter_format_and_limit_is_named() -> None:
    assert re.findall(r"^\| `(\w+)`(?: \(default\))? \| \(?(?:answered|removed)", PAGE, re.MULTILINE) == list(
        SERVICE_LEVELS
    )
    assert set(cells("## `/v1/intervals`")) == set(PARAMETERS)
    for form in FORMATS:
        assert f"`{form}`" in PAGE
    for days in MOST_DAYS.values():
        assert str(days) in PAGE
    assert f"1 to {MOST_ROWS:,}, by default {DEFAULT_LIMIT:,}" in PAGE


def test_the_settings_are_valid_and_the_answer_has_its_fields() -> None:
    (settings,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (outage,) = Targets.of(tomllib.loads(settings)).outages
    assert (outage.queues, outage.channels) == (("billing",), ("voice",))
    (answer,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert list(json.loads(answer)) == list(IntervalsAnswer.__struct_encode_fields__)


def test_the_imports_are_as_they_are_written() -> None:
    row = structs.replace(written(**PLAIN))
    for form, of in (("connect", "f3a1c5d2-0b6e-4a7f-9a51-2c7de0a4b113"), ("genesys", None)):
        text = table([row], form, lambda _, of=of: of)  # type: ignore[misc] # bound now
        assert text.replace("\r\n", "\n    ").rstrip() in PAGE


def test_every_option_of_the_command_is_named() -> None:
    for name in (
        "--direct",
        "--dialect",
        "--settings",
        "--interval",
        "--tz",
        "--from",
        "--to",
        "--queue",
        "--channel",
    ):
        assert name in PAGE
    assert "docs/intervals.md" in (run.__doc__ or "")
