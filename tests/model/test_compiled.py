"""What holds of the fold as Python holds of the compiled one: the same tests, run on both."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

from tests.services.compiled import ROOT, compiled_environment

TESTS: Final = (
    "tests/ingest/test_batch.py",
    "tests/model/test_fold.py",
    "tests/model/test_intervals.py",
    "tests/model/test_levels.py",
    "tests/model/test_lifecycle.py",
    "tests/model/test_tally.py",
    "tests/store/test_golden.py",
)
RUN: Final = """
import sys, pytest
import stream_app.model.fold.fold as fold  # before a checkout comes first in the path
from stream_app.model.fold.arrays import COMPILED
assert COMPILED and fold.__file__.endswith(".so"), fold.__file__
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_compiled_fold_passes_the_tests_of_the_fold() -> None:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *TESTS],
        cwd=ROOT,
        env={"HYPOTHESIS_PROFILE": "quick", **mine, **compiled_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout
