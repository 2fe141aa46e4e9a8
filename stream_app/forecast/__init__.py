"""How many contacts will come: interval rows of the past → a forecast per queue and channel, with prediction intervals.

    history ──► grid ──► decomposition ──► spread ──► forecast      backtest, intraday: the same parts, asked at earlier times
    rows        days x   profile of the    what it    points of
    of a file   slots    week x level      missed     the future

Nothing here reads a clock, a store or a setting. ``history``, ``calendar``, ``points`` and ``picture`` need the standard
library only; the others need numpy, scipy and statsforecast, which the extra ``forecast`` installs. Import them late.
Method, limits and sources: docs/forecast.md.
"""
