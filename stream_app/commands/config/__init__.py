"""``stream-app config``: the targets, versioned in the store."""
