"""``stream-app serve`` over interval rows in memory: nine weeks of a queue, until now."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from stream_app.__main__ import main
from stream_app.commands import serving

from .plans import SALES, Rows, centre


def rows(_url: str) -> Rows:
    """What the command is given in place of the store's."""
    now = datetime.now(UTC)
    begin = (now - timedelta(weeks=9)).date()
    return Rows(centre(SALES, begin=begin, now=round(now.timestamp() * 1000)))


if __name__ == "__main__":
    sys.argv[0] = "stream-app"
    with patch.object(serving, "IntervalReader", rows):
        main()
