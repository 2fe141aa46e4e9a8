"""The page of all columns, and what docs/ledger.md says of how to read them."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.ledger.columns import TABLES
from stream_app.ledger.columns_page import PATH, page
from stream_app.ledger.local_files import LocalFiles

from .centre import Centre

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_page_has_every_column_with_its_type_and_a_text() -> None:
    text = (DOCS.parent / PATH).read_text()
    assert text == page()
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| (.*) \|$", text, re.MULTILINE)
    assert [name for name, _, _ in rows] == [one.name for table in TABLES.values() for one in table.columns]
    as_events_say = {"site", "customer", "priority", "contact_reason", "wrap_up_code"}
    as_events_say |= {"reason", "tier", "segment", "purchase_value", "purchases_per_year", "years"}
    assert {name for name, _, said in rows if not said} <= as_events_say


async def test_what_the_page_says_of_duckdb_works_as_it_stands(
    redis_url: str, storage: LocalFiles, tmp_path: Path
) -> None:
    centre = Centre(redis_url, storage, partitions=2, contacts=60)
    await centre.claim()
    for desk in centre.desks:
        await desk.count(100_000)
        await desk.write()
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "ledger.md").read_text(), re.DOTALL)
    command = [sys.executable, "-c", block]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "billing" in done.stdout
    await centre.close()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_in_the_overview(table: str) -> None:
    assert f"`{table}`" in (DOCS / "ledger.md").read_text().partition("## Open a number")[0]
