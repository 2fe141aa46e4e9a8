"""The commands, one file each. They compose: this is where layers meet, and where ``typer`` is known."""
