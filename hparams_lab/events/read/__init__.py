"""Reading the event files of runs."""
