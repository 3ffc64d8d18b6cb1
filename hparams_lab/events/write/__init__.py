"""Writing the event files of runs and experiments."""
