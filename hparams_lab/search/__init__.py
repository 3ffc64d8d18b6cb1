"""Which assignment to try next: one small file a strategy."""
