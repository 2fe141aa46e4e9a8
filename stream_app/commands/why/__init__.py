"""``stream-app why``."""
