"""Where a run executes: in this process, or in a fresh one."""
