"""``columns``: the options, the work, the output."""
