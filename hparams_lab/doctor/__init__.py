"""What is wrong in a log directory, and how to mend it."""
