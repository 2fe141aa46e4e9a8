"""``/v1/what-if``: the same contacts, judged by other targets."""
