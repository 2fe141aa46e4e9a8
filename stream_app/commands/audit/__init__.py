"""``stream-app audit``."""
