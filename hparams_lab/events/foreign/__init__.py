"""Event files that other tools wrote."""
