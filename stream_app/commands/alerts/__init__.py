"""``stream-app alerts``: when they would have fired, and whether they reach people. One file a subcommand."""
