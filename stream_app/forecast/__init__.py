"""How many contacts to expect: historical interval rows → a forecast per queue and channel, with prediction intervals.

    history ──► grid ──► decomposition ──► spread ──► forecast      backtest, intraday: the same parts, as of earlier times
    rows        days x   profile of the    errors     points
    of a file   slots    week x level      so far     ahead

Nothing here reads a clock, a store or a setting. ``history``, ``calendar``, ``points`` and ``picture`` need the standard
library only; the others need numpy, scipy and statsforecast, which the extra ``forecast`` installs. Import them late.
Method, limits and sources: docs/forecast.md.
"""
