"""The two processes: ``worker`` folds events into Redis, ``serve`` shows what is there. Parts are wired only here."""
