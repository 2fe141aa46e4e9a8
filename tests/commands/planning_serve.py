"""``stream-app serve`` over interval rows in memory: nine weeks of a queue, until now."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from stream_app.__main__ import main
from stream_app.commands import serving
from stream_app.model.ports import Intervals
from stream_app.settings import Settings

from .plans import SALES, Rows, centre


def rows(_settings: Settings) -> Intervals | None:
    """What the command is given in place of the store's."""
    now = datetime.now(UTC)
    begin = (now - timedelta(weeks=9)).date()
    return Rows(centre(SALES, begin=begin, now=round(now.timestamp() * 1000)))


if __name__ == "__main__":
    serving.interval_rows = rows
    sys.argv[0] = "stream-app"
    main()
