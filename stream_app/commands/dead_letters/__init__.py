"""``stream-app dead-letters``."""
