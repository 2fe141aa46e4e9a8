"""From events to changes: each contact's lifecycle by one table, and what its steps add to the counters.

``fold`` takes events one by one; ``contacts`` finds the contact of each, ``lifecycle`` is the table, ``effects`` what each step
does to a ``visit``, ``tally`` counts it, and ``deltas`` is what a commit hands to the store. ``clock`` determines a partition's
time.
"""
