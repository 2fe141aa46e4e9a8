"""``skills``: its options, and the simulation."""
