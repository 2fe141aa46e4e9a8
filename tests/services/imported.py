"""What a process that runs one of our commands has imported before it is told which one."""

from __future__ import annotations

import gc
import importlib
import os

os.environ |= dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)  # threads don't fork

from stream_app.__main__ import COMMANDS

for _module, _ in COMMANDS.values():
    importlib.import_module(f"stream_app.commands.{_module}")
for _module in (
    "duckdb",
    "pyarrow.parquet",
    "rich.progress",
    "scipy.stats",
    "statsforecast.models",
    "typer.rich_utils",
):
    importlib.import_module(_module)
gc.freeze()
