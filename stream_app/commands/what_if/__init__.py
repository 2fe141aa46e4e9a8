"""``stream-app what-if``."""
