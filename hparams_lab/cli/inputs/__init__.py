"""What the words of a command line name."""
