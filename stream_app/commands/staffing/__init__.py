"""``staffing``: its options, and the plan."""
