"""``/v1/contacts``: the contacts behind the numbers."""
