"""``replay``: its options, the run, and its summary."""
