"""An independent reading of docs/semantics.md: what every record of a partition must become.

Nothing here imports the product. The fold is written twice, once for speed and once (here) to be read beside
the specification, and the tests compare the two.
"""
