"""Everything that people and machines read: pure functions of a snapshot or of the catalogue."""
