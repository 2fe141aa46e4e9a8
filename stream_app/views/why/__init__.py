"""``/v1/why``: a number, opened into the contacts that it is made of."""
