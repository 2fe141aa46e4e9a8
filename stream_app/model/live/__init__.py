"""What is true now: counters as ``board`` mirrors them, ``running`` totals of windows, and the ``snapshot`` made of them."""
