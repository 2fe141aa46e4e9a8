"""``stream-app reconcile``."""
