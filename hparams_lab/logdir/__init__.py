"""The names and paths of a log directory, and safe changes to them."""
