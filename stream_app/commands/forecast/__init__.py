"""``forecast``: the options, the work, the output."""
