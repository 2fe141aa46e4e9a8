"""``repartition``: its options, which contacts move, and the run."""
