"""Where a run executes: on the nodes of a Ray cluster."""
