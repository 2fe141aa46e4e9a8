"""``stream-app history``."""
