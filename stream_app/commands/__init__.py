"""The commands, one file or folder each. Layers meet here, and only here ``typer`` is used."""
