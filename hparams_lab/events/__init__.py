"""The event files: what is written to them and what is read back."""
