"""``intervals``: its options, the sources of rows, and how they are written."""
